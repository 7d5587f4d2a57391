"""Sign-in and permissions of views; the only module that uses Flask-Login.

Every view has exactly one of `@public`, `@signed_in`, `@requires(permission)`; a test walks the URL map and fails on a view without one, which
is answered 404 at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from typing import Any, ClassVar, TypeVar, cast

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy.orm import Session

from examapp import clock
from examapp.config import PasswordProfile
from examapp.db.session import read_session, transaction
from examapp.errors import ActiveAttemptError, DomainError, NotFoundError, wants_json
from examapp.organisation.access.queries import list_grants
from examapp.organisation.access.rules import AccessScope, Grant, MenuEntry, access_of
from examapp.organisation.accounts.actions import note_seen
from examapp.organisation.accounts.queries import SignedIn, find_live_sign_in
from examapp.organisation.accounts.rules import ADMIN_PASSWORD_LIFE, SignInPolicy, digest
from examapp.platform.audit.actions import Actor
from examapp.security.ciphers import FieldCipher
from examapp.security.password_hashing import Hasher

View = TypeVar("View", bound=Callable[..., Any])
_RULE = "access_rule"
_MENU = "menu_entry"
_EVERYWHERE = "_needs_permission_everywhere"
_SHOWS_KEYS = "questions:"
"""What permissions begin with that let see keys: a view that asks for one is rejected while its caller sits an exam that counts."""
BY_STATEMENT = "signed_in_by_statement"
LARGE_PRINT_COOKIE = "elder"
_SEEN_EVERY = timedelta(minutes=1)
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
    endpoint: ClassVar[str] = "people.change_password"


class SecondFactorSetUpRequiredError(DomainError):
    """The settings ask every administrator for a one-time-password device, and this one has none yet."""

    code = "second_factor_set_up_required"
    status = 403
    message = "管理账号须先启用动态口令。请打开首页按提示办理。"
    endpoint: ClassVar[str] = "people.show_second_factor"


class _SignedInUser(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """What Flask-Login carries: the token of the sign-in, and who it belongs to."""

    def __init__(self, token: str, user: SignedIn) -> None:
        self.id = token
        self.user = user


@_login_manager.user_loader  # type: ignore[untyped-decorator]  # flask_login has no types
def _load(token: str) -> _SignedInUser | None:
    user = find_live_sign_in(digest(token))
    if user is None or _is_over(user) or (user.is_administrator and not _is_awake(user)):
        return None
    return _SignedInUser(token, user)


def _is_over(user: SignedIn) -> bool:
    """Tell whether a sign-in has had its days, and its holder sits no exam. What exams are ahead is looked up for old sign-ins alone."""
    age = clock.now() - user.started_at
    if age < sign_in_policy().life(is_administrator=user.is_administrator):
        return False
    return age >= longest_sign_in_life(user) and not has_active_attempt(read_session(), user.person_id)


def sign_in_policy() -> SignInPolicy:
    """Give how long candidates stay signed in, as the office has set it."""
    return cast("SignInPolicy", current_app.extensions["sign_in_policy"])


def longest_sign_in_life(user: SignedIn) -> timedelta:
    """Give how long a person's sign-ins are alive, with what exams are ahead."""
    policy = sign_in_policy()
    may_be_kept = policy.is_kept_for_exam and not user.is_administrator
    has_exam = may_be_kept and current_app.extensions["has_exam_ahead"](read_session(), user.person_id, now=clock.now())
    return policy.longest(is_administrator=user.is_administrator, has_exam_ahead=has_exam)


def _is_awake(user: SignedIn) -> bool:
    """Tell whether an administrator's sign-in is within the idle limit, or its holder sits an exam; note that there is work.

    What a page fetches by itself is no work.
    """
    now, limit = clock.now(), timedelta(minutes=current_app.config["SETTINGS"].admin_idle_minutes)
    is_idle = bool(limit) and now - user.seen_at > limit
    if is_idle and not has_active_attempt(read_session(), user.person_id):
        return False
    if now - user.seen_at >= _SEEN_EVERY and not (wants_json() and request.method == "GET"):
        with transaction() as db_session:
            note_seen(db_session, user.sign_in_id, now=now)
    return True


def init_access(app: Flask, *, has_active_attempt: Callable[[Session, int], bool]) -> None:
    """Set up sign-in and its checks in the application; `has_active_attempt` tells whether a person is in an exam, which no idle limit ends."""
    app.extensions["has_active_attempt"], app.extensions["find_actor"] = has_active_attempt, actor
    app.extensions["sign_in_policy"] = SignInPolicy()
    app.extensions["hasher"] = Hasher.from_settings(app.config["SETTINGS"])
    _login_manager.init_app(app)
    app.before_request(_reject_undeclared_view)
    app.before_request(_ask_to_sign_in_first)
    app.context_processor(lambda: {"my_user": find_signed_in_person(), "may": may, "may_everywhere": may_everywhere})


