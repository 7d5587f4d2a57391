"""The only door to Flask-Login: who is signed in, what a view asks for, and what a permission reaches.

Every view carries exactly one of `@public`, `@signed_in`, `@requires(permission)`; a house test walks the map of addresses and fails on
one without, and at run time such a view is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from examapp.audit.operations import Actor
from examapp.core import clock
from examapp.core.db import reading
from examapp.core.errors import DomainError, NotFoundError, wants_json
from examapp.core.permissions import Permission
from examapp.people.queries import SignedIn, find_signed_in, list_grants
from examapp.people.rules import Grant, Reach, reach_of

View = TypeVar("View", bound=Callable[..., Any])
_RULE = "access_rule"
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


class _SignedInUser(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """What Flask-Login carries: the token of the sign-in, and who it belongs to."""

    def __init__(self, token: str, who: SignedIn) -> None:
        self.id = token
        self.who = who


def digest(token: str) -> bytes:
    """Give the digest under which a sign-in's token is stored."""
    return hashlib.sha256(token.encode()).digest()


@_login_manager.user_loader  # type: ignore[untyped-decorator]  # flask_login has no types
def _load(token: str) -> _SignedInUser | None:
    who = find_signed_in(reading(), digest(token))
    return None if who is None else _SignedInUser(token, who)


def init_access(app: Flask) -> None:
    """Hang the door into the application."""
    _login_manager.init_app(app)
    app.before_request(_refuse_unmarked_view)
    app.context_processor(lambda: {"me": find_signed_in_person(), "may": may})


def begin_session(token: str, who: SignedIn) -> None:
    """Bind the browser to a new sign-in; whatever it held before is forgotten, so a fixed cookie is worth nothing."""
    session.clear()
    session.permanent = True
    login_user(_SignedInUser(token, who))
    g.pop("grants", None)


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


def _refuse_unmarked_view() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and request.endpoint != "static" and access_rule(view) is None:
        raise NotFoundError
