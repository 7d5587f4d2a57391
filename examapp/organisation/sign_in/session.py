"""Signing a browser in: by password, by a one-use code, through an identity provider; captcha, device cookie and second factor on the way."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from flask import Response, after_this_request, current_app, request, session
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.documents.html import normalise
from examapp.errors import BadRequestError, DomainError, NotFoundError
from examapp.organisation.accounts.actions import (
    Checked,
    Device,
    SignInResult,
    WaitBeforeSignInError,
    WrongCredentialsError,
    judge_password,
    note_rejected_sign_in,
    note_unknown_sign_in,
    sign_out,
)
from examapp.organisation.accounts.guards import actor, begin_session, cipher, find_signed_in_person, hasher
from examapp.organisation.accounts.queries import (
    AccountToCheck,
    SignedIn,
    SignInLimits,
    find_account_and_limits,
    find_account_to_check,
    is_captcha_due,
)
from examapp.organisation.accounts.rules import MAX_PASSWORD_LENGTH, clean_login_name
from examapp.organisation.captcha.actions import (
    CaptchaRequiredError,
    CaptchaSolution,
    Challenge,
    WrongCaptchaError,
    new_challenge,
    use_solution,
)
from examapp.organisation.lobby import session as lobby
from examapp.organisation.mfa import actions as mfa_actions
from examapp.organisation.mfa.actions import SecondFactorRequiredError
from examapp.organisation.password_reset import actions as password_reset_actions
from examapp.organisation.password_reset.actions import use_ticket
from examapp.organisation.people.rules import first_password_binding
from examapp.platform.audit.actions import ActionContext
from examapp.security.ciphers import DecryptionError
from examapp.security.concurrency_limiter import release_slot
from examapp.security.password_hashing import NO_HASH, BusyHashingError, Caller

_COOKIE = "device"
_COOKIE_S = 400 * 24 * 3600
_MAX_ACCOUNTS = 12


def find_turn() -> lobby.Turn | None:
    """Give this browser's place in the lobby, None where its password may be sent now."""
    return lobby.find_turn(is_known_device=bool(accounts_of_device()))


def accounts_of_device() -> list[int]:
    """Give the accounts that this browser has signed in to, as a cookie of ours says; newest last."""
    signed = request.cookies.get(_cookie_name())
    try:
        known = _signer().loads(signed) if signed else []
    except BadSignature:
        return []
    return [account for account in known if isinstance(account, int)] if isinstance(known, list) else []


def remember_account(account_id: int) -> None:
    """Write an account into this browser's cookie."""
    known = [account for account in accounts_of_device() if account != account_id]
    value = _signer().dumps([*known, account_id][-_MAX_ACCOUNTS:])
    name, is_secure = _cookie_name(), current_app.config["SESSION_COOKIE_SECURE"]

    @after_this_request
    def _set_cookie(response: Response) -> Response:
        response.set_cookie(name, str(value), max_age=_COOKIE_S, secure=is_secure, httponly=True, samesite="Lax")
        return response


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="device")


def _cookie_name() -> str:
    return f"__Host-{_COOKIE}" if current_app.config["SESSION_COOKIE_SECURE"] else _COOKIE


log = structlog.get_logger()
_HALF = "half_sign_in"
"""Where the cookie keeps the token of a sign-in that waits for its code."""
_DELAY_S = 0.3
_delayed = threading.BoundedSemaphore(128)
"""A quarter of a process's connections."""
_MANY_RESETS = "同一网络刚才申请验证码的人较多，请按图片填写 5 个数字再提交。看不清的，留空，等 30 秒后再提交。"


class WrongResetCodeError(DomainError):
    """The code is not the one that was sent, was used, or is too old; or nobody has the name."""

    code = "wrong_code"
    status = 401
    message = "验证码不对，或已过期。请核对登录名和手机上最新的一条，10 分钟内有效。"


class PasswordTooLongError(BadRequestError):
    """Longer than any password here may be: rejected before it costs a hash."""

    message = f"密码最多 {MAX_PASSWORD_LENGTH} 位，请检查是否粘贴了别的内容。"


