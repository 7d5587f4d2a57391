"""The only door to Flask-Login: who is signed in, what a view asks for, and what a permission reaches.

Every view carries exactly one of `@public`, `@signed_in`, `@requires(permission)`; a house test walks the map of addresses and fails on
one without, and at run time such a view is refused.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, cast

import structlog
from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.core import clock, sabotage
from examapp.core.crypto import SealBrokenError, Sealer
from examapp.core.db import reading, transaction
from examapp.core.errors import BadRequestError, DomainError, NotFoundError, wants_json
from examapp.core.hashing import NO_HASH, Hasher
from examapp.core.html import normalise
from examapp.core.permissions import Permission
from examapp.core.sabotage import Guarantee
from examapp.people.access.devices import accounts_of_device, remember_account
from examapp.people.operations.captchas import (
    CaptchaRequiredError,
    Challenge,
    Solution,
    WrongCaptchaError,
    new_challenge,
    use_solution,
)
from examapp.people.operations.own_sign_ins import note_seen
from examapp.people.operations.signing_in import (
    Checked,
    Device,
    Verdict,
    judge_sign_in,
    note_unknown_sign_in,
    sign_out,
)
from examapp.people.operations.tickets import use_ticket
from examapp.people.queries import (
    AccountToCheck,
    SignedIn,
    find_account_to_check,
    find_signed_in,
    is_captcha_due,
    list_grants,
)
from examapp.people.rules import (
    LONGEST_PASSWORD,
    Grant,
    Reach,
    clean_login_name,
    digest,
    first_password_binding,
    reach_of,
)

View = TypeVar("View", bound=Callable[..., Any])
_RULE = "access_rule"
BY_STATEMENT = "signed_in_by_statement"
_SEEN_EVERY = timedelta(minutes=1)
log = structlog.get_logger()
_login_manager = LoginManager()
_login_manager.session_protection = None


class SignInRequiredError(DomainError):
    """Nobody is signed in."""

    code = "sign_in_required"
    status = 401
    message = "请先登录。"


class PasswordChangeRequiredError(DomainError):
    """The first password must be changed before anything else."""

    code = "password_change_required"
    status = 403
    message = "首次登录请先修改密码。"


class PasswordTooLongError(BadRequestError):
    """Longer than any password here may be: refused before it costs a hash."""

    message = f"密码最多 {LONGEST_PASSWORD} 位，请检查是否粘贴了别的内容。"


class _SignedInUser(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """What Flask-Login carries: the token of the sign-in, and who it belongs to."""

    def __init__(self, token: str, who: SignedIn) -> None:
        self.id = token
        self.who = who


@_login_manager.user_loader  # type: ignore[untyped-decorator]  # flask_login has no types
def _load(token: str) -> _SignedInUser | None:
    if sabotage.is_broken(Guarantee.SESSIONS_IN_POSTGRESQL) and not sabotage.is_in_redis(token):
        return None
    who = find_signed_in(reading(), digest(token))
    if who is None or (who.is_administrator and not _is_awake(who)):
        return None
    return _SignedInUser(token, who)


def _is_awake(who: SignedIn) -> bool:
    """Tell whether an administrator's sign-in is within the idle limit, or its holder sits an exam; note that there is work.

    What a page fetches by itself is no work.
    """
    now, limit = clock.now(), timedelta(minutes=int(current_app.config["SETTINGS"].admin_idle_minutes))
    is_idle = bool(limit) and now - who.seen_at > limit
    if is_idle and not current_app.extensions["is_sitting"](reading(), who.person_id):
        return False
    if now - who.seen_at >= _SEEN_EVERY and not (wants_json() and request.method == "GET"):
        with transaction() as db_session:
            note_seen(db_session, who.sign_in_id, now=now)
    return True


def init_access(app: Flask, *, is_sitting: Callable[[Session, int], bool]) -> None:
    """Hang the door into the application; `is_sitting` tells whether a person is in an exam, which no idle limit cuts."""
    app.extensions["is_sitting"] = is_sitting
    app.extensions["hasher"] = Hasher.from_settings(app.config["SETTINGS"])
    _login_manager.init_app(app)
    app.before_request(_refuse_unmarked_view)
    app.before_request(_ask_api_callers_to_sign_in)
    app.context_processor(lambda: {"me": find_signed_in_person(), "may": may})


def begin_session(token: str, who: SignedIn) -> None:
    """Bind the browser to a new sign-in; whatever it held before is forgotten, so a fixed cookie is worth nothing."""
    session.clear()
    session.permanent = True
    login_user(_SignedInUser(token, who))
    if sabotage.is_broken(Guarantee.SESSIONS_IN_POSTGRESQL):
        sabotage.remember_in_redis(token)
    g.pop("grants", None)


def sealer() -> Sealer:
    """Give what seals and opens personal numbers."""
    return cast("Sealer", current_app.extensions["sealer"])


def hasher() -> Hasher:
    """Give what makes and checks password hashes; never call it inside a transaction."""
    return cast("Hasher", current_app.extensions["hasher"])


def sign_in_with(login_name: str, password: str, solution: Solution | None = None) -> SignedIn:
    """Sign this browser in: read, compare outside any transaction, judge and write under the account's lock.

    A name that nobody has costs the same as a wrong password. Raises PasswordTooLongError, CaptchaRequiredError,
    WrongCredentialsError, WaitBeforeSignInError, AccountDisabledError, and TryAgainError where too many sign in at once.
    """
    if len(password) > LONGEST_PASSWORD:
        raise PasswordTooLongError
    name = clean_login_name(login_name)
    with transaction() as db_session:
        found = find_account_to_check(db_session, name, sealer()) if name else None
        refusal = _captcha_refusal(db_session, found, solution or Solution())
    if refusal:
        raise refusal
    checked = _compare(found, password)
    return _begin(lambda db_session: _judge(db_session, checked, name=name or login_name[:200]))


def sign_in_by_ticket(code: str) -> SignedIn:
    """Sign this browser in by a one-use ticket; raises WrongTicketError, AccountDisabledError."""
    return _begin(
        lambda db_session: use_ticket(
            db_session, code, sealer=sealer(), device=_device(is_known=False), now=clock.now()
        )
    )


def _begin(judge: Callable[[Session], Verdict]) -> SignedIn:
    """Judge in one transaction, and bind the browser to the new sign-in in the stead of the one it had."""
    previous = find_signed_in_person()
    with transaction() as db_session:
        verdict = judge(db_session)
        if verdict.token and previous:
            sign_out(db_session, previous.sign_in_id, actor=actor(), now=clock.now())
        who = find_signed_in(db_session, digest(verdict.token)) if verdict.token else None
    if verdict.token is None or who is None:
        raise verdict.refusal or NotFoundError
    begin_session(verdict.token, who)
    remember_account(who.account_id)
    return who


def _captcha_refusal(
    db_session: Session, account: AccountToCheck | None, solution: Solution
) -> CaptchaRequiredError | None:
    """Say that a captcha is to be solved first, whether the name is an account's or not; never where the owner's device asks."""
    if account is not None and account.account_id in accounts_of_device():
        return None
    now, address = clock.now(), request.remote_addr
    if not is_captcha_due(db_session, address, now=now):
        return None
    if not solution.token:
        return CaptchaRequiredError()
    is_solved = use_solution(db_session, solution, address=address, sealer=sealer(), now=now)
    return None if is_solved else WrongCaptchaError()


def find_challenge(refusal: DomainError | None = None) -> Challenge | None:
    """Make the captcha that the sign-in page must show: after a refusal for want of one, or at once to a device without a cookie."""
    is_due = isinstance(refusal, CaptchaRequiredError) or (
        not accounts_of_device() and is_captcha_due(reading(), request.remote_addr, now=clock.now())
    )
    return new_challenge(sealer=sealer(), now=clock.now()) if is_due else None


def _compare(account: AccountToCheck | None, password: str) -> Checked | None:
    if account is None:
        hasher().verify(None, password)
        return None
    new_hash = None
    if account.password_hash == NO_HASH and account.first_password_sealed:
        new_hash = hasher().hash(password)
        is_right = hmac.compare_digest(_first_password(account).encode(), password.encode())
    else:
        is_right = hasher().verify(account.password_hash, password)
    return Checked(
        account_id=account.account_id,
        password_hash=account.password_hash,
        is_right=is_right,
        new_hash=new_hash if is_right else None,
    )


def _first_password(account: AccountToCheck) -> str:
    bound_to = first_password_binding(account.person_id)
    try:
        return sealer().unseal(account.first_password_sealed or b"", bound_to=bound_to)
    except SealBrokenError:
        log.exception("first_password_seal_broken", account_id=account.account_id)
        return secrets.token_urlsafe()


def _judge(db_session: Session, checked: Checked | None, *, name: str) -> Verdict:
    now = clock.now()
    if checked is None:
        name_digest = sealer().blind_index(name, purpose="unknown_login_name")
        return note_unknown_sign_in(db_session, name_digest, address=request.remote_addr, now=now)
    device = _device(is_known=checked.account_id in accounts_of_device())
    return judge_sign_in(db_session, checked, device=device, now=now)


def _device(*, is_known: bool) -> Device:
    return Device(address=request.remote_addr, name=normalise(request.user_agent.string), is_known=is_known)


def end_session() -> None:
    """Forget the browser's sign-in."""
    logout_user()
    session.clear()


