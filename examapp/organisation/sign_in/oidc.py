"""Sign-in through an identity provider (OIDC): the account must be here already."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import structlog
from flask import Flask, current_app, session
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.config import Settings
from examapp.errors import DomainError, NotFoundError, TryAgainError
from examapp.organisation.accounts.actions import (
    AccountDisabledError,
    Device,
    SignInResult,
    begin_sign_in,
    reject_sign_in,
)
from examapp.organisation.accounts.queries import SignedIn
from examapp.organisation.people.models import Account, Person
from examapp.organisation.sign_in.session import begin, device_of_request
from examapp.web.trusted_hosts import address_of


class UnknownIdentityError(DomainError):
    """Nobody here has this staff number; accounts come from the roster alone."""

    code = "unknown_identity"
    status = 403
    message = "名册上没有您的人员编号，不能登录。请本单位管理员先登记您。"


def sign_in_known(session: Session, staff_number: str, *, device: Device, now: datetime) -> SignInResult:
    """Begin the sign-in of the account with this very staff number; none is made."""
    account = session.scalar(
        select(Account)
        .join(Person, Account.person_id == Person.id)
        .where(Person.staff_number == staff_number)
        .with_for_update(of=Account)
    )
    if account is None:
        return reject_sign_in(session, UnknownIdentityError(), device=device, now=now)
    begun = begin_sign_in(session, account.id, device=device, now=now)
    return begun or reject_sign_in(session, AccountDisabledError(), account=account, device=device, now=now)


log = structlog.get_logger()
_CLIENT, _NEXT = "identity", "identity_next"
_TIMEOUT_S = 5


class IdentityRejectedError(DomainError):
    """The identity provider's reply does not prove who this is."""

    code = "identity_refused"
    status = 403
    message = "统一身份认证没有通过。请重新点一次，或用密码登录。"


class IdentityAwayError(TryAgainError):
    """The identity provider does not answer."""

    message = "统一身份认证暂时连不上。请稍后再试，或用密码登录。"


def init_identity(app: Flask) -> None:
    """Make the client where settings name an issuer."""
    settings: Settings = app.config["SETTINGS"]
    if not settings.oidc_issuer:
        return
    from authlib.integrations.flask_client import OAuth

    app.extensions[_CLIENT] = OAuth(app).register(
        _CLIENT,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile", "code_challenge_method": "S256", "timeout": _TIMEOUT_S},
    )


def has_identity() -> bool:
    """Tell whether the application takes another one's word."""
    return _CLIENT in current_app.extensions


def lead_to_identity(next_path: str) -> AnyResponse:
    """Send the browser to the identity provider; raises NotFoundError where there is none, IdentityAwayError."""
    from authlib.integrations.flask_client import OAuthError
    from requests import RequestException

    client = _client()
    session[_NEXT] = next_path
    try:
        return cast("AnyResponse", client.authorize_redirect(address_of("people.finish_identity")))
    except (RequestException, OAuthError, ValueError, KeyError) as error:
        log.warning("identity_away", error=type(error).__name__)
        raise IdentityAwayError from None


def finish_identity() -> tuple[SignedIn, str]:
    """Check what the browser brought back and sign it in; give who it is and where to go.

    Raises IdentityRejectedError, UnknownIdentityError, AccountDisabledError, SecondFactorRequiredError, IdentityAwayError.
    """
    client, next_path = _client(), str(session.get(_NEXT, "/"))
    number = _staff_number(client)
    device = device_of_request()
    user = begin(lambda db_session: sign_in_known(db_session, number, device=device, now=clock.now()))
    return user, next_path


def _staff_number(client: Any) -> str:
    from authlib.integrations.flask_client import OAuthError
    from joserfc.errors import JoseError
    from requests import RequestException

    try:
        claims = client.authorize_access_token().get("userinfo") or {}
    except RequestException as error:
        log.warning("identity_away", error=type(error).__name__)
        raise IdentityAwayError from None
    except (OAuthError, JoseError, ValueError, KeyError, TypeError) as error:
        log.warning("identity_refused", error=type(error).__name__)
        raise IdentityRejectedError from None
    number = claims.get(current_app.config["SETTINGS"].oidc_staff_number_claim)
    if not isinstance(number, str) or not number:
        log.warning("identity_without_staff_number")
        raise IdentityRejectedError("统一身份认证没有给出人员编号，请联系系统管理员核对设置。")
    return number


def _client() -> Any:
    if not has_identity():
        raise NotFoundError
    return current_app.extensions[_CLIENT]
