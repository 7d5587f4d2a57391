"""Who has studied what, by unit in both trees, and how courses and their exercises fare."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, Subquery, distinct, func, or_, select
from sqlalchemy.orm import Session, aliased

from examapp.learning.courses.models import Chapter, ChapterProgress, Course, CourseCompletion, CourseState, ExerciseRun
from examapp.learning.courses.queries import in_audience
from examapp.learning.mastery.queries import MIN_PEOPLE
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit
from examapp.oversight.study_progress.rules import StudyCounts, is_mostly_failed, is_seldom_finished
from examapp.points import percentage


def list_courses_for(session: Session, year: int, unit_id: int, unit_ids: Collection[int]) -> dict[int, str]:
    """Give the titles of a year's published courses that may be for people of a unit or those below it, required ones first."""
    place, top = aliased(Unit, name="place"), aliased(Unit, name="top")
    rows = session.execute(
        select(Course.id, Course.title)
        .join(top, top.id == unit_id)
        .outerjoin(place, place.id == Course.unit_id)
        .where(
            Course.year == year,
            Course.state == CourseState.PUBLISHED,
            or_(
                Course.unit_id.is_(None),
                Course.unit_id.in_(unit_ids),
                func.starts_with(top.region_path, place.region_path),
            ),
        )
        .order_by(Course.is_required.desc(), Course.id)
    )
    return {row[0]: row[1] for row in rows}