def find_signed_in_person() -> SignedIn | None:
    """Give who is signed in, None where nobody is."""
    return cast("SignedIn", current_user.who) if current_user and current_user.is_authenticated else None


def me() -> SignedIn:
    """Give who is signed in; raises SignInRequiredError."""
    who = find_signed_in_person()
    if who is None:
        raise SignInRequiredError
    return who


def actor() -> Actor:
    """Give who acts, for an operation and its audit line."""
    return Actor(person_id=me().person_id, address=request.remote_addr)


def my_grants() -> tuple[Grant, ...]:
    """Give the roles of who is signed in; read once a request."""
    if "grants" not in g:
        g.grants = list_grants(reading(), me().person_id, now=clock.now())
    return cast("tuple[Grant, ...]", g.grants)


def may(permission: str) -> bool:
    """Tell whether who is signed in holds a permission anywhere; for menus and buttons."""
    return find_signed_in_person() is not None and reach_of(Permission(permission), my_grants()) is not None


def my_reach(permission: Permission) -> Reach:
    """Give how far a permission of who is signed in reaches; raises NotFoundError without it, as for what is not there."""
    reach = reach_of(permission, my_grants())
    if reach is None:
        raise NotFoundError
    return reach


def public(view: View) -> View:
    """Let everybody in."""
    setattr(view, _RULE, "public")
    return view


