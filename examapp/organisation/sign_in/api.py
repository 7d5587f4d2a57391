"""The delivery protocol's session: who is signed in, and signing in again on an open page."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from flask_wtf.csrf import generate_csrf

from examapp import clock
from examapp.errors import BadRequestError, DomainError
from examapp.organisation.accounts.guards import PasswordChangeRequiredError, me, public, signed_in
from examapp.organisation.accounts.queries import SignedIn
from examapp.organisation.captcha.actions import CaptchaRequiredError, Solution
from examapp.organisation.sign_in import session
from examapp.web.json_io import answer, instant, read_object

api_blueprint = Blueprint("people_api", __name__, url_prefix="/api/v1")

_MAX_BYTES = 16 * 1024


class ForeignOriginError(DomainError):
    """Another site's page sent the request."""

    code = "csrf_failed"
    status = 403
    message = "请求来自其他网站，已拒绝。请从本平台的页面登录。"


@api_blueprint.get("/session")
@signed_in
def show_session() -> Response:
    """Tell who is signed in, and the token that unsafe calls carry."""
    return _session_of(me())


@api_blueprint.post("/session")
@public
def begin_session() -> Response:
    """Sign in again on an open page: the old token has ended with its session, so the origin is checked in its stead."""
    _refuse_foreign_origin()
    body = read_object(most_bytes=_MAX_BYTES)
    solution = Solution(token=_text(body.get("captcha_id", "")), answer=_text(body.get("captcha", "")))
    try:
        who = session.sign_in_with(_text(body.get("login_name")), _text(body.get("password")), solution)
    except CaptchaRequiredError as refusal:
        raise _with_captcha(refusal) from None
    if who.must_change_password:
        raise PasswordChangeRequiredError
    return _session_of(who)


@api_blueprint.record_once
def _exempt_from_token(state: BlueprintSetupState) -> None:
    state.app.extensions["csrf"].exempt(begin_session)


def _with_captcha(refusal: CaptchaRequiredError) -> CaptchaRequiredError:
    """Give the picture (PNG, base64) along with the refusal; it comes back as `captcha_id` and `captcha`."""
    challenge = session.find_challenge(refusal)
    if challenge:
        refusal.extra.update(captcha_id=challenge.token, image=base64.b64encode(challenge.picture).decode())
    return refusal


def _session_of(who: SignedIn) -> Response:
    unit = {"id": who.unit_id, "name": who.unit_name}
    return answer(
        {
            "person": {"id": who.person_id, "name": who.name, "unit": unit},
            "csrf_token": generate_csrf(),
            "server_time": instant(clock.now()),
        }
    )


def _refuse_foreign_origin() -> None:
    origin = request.headers.get("Origin")
    if origin is not None and _host_of(origin) != request.host:
        raise ForeignOriginError
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise ForeignOriginError


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadRequestError
    return value
