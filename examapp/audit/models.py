"""The audit log's one table."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from examapp.core.db import Base, BigInt, Id, Instant, Json, Words


class AuditEvent(Base):
    """One act: who did what to what, when, from where; never changed or deleted by the application."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_at", "at"),
        Index("ix_audit_events_actor_id_at", "actor_id", "at"),
        Index("ix_audit_events_object", "object_type", "object_id"),
    )

    id: Mapped[Id]
    at: Mapped[Instant]
    actor_id: Mapped[BigInt | None]
    """The person who acted; null for the system itself."""
    act: Mapped[Words]
    """`room.verb_noun`, as the operation is called: `exams.publish_exam`."""
    object_type: Mapped[Words]
    object_id: Mapped[BigInt | None]
    person_id: Mapped[BigInt | None]
    """The person touched by the act, where there is one."""
    address: Mapped[Words | None]
    details: Mapped[Json] = mapped_column(default=dict)