def signed_in(view: View) -> View:
    """Let in whoever is signed in and has changed the first password."""
    return _guarded(view, "signed_in", None)


def signed_in_with_any_password(view: View) -> View:
    """Let in whoever is signed in, even with the first password: to change it, or to leave."""
    return _guarded(view, "signed_in_with_any_password", None)


def requires(permission: Permission) -> Callable[[View], View]:
    """Let in who holds a permission somewhere; how far it reaches is checked in the operation or query."""

    def mark(view: View) -> View:
        return _guarded(view, permission.value, permission)

    return mark


def access_rule(view: Callable[..., Any]) -> str | None:
    """Give the rule that a view carries, for the house test."""
    return getattr(view, _RULE, None)


def _guarded(view: View, rule: str, permission: Permission | None) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        who = find_signed_in_person()
        if who is None:
            return _ask_to_sign_in()
        if who.must_change_password and rule != "signed_in_with_any_password":
            if wants_json():
                raise PasswordChangeRequiredError
            return redirect(url_for("people.change_password"))
        if permission is not None:
            my_reach(permission)
        return view(*args, **kwargs)

    setattr(guarded, _RULE, rule)
    return cast("View", guarded)


def _ask_to_sign_in() -> Response:
    if wants_json():
        raise SignInRequiredError
    return cast("Response", redirect(url_for("people.sign_in", next=request.full_path.rstrip("?"))))


def _ask_api_callers_to_sign_in() -> None:
    """Answer 401 on every path of the API where nobody is signed in, before the form token is looked at."""
    view = current_app.view_functions.get(request.endpoint or "")
    rule = access_rule(view) if view else None
    is_proved_later = rule == BY_STATEMENT and "_user_id" in session
    if wants_json() and rule != "public" and not is_proved_later and find_signed_in_person() is None:
        raise SignInRequiredError


def _refuse_unmarked_view() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and request.endpoint != "static" and access_rule(view) is None:
        raise NotFoundError
