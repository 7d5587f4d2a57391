"""The queue before the start (排队): who finds admission full keeps a place, and no clock runs while waiting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.attempts.models import Admission
from examapp.attempts.rules import GIVEN_UP_AFTER
from examapp.core.starts import gate

LONGEST_PAUSE_S = 25
"""How long a client is told to pause at most, well below what counts as given up."""
_KEPT_FOR = timedelta(hours=1)

_STANDING = text("""
SELECT own.ticket, own.admitted_at, (
  SELECT count(*) FROM admissions AS other
  WHERE other.admitted_at IS NULL AND other.called_at > :lost_at AND (own.ticket IS NULL OR other.ticket < own.ticket)
) AS ahead
FROM (SELECT 1) AS one
LEFT JOIN admissions AS own ON own.exam_id = :exam_id AND own.person_id = :person_id AND own.called_at > :lost_at
""")


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
    values = {"exam_id": exam_id, "person_id": person_id, "lost_at": now - GIVEN_UP_AFTER}
    standing = session.execute(_STANDING, values).one()
    if standing.admitted_at is not None:
        return None
    wait_s = gate.take(ahead=standing.ahead)
    if wait_s > 0:
        _keep_place(session, exam_id, person_id=person_id, now=now)
        return Queued(place=standing.ahead + 1, wait_s=math.ceil(wait_s))
    if standing.ticket is not None:
        session.execute(
            update(Admission)
            .where(Admission.exam_id == exam_id, Admission.person_id == person_id)
            .values(admitted_at=now, called_at=now)
            .execution_options(synchronize_session=False)
        )
    return None


def _keep_place(session: Session, exam_id: int, *, person_id: int, now: datetime) -> None:
    """Note the call; a place that was given up or used before becomes a new one at the end."""
    fresh = insert(Admission).values(exam_id=exam_id, person_id=person_id, queued_at=now, called_at=now)
    is_lost = (Admission.called_at <= now - GIVEN_UP_AFTER) | Admission.admitted_at.is_not(None)
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=["exam_id", "person_id"],
            set_={
                "called_at": now,
                "ticket": case((is_lost, fresh.excluded.ticket), else_=Admission.ticket),
                "queued_at": case((is_lost, fresh.excluded.queued_at), else_=Admission.queued_at),
                "admitted_at": None,
            },
        )
    )


def queued_since(session: Session, exam_id: int, *, person_id: int, now: datetime) -> datetime | None:
    """Give since when somebody stands in the queue, None for who does not or has given up."""
    return session.scalar(
        select(Admission.queued_at)
        .where(Admission.exam_id == exam_id, Admission.person_id == person_id)
        .where(Admission.called_at > now - GIVEN_UP_AFTER)
    )


def clear_queue(session: Session, *, now: datetime) -> None:
    """Forget places that were given up or used long ago."""
    session.execute(
        delete(Admission).where(Admission.called_at < now - _KEPT_FOR).execution_options(synchronize_session=False)
    )
