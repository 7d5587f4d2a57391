"""The queue before the start (排队): who finds admission full keeps a place, and no clock runs while waiting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningInsert

from examapp.attempts.models import Admission
from examapp.attempts.rules import GIVEN_UP_AFTER
from examapp.core.starts import gate

LONGEST_PAUSE_S = 25
"""How long a client is told to pause at most, well below what counts as given up."""
_KEPT_FOR = timedelta(hours=1)

OwnPlace = aliased(Admission, name="own_place")
"""The place in the queue of the person asked for: join it by `is_own_place`."""
_OtherPlace = aliased(Admission, name="other_place")
_LOST_AT: BindParameter[datetime] = bindparam("lost_at", type_=DateTime(timezone=True))
AHEAD = (
    select(func.count())
    .select_from(_OtherPlace)
    .where(
        _OtherPlace.admitted_at.is_(None),
        _OtherPlace.called_at > _LOST_AT,
        or_(OwnPlace.ticket.is_(None), _OtherPlace.ticket < OwnPlace.ticket),
    )
    .correlate(OwnPlace)
    .scalar_subquery()
)
"""How many wait before `OwnPlace`: all, where there is none."""


def is_own_place(exam_id: Any, person_id: Any) -> ColumnElement[bool]:
    """Give the condition that joins `OwnPlace`; a place that was given up (at `lost_at`) is none."""
    return and_(OwnPlace.exam_id == exam_id, OwnPlace.person_id == person_id, OwnPlace.called_at > _LOST_AT)


_STANDING = (
    select(OwnPlace.ticket, OwnPlace.admitted_at, AHEAD.label("ahead"))
    .select_from(select(literal(1).label("one")).subquery())
    .outerjoin(OwnPlace, is_own_place(bindparam("exam_id", type_=BigInteger), bindparam("person_id", type_=BigInteger)))
)


@dataclass(frozen=True, slots=True)
class Queued:
    """A place in the queue: 1 is the next; the seconds until it is its turn, by the rate of now."""

    place: int
    wait_s: int

    @property
    def pause_s(self) -> int:
        """How long the client should wait before it calls again."""
        return min(self.wait_s, LONGEST_PAUSE_S)


def admit(session: Session, exam_id: int, *, person_id: int, now: datetime) -> Queued | None:
    """Let a start in (None), or keep the person's place in the queue. One statement while nobody waits and admission is not full.

    The queue is one for all exams, since the machine is one. A start that failed after admission is let in again.
    """
    who = {"exam_id": exam_id, "person_id": person_id}
    standing = session.execute(_STANDING, {**who, "lost_at": lost_at(now)}).one()
    queued = pass_gate(standing)
    if queued is not None:
        session.execute(KEEP_PLACE, {**who, "now": now, "lost_at": lost_at(now)})
    elif standing.ticket is not None:
        session.execute(
            update(Admission)
            .where(Admission.exam_id == exam_id, Admission.person_id == person_id, Admission.admitted_at.is_(None))
            .values(admitted_at=now, called_at=now)
            .execution_options(synchronize_session=False)
        )
    return queued


def pass_gate(standing: Any) -> Queued | None:
    """Let a start in (None) whose `ticket`, `admitted_at` and `ahead` were read; else give the place it is to keep."""
    if standing.admitted_at is not None:
        return None
    wait_s = gate.take(ahead=standing.ahead)
    return Queued(place=standing.ahead + 1, wait_s=math.ceil(wait_s)) if wait_s > 0 else None


def lost_at(now: datetime) -> datetime:
    """Give the last call with which a place is given up by now."""
    return now - GIVEN_UP_AFTER


def _keep_place() -> ReturningInsert[tuple[int]]:
    """Note the call; a place that was given up or used before becomes a new one at the end."""
    now = bindparam("now", type_=DateTime(timezone=True))
    who: dict[str, Any] = {"exam_id": bindparam("exam_id"), "person_id": bindparam("person_id")}
    fresh = insert(Admission).values(**who, queued_at=now, called_at=now)
    is_lost = (Admission.called_at <= _LOST_AT) | Admission.admitted_at.is_not(None)
    return fresh.on_conflict_do_update(
        index_elements=["exam_id", "person_id"],
        set_={
            "called_at": now,
            "ticket": case((is_lost, fresh.excluded.ticket), else_=Admission.ticket),
            "queued_at": case((is_lost, fresh.excluded.queued_at), else_=Admission.queued_at),
            "admitted_at": None,
        },
    ).returning(Admission.ticket)


KEEP_PLACE = _keep_place()
"""Keeps a place in the queue: binds `exam_id`, `person_id`, `now`, `lost_at`."""


def queued_since(session: Session, exam_id: int, *, person_id: int, now: datetime) -> datetime | None:
    """Give since when somebody stands in the queue, None for who does not or has given up."""
    return session.scalar(
        select(Admission.queued_at)
        .where(Admission.exam_id == exam_id, Admission.person_id == person_id)
        .where(Admission.called_at > lost_at(now))
    )


def clear_queue(session: Session, *, now: datetime) -> None:
    """Forget places that were given up or used long ago."""
    session.execute(
        delete(Admission).where(Admission.called_at < now - _KEPT_FOR).execution_options(synchronize_session=False)
    )
