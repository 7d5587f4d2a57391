"""A person's study record (学法档案): courses, events, exercises passed, exams, certificates; and a unit's, a line a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import Session

from examapp.clock import LOCAL
from examapp.delivery.results.queries import OwnAttempt, list_own_attempts
from examapp.errors import NotFoundError
from examapp.learning.certificates.models import Certificate
from examapp.learning.certificates.queries import list_own_certificates
from examapp.learning.courses.models import Course, CourseCompletion, ExerciseRun
from examapp.learning.study_events.models import Attendance, EventState, StudyEvent
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit

_MAX_ATTEMPTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """What a person has studied in a year and sat; certificates of all years."""

    person: Person
    unit_name: str
    year: int
    courses: list[tuple[CourseCompletion, str]]
    events: list[StudyEvent]
    exercises_passed: int
    """Chapters whose exercise was passed."""
    own_attempts: list[OwnAttempt]
    certificates: list[Certificate]
    as_of: datetime

    @property
    def credits(self) -> Decimal:
        """The credits of the completed courses."""
        return sum((row.credits for row, _ in self.courses), Decimal(0))


def year_span(year: int) -> tuple[datetime, datetime]:
    """Give the county's year as two instants: its first, and the first of the next."""
    first, after = (datetime(each, 1, 1, tzinfo=LOCAL).astimezone(UTC) for each in (year, year + 1))
    return first, after


def get_person_in_scope(session: Session, person_id: int, access: AccessScope | None) -> tuple[Person, Unit]:
    """Get a person of a unit within the access scope, anybody where no access scope is given; raises NotFoundError."""
    row = session.execute(
        select(Person, Unit).join(Unit, Person.unit_id == Unit.id).where(Person.id == person_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError
    person, unit = row
    if access is not None and not access.covers(region_path=unit.region_path, sector_path=unit.sector_path):
        raise NotFoundError
    return person, unit


def study_record(
    session: Session, person_id: int, *, year: int, access: AccessScope | None, now: datetime
) -> StudyRecord:
    """Get a person's study record of a year; raises NotFoundError beyond the access scope (None for one's own)."""
    person, unit = get_person_in_scope(session, person_id, access)
    first, after = year_span(year)
    courses = session.execute(
        select(CourseCompletion, Course.title)
        .join(Course, CourseCompletion.course_id == Course.id)
        .where(CourseCompletion.person_id == person_id, CourseCompletion.year == year)
        .order_by(CourseCompletion.completed_at, Course.id)
    )
    events = session.scalars(
        select(StudyEvent)
        .join(Attendance, Attendance.event_id == StudyEvent.id)
        .where(
            Attendance.person_id == person_id,
            StudyEvent.state == EventState.HELD,
            StudyEvent.starts_at >= first,
            StudyEvent.starts_at < after,
        )
        .order_by(StudyEvent.starts_at, StudyEvent.id)
    )
    own_attempts = list_own_attempts(session, person_id, now=now, limit=_MAX_ATTEMPTS)
    return StudyRecord(
        person=person,
        unit_name=unit.name,
        year=year,
        courses=[(row[0], row[1]) for row in courses],
        events=list(events),
        exercises_passed=_exercises_passed(session, person_id, first, after),
        own_attempts=[own_attempt for own_attempt in own_attempts if first <= own_attempt.attempt.started_at < after],
        certificates=list_own_certificates(session, person_id),
        as_of=now,
    )


def _exercises_passed(session: Session, person_id: int, first: datetime, after: datetime) -> int:
    statement = select(func.count(ExerciseRun.chapter_id.distinct())).where(
        ExerciseRun.person_id == person_id,
        ExerciseRun.is_passed.is_(True),
        ExerciseRun.finished_at >= first,
        ExerciseRun.finished_at < after,
    )
    return session.scalar(statement) or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """A person's year in one line."""

    person_id: int
    staff_number: str
    name: str
    unit_name: str
    courses: int
    credits: Decimal
    events: int
    exercises: int
    certificates: int


def _sums_of(year: int) -> tuple[Subquery, Subquery, Subquery, Subquery]:
    """Give the year's completed courses, events, exercises and certificates, each counted by person."""
    first, after = year_span(year)
    done = (
        select(
            CourseCompletion.person_id,
            func.count().label("courses"),
            func.sum(CourseCompletion.credits).label("credits"),
        )
        .where(CourseCompletion.year == year)
        .group_by(CourseCompletion.person_id)
        .subquery()
    )
    there = (
        select(Attendance.person_id, func.count().label("events"))
        .join(StudyEvent, Attendance.event_id == StudyEvent.id)
        .where(StudyEvent.state == EventState.HELD, StudyEvent.starts_at >= first, StudyEvent.starts_at < after)
        .group_by(Attendance.person_id)
        .subquery()
    )
    runs = (
        select(ExerciseRun.person_id, func.count(ExerciseRun.chapter_id.distinct()).label("exercises"))
        .where(ExerciseRun.is_passed.is_(True), ExerciseRun.finished_at >= first, ExerciseRun.finished_at < after)
        .group_by(ExerciseRun.person_id)
        .subquery()
    )
    papers = (
        select(Certificate.person_id, func.count().label("certificates"))
        .where(Certificate.withdrawn_at.is_(None), Certificate.issued_at >= first, Certificate.issued_at < after)
        .group_by(Certificate.person_id)
        .subquery()
    )
    return done, there, runs, papers


def unit_records(session: Session, unit_ids: list[int], *, year: int) -> list[RecordLine]:
    """Give the year of everybody on the roster of these units, by unit code and staff number, in one statement."""
    done, there, runs, papers = _sums_of(year)
    query = (
        select(
            Person.id.label("person_id"),
            Person.staff_number,
            Person.name,
            Unit.name.label("unit_name"),
            func.coalesce(done.c.courses, 0).label("courses"),
            func.coalesce(done.c.credits, 0).label("credits"),
            func.coalesce(there.c.events, 0).label("events"),
            func.coalesce(runs.c.exercises, 0).label("exercises"),
            func.coalesce(papers.c.certificates, 0).label("certificates"),
        )
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.unit_id.in_(unit_ids), Person.state == PersonState.ON_ROSTER)
        .order_by(Unit.code, Person.staff_number)
    )
    for part in (done, there, runs, papers):
        query = query.outerjoin(part, part.c.person_id == Person.id)
    return [RecordLine(**row._mapping) for row in session.execute(query)]  # noqa: SLF001 – SQLAlchemy's public name
