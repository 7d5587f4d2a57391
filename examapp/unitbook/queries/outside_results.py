"""Imports of results from other platforms, with their rows, as the office reviews them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.core.errors import NotFoundError
from examapp.exams.models import Exam
from examapp.org.models import Unit
from examapp.people.models import Person
from examapp.people.rules import Reach
from examapp.unitbook.models import Outcome, ResultImport, ResultImportRow

PAGE = 50
_REVIEWED = (Outcome.DOUBTFUL, Outcome.UNMATCHED, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A person that a row may be."""

    id: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A row with whom it may be."""

    row: ResultImportRow
    candidates: Sequence[Candidate]


def get_import(
    session: Session, import_id: int, reach: Reach, person_id: int | None, *, with_lock: bool = False
) -> ResultImport:
    """Get one's own import, or anybody's where everything is within reach; raises NotFoundError."""
    query = select(ResultImport).where(ResultImport.id == import_id).execution_options(populate_existing=True)
    job = session.scalar(query.with_for_update() if with_lock else query)
    if job is None or not (reach.is_everything or job.created_by_id == person_id):
        raise NotFoundError
    return job


def list_imports(
    session: Session, reach: Reach, person_id: int, *, exam_id: int | None
) -> list[tuple[ResultImport, str]]:
    """List the latest imports that one may see, with the exams' titles."""
    query = select(ResultImport, Exam.title).join(Exam, Exam.id == ResultImport.exam_id)
    if not reach.is_everything:
        query = query.where(ResultImport.created_by_id == person_id)
    if exam_id is not None:
        query = query.where(ResultImport.exam_id == exam_id)
    rows = session.execute(query.order_by(ResultImport.id.desc()).limit(PAGE))
    return [(job, title) for job, title in rows]


def count_outcomes(session: Session, import_id: int) -> dict[Outcome, int]:
    """Count an import's rows by what became of them."""
    rows = session.execute(
        select(ResultImportRow.outcome, func.count())
        .where(ResultImportRow.import_id == import_id)
        .group_by(ResultImportRow.outcome)
    )
    return dict.fromkeys(Outcome, 0) | {Outcome(outcome): count for outcome, count in rows}


def list_rows(session: Session, import_id: int, *, outcome: Outcome | None, page: int) -> tuple[list[ReviewRow], int]:
    """List a page of the rows of an outcome, without one of those that a person has to look at, in the file's order; and count them."""
    wanted = [outcome] if outcome is not None else _REVIEWED
    conditions = (ResultImportRow.import_id == import_id, ResultImportRow.outcome.in_(wanted))
    count = session.execute(select(func.count()).select_from(ResultImportRow).where(*conditions)).scalar_one()
    rows = session.scalars(
        select(ResultImportRow)
        .where(*conditions)
        .order_by(ResultImportRow.line, ResultImportRow.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    people = _people(
        session, {person_id for row in rows for person_id in (*row.candidates, row.person_id) if person_id}
    )
    return [
        ReviewRow(
            row=row,
            candidates=[people[one] for one in dict.fromkeys((*row.candidates, row.person_id)) if one in people],
        )
        for row in rows
    ], count


def _people(session: Session, ids: set[int]) -> dict[int, Candidate]:
    rows = session.execute(
        select(Person.id, Person.name, Person.staff_number, Unit.name.label("unit_name"))
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.id.in_(ids))
    )
    return {row.id: Candidate(id=row.id, words=f"{row.name}（{row.unit_name}，{row.staff_number}）") for row in rows}


def get_row(session: Session, import_id: int, row_id: int) -> ResultImportRow:
    """Get a row of an import; raises NotFoundError."""
    row = session.scalar(
        select(ResultImportRow).where(ResultImportRow.id == row_id, ResultImportRow.import_id == import_id)
    )
    if row is None:
        raise NotFoundError
    return row
