"""Cache verified signatures of session cookies and CSRF tokens: an exam page sends the same two a hundred times.

Only the signed contents are cached, never who is signed in: whether a session is live is asked of the database at each request.
"""

from __future__ import annotations

import hmac
import time
from threading import Lock
from typing import Any

from cachetools import LRUCache
from flask import Flask, Request, Response, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_wtf.csrf import CSRFProtect, validate_csrf
from itsdangerous import BadSignature
from wtforms import ValidationError

_MAX = 16_384
"""About 1 kB each; the county's candidates, spread over two processes, are a quarter of them."""
_MAX_LENGTH = 2000
"""Characters of a Cookie header; a longer one is never cached, so that nobody can fill the memory."""
_CSRF_HEADER, _CSRF_FIELD = "X-CSRFToken", "csrf_token"
_FLAT = (str, int, bool, type(None))

_lock = Lock()


class CachedSessionInterface(SecureCookieSessionInterface):
    """Flask's signed cookies; one whose signature was verified is read from memory until it expires."""

    def __init__(self) -> None:
        self._known: LRUCache[str, tuple[dict[str, Any], float]] = LRUCache(_MAX)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Get the session of the cookie, an empty one if its signature is invalid or expired."""
        sent = str(request.environ.get("HTTP_COOKIE", ""))
        with _lock:
            known = self._known.get(sent)
        data, signed_at = known or self._read(app, sent, request.cookies.get(self.get_cookie_name(app)))
        is_old = time.time() - signed_at > app.permanent_session_lifetime.total_seconds()
        return self.session_class() if is_old else self.session_class(data)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie if the session changed; if it was only read, add only `Vary: Cookie`."""
        if session.modified or not session or self.should_set_cookie(app, session) or "Vary" in response.headers:
            super().save_session(app, session, response)
        elif session.accessed:
            response.headers["Vary"] = "Cookie"

    def _read(self, app: Flask, sent: str, signed: str | None) -> tuple[dict[str, Any], float]:
        serializer = self.get_signing_serializer(app)
        if serializer is None or not signed:
            return {}, 0
        try:
            data, signed_at = serializer.loads(signed, return_timestamp=True)
        except BadSignature:
            return {}, 0
        found = (data, signed_at.timestamp())
        is_flat = all(isinstance(value, _FLAT) for value in data.values())  # a list would be shared by the requests
        if is_flat and len(sent) <= _MAX_LENGTH:
            with _lock:
                self._known[sent] = found
        return found


def init_csrf(app: Flask) -> None:
    """Protect requests by Flask-WTF; a script's token that was verified before is compared with the session's without verifying it again."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    csrf, verified = CSRFProtect(app), LRUCache[str, str](_MAX)

    def is_verified(token: str) -> bool:
        mine = session.get(_CSRF_FIELD)
        with _lock:
            known = verified.get(token)
        if not isinstance(mine, str):
            return False
        if known and hmac.compare_digest(known, mine):
            return True
        try:
            validate_csrf(token)
        except ValidationError:
            return False
        with _lock:
            verified[token] = mine
        return True

    @app.before_request
    def protect() -> None:
        if request.method in app.config["WTF_CSRF_METHODS"] and app.config["WTF_CSRF_ENABLED"]:
            token = request.headers.get(_CSRF_HEADER)
            if not (token and request.is_json and is_verified(token)):
                csrf.protect(apply_exemptions=True)
