"""What hangs on a course: pinned articles, files of chapters, editions, and people named for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import NotFoundError
from examapp.learning.course_contents.queries import cited_articles
from examapp.learning.courses.models import Chapter, ChapterArticle, ChapterFile, Course, CourseEdition, CoursePerson
from examapp.learning.courses.queries import get_course
from examapp.learning.courses.rules import cited_in
from examapp.organisation.access.queries import PersonUnclearError, get_named_person, within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, record
from examapp.uploads.actions import drop_file
from examapp.uploads.models import StoredFile

AUDIT_ACTS = {
    "training.attach_file": "上传课程附件",
    "training.confirm_articles": "确认章节适用现行法条",
    "training.detach_file": "删除课程附件",
    "training.name_people": "指定课程人员",
}

ROOM = "training"


def pin_articles(session: Session, chapter: Chapter, *, now: datetime) -> None:
    """Note the articles that a chapter shows with the versions in force now: an editor has seen them so."""
    session.execute(delete(ChapterArticle).where(ChapterArticle.chapter_id == chapter.id))
    for law, label, version_id in cited_articles(session, cited_in(chapter.body), on=day_of(now)):
        session.add(ChapterArticle(chapter_id=chapter.id, law=law, label=label, law_version_id=version_id))
    session.flush()


def confirm_articles(context: ActionContext, *, course_id: int, chapter_id: int, access: AccessScope) -> None:
    """Say that a chapter is right under the law as it is now: its flag goes."""
    chapter = get_chapter(context.session, course_id, chapter_id, access)
    pin_articles(context.session, chapter, now=context.now)
    record(context, "training.confirm_articles", object_type="course", object_id=course_id)


def get_chapter(session: Session, course_id: int, chapter_id: int, access: AccessScope) -> Chapter:
    """Get a chapter of a course within an access scope, the course locked; raises NotFoundError."""
    course = get_course(session, course_id, access, is_locked=True)
    for chapter in course.chapters:
        if chapter.id == chapter_id:
            return chapter
    raise NotFoundError


def keep_edition(context: ActionContext, course: Course) -> None:
    """Keep a published course as it stands now, as its next edition."""
    session = context.session
    last = session.scalar(select(func.max(CourseEdition.number)).where(CourseEdition.course_id == course.id))
    content = {
        "title": course.title,
        "credits": str(course.credits),
        "chapters": [
            {name: getattr(chapter, name) for name in ("title", "body", "exercise_count", "pass_count")}
            for chapter in course.chapters
        ],
    }
    session.add(
        CourseEdition(
            course_id=course.id,
            number=(last or 0) + 1,
            content=content,
            published_by_id=context.actor.person_id,
            published_at=context.now,
        )
    )
    session.flush()


def attach_file(
    context: ActionContext, *, course_id: int, chapter_id: int, file: StoredFile, access: AccessScope
) -> None:
    """Hang a stored file on a chapter; raises NotFoundError for a course outside the access scope."""
    session = context.session
    chapter = get_chapter(session, course_id, chapter_id, access)
    session.add(ChapterFile(chapter_id=chapter.id, file_id=file.id))
    session.flush()
    record(context, "training.attach_file", object_type="course", object_id=course_id, details={"kind": file.kind})


def detach_file(context: ActionContext, *, course_id: int, chapter_id: int, token: str, access: AccessScope) -> None:
    """Take a file from a chapter; its bytes go once no other chapter shows it. Raises NotFoundError."""
    session = context.session
    chapter = get_chapter(session, course_id, chapter_id, access)
    row = session.execute(
        select(ChapterFile, StoredFile)
        .join(StoredFile, ChapterFile.file_id == StoredFile.id)
        .where(ChapterFile.chapter_id == chapter.id, StoredFile.token == token)
    ).one_or_none()
    if row is None:
        raise NotFoundError
    session.delete(row.ChapterFile)
    session.flush()
    _drop_unused(session, [row.StoredFile])
    record(context, "training.detach_file", object_type="course", object_id=course_id)


def drop_files_of(session: Session, chapter: Chapter) -> None:
    """Take all files from a chapter that is about to go."""
    files = session.scalars(
        select(StoredFile)
        .join(ChapterFile, ChapterFile.file_id == StoredFile.id)
        .where(ChapterFile.chapter_id == chapter.id)
    ).all()
    session.execute(delete(ChapterFile).where(ChapterFile.chapter_id == chapter.id))
    _drop_unused(session, files)


def _drop_unused(session: Session, files: Sequence[StoredFile]) -> None:
    for file in files:
        if session.scalar(select(ChapterFile.id).where(ChapterFile.file_id == file.id).limit(1)) is None:
            drop_file(session, file)


def copy_contents(session: Session, *, original: Chapter, copy: Chapter, now: datetime) -> None:
    """Give a chapter's copy the same files and pin its articles."""
    for file_id in session.scalars(select(ChapterFile.file_id).where(ChapterFile.chapter_id == original.id)):
        session.add(ChapterFile(chapter_id=copy.id, file_id=file_id))
    pin_articles(session, copy, now=now)


_MAX_UNCLEAR = 10
"""So many entries that name nobody are looked up and said at once."""


def name_people(context: ActionContext, *, course_id: int, entries: Sequence[str], access: AccessScope) -> list[str]:
    """Name the people of a course, in place of those named before: staff numbers, several with spaces between, or words that name one within the access scope each.

    Gives why an entry names nobody or several; the others are kept.
    """
    session = context.session
    course = get_course(session, course_id, access, is_locked=True)
    rows = session.execute(
        select(Person.staff_number, Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.staff_number.in_({word for entry in entries for word in entry.split()}), within(access))
    )
    known = {row.staff_number: row.id for row in rows}
    found: set[int] = set()
    unclear: list[str] = []
    for entry in entries:
        if any(word in known for word in entry.split()):
            found.update(known[word] for word in entry.split() if word in known)
            unclear += [f"没有找到“{word[:40]}”。" for word in entry.split() if word not in known]
        elif len(unclear) < _MAX_UNCLEAR:
            try:
                found.add(get_named_person(session, entry, access).id)
            except PersonUnclearError as rejection:
                unclear.append(rejection.text)
    session.execute(delete(CoursePerson).where(CoursePerson.course_id == course.id))
    session.add_all(CoursePerson(course_id=course.id, person_id=person_id) for person_id in sorted(found))
    session.flush()
    record(context, "training.name_people", object_type="course", object_id=course.id, details={"count": len(found)})
    return unclear
