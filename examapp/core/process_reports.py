"""What web processes report of themselves every few seconds: for the exam-day board, and for work that gives way to candidates."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from examapp.core import pace
from examapp.core.db import Base, Instant, Words
from examapp.core.meter import Minute
from examapp.core.starts import gate

_FRESH = timedelta(seconds=30)
_KEPT_FOR = timedelta(minutes=5)
_ACTS_OF_A_SITTING = 60
"""A minute, over all processes: fewer starts, saves and hand-ins are no sitting that anything need give way to."""


class ProcessReport(Base):
    """What one web process did in the last minute; each process writes its row every few seconds, lost without harm."""

    __tablename__ = "process_reports"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 – SQLAlchemy reads it as a class attribute

    name: Mapped[Words] = mapped_column(primary_key=True)
    """Machine and process number."""
    at: Mapped[Instant]
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
        "hand_ins": minute.hand_ins, "refused": minute.failures, "next_save_ms": pace.next_save_ms(), "starts_per_second": round(gate.rate()),
    }  # fmt: skip
    session.execute(
        insert(ProcessReport).values(name=name, **values).on_conflict_do_update(index_elements=["name"], set_=values)
    )
    session.execute(
        delete(ProcessReport).where(ProcessReport.at < now - _KEPT_FOR).execution_options(synchronize_session=False)
    )


def list_reports(session: Session, *, now: datetime) -> list[ProcessReport]:
    """List the rows of the processes that still report."""
    return list(session.scalars(select(ProcessReport).where(ProcessReport.at > now - _FRESH)))


def is_sitting_under_way(session: Session, *, now: datetime) -> bool:
    """Tell whether candidates start, save and hand in so much within a minute that what can wait gives way to them."""
    acts = sum(report.saves + report.starts + report.hand_ins for report in list_reports(session, now=now))
    return acts >= _ACTS_OF_A_SITTING