def has_active_attempt(db_session: Session, person_id: int | None) -> bool:
    """Tell whether a person is in an exam, which nothing here may cut."""
    return person_id is not None and bool(current_app.extensions["has_active_attempt"](db_session, person_id))


def begin_session(token: str, user: SignedIn) -> None:
    """Bind the browser to a new sign-in; whatever it held before is forgotten, so a fixed cookie is worth nothing."""
    session.clear()
    session.permanent = True
    login_user(_SignedInUser(token, user))
    g.pop("grants", None)


def cipher() -> FieldCipher:
    """Give the cipher of personal numbers."""
    return cast("FieldCipher", current_app.extensions["cipher"])


def hasher() -> Hasher:
    """Give the password hasher; never call it inside a transaction."""
    return cast("Hasher", current_app.extensions["hasher"])


def end_session() -> None:
    """Forget the browser's sign-in."""
    logout_user()
    session.clear()


def find_signed_in_person() -> SignedIn | None:
    """Give who is signed in, None where nobody is."""
    return cast("SignedIn", current_user.user) if current_user and current_user.is_authenticated else None


def my_user() -> SignedIn:
    """Give who is signed in; raises SignInRequiredError."""
    user = find_signed_in_person()
    if user is None:
        raise SignInRequiredError
    return user


def my_user_if_ready() -> SignedIn:
    """Give who is signed in and has nothing to do first; raises SignInRequiredError and what `@signed_in` raises in an API."""
    user = my_user()
    if (first := _must_do_first(user)) is not None:
        raise first
    return user


def actor() -> Actor:
    """Give who is signed in, as who acts; raises SignInRequiredError."""
    return Actor(person_id=my_user().person_id, address=request.remote_addr)


def my_grants() -> tuple[Grant, ...]:
    """Give the roles of who is signed in; read once a request."""
    if "grants" not in g:
        g.grants = list_grants(read_session(), my_user().person_id, now=clock.now())
    return cast("tuple[Grant, ...]", g.grants)


def may(permission: str) -> bool:
    """Tell whether who is signed in holds a permission anywhere; for menus and buttons."""
    return find_signed_in_person() is not None and access_of(permission, my_grants()) is not None


def may_everywhere(permission: str) -> bool:
    """Tell whether who is signed in holds a permission over everything; for menus and buttons."""
    return may(permission) and my_access(permission).is_everything


def my_access(permission: str) -> AccessScope:
    """Give the access scope of a permission of the current user; raises NotFoundError without it, as for what does not exist."""
    access = access_of(permission, my_grants())
    if access is None:
        raise NotFoundError
    return access


def public(view: View) -> View:
    """Allow everybody."""
    setattr(view, _RULE, "public")
    return view


def signed_in(view: View) -> View:
    """Allow users who are signed in and have changed the first password."""
    return _guarded(view, "signed_in", None)


def signed_in_with_any_password(view: View) -> View:
    """Allow users who are signed in, even with the first password: to change it, or to sign out."""
    return _guarded(view, "signed_in_with_any_password", None)


def requires(permission: str, *, everywhere: bool = False) -> Callable[[View], View]:
    """Allow users who hold a permission over some unit; the scope is checked in the action or query.

    `everywhere`: only users who hold it over everything, for what belongs to the whole county (its forms, its certificates).
    """

    def mark(view: View) -> View:
        shown = shows_keys(view) if permission.startswith(_SHOWS_KEYS) else view
        return _guarded(shown, permission, permission, everywhere=everywhere)

    return mark


def shows_keys(view: View) -> View:
    """Reject a view that shows answer keys while the current user has an attempt in progress that counts; written below the access rule."""

    @wraps(view)
    def resting(*args: Any, **kwargs: Any) -> Any:
        if are_keys_withheld():
            raise ActiveAttemptError
        return view(*args, **kwargs)

    return cast("View", resting)


def are_keys_withheld() -> bool:
    """Tell whether who is signed in sits an exam that counts, by this account or by a second one (decision 0027)."""
    if find_signed_in_person() is None:
        return False
    return current_app.extensions["find_my_counting_attempt"]() is not None


def access_rule(view: Callable[..., Any]) -> str | None:
    """Give the access rule of a view, None where it has none."""
    return getattr(view, _RULE, None)


def menu_entry(label: str, *, position: int, group: str = "", shown_with: Sequence[str] = ()) -> Callable[[View], View]:
    """Put a view into the menu, above its `@requires` or `@signed_in`: for who may enter, candidates where any account may, or who holds `shown_with`."""

    def mark(view: View) -> View:
        rule = access_rule(view) or ""
        permissions = tuple(shown_with) or ((rule,) if ":" in rule else ())
        everywhere = getattr(view, _EVERYWHERE, False)
        entry = MenuEntry(
            label=label, position=position, permissions=permissions, group=group, is_everywhere=everywhere
        )
        setattr(view, _MENU, entry)
        return view

    return mark