def sign_in_with(login_name: str, password: str, solution: CaptchaSolution | None = None) -> SignedIn:
    """Sign this browser in: read, compare outside any transaction, judge and write under the account's lock.

    A name that nobody has costs the same as a wrong password; while a wait is due for a name, neither costs a hash. Raises PasswordTooLongError,
    WaitBeforeSignInError, CaptchaRequiredError, WrongCredentialsError, AccountDisabledError, and, before anything is read,
    BusyHashingError where too many sign in at once.
    """
    if len(password) > MAX_PASSWORD_LENGTH:
        raise PasswordTooLongError
    is_known = bool(accounts_of_device())
    try:
        hasher().check_capacity(lobby.office(), lobby.priority(is_known_device=is_known))
        return _sign_in_with(login_name, password, solution or CaptchaSolution())
    except BusyHashingError as rejection:
        retry_after = rejection.extra.get("retry_after") or lobby.make_appointment(is_known_device=is_known)
        _delay_reply()
        raise BusyHashingError(retry_after=retry_after) from None
    except WaitBeforeSignInError:
        _delay_reply()
        raise


def _delay_reply() -> None:
    """Hold a rejection back for a moment, of so many at a time: who asks again at once on kept connections then takes no processor from those who sign in."""
    if _delayed.acquire(blocking=False):
        try:
            with release_slot():
                time.sleep(_DELAY_S)
        finally:
            _delayed.release()


def _sign_in_with(login_name: str, password: str, solution: CaptchaSolution) -> SignedIn:
    name, name_digest, now = clean_login_name(login_name) or "", _unknown_name_digest(login_name), clock.now()
    found, limits = find_account_and_limits(
        name, cipher(), name_digest=name_digest, address=request.remote_addr, now=now
    )
    with transaction() as db_session:
        rejection = _find_rejection(db_session, found, limits, solution, now=now)
        if rejection:
            delayed = found if isinstance(rejection, WaitBeforeSignInError) else None
            note_rejected_sign_in(
                db_session,
                rejection.code,
                account_id=delayed.account_id if delayed else None,
                person_id=delayed.person_id if delayed else None,
                address=request.remote_addr,
                now=now,
            )
    if rejection:
        raise rejection
    priority = lobby.priority(is_known_device=_is_known_device(found))
    caller = Caller(name=name_digest.hex(), address=lobby.office(), priority=priority)
    checked = _compare(found, password, caller)
    return begin(lambda db_session: _judge(db_session, checked, name_digest))


def _find_rejection(
    db_session: Session,
    account: AccountToCheck | None,
    limits: SignInLimits,
    solution: CaptchaSolution,
    *,
    now: datetime,
) -> DomainError | None:
    """Say what keeps a password from being compared: a wait for the name, then a captcha for the address. Never the latter on the owner's device."""
    is_known = _is_known_device(account)
    failures = account.failures if account else limits.unknown_failures
    if wait := failures.wait_s(now=now, is_known_device=is_known):
        return WaitBeforeSignInError(wait)
    return _captcha_rejection(db_session, solution) if limits.is_captcha_due and not is_known else None


def _unknown_name_digest(login_name: str) -> bytes:
    """Give the key under which a name is counted if no account has it; without regard to case, as accounts are found."""
    name = clean_login_name(login_name) or login_name[:200]
    return cipher().blind_index(name.upper(), purpose="unknown_login_name")


def _is_known_device(account: AccountToCheck | None) -> bool:
    return account is not None and account.account_id in accounts_of_device()


def sign_in_by_ticket(code: str) -> SignedIn:
    """Sign this browser in by a one-use ticket; raises WrongTicketError, AccountDisabledError."""
    return begin(
        lambda db_session: use_ticket(
            db_session, code, cipher=cipher(), device=device_of_request(is_known=False), now=clock.now()
        )
    )


def ask_reset(login_name: str, solution: CaptchaSolution | None = None) -> None:
    """Ask for a code to a forgotten password's phone; nothing in the answer tells whether an account has the name.

    Raises CaptchaRequiredError by the address alone, and never to the device that has signed in to the account before.
    """
    name = clean_login_name(login_name) or ""
    found = find_account_to_check(name, cipher())
    with transaction() as db_session:
        is_due = _is_captcha_due(db_session, is_reset=True) and not _is_known_device(found)
        rejection = _captcha_rejection(db_session, solution or CaptchaSolution(), _MANY_RESETS) if is_due else None
        if rejection is None:
            password_reset_actions.ask_reset(db_session, found, address=request.remote_addr, now=clock.now())
    if rejection:
        raise rejection


