"""Reads of the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines somebody asks for; `people` are the persons within reach or looked for, as a subquery, None for all."""

    act: str = ""
    since: datetime | None = None
    until: datetime | None = None
    people: Select[int] | None = None
    is_with_system: bool = True
    """Whether lines of the program itself are meant too, which touch nobody."""


def list_events(session: Session, wanted: Filter, *, most: int, skip: int = 0) -> Sequence[AuditEvent]:
    """List lines, newest first."""
    return session.scalars(
        select(AuditEvent)
        .where(*_conditions(wanted))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(most)
        .offset(skip)
    ).all()


def count_events(session: Session, wanted: Filter, *, most: int) -> int:
    """Count lines, up to `most`: nobody turns ten thousand pages, and counting them all would be slow."""
    some = select(AuditEvent.id).where(*_conditions(wanted)).limit(most).subquery()
    return session.execute(select(func.count()).select_from(some)).scalar_one()


def iter_events(session: Session, wanted: Filter, *, most: int) -> Iterator[AuditEvent]:
    """Stream lines, newest first, for a file."""
    statement = (
        select(AuditEvent)
        .where(*_conditions(wanted))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(most)
        .execution_options(yield_per=1000)
    )
    yield from session.scalars(statement)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.act:
        conditions.append(AuditEvent.act == wanted.act)
    if wanted.since is not None:
        conditions.append(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AuditEvent.at < wanted.until)
    if wanted.people is not None:
        meant: list[ColumnElement[bool]] = [
            AuditEvent.actor_id.in_(wanted.people),
            AuditEvent.person_id.in_(wanted.people),
        ]
        if wanted.is_with_system:
            meant.append((AuditEvent.actor_id.is_(None)) & (AuditEvent.person_id.is_(None)))
        conditions.append(or_(*meant))
    return conditions
