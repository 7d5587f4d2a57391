"""Grades: a log, of which one row an attempt is current."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from examapp.core.db import Base, BigInt, Id, Instant, Json, Points, Words


class Grade(Base):
    """One grading of an attempt; a regrade adds a row and takes `is_current` over."""

    __tablename__ = "grades"
    __table_args__ = (
        UniqueConstraint("attempt_id", "number"),
        Index("uq_grades_current", "attempt_id", unique=True, postgresql_where=text("is_current")),
        CheckConstraint("points >= 0 AND points <= points_possible", name="points"),
        CheckConstraint("band IN ('excellent', 'good', 'pass', 'fail')", name="band"),
    )

    id: Mapped[Id]
    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"))
    number: Mapped[int]
    is_current: Mapped[bool] = mapped_column(default=True)
    points: Mapped[Points]
    points_possible: Mapped[Points]
    percent: Mapped[Points]
    band: Mapped[Words]
    is_passed: Mapped[bool]
    item_points: Mapped[Json]
    """Points per item as decimal strings, in the paper's order."""
    key_ids: Mapped[Json]
    """The answer_keys rows it was graded by, per question version: the grade can be made again from them."""
    reason: Mapped[Words] = mapped_column(default="first")
    graded_by_id: Mapped[BigInt | None]
    graded_at: Mapped[Instant]


class Heartbeat(Base):
    """When a process that works by itself was last alive: the sweeper's row must be younger than a minute."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    beat_at: Mapped[Instant]
