"""What a web process reports of itself, for the exam-day board."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.admin.models import ProcessReport
from examapp.core import pace
from examapp.core.meter import Minute
from examapp.core.starts import gate

_KEPT_FOR = timedelta(minutes=5)


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
