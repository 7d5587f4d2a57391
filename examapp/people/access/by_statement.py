"""The save's way in: the statement that saves reads the account too, so that the one call that the whole county makes at a time costs one exchange."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import session

from examapp.people.access import BY_STATEMENT, PasswordChangeRequiredError, SignInRequiredError, me
from examapp.people.rules import digest

View = TypeVar("View", bound=Callable[..., Any])


def signed_in_by_statement(view: View) -> View:
    """Let in whose browser holds a token. The view's own statement proves that it is a live sign-in's (`token_digest()`), or the view asks `my_person_id()`.

    Only for the API: whoever holds none is answered 401.
    """

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if "_user_id" not in session:
            raise SignInRequiredError
        return view(*args, **kwargs)

    setattr(guarded, "access_rule", BY_STATEMENT)  # noqa: B010 – a mark on a function, which types do not know
    return cast("View", guarded)


def token_digest() -> bytes:
    """Give the digest of the token in this browser's cookie: a proof of nothing until a statement has found it alive."""
    return digest(str(session["_user_id"]))


def my_person_id() -> int:
    """Give who is signed in and may act; raises SignInRequiredError, PasswordChangeRequiredError."""
    who = me()
    if who.must_change_password:
        raise PasswordChangeRequiredError
    return who.person_id
