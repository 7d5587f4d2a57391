"""The long jobs of a person that run now or ended lately, so that a job may be left and is found again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from examapp.core.jobs import JobState
from examapp.people.models import RosterImport
from examapp.questions.models import QuestionImport
from examapp.reports.models import Export
from examapp.unitbook.models import ResultImport

_SHOWN_FOR = timedelta(hours=24)
_MOST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """A long job as the home page shows it; `kind` of `roster_import`, `question_import`, `export`, `result_import`."""

    kind: str
    id: int
    file_name: str
    state: str
    done: int
    total: int
    message: str
    created_at: datetime


def list_jobs_of(session: Session, person_id: int, *, now: datetime) -> list[JobLine]:
    """List a person's jobs that wait or run, and those that ended within a day, newest first, in one statement."""
    found = union_all(
        *(
            _lately(kind, model, person_id, now=now)
            for kind, model in (
                ("roster_import", RosterImport),
                ("question_import", QuestionImport),
                ("export", Export),
                ("result_import", ResultImport),
            )
        )
    ).subquery()
    rows = session.execute(select(found).order_by(found.c.created_at.desc()).limit(_MOST))
    return [JobLine(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def _lately(
    kind: str, model: type[RosterImport | QuestionImport | Export | ResultImport], person_id: int, *, now: datetime
) -> Select[str, int, str, str, int, int, str, datetime]:
    return select(
        literal(kind).label("kind"),
        model.id,
        func.coalesce(model.file_name, "").label("file_name"),
        model.state,
        model.done,
        model.total,
        model.message,
        model.created_at,
    ).where(
        model.created_by_id == person_id,
        or_(
            model.state.in_((JobState.WAITING, JobState.RUNNING)),
            (model.finished_at > now - _SHOWN_FOR) & (model.state != JobState.EXPIRED),
        ),
    )