def _learners(year: int, unit_ids: Collection[int] | None, course_id: int | None) -> Subquery:
    """Select each person on the roster whom a published required course of the year is for, with how many are, and how many are done.

    With a course, whom that one is for, required or not.
    """
    wanted = Course.id == course_id if course_id is not None else Course.is_required
    begun = (
        select(ChapterProgress.person_id, Chapter.course_id)
        .join(Chapter, ChapterProgress.chapter_id == Chapter.id)
        .where(ChapterProgress.passed_at.is_not(None))
        .distinct()
        .subquery("begun")
    )
    query = (
        select(
            Person.id.label("person_id"),
            Person.unit_id,
            func.count().label("courses"),
            func.count(CourseCompletion.person_id).label("done"),
            func.count(begun.c.person_id).label("begun"),
        )
        .select_from(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .join(Course, (Course.year == year) & (Course.state == CourseState.PUBLISHED) & wanted)
        .outerjoin(
            CourseCompletion, (CourseCompletion.course_id == Course.id) & (CourseCompletion.person_id == Person.id)
        )
        .outerjoin(begun, (begun.c.course_id == Course.id) & (begun.c.person_id == Person.id))
        .where(Person.state == PersonState.ON_ROSTER, in_audience())
        .group_by(Person.id)
    )
    if unit_ids is not None:
        query = query.where(Person.unit_id.in_(unit_ids))
    return query.subquery("learners")


def study_counts(
    session: Session, year: int, unit_ids: Collection[int] | None, *, course_id: int | None = None
) -> dict[int, StudyCounts]:
    """Count who ought to study, has begun and has done all, or one course, by the unit of the roster, in one statement."""
    learner = _learners(year, unit_ids, course_id).c
    rows = session.execute(
        select(
            learner.unit_id,
            func.count(),
            func.count().filter(or_(learner.begun > 0, learner.done > 0)),
            func.count().filter(learner.done == learner.courses),
        ).group_by(learner.unit_id)
    )
    return {row[0]: StudyCounts(due=row[1], begun=row[2], done=row[3]) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """A person who ought to study: how many required courses, and how many are done."""

    person_id: int
    staff_number: str
    name: str
    unit_code: str
    unit_name: str
    courses: int
    done: int
    credits: Decimal


def _listed(year: int, unit_ids: Collection[int], *, course_id: int | None, is_open: bool) -> Select[*tuple[Any, ...]]:
    learner = _learners(year, unit_ids, course_id).c
    earned = (
        select(func.coalesce(func.sum(CourseCompletion.credits), 0))
        .where(CourseCompletion.person_id == learner.person_id, CourseCompletion.year == year)
        .scalar_subquery()
    )
    query = (
        select(
            learner.person_id,
            Person.staff_number,
            Person.name,
            Unit.code.label("unit_code"),
            Unit.name.label("unit_name"),
            learner.courses,
            learner.done,
            earned.label("credits"),
        )
        .join(Person, Person.id == learner.person_id)
        .join(Unit, Unit.id == learner.unit_id)
        .order_by(Unit.code, Person.staff_number)
    )
    return query.where(learner.done < learner.courses) if is_open else query


def list_learners(
    session: Session,
    year: int,
    unit_ids: Collection[int],
    *,
    is_open: bool,
    offset: int,
    limit: int,
    course_id: int | None = None,
) -> tuple[list[Learner], int]:
    """List a page of who ought to study in these units, by unit code and staff number, and count them, in two statements."""
    query = _listed(year, unit_ids, course_id=course_id, is_open=is_open)
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows = session.execute(query.offset(offset).limit(limit))
    return [Learner(**row._mapping) for row in rows], total  # noqa: SLF001 – SQLAlchemy's public name


def iter_learners(
    session: Session, year: int, unit_ids: Collection[int], *, course_id: int | None = None
) -> Iterator[Learner]:
    """Stream everybody who ought to study in these units, in one query."""
    query = _listed(year, unit_ids, course_id=course_id, is_open=False)
    rows = session.execute(query.execution_options(yield_per=1000))
    for row in rows:
        yield Learner(**row._mapping)  # noqa: SLF001 – as above


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterFigures:
    """How a chapter's exercise fares."""

    title: str
    people: int
    runs: int
    passed: int

    @property
    def is_shown(self) -> bool:
        """Whether enough people did it that nobody's failing is told; nobody at all tells nothing either."""
        return self.people == 0 or self.people >= MIN_PEOPLE

    @property
    def pass_share(self) -> Decimal | None:
        """Passed runs per cent."""
        return percentage(self.passed, self.runs)

    @property
    def is_mostly_failed(self) -> bool:
        """Whether hardly anybody passes it."""
        return self.is_shown and is_mostly_failed(runs=self.runs, passed=self.passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseFigures:
    """How a course fares among the people within the access scope."""

    course_id: int
    title: str
    is_required: bool
    due: int
    begun: int
    done: int
    chapters: tuple[ChapterFigures, ...]

    @property
    def done_rate(self) -> Decimal | None:
        """Finished per cent of those it is for."""
        return percentage(self.done, self.due)

    @property
    def is_seldom_finished(self) -> bool:
        """Whether hardly anybody who began it has finished it."""
        return is_seldom_finished(begun=self.begun, done=self.done)


def course_figures(session: Session, year: int, access: AccessScope) -> list[CourseFigures]:
    """Count how each published course of a year fares among the roster's people within the access scope, in three statements."""
    begun = select(ChapterProgress.person_id).join(Chapter, ChapterProgress.chapter_id == Chapter.id)
    begun = begun.where(Chapter.course_id == Course.id, ChapterProgress.person_id == Person.id, ChapterProgress.read_at.is_not(None))  # fmt: skip
    rows = session.execute(
        select(
            Course.id,
            Course.title,
            Course.is_required,
            func.count(distinct(Person.id)),
            func.count(distinct(Person.id)).filter(begun.exists()),
            func.count(CourseCompletion.person_id),
        )
        .select_from(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .join(Course, (Course.year == year) & (Course.state == CourseState.PUBLISHED))
        .outerjoin(
            CourseCompletion, (CourseCompletion.course_id == Course.id) & (CourseCompletion.person_id == Person.id)
        )
        .where(Person.state == PersonState.ON_ROSTER, in_audience(), within(access))
        .group_by(Course.id)
        .order_by(Course.is_required.desc(), Course.id)
    ).all()
    chapters = _chapter_figures(session, [row[0] for row in rows], access)
    return [
        CourseFigures(
            course_id=row[0],
            title=row[1],
            is_required=row[2],
            due=row[3],
            begun=row[4],
            done=row[5],
            chapters=tuple(chapters.get(row[0], ())),
        )
        for row in rows
    ]


def _chapter_figures(
    session: Session, course_ids: Collection[int], access: AccessScope
) -> dict[int, list[ChapterFigures]]:
    people = select(Person.id).join(Unit, Person.unit_id == Unit.id).where(within(access))
    rows = session.execute(
        select(
            Chapter.course_id,
            Chapter.title,
            func.count(distinct(ExerciseRun.person_id)),
            func.count(ExerciseRun.id),
            func.count(ExerciseRun.id).filter(ExerciseRun.is_passed.is_(True)),
        )
        .outerjoin(
            ExerciseRun,
            (ExerciseRun.chapter_id == Chapter.id)
            & ExerciseRun.finished_at.is_not(None)
            & ExerciseRun.person_id.in_(people),
        )
        .where(Chapter.course_id.in_(course_ids))
        .group_by(Chapter.id)
        .order_by(Chapter.course_id, Chapter.position, Chapter.id)
    )
    found: dict[int, list[ChapterFigures]] = {}
    for course_id, title, participants, runs, passed in rows:
        figures = ChapterFigures(title=title, people=participants, runs=runs, passed=passed)
        found.setdefault(course_id, []).append(figures)
    return found


def list_years(session: Session, *, now: datetime) -> list[int]:
    """List the years that have courses, and the present one, the newest first."""
    years = set(session.scalars(select(Course.year).where(Course.state != CourseState.DRAFT).distinct()))
    return sorted({*years, now.year}, reverse=True)
