"""Files of chapters, editions and named people, as learners and the office see them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from examapp.core.errors import NotFoundError
from examapp.core.uploads.models import StoredFile
from examapp.org.models import Unit
from examapp.people.models import Person, PersonState
from examapp.people.rules import Reach
from examapp.training.models import (
    Chapter,
    ChapterFile,
    Course,
    CourseEdition,
    CoursePerson,
    CourseState,
)
from examapp.training.queries.courses import in_audience, reached


def files_of(session: Session, chapter_ids: Collection[int]) -> dict[int, list[StoredFile]]:
    """List the files of chapters, by chapter, in the order in which they were hung in."""
    rows = session.execute(
        select(ChapterFile.chapter_id, StoredFile)
        .join(StoredFile, ChapterFile.file_id == StoredFile.id)
        .where(ChapterFile.chapter_id.in_(chapter_ids))
        .order_by(ChapterFile.id)
    )
    found: dict[int, list[StoredFile]] = {}
    for chapter_id, file in rows:
        found.setdefault(chapter_id, []).append(file)
    return found


def get_file_for(session: Session, token: str, *, person_id: int, reach: Reach | None) -> StoredFile:
    """Get a chapter's file for who learns its published course, or makes courses within a reach; raises NotFoundError."""
    learns = (
        select(Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            Person.id == person_id,
            Person.state == PersonState.ON_ROSTER,
            Course.state == CourseState.PUBLISHED,
            in_audience(),
        )
        .correlate(Course)
        .exists()
    )
    makes = (
        false()
        if reach is None
        else Course.id.in_(select(Course.id).outerjoin(Unit, Course.unit_id == Unit.id).where(reached(reach)))
    )
    found = session.scalars(
        select(StoredFile)
        .join(ChapterFile, ChapterFile.file_id == StoredFile.id)
        .join(Chapter, ChapterFile.chapter_id == Chapter.id)
        .join(Course, Chapter.course_id == Course.id)
        .where(StoredFile.token == token, or_(learns, makes))
        .limit(1)
    ).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def list_editions(session: Session, course_id: int) -> list[CourseEdition]:
    """List a course's editions, the newest first."""
    return list(
        session.scalars(
            select(CourseEdition).where(CourseEdition.course_id == course_id).order_by(CourseEdition.number.desc())
        )
    )


def named_people(session: Session, course_id: int) -> list[str]:
    """List the staff numbers of the people named for a course."""
    return list(
        session.scalars(
            select(Person.staff_number)
            .join(CoursePerson, CoursePerson.person_id == Person.id)
            .where(CoursePerson.course_id == course_id)
            .order_by(Person.staff_number)
        )
    )
