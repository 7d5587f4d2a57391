"""The people behind the numbers: pages of a group, one streamed query for files, and a single person's tries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session

from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import Exemption
from examapp.delivery.grading.models import ExternalResult, Grade
from examapp.errors import NotFoundError
from examapp.organisation.units.models import Unit
from examapp.oversight.statistics_definitions.rules import SubmittedAttempt, select_effective_attempt
from examapp.oversight.statistics_population.queries import People, of_whichever_units, people_of, select_people
from examapp.oversight.statistics_scope.queries import PeopleFilter, ReportContext, RosterQueryKey, roster_query_key

_STREAM_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """A person of the roster with the attempt that counts; no ID number, no mobile, ever."""

    person_id: int
    staff_number: str
    name: str
    rank: str
    position: str
    unit_id: int
    unit_code: str
    unit_name: str
    """The unit of the roster, in which the person is counted."""
    unit_name_at_attempt: str | None
    """The unit at the moment of attempt."""
    excuse: str | None
    attempts: int
    started_at: datetime | None
    submitted_at: datetime | None
    is_forced: bool | None
    exam_id: int | None
    source: str | None
    """Which other platform the result came from; empty for an attempt of ours."""
    points: Decimal | None
    points_possible: Decimal | None
    band: str | None
    is_passed: bool | None

    @property
    def has_submitted(self) -> bool:
        """Whether anything was handed in."""
        return self.submitted_at is not None


def _rows_of(people: People) -> Select[*tuple[Any, ...]]:
    columns = people.of.c
    hidden = {"sat_unit_id", "attempt_id", "first_submitted_at", "number", "percent", "attempts"}
    shown = (column for column in columns if column.key not in hidden)
    return select(*shown, func.coalesce(columns.attempts, 0).label("attempts")).order_by(
        columns.excuse.is_not(None), columns.unit_code, columns.staff_number
    )


def _person_row(row: Row[*tuple[Any, ...]]) -> PersonRow:
    return PersonRow(**row._mapping)  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def list_people(
    session: Session, report_context: ReportContext, wanted: PeopleFilter, *, group: str, offset: int, limit: int
) -> tuple[list[PersonRow], int]:
    """List a page of a group of people by unit code and staff number, and count the group, in two statements."""
    people = people_of(session, report_context, wanted)
    condition = people.group(group)
    count = session.scalar(select(func.count()).select_from(people.of).where(condition)) or 0
    rows = session.execute(_rows_of(people).where(condition).offset(offset).limit(limit))
    return [_person_row(row) for row in rows], count


def iter_people(
    session: Session, report_context: ReportContext, wanted: PeopleFilter, *, group: str
) -> Iterator[PersonRow]:
    """Stream a group of people by unit code and staff number in one query; exempt and deferred people come last."""
    wanted, chosen = of_whichever_units(wanted)
    query = _select_group(
        roster_query_key(session, report_context), wanted, group, is_of_chosen_units=chosen is not None
    )
    for row in session.execute(query, chosen):
        yield _person_row(row)


@lru_cache(maxsize=64)
def _select_group(
    roster_key: RosterQueryKey, wanted: PeopleFilter, group: str, *, is_of_chosen_units: bool
) -> Select[*tuple[Any, ...]]:
    """Select a group of people for a file; kept, since all units may ask for theirs in the same minute."""
    people = select_people(roster_key, wanted, is_of_chosen_units=is_of_chosen_units)
    return _rows_of(people).where(people.group(group)).execution_options(yield_per=_STREAM_ROWS)


def iter_scores(session: Session, report_context: ReportContext, wanted: PeopleFilter) -> Iterator[PersonRow]:
    """Stream everybody on the roster with the attempt that counts, in one query."""
    return iter_people(session, report_context, wanted, group="roster")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One try of a person, here or (with `source`, without an id, as number 0) on another platform."""

    attempt_id: int | None
    exam_id: int
    exam_title: str
    number: int
    unit_name: str
    started_at: datetime
    submitted_at: datetime | None
    is_forced: bool
    points: Decimal | None
    points_possible: Decimal | None
    percent: Decimal | None
    band: str | None
    is_passed: bool | None
    quarantined_at: datetime | None
    source: str = ""
    is_counted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFigures:
    """A person in an exam: the roster's row, all tries with the one that counts, and why he or she is excused."""

    row: PersonRow
    attempts: list[AttemptRow]
    excuse_reason: str