def sign_in_by_reset_code(login_name: str, code: str) -> SignedIn:
    """Sign this browser in by the code that came to the phone; raises WrongResetCodeError, WaitBeforeSignInError."""
    name = clean_login_name(login_name) or ""

    def judge(db_session: Session) -> SignInResult:
        found, now = find_account_to_check(name, cipher()), clock.now()
        if found is None:
            return note_unknown_sign_in(
                db_session, _unknown_name_digest(login_name), address=request.remote_addr, now=now
            )
        device = device_of_request(is_known=False)
        return password_reset_actions.use_reset_code(
            db_session, found.account_id, code, cipher=cipher(), device=device, now=now
        )

    try:
        return begin(judge)
    except WrongCredentialsError:
        raise WrongResetCodeError from None


def begin(judge: Callable[[Session], SignInResult]) -> SignedIn:
    """Judge in one transaction, and bind the browser to the new sign-in in the stead of the one it had."""
    previous = find_signed_in_person()
    with transaction() as db_session:
        verdict = judge(db_session)
        if verdict.token and previous:
            sign_out(ActionContext(db_session, actor(), clock.now()), previous.sign_in_id)
    if verdict.awaits_code and verdict.token:
        session[_HALF] = verdict.token
        raise SecondFactorRequiredError
    if verdict.token is None or verdict.user is None:
        raise verdict.rejection or NotFoundError
    begin_session(verdict.token, verdict.user)
    remember_account(verdict.user.account_id)
    return verdict.user


def awaits_code() -> bool:
    """Tell whether this browser has given a right password and its one-time code is still to come."""
    return _HALF in session


def pass_code(typed: str) -> SignedIn:
    """Complete this browser's half sign-in by a one-time or recovery code, under a new session id.

    Raises WrongCodeError, WaitBeforeSignInError, and NotFoundError where the password must be given again.
    """
    half, address = session.get(_HALF, ""), request.remote_addr
    try:
        return begin(
            lambda db_session: mfa_actions.pass_code(
                db_session, half, typed, cipher=cipher(), address=address, now=clock.now()
            )
        )
    except NotFoundError:
        session.pop(_HALF, None)
        raise


def _captcha_rejection(
    db_session: Session, solution: CaptchaSolution, why: str | None = None
) -> CaptchaRequiredError | None:
    """Say that a captcha is to be solved first, where none has been."""
    if not solution.token:
        return CaptchaRequiredError(why)
    is_solved = use_solution(db_session, solution, address=request.remote_addr, cipher=cipher(), now=clock.now())
    return None if is_solved else WrongCaptchaError()


def find_challenge(rejection: DomainError | None = None, *, is_reset: bool = False) -> Challenge | None:
    """Make the captcha that the page must show: after a rejection for want of one, or at once to a device without a cookie."""
    is_due = isinstance(rejection, CaptchaRequiredError) or (
        not accounts_of_device() and _is_captcha_due(read_session(), is_reset=is_reset)
    )
    return new_challenge(cipher=cipher(), now=clock.now()) if is_due else None


def _is_captcha_due(db_session: Session, *, is_reset: bool) -> bool:
    now, address = clock.now(), request.remote_addr
    if is_captcha_due(address, now=now):
        return True
    return is_reset and password_reset_actions.are_many(db_session, address, now=now)


def _compare(account: AccountToCheck | None, password: str, caller: Caller) -> Checked | None:
    if account is None:
        hasher().verify(None, password, caller)
        return None
    new_hash = None
    if account.password_hash == NO_HASH and account.first_password_encrypted:
        new_hash = hasher().hash(password, caller)
        is_right = hmac.compare_digest(_first_password(account).encode(), password.encode())
    else:
        is_right = hasher().verify(account.password_hash, password, caller)
    return Checked(
        account_id=account.account_id,
        password_hash=account.password_hash,
        is_right=is_right,
        new_hash=new_hash if is_right else None,
    )


def _first_password(account: AccountToCheck) -> str:
    associated_data = first_password_binding(account.person_id)
    try:
        return cipher().decrypt(account.first_password_encrypted or b"", associated_data=associated_data)
    except DecryptionError:
        return secrets.token_urlsafe()


def _judge(db_session: Session, checked: Checked | None, name_digest: bytes) -> SignInResult:
    now = clock.now()
    if checked is None:
        return note_unknown_sign_in(db_session, name_digest, address=request.remote_addr, now=now)
    device = device_of_request(is_known=checked.account_id in accounts_of_device())
    return judge_password(db_session, checked, device=device, now=now)


def device_of_request(*, is_known: bool = False) -> Device:
    """Give the browser behind the request, as a sign-in remembers it."""
    return Device(address=request.remote_addr, name=normalise(request.user_agent.string), is_known=is_known)
