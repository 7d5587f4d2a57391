"""Write a line of the audit log, in the same transaction as the act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and from where; what every operation that changes something is given."""

    person_id: int | None
    address: str | None = None


SYSTEM = Actor(person_id=None)
"""The program itself: sweeps, scheduled work, the demo county."""


WRITTEN_AT = "audit_written_at"
"""The entry in a session's `info` that dates its lines, whenever their acts are said to have been."""


def record(
    session: Session,
    act: str,
    *,
    actor: Actor,
    now: datetime,
    object_type: str,
    object_id: int | None = None,
    person_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add one audit line; `details` holds ids, counts and settings, never an answer or a number of a person.

    A line is dated when it is written: one that is dated earlier is taken for forged. Where acts are made up for the past, as in the demo
    county, the session's `info` holds the true instant.
    """
    session.add(
        AuditEvent(
            at=session.info.get(WRITTEN_AT, now),
            actor_id=actor.person_id,
            act=act,
            object_type=object_type,
            object_id=object_id,
            person_id=person_id,
            address=actor.address,
            details=details or {},
        )
    )
