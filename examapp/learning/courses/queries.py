"""Courses as learners and as the office see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, selectinload

from examapp.content.questions.models import AnswerKey, BankQuestion, QuestionState
from examapp.errors import NotFoundError
from examapp.learning.courses.models import (
    Chapter,
    ChapterProgress,
    Course,
    CourseCompletion,
    CoursePerson,
    CourseState,
    ExerciseRun,
    PracticeItem,
)
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit
from question_bank.coursetext import read_courses


@dataclass(frozen=True, slots=True, kw_only=True)
class MyCourse:
    """A course as one learner stands to it."""

    course: Course
    chapters: int
    passed: int
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """Credits of completed courses of one year."""

    required: Decimal
    elective: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeCourse:
    """A course in the office's list."""

    course: Course
    unit_name: str | None
    sector_name: str | None
    chapters: int
    completed: int


def in_audience() -> ColumnElement[bool]:
    """Give the condition "the outer `Person` with `Unit` belongs to the outer course's audience": by place, sector and rank, or by name."""
    place = aliased(Unit, name="place_of_course")
    sector = aliased(Unit, name="sector_of_course")
    named = select(CoursePerson.person_id).where(
        CoursePerson.course_id == Course.id, CoursePerson.person_id == Person.id
    )
    return or_(
        and_(
            or_(
                Course.unit_id.is_(None),
                select(place.id)
                .where(place.id == Course.unit_id, func.starts_with(Unit.region_path, place.region_path))
                .exists(),
            ),
            or_(
                Course.sector_unit_id.is_(None),
                select(sector.id)
                .where(sector.id == Course.sector_unit_id, func.starts_with(Unit.sector_path, sector.sector_path))
                .exists(),
            ),
            or_(Course.ranks == [], Course.ranks.has_key(Person.rank)),
        ),
        named.exists(),
    )


def list_my_courses(session: Session, person_id: int) -> list[MyCourse]:
    """List a learner's published courses with how far each is, those still to do first, by due date. One statement."""
    rows = session.execute(
        select(
            Course,
            func.count(Chapter.id).label("chapters"),
            func.count(ChapterProgress.passed_at).label("passed"),
            CourseCompletion.completed_at,
        )
        .select_from(Course)
        .join(Person, Person.id == person_id)
        .join(Unit, Person.unit_id == Unit.id)
        .join(Chapter, Chapter.course_id == Course.id)
        .outerjoin(
            ChapterProgress, (ChapterProgress.chapter_id == Chapter.id) & (ChapterProgress.person_id == person_id)
        )
        .outerjoin(
            CourseCompletion, (CourseCompletion.course_id == Course.id) & (CourseCompletion.person_id == person_id)
        )
        .where(Course.state == CourseState.PUBLISHED, Person.state == PersonState.ON_ROSTER, in_audience())
        .group_by(Course.id, CourseCompletion.completed_at)
        .order_by(
            CourseCompletion.completed_at.is_not(None),
            Course.is_required.desc(),
            Course.due_on.nulls_last(),
            Course.id,
        )
    )
    return [
        MyCourse(course=row.Course, chapters=row.chapters, passed=row.passed, completed_at=row.completed_at)
        for row in rows
    ]


def find_my_course(session: Session, course_id: int, person_id: int) -> Course | None:
    """Find a published course that this person learns, with its chapters."""
    return session.scalars(
        select(Course)
        .join(Person, Person.id == person_id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            Course.id == course_id,
            Course.state == CourseState.PUBLISHED,
            Person.state == PersonState.ON_ROSTER,
            in_audience(),
        )
        .options(selectinload(Course.chapters))
    ).one_or_none()


def get_my_course(session: Session, course_id: int, person_id: int) -> Course:
    """Get a published course that this person learns, with its chapters; raises NotFoundError."""
    course = find_my_course(session, course_id, person_id)
    if course is None:
        raise NotFoundError("没有找到这门课程，可能已经下架。请从学习页重新进入。")
    return course


def find_course_of_run(session: Session, run: ExerciseRun, person_id: int) -> Course | None:
    """Find the course of a chapter's exercise, while it is still one that this person learns."""
    if run.chapter_id is None:
        return None
    course_id = session.scalar(select(Chapter.course_id).where(Chapter.id == run.chapter_id))
    return find_my_course(session, course_id or 0, person_id)


def get_my_chapter(session: Session, chapter_id: int, person_id: int) -> Chapter:
    """Get a chapter of a published course that this person learns; raises NotFoundError."""
    course_id = session.scalar(select(Chapter.course_id).where(Chapter.id == chapter_id))
    course = get_my_course(session, course_id or 0, person_id)
    return next(chapter for chapter in course.chapters if chapter.id == chapter_id)


def progress_in(session: Session, course: Course, person_id: int) -> dict[int, ChapterProgress]:
    """Give how far a person is in a course, by chapter."""
    rows = session.scalars(
        select(ChapterProgress)
        .join(Chapter, ChapterProgress.chapter_id == Chapter.id)
        .where(Chapter.course_id == course.id, ChapterProgress.person_id == person_id)
    )
    return {row.chapter_id: row for row in rows}


def next_chapter(course: Course, progress: Mapping[int, ChapterProgress]) -> Chapter | None:
    """Give the first chapter of a course that does not count yet."""
    passed = {chapter_id for chapter_id, done in progress.items() if done.passed_at}
    return next((chapter for chapter in course.chapters if chapter.id not in passed), None)


def credits_of(session: Session, person_id: int, *, year: int) -> Credits:
    """Sum the credits of a person's completed courses of a year."""
    rows = session.execute(
        select(CourseCompletion.is_required, func.sum(CourseCompletion.credits))
        .where(CourseCompletion.person_id == person_id, CourseCompletion.year == year)
        .group_by(CourseCompletion.is_required)
    )
    sums = {row[0]: row[1] for row in rows}
    return Credits(required=sums.get(True, Decimal(0)), elective=sums.get(False, Decimal(0)))