def get_person(session: Session, report_context: ReportContext, wanted: PeopleFilter) -> PersonFigures:
    """Get the one person that the filter names, with all tries; raises NotFoundError where not on the roster of these units."""
    assert wanted.person_id is not None
    people = people_of(session, report_context, wanted)
    row = session.execute(_rows_of(people)).one_or_none()
    if row is None:
        raise NotFoundError
    attempts = _attempts(session, report_context, wanted.person_id) + _external_results_of(
        session, report_context, wanted.person_id
    )
    counted = select_effective_attempt(
        (_submitted_attempt(a) for a in attempts if a.submitted_at is not None), report_context.counting_rules
    )
    place = None if counted is None else (counted.exam_id, counted.number)
    reason = session.scalar(
        select(Exemption.reason).where(
            Exemption.exam_id == report_context.exam.id,
            Exemption.person_id == wanted.person_id,
            Exemption.approved_at.is_not(None),
            Exemption.rejected_at.is_(None),
            Exemption.withdrawn_at.is_(None),
        )
    )
    return PersonFigures(
        row=_person_row(row),
        attempts=[replace(one, is_counted=(one.exam_id, one.number) == place) for one in attempts],
        excuse_reason=reason or "",
    )


def _attempts(session: Session, report_context: ReportContext, person_id: int) -> list[AttemptRow]:
    titles = {exam.id: exam.title for exam in report_context.exams}
    rows = session.execute(
        select(
            Attempt.id.label("attempt_id"),
            Attempt.exam_id,
            Attempt.number,
            Unit.name.label("unit_name"),
            Attempt.started_at,
            Attempt.submitted_at,
            Attempt.is_forced,
            Grade.points,
            Grade.points_possible,
            Grade.percent,
            Grade.band,
            Grade.is_passed,
            Attempt.quarantined_at,
        )
        .join(Unit, Unit.id == Attempt.unit_id)
        .outerjoin(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .where(Attempt.person_id == person_id, Attempt.exam_id.in_(list(titles)))
        .order_by(Attempt.started_at, Attempt.id)
    )
    return [AttemptRow(exam_title=titles[row.exam_id], **row._mapping) for row in rows]  # noqa: SLF001 – as above


def _external_results_of(session: Session, report_context: ReportContext, person_id: int) -> list[AttemptRow]:
    titles = {exam.id: exam.title for exam in report_context.exams if exam.has_external_results}
    if not titles:
        return []
    rows = session.execute(
        select(ExternalResult, Unit.name)
        .join(Unit, Unit.id == ExternalResult.unit_id)
        .where(
            ExternalResult.person_id == person_id,
            ExternalResult.exam_id.in_(list(titles)),
            ExternalResult.undone_at.is_(None),
        )
    )
    return [
        AttemptRow(
            attempt_id=None,
            exam_id=one.exam_id,
            exam_title=titles[one.exam_id],
            number=0,
            unit_name=unit_name,
            started_at=one.taken_at,
            submitted_at=one.taken_at,
            is_forced=False,
            points=one.points,
            points_possible=one.points_possible,
            percent=one.percent,
            band=one.band,
            is_passed=one.is_passed,
            quarantined_at=None,
            source=one.source,
        )
        for one, unit_name in rows
    ]


def _submitted_attempt(row: AttemptRow) -> SubmittedAttempt:
    assert row.submitted_at is not None
    return SubmittedAttempt(
        attempt_id=row.attempt_id,
        exam_id=row.exam_id,
        number=row.number,
        submitted_at=row.submitted_at,
        percent=row.percent,
        points=row.points,
        is_passed=row.is_passed,
    )
