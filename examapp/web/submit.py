"""What is behind a form or a button: an act in one transaction, and on the page that follows what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from flask import abort, current_app, flash, redirect

from examapp import clock
from examapp.db.session import transaction
from examapp.errors import BadRequestError, DomainError
from examapp.platform.audit.actions import ActionContext
from examapp.web.forms import FlaskForm

_OF_THE_CALLER = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""Statuses of what is rejected to who asks, whatever the form says."""


_MAX_NAMED = 10
"""What a message names; more would not fit into the cookie that carries it."""


def name_some(names: Sequence[str]) -> str:
    """Name what an act on many has left out: the first by name, all by their number."""
    more = f"等 {len(names)} 项" if len(names) > _MAX_NAMED else ""
    return "、".join(names[:_MAX_NAMED]) + more


@contextmanager
def request_transaction(message: str = "") -> Iterator[ActionContext]:
    """Give the context of actions: one transaction, who is signed in, this moment. Flash the message once it has committed.

    Raises SignInRequiredError; what the act is rejected with becomes an error page.
    """
    with transaction() as session:
        yield ActionContext(session, current_app.extensions["find_actor"](), clock.now())
    if message:
        flash(message, "success")


@contextmanager
def submit(
    message: str = "",
    *,
    form: FlaskForm | None = None,
    field: str = "",
    back: str = "",
    level: str = "danger",
    shown: type[DomainError] = DomainError,
) -> Iterator[ActionContext]:
    """Give the context of actions as `request_transaction` does. What is not found, not allowed, too busy or no `shown` stays an error page.

    What else the act is rejected with stands in the form where one is given: beside the field that the error names, else beside `field`, else as the
    form's problem. Without a form it is flashed, and the answer leads back where an address is given.
    """
    try:
        with request_transaction(message) as context:
            yield context
    except shown as error:
        if error.status in _OF_THE_CALLER or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        if form is not None:
            form.reject(error.text, getattr(error, "field", "") or field, otherwise=field)
            return
        flash(error.text, level)
        if back:
            abort(redirect(back, 303))


def check_form(form: FlaskForm, *, back: str = "") -> None:
    """Take the first error of a form that belongs to a button back to the page of the button; without an address raise BadRequestError with it."""
    if form.validate_on_submit():
        return
    error = next((error for errors in form.errors.values() for error in errors), None)
    if not back:
        raise BadRequestError(error)
    flash(error or BadRequestError.message, "danger")
    abort(redirect(back, 303))


def status_of(form: FlaskForm) -> int:
    """Give the status of a page that shows a form: 422 after it was sent and rejected."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
