"""What is held about one person: read table by table as the register says, whatever feature a table belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Table, func, or_, select
from sqlalchemy.orm import Session

from examapp.db.personal_data import PersonalData, list_personal_data
from examapp.db.session import Base
from examapp.delivery.exams.models import Exam
from examapp.delivery.results.queries import release_of
from examapp.organisation.people.queries import numbers_of
from examapp.platform.privacy.models import RetentionRun
from examapp.security.ciphers import FieldCipher

_NAMES = {
    "unit_id": ("units", "name"),
    "from_unit_id": ("units", "name"),
    "to_unit_id": ("units", "name"),
    "old_unit_id": ("units", "name"),
    "new_unit_id": ("units", "name"),
    "exam_id": ("exams", "title"),
    "course_id": ("courses", "title"),
    "chapter_id": ("chapters", "title"),
    "question_id": ("questions", "code"),
    "notice_id": ("notices", "title"),
    "event_id": ("study_events", "theme"),
}
"""Columns that are read as the name of what they point at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one table holds about a person: heads and rows, in the register's order."""

    category: PersonalData
    heads: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def count_held(session: Session, person_id: int, *, now: datetime) -> dict[str, int]:
    """Count the rows about a person, by table, in one statement beside those that find which results are out."""
    own = [category for category in list_personal_data() if category.owner is not None]
    held_back = _held_back(session, person_id, now=now)
    counts = [
        select(func.count())
        .select_from(_table(category))
        .where(*_conditions(category, person_id, held_back))
        .scalar_subquery()
        .label(category.table)
        for category in own
    ]
    row = session.execute(select(*counts)).one()
    return dict(zip((category.table for category in own), row, strict=True))


def read_held(
    session: Session,
    category: PersonalData,
    person_id: int,
    *,
    cipher: FieldCipher,
    is_whole: bool,
    now: datetime,
    limit: int,
) -> Held:
    """Read what a table holds about a person, newest first; the numbers of the roster masked unless they are to be whole."""
    columns = list(category.shown)
    statement = _rows(
        category, columns, person_id, _held_back(session, person_id, now=now) if category.needs_release else ()
    )
    rows = [list(row) for row in session.execute(statement.limit(limit))]
    heads = list(category.shown.values())
    if category.table == "persons":
        numbers = numbers_of(session, [person_id], cipher, is_whole=is_whole).get(person_id, ("", ""))
        rows = [[*row, *numbers] for row in rows]
        heads, columns = [*heads, "身份证号", "手机号"], [*columns, "id_number", "mobile"]
    return Held(category=category, heads=heads, columns=columns, rows=rows)


def iter_held(
    session: Session, person_id: int, *, cipher: FieldCipher, is_whole: bool, now: datetime, limit: int
) -> Iterator[Held]:
    """Read all that is held about a person, table by table."""
    for category in list_personal_data():
        if category.owner is not None:
            yield read_held(session, category, person_id, cipher=cipher, is_whole=is_whole, now=now, limit=limit)


def _table(category: PersonalData) -> Table:
    return Base.metadata.tables[category.table]


def _rows(category: PersonalData, columns: Sequence[str], person_id: int, held_back: Sequence[int]) -> Select[Any]:
    table = _table(category)
    source: FromClause = table
    wanted: list[ColumnElement[Any]] = []
    for column in columns:
        if column in _NAMES:
            name, label = _NAMES[column]
            named = Base.metadata.tables[name].alias(f"{column}_named")
            source = source.outerjoin(named, table.c[column] == named.c.id)
            wanted.append(named.c[label].label(column))
        else:
            wanted.append(table.c[column])
    order = [table.c[category.order].desc()] if category.order else []
    return select(*wanted).select_from(source).where(*_conditions(category, person_id, held_back)).order_by(*order)


def _conditions(category: PersonalData, person_id: int, held_back: Sequence[int]) -> list[ColumnElement[bool]]:
    table = _table(category)
    owner = category.owner or ""
    whose: ColumnElement[bool]
    if owner == "account_id":
        accounts = Base.metadata.tables["accounts"]
        whose = table.c.account_id.in_(select(accounts.c.id).where(accounts.c.person_id == person_id))
    elif owner == "attempt_id":
        whose = table.c.attempt_id.in_(_own_attempts(person_id, held_back if category.needs_release else ()))
    else:
        whose = table.c[owner] == person_id
    conditions: list[ColumnElement[bool]] = [whose]
    if category.needs_release and owner != "attempt_id":
        exams = Base.metadata.tables["exams"]
        names_main_exam = category.table == "makeup_eligibilities"
        of = exams.c.main_exam_id if names_main_exam else exams.c.id
        conditions.append(table.c.exam_id.not_in(select(exams.c.id).where(of.in_(held_back))))
    return conditions


def _own_attempts(person_id: int, held_back: Sequence[int]) -> Select[Any]:
    attempts = Base.metadata.tables["attempts"]
    return select(attempts.c.id).where(attempts.c.person_id == person_id, attempts.c.exam_id.not_in(held_back))


def _held_back(session: Session, person_id: int, *, now: datetime) -> list[int]:
    """List the exams with something of the person's whose results are not out: by the rule that the result's page follows."""
    attempts, eligible = Base.metadata.tables["attempts"], Base.metadata.tables["makeup_eligibilities"]
    outside = Base.metadata.tables["external_results"]
    own_exams = select(attempts.c.exam_id).where(attempts.c.person_id == person_id)
    elsewhere = select(outside.c.exam_id).where(outside.c.person_id == person_id)
    of_makeups = (
        select(Exam.main_exam_id)
        .join(eligible, eligible.c.exam_id == Exam.id)
        .where(eligible.c.person_id == person_id, Exam.main_exam_id.is_not(None))
    )
    exams = session.scalars(select(Exam).where(or_(*(Exam.id.in_(ids) for ids in (own_exams, elsewhere, of_makeups)))))
    return [exam.id for exam in exams if not release_of(session, exam, now=now).are_results_out]


def list_runs(session: Session, *, limit: int) -> Sequence[RetentionRun]:
    """List the runs that let something go, newest first."""
    return session.scalars(select(RetentionRun).order_by(RetentionRun.id.desc()).limit(limit)).all()