def list_menu(app: Flask) -> list[MenuEntry]:
    """List the views that have a menu entry, by position."""
    marked = ((endpoint, getattr(view, _MENU, None)) for endpoint, view in app.view_functions.items())
    entries = [replace(entry, endpoint=endpoint) for endpoint, entry in marked if entry is not None]
    return sorted(entries, key=lambda entry: entry.position)


def _guarded(view: View, rule: str, permission: str | None, *, everywhere: bool = False) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        user = find_signed_in_person()
        if user is None:
            return _ask_to_sign_in()
        if rule != "signed_in_with_any_password" and (first := _must_do_first(user)):
            if wants_json():
                raise first
            return redirect(url_for(first.endpoint))
        if permission is not None and not my_access(permission).is_everything and everywhere:
            raise NotFoundError
        return view(*args, **kwargs)

    setattr(guarded, _RULE, rule)
    setattr(guarded, _EVERYWHERE, everywhere)
    return cast("View", guarded)


def wants_large_print(choice: bool | None) -> bool:
    """Tell whether larger type and fewer things are wanted: as the account chose, on whichever device, else as this browser's cookie says."""
    return request.cookies.get(LARGE_PRINT_COOKIE) == "1" if choice is None else choice


def is_password_expired(user: SignedIn) -> bool:
    """Tell whether an administrator's password has had its time, under the profile that sets one; never in the midst of an exam.

    One of which nobody knows since when it stands has had it too.
    """
    if not user.is_administrator or password_profile() is not PasswordProfile.DENGBAO:
        return False
    if user.password_changed_at is not None and clock.now() - user.password_changed_at < ADMIN_PASSWORD_LIFE:
        return False
    return not has_active_attempt(read_session(), user.person_id)


def password_profile() -> PasswordProfile:
    """Give the rules that new passwords are held to."""
    profile: PasswordProfile = current_app.config["SETTINGS"].password_profile
    return profile


def _must_do_first(user: SignedIn) -> PasswordChangeRequiredError | SecondFactorSetUpRequiredError | None:
    """Say what comes before anything else: a password of one's own, or the device that administrators must have."""
    if user.must_change_password or is_password_expired(user):
        return PasswordChangeRequiredError()
    is_wanted = user.is_administrator and current_app.config["SETTINGS"].second_factor == "required"
    if is_wanted and not user.has_second_factor and not has_active_attempt(read_session(), user.person_id):
        return SecondFactorSetUpRequiredError()
    return None


def _ask_to_sign_in() -> Response:
    if wants_json():
        raise SignInRequiredError
    adapter = current_app.create_url_adapter(request)
    is_page = adapter is not None and adapter.test(method="GET")
    back = request.full_path.rstrip("?") if is_page else None
    return cast("Response", redirect(url_for("people.sign_in", next=back)))


def _ask_to_sign_in_first() -> Response | None:
    """Answer 401 on every path of the API where nobody is signed in, before the form token is looked at; lead a form without a session to the sign-in."""
    view = current_app.view_functions.get(request.endpoint or "")
    rule = access_rule(view) if view else None
    is_proved_later = rule == BY_STATEMENT and "_user_id" in session
    if wants_json() and rule != "public" and not is_proved_later and find_signed_in_person() is None:
        raise SignInRequiredError
    is_form = request.method == "POST" and not wants_json()
    return _ask_to_sign_in() if is_form and rule not in {None, "public"} and "_user_id" not in session else None


def _reject_undeclared_view() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and request.endpoint != "static" and access_rule(view) is None:
        raise NotFoundError


def signed_in_by_statement(view: View) -> View:
    """Let in any browser that holds a token; without one the API answers 401, and a page leads to the sign-in.

    The view's own statement proves that the token is a live sign-in's (`token_digest()`), or the view asks `my_person_id()`.
    """

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs) if "_user_id" in session else _ask_to_sign_in()

    setattr(guarded, "access_rule", BY_STATEMENT)  # noqa: B010 – a mark on a function, which types do not know
    return cast("View", guarded)


def token_digest() -> bytes:
    """Give the digest of the token in this browser's cookie: a proof of nothing until a statement has found it alive."""
    return digest(str(session["_user_id"]))


def my_person_id() -> int:
    """Give who is signed in and may act; raises SignInRequiredError, PasswordChangeRequiredError."""
    user = my_user()
    if user.must_change_password:
        raise PasswordChangeRequiredError
    return user.person_id
