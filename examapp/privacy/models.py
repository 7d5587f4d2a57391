"""The record of what was let go, and when."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from examapp.core.db import Base, BigInt, Id, Instant, Json


class RetentionRun(Base):
    """A run that let go what had had its time: how much of what; nothing of whose."""

    __tablename__ = "retention_runs"

    id: Mapped[Id]
    ran_at: Mapped[Instant]
    started_by_id: Mapped[BigInt | None]
    """Null for the nightly run."""
    counts: Mapped[Json]
