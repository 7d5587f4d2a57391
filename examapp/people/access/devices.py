"""The device cookie: which accounts this browser has signed in to, so that a colleague's typing keeps nobody out of them."""

from __future__ import annotations

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

_COOKIE = "device"
_COOKIE_S = 400 * 24 * 3600
_MOST_ACCOUNTS = 12


def accounts_of_device() -> list[int]:
    """Give the accounts that this browser has signed in to, as a cookie of ours says; newest last."""
    try:
        known = _signer().loads(request.cookies.get(_cookie_name(), ""))
    except BadSignature:
        return []
    return [account for account in known if isinstance(account, int)] if isinstance(known, list) else []


def remember_account(account_id: int) -> None:
    """Write an account into this browser's cookie."""
    known = [account for account in accounts_of_device() if account != account_id]
    value = _signer().dumps([*known, account_id][-_MOST_ACCOUNTS:])
    name, is_secure = _cookie_name(), current_app.config["SESSION_COOKIE_SECURE"]

    @after_this_request
    def _set_cookie(response: Response) -> Response:
        response.set_cookie(name, str(value), max_age=_COOKIE_S, secure=is_secure, httponly=True, samesite="Lax")
        return response


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="device")


def _cookie_name() -> str:
    return f"__Host-{_COOKIE}" if current_app.config["SESSION_COOKIE_SECURE"] else _COOKIE
