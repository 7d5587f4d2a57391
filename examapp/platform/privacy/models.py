"""The record of what was let go, and when."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from examapp.db.session import Base, BigInt, Id, JsonB, UtcDateTime


class RetentionRun(Base):
    """A run that let go what had had its time: how much of what; nothing of whose."""

    __tablename__ = "retention_runs"

    id: Mapped[Id]
    ran_at: Mapped[UtcDateTime]
    started_by_id: Mapped[BigInt | None]
    """Null for the nightly run."""
    counts: Mapped[JsonB]
