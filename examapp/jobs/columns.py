"""Columns of a long job: its state and progress stand in its row, so that a job may be left and is found again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.schema import SchemaItem

from examapp.db.session import Str, UtcDateTime

MAX_TRIES = 3
"""After this many runs that did not come to an end a job is set aside and shown, not run again."""


class JobState(StrEnum):
    """The life of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


class JobColumns:
    """State, progress and tries of a job; mixed into the table of the room that owns the job."""

    state: Mapped[Str] = mapped_column(default=JobState.WAITING)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    message: Mapped[Str] = mapped_column(default="")
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[UtcDateTime]
    started_at: Mapped[UtcDateTime | None]
    finished_at: Mapped[UtcDateTime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[SchemaItem, ...]:  # noqa: N805 – SQLAlchemy gives the class
        """Hold the state to the words of JobState and the counts to sense."""
        states = ", ".join(f"'{state}'" for state in JobState)
        return (
            CheckConstraint(f"state IN ({states})", name="state"),
            CheckConstraint("done >= 0 AND total >= 0 AND tries >= 0", name="counts"),
        )

    def begin(self, *, now: datetime) -> None:
        """Note that a run begins; the try is counted before the work, so that a crash counts too."""
        self.state, self.started_at, self.tries = JobState.RUNNING, now, self.tries + 1

    def succeed(self, *, now: datetime, message: str = "") -> None:
        """Note that the work is done."""
        self.state, self.finished_at, self.message, self.done = JobState.READY, now, message, self.total

    def fail(self, *, now: datetime, message: str) -> None:
        """Note that the work cannot be done, and why, in Chinese."""
        self.state, self.finished_at, self.message = JobState.FAILED, now, message
