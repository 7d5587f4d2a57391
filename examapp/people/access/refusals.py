"""A line in the audit log for what was refused: somebody signed in asked for what is not there, or is not theirs, which is one answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from flask import Flask, Response, request
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent
from examapp.audit.operations import record
from examapp.core import clock
from examapp.core.db import transaction
from examapp.people.access.current import actor, find_signed_in_person

log = structlog.get_logger()
_MOST_A_MINUTE = 30
"""Lines of one person a minute: who walks through all numbers shows in the log, and cannot fill it."""


def note_refusals(app: Flask) -> None:
    """Hang the note into the application; it costs nothing where nothing is refused."""
    app.after_request(_note)


def _note(response: Response) -> Response:
    if response.status_code != 404 or request.url_rule is None:
        return response
    try:
        if find_signed_in_person() is not None:
            _write(_address(), now=clock.now())
    except SQLAlchemyError as error:
        log.warning("refusal_not_noted", error=type(error).__name__)
    return response


def _address() -> str:
    """Give the address that was asked for; words and tokens in it are left out, numbers of rows stay."""
    arguments = request.view_args or {}
    is_plain = all(isinstance(value, int) for value in arguments.values())
    return request.path if is_plain else str(request.url_rule)


def _write(address: str, *, now: datetime) -> None:
    who = actor()
    with transaction() as session:
        if _count_lately(session, who.person_id, now=now) < _MOST_A_MINUTE:
            details = {"address": f"{request.method} {address}"}
            record(session, "people.refuse_access", actor=who, now=now, object_type="page", details=details)


def _count_lately(session: Session, person_id: int | None, *, now: datetime) -> int:
    lately = AuditEvent.at > now - timedelta(minutes=1)
    mine = (AuditEvent.actor_id == person_id) & (AuditEvent.act == "people.refuse_access")
    return session.scalar(select(func.count()).select_from(AuditEvent).where(mine, lately)) or 0
