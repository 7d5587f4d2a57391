"""What this process did in the last minute, counted in memory: nothing of it costs a request a statement."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from examapp.db.session import Base, Str, UtcDateTime
from examapp.security import rate_limits
from examapp.security.rate_limits import gate

_WINDOW_S = 60.0
_MAX = 20_000


class Act(StrEnum):
    """What is counted."""

    SAVE = "save"
    START = "start"
    HAND_IN = "hand_in"
    FAILURE = "failure"
    """Answered 500 or 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """Counts of the last minute, and how long saves took, in milliseconds."""

    saves: int = 0
    starts: int = 0
    hand_ins: int = 0
    failures: int = 0
    save_p50_ms: int = 0
    save_p95_ms: int = 0


class Meter:
    """Counts acts with their time, and notes which attempts were heard of."""

    def __init__(self, *, time_s: Callable[[], float] = time.monotonic) -> None:
        self._time_s = time_s
        self._acts: deque[tuple[float, Act, float]] = deque(maxlen=_MAX)
        self._contacts: dict[int, datetime] = {}

    def count(self, act: Act, seconds: float) -> None:
        """Count an act that took so long."""
        self._acts.append((self._time_s(), act, seconds))

    def hear_of(self, attempt_id: int, *, now: datetime) -> None:
        """Note that an attempt's page has called."""
        self._contacts[attempt_id] = now

    def take_contacts(self) -> dict[int, datetime]:
        """Give which attempts were heard of since the last time, and forget them."""
        taken, self._contacts = self._contacts, {}
        return taken

    def minute(self) -> Minute:
        """Give the figures of the last minute."""
        since = self._time_s() - _WINDOW_S
        recent = [(act, seconds) for at, act, seconds in list(self._acts) if at >= since]
        saves = sorted(seconds for act, seconds in recent if act is Act.SAVE)
        return Minute(
            saves=len(saves),
            starts=sum(act is Act.START for act, _ in recent),
            hand_ins=sum(act is Act.HAND_IN for act, _ in recent),
            failures=sum(act is Act.FAILURE for act, _ in recent),
            save_p50_ms=_quantile_ms(saves, 0.5),
            save_p95_ms=_quantile_ms(saves, 0.95),
        )


def _quantile_ms(ascending: list[float], fraction: float) -> int:
    return round(1000 * ascending[min(len(ascending) - 1, int(fraction * len(ascending)))]) if ascending else 0


meter = Meter()

_FRESH = timedelta(seconds=30)
_KEPT_FOR = timedelta(minutes=5)
_ACTS_OF_A_SITTING = 60
"""A minute, over all processes: fewer starts, saves and hand-ins are no sitting that anything need give way to."""


class WorkerHeartbeat(Base):
    """What one web process did in the last minute; each process writes its row every few seconds, lost without harm."""

    __tablename__ = "worker_heartbeats"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 – SQLAlchemy reads it as a class attribute

    name: Mapped[Str] = mapped_column(primary_key=True)
    """Machine and process number."""
    at: Mapped[UtcDateTime]
    saves: Mapped[int]
    """In the last minute, like the following."""
    save_p50_ms: Mapped[int]
    save_p95_ms: Mapped[int]
    starts: Mapped[int]
    hand_ins: Mapped[int]
    refused: Mapped[int]
    """Answered 503 or 500."""
    next_save_ms: Mapped[int]
    starts_per_second: Mapped[int]
    """What this process admits now."""


def write_report(session: Session, name: str, minute: Minute, *, now: datetime) -> None:
    """Write this process's row anew, and drop the rows of processes that are gone."""
    values = {
        "at": now, "saves": minute.saves, "save_p50_ms": minute.save_p50_ms, "save_p95_ms": minute.save_p95_ms, "starts": minute.starts,
        "hand_ins": minute.hand_ins, "refused": minute.failures, "next_save_ms": rate_limits.next_save_ms(), "starts_per_second": round(gate.rate()),
    }  # fmt: skip
    session.execute(
        insert(WorkerHeartbeat).values(name=name, **values).on_conflict_do_update(index_elements=["name"], set_=values)
    )
    session.execute(
        delete(WorkerHeartbeat).where(WorkerHeartbeat.at < now - _KEPT_FOR).execution_options(synchronize_session=False)
    )


def list_reports(session: Session, *, now: datetime) -> list[WorkerHeartbeat]:
    """List the rows of the processes that still report."""
    return list(session.scalars(select(WorkerHeartbeat).where(WorkerHeartbeat.at > now - _FRESH)))


def is_sitting_under_way(session: Session, *, now: datetime) -> bool:
    """Tell whether candidates start, save and hand in so much within a minute that what can wait gives way to them."""
    acts = sum(report.saves + report.starts + report.hand_ins for report in list_reports(session, now=now))
    return acts >= _ACTS_OF_A_SITTING
