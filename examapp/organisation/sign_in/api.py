"""The delivery protocol's session: who is signed in, and signing in again on an open page."""

from __future__ import annotations

import base64
from typing import Annotated, NotRequired, TypedDict
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from flask_wtf.csrf import generate_csrf
from msgspec import Meta, Struct

from examapp import clock
from examapp.errors import DomainError
from examapp.organisation.accounts.guards import PasswordChangeRequiredError, my_user, public, signed_in
from examapp.organisation.accounts.queries import SignedIn
from examapp.organisation.captcha.actions import CaptchaRequiredError, CaptchaSolution
from examapp.organisation.sign_in import session
from examapp.web.json_io import Id, Instant, instant, json_response, read_body

api_blueprint = Blueprint("people_api", __name__, url_prefix="/api/v1")

_MAX_BYTES = 16 * 1024


class SignInRequest(Struct, frozen=True):
    """Signing in again on an open page, with the solution of a captcha where one was asked for."""

    login_name: str
    password: str
    captcha_id: str = ""
    captcha: str = ""


class UnitBody(TypedDict):
    """A unit."""

    id: Id
    name: str


class PersonBody(TypedDict):
    """Who is signed in."""

    id: Id
    name: str
    unit: UnitBody


class SessionBody(TypedDict):
    """A session and the token that its unsafe calls carry."""

    person: PersonBody
    csrf_token: str
    server_time: Instant


class CaptchaErrorBody(TypedDict):
    """A rejected sign-in; with a captcha (PNG) where one must be solved next."""

    error: str
    message: str
    captcha_id: NotRequired[str]
    image: NotRequired[Annotated[str, Meta(extra_json_schema={"contentEncoding": "base64"})]]


class ForeignOriginError(DomainError):
    """Another site's page sent the request."""

    code = "csrf_failed"
    status = 403
    message = "请求来自其他网站，已拒绝。请从本平台的页面登录。"


@api_blueprint.get("/session")
@signed_in
def show_session() -> Response:
    """Tell who is signed in, and the token that unsafe calls carry."""
    return _session_of(my_user())


@api_blueprint.post("/session")
@public
def begin_session() -> Response:
    """Sign in again on an open page: the old token has ended with its session, so the origin is checked in its stead."""
    _reject_foreign_origin()
    body = read_body(SignInRequest, max_bytes=_MAX_BYTES)
    solution = CaptchaSolution(token=body.captcha_id, answer=body.captcha)
    try:
        user = session.sign_in_with(body.login_name, body.password, solution)
    except CaptchaRequiredError as rejection:
        raise _with_captcha(rejection) from None
    if user.must_change_password:
        raise PasswordChangeRequiredError
    return _session_of(user)


@api_blueprint.record_once
def _exempt_from_token(state: BlueprintSetupState) -> None:
    state.app.extensions["csrf"].exempt(begin_session)


def _with_captcha(rejection: CaptchaRequiredError) -> CaptchaRequiredError:
    """Give the picture (PNG, base64) along with the rejection; it comes back as `captcha_id` and `captcha`."""
    challenge = session.find_challenge(rejection)
    if challenge:
        rejection.extra.update(captcha_id=challenge.token, image=base64.b64encode(challenge.picture).decode())
    return rejection


def _session_of(user: SignedIn) -> Response:
    unit: UnitBody = {"id": user.unit_id, "name": user.unit_name}
    reply: SessionBody = {
        "person": {"id": user.person_id, "name": user.name, "unit": unit},
        "csrf_token": generate_csrf(),
        "server_time": instant(clock.now()),
    }
    return json_response(reply)


def _reject_foreign_origin() -> None:
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