def runs_today(session: Session, chapter_id: int, person_id: int, *, on: date) -> int:
    """Count how often a person has begun a chapter's exercise on a day."""
    return session.execute(
        select(func.count())
        .select_from(ExerciseRun)
        .where(ExerciseRun.chapter_id == chapter_id, ExerciseRun.person_id == person_id, ExerciseRun.started_on == on)
    ).scalar_one()


def reached(access: AccessScope) -> ColumnElement[bool]:
    """Give the condition on courses joined with their unit: one for a unit within the access scope, or for a sector within it.

    A course for the whole roster needs an access scope over everything.
    """
    if access.is_everything:
        return true()
    sector = aliased(Unit, name="sector_within")
    of_sector = select(sector.id).where(sector.id == Course.sector_unit_id, _in_sectors(sector.sector_path, access))
    return (Course.unit_id.is_not(None) & within(access)) | (Course.unit_id.is_(None) & of_sector.exists())


def _in_sectors(
    path: ColumnElement[str] | InstrumentedAttribute[str | None], access: AccessScope
) -> ColumnElement[bool]:
    return or_(false(), *(path.startswith(prefix, autoescape=True) for prefix in access.sector_paths))


def covers_sector(session: Session, unit_id: int | None, access: AccessScope) -> bool:
    """Tell whether a unit's whole subtree of the sector tree lies within an access scope."""
    statement = select(Unit.id).where(Unit.id == unit_id, _in_sectors(Unit.sector_path, access))
    return session.scalar(statement) is not None


def list_courses(session: Session, access: AccessScope) -> list[OfficeCourse]:
    """List the courses within an access scope, the newest year first."""
    chapters = select(func.count()).where(Chapter.course_id == Course.id).scalar_subquery()
    completed = select(func.count()).where(CourseCompletion.course_id == Course.id).scalar_subquery()
    sector = aliased(Unit)
    rows = session.execute(
        select(Course, Unit.name, sector.name, chapters, completed)
        .outerjoin(Unit, Course.unit_id == Unit.id)
        .outerjoin(sector, Course.sector_unit_id == sector.id)
        .where(reached(access))
        .order_by(Course.year.desc(), Course.is_required.desc(), Course.id)
    )
    return [
        OfficeCourse(course=row[0], unit_name=row[1], sector_name=row[2], chapters=row[3], completed=row[4])
        for row in rows
    ]


def get_course(session: Session, course_id: int, access: AccessScope, *, is_locked: bool = False) -> Course:
    """Get a course within an access scope with its chapters, locked for an act if asked for; raises NotFoundError."""
    statement: Select[Course] = (
        select(Course)
        .outerjoin(Unit, Course.unit_id == Unit.id)
        .where(Course.id == course_id, reached(access))
        .options(selectinload(Course.chapters))
    )
    if is_locked:
        statement = statement.with_for_update(of=Course)
    course = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if course is None:
        raise NotFoundError
    return course


def count_audience(session: Session, course: Course) -> int:
    """Count the people on the roster whom a course is for."""
    return session.execute(
        select(func.count())
        .select_from(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .join(Course, Course.id == course.id)
        .where(Person.state == PersonState.ON_ROSTER, in_audience())
    ).scalar_one()


def count_completed(session: Session, course: Course) -> int:
    """Count the people who have completed a course."""
    statement = select(func.count()).where(CourseCompletion.course_id == course.id)
    return session.execute(statement).scalar_one()


def explanations_of(session: Session, law: str) -> list[str]:
    """List the explanations of a law's active questions, by the keys that count, in the order of the bank."""
    newest = (
        select(AnswerKey.question_version_id, func.max(AnswerKey.number).label("number"))
        .group_by(AnswerKey.question_version_id)
        .subquery()
    )
    rows = session.scalars(
        select(AnswerKey.parts)
        .join(
            newest,
            (newest.c.question_version_id == AnswerKey.question_version_id) & (newest.c.number == AnswerKey.number),
        )
        .join(BankQuestion, BankQuestion.current_version_id == AnswerKey.question_version_id)
        .where(BankQuestion.law_name == law, BankQuestion.state == QuestionState.ACTIVE, BankQuestion.law_change == "")
        .order_by(BankQuestion.id)
    )
    return [part.get("explanation") or "" for parts in rows for part in parts]


def get_own_run(session: Session, run_id: int, *, person_id: int) -> tuple[ExerciseRun, list[PracticeItem]]:
    """Get one's own go at an exercise with its questions in order; raises NotFoundError."""
    run = session.scalars(
        select(ExerciseRun).where(ExerciseRun.id == run_id, ExerciseRun.person_id == person_id)
    ).one_or_none()
    if run is None:
        raise NotFoundError
    items = session.scalars(select(PracticeItem).where(PracticeItem.run_id == run_id).order_by(PracticeItem.id))
    return run, list(items)


def has_open_run(session: Session, chapter_id: int, person_id: int) -> bool:
    """Tell whether a person has an exercise of a chapter begun and not ended."""
    statement = select(ExerciseRun.id).where(
        ExerciseRun.chapter_id == chapter_id, ExerciseRun.person_id == person_id, ExerciseRun.finished_at.is_(None)
    )
    return session.scalar(statement) is not None


@cache
def _titles() -> frozenset[str]:
    return frozenset(text.title for text in read_courses())


def count_left(session: Session, *, year: int) -> int:
    """Count the shipped courses that a year does not have."""
    return len(_titles() - set(session.scalars(select(Course.title).where(Course.year == year))))
