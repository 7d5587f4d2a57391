"""A line in the audit log for what was rejected to who is signed in: what is not there or not theirs, guarded accounts, one's own requests."""

from __future__ import annotations

from datetime import timedelta

import structlog
from flask import Flask, Response, g, request
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from examapp.errors import DomainError
from examapp.organisation.accounts.guards import find_signed_in_person
from examapp.organisation.dual_control.actions import SamePersonError
from examapp.organisation.passwords.actions import GuardedAccountError
from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.audit.models import AuditEvent
from examapp.web.submit import request_transaction

log = structlog.get_logger()
_MAX_A_MINUTE = 30
"""Lines of one person a minute: who walks through all numbers shows in the log, and cannot fill it."""
_NOTED = frozenset({GuardedAccountError.code, SamePersonError.code})


def audit_denied_access(app: Flask) -> None:
    """Hang the note into the application; it costs nothing where nothing is rejected."""
    app.after_request(_note)


def keep_rejection(rejection: DomainError) -> None:
    """Keep a rejection that a page answers in its own way, so that it is noted as others are."""
    g.rejection = rejection.code


def _note(response: Response) -> Response:
    why = g.pop("rejection", "")
    if request.url_rule is None or (response.status_code != 404 and why not in _NOTED):
        return response
    try:
        if find_signed_in_person() is not None:
            _write(_address(), why if why in _NOTED else "")
    except SQLAlchemyError as error:
        log.warning("refusal_not_noted", error=type(error).__name__)
    return response


def _address() -> str:
    """Give the address that was asked for; words and tokens in it are left out, numbers of rows stay."""
    arguments = request.view_args or {}
    is_plain = all(isinstance(value, int) for value in arguments.values())
    return request.path if is_plain else str(request.url_rule)


def _write(address: str, why: str) -> None:
    with request_transaction() as context:
        if _count_recently(context) < _MAX_A_MINUTE:
            details = {"address": f"{request.method} {address}"} | ({"why": why} if why else {})
            record(context, "people.deny_access", object_type="page", details=details)


def _count_recently(context: ActionContext) -> int:
    recently = AuditEvent.at > context.now - timedelta(minutes=1)
    mine = (AuditEvent.actor_id == context.actor.person_id) & (AuditEvent.act == "people.deny_access")
    return context.session.scalar(select(func.count()).select_from(AuditEvent).where(mine, recently)) or 0


ACT = "people.download_file"


def audit_downloads(app: Flask) -> None:
    """Hang the note into the application. Candidates' own files are not noted: nobody is watched while studying."""
    app.after_request(_note_file)


def _note_file(response: Response) -> Response:
    if response.status_code != 200 or not response.headers.get("Content-Disposition", "").startswith("attachment"):
        return response
    try:
        _write_file_line()
    except SQLAlchemyError as error:
        log.warning("file_not_noted", error=type(error).__name__)
    return response


def _write_file_line() -> None:
    user = find_signed_in_person()
    if user is None or not user.is_administrator:
        return
    things = {name: value for name, value in (request.view_args or {}).items() if isinstance(value, int)}
    details = {"view": request.endpoint, "things": things}
    with request_transaction() as context:
        record(context, ACT, object_type="page", details=details)
