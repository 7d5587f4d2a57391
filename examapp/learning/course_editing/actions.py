"""The office makes courses: by hand, from a law, as a copy for the next year; publishes and withdraws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.content.laws.queries import find_version_in_force, list_articles
from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.learning.course_contents.actions import copy_contents, drop_files_of, keep_edition, pin_articles
from examapp.learning.courses.models import Chapter, ChapterProgress, Course, CourseState, ExerciseRun
from examapp.learning.courses.queries import covers_sector, explanations_of, get_course
from examapp.learning.courses.rules import body_html
from examapp.learning.practice.queries import count_questions
from examapp.learning.practice.rules import DraftChapter, Wanted, law_chapters, min_right, point_chapters
from examapp.learning.study_gates.actions import complete_course
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import AccessScope
from examapp.platform.audit.actions import ActionContext, record
from question_bank.coursetext import ChapterText, CourseText

AUDIT_ACTS = {
    "training.create_course": "新建课程",
    "training.delete_chapter": "删除章节",
    "training.publish_course": "发布课程",
    "training.save_chapter": "保存章节",
    "training.update_course": "修改课程",
    "training.withdraw_course": "下架课程",
}
AUDIT_OBJECTS = {"course": "课程"}

_LAW_EXERCISE = 5


class InvalidCourseError(DomainError):
    """A course cannot stand or be published so; the message says why, and what to do."""

    code = "course_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseSettings:
    """A course as it is set."""

    title: str
    summary: str
    year: int
    is_required: bool
    credits: Decimal
    due_on: date | None
    unit_id: int | None
    sector_unit_id: int | None = None
    ranks: tuple[str, ...] = ()

    def as_columns(self) -> dict[str, Any]:
        """Give the settings as the table keeps them."""
        return asdict(self) | {"ranks": list(self.ranks)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterSettings:
    """A chapter as it is set; `body` as the office wrote it."""

    position: int
    title: str
    body: str
    law: str
    topic: str
    exercise_count: int
    pass_count: int


def create_course(context: ActionContext, *, settings: CourseSettings, access: AccessScope) -> Course:
    """Create a course as a draft; raises NotFoundError for an audience outside the access scope."""
    session, now = context.session, context.now
    _hold_audience(session, settings, access)
    course = Course(
        **settings.as_columns(),
        state=CourseState.DRAFT,
        created_by_id=context.actor.person_id,
        created_at=now,
        updated_at=now,
    )
    session.add(course)
    session.flush()
    record(context, "training.create_course", object_type="course", object_id=course.id)
    return course


def update_course(context: ActionContext, *, course_id: int, settings: CourseSettings, access: AccessScope) -> Course:
    """Change a course's settings; what people have completed keeps the credits of its time."""
    course = get_course(context.session, course_id, access, is_locked=True)
    _hold_audience(context.session, settings, access)
    for name, value in settings.as_columns().items():
        setattr(course, name, value)
    course.updated_at = context.now
    record(context, "training.update_course", object_type="course", object_id=course.id)
    return course


def _hold_audience(session: Session, settings: CourseSettings, access: AccessScope) -> None:
    """Hold an audience within the access scope: a unit's, a sector's, or everybody's."""
    if settings.unit_id is not None:
        get_unit_within(session, settings.unit_id, access)
    elif not access.is_everything and not covers_sector(session, settings.sector_unit_id, access):
        raise InvalidCourseError("您只能为本单位及下级单位、本系统建课程，请选择单位，或者选择自己的系统。")


def save_chapter(
    context: ActionContext, *, course_id: int, chapter_id: int | None, settings: ChapterSettings, access: AccessScope
) -> Chapter:
    """Add a chapter or change one; people's progress in it stays."""
    session, now = context.session, context.now
    course = get_course(session, course_id, access, is_locked=True)
    if chapter_id is None and course.state == CourseState.PUBLISHED:
        raise ConflictError("课程已发布，不能加章节。请先下架，加好章节后再发布；已学的进度会保留。")
    chapter = Chapter() if chapter_id is None else _chapter_of(course, chapter_id)
    values = asdict(settings) | {"body": body_html(settings.body), "source": settings.body}
    for name, value in values.items():
        setattr(chapter, name, value)
    if chapter_id is None:
        course.chapters.append(chapter)
    course.updated_at = now
    if course.state == CourseState.PUBLISHED:
        _ensure_no_issues(_list_chapter_issues(session, chapter))
    session.flush()
    pin_articles(session, chapter, now=now)
    if course.state == CourseState.PUBLISHED:
        keep_edition(context, course)
    record(context, "training.save_chapter", object_type="course", object_id=course.id)
    return chapter


def _chapter_of(course: Course, chapter_id: int) -> Chapter:
    for chapter in course.chapters:
        if chapter.id == chapter_id:
            return chapter
    raise NotFoundError


def delete_chapter(context: ActionContext, *, course_id: int, chapter_id: int, access: AccessScope) -> None:
    """Delete a chapter that nobody has opened, of a course that is not published."""
    session = context.session
    course = get_course(session, course_id, access, is_locked=True)
    chapter = _chapter_of(course, chapter_id)
    if course.state == CourseState.PUBLISHED:
        raise ConflictError("课程已发布，不能删章节。请先下架。")
    for model in (ChapterProgress, ExerciseRun):
        if session.scalar(select(model.person_id).where(model.chapter_id == chapter_id).limit(1)) is not None:
            raise ConflictError("已有人学过这一章，不能删除。可以修改内容，或复制课程后在副本中删除。")
    drop_files_of(session, chapter)
    course.chapters.remove(chapter)
    course.updated_at = context.now
    record(context, "training.delete_chapter", object_type="course", object_id=course.id)


def publish_course(context: ActionContext, *, course_id: int, access: AccessScope) -> Course:
    """Let learners see a course after the checks; raises InvalidCourseError with everything that is missing."""
    session, now = context.session, context.now
    course = get_course(session, course_id, access, is_locked=True)
    issues = [] if course.chapters else ["还没有章节。"]
    issues += [issue for chapter in course.chapters for issue in _list_chapter_issues(session, chapter)]
    _ensure_no_issues(issues)
    course.state, course.published_at, course.updated_at = CourseState.PUBLISHED, now, now
    session.flush()
    keep_edition(context, course)
    complete_course(session, course.id)
    record(context, "training.publish_course", object_type="course", object_id=course.id)
    return course


def _ensure_no_issues(issues: list[str]) -> None:
    if issues:
        raise InvalidCourseError("还不能发布：" + "".join(issues))


def _list_chapter_issues(session: Session, chapter: Chapter) -> list[str]:
    issues = [] if chapter.body.strip() else [f"“{chapter.title}”没有内容。"]
    found = count_questions(session, Wanted(law=chapter.law, topic=chapter.topic))
    if found < chapter.exercise_count:
        issues.append(
            f"“{chapter.title}”的练习要 {chapter.exercise_count} 题，题库中只有 {found} 题可用，请减少题数或放宽范围。"
        )
    return issues


def withdraw_course(context: ActionContext, *, course_id: int, access: AccessScope) -> Course:
    """Take a course from the learners' pages; progress and completions stay."""
    course = get_course(context.session, course_id, access, is_locked=True)
    course.state, course.updated_at = CourseState.WITHDRAWN, context.now
    record(context, "training.withdraw_course", object_type="course", object_id=course.id)
    return course


def copy_course(context: ActionContext, *, course_id: int, access: AccessScope) -> Course:
    """Copy a course with its chapters as a draft of the next year, without a due date."""
    session = context.session
    original = get_course(session, course_id, access)
    settings = CourseSettings(
        title=original.title,
        summary=original.summary,
        year=original.year + 1,
        is_required=original.is_required,
        credits=original.credits,
        due_on=None,
        unit_id=original.unit_id,
        sector_unit_id=original.sector_unit_id,
        ranks=tuple(original.ranks),
    )
    copy = create_course(context, settings=settings, access=access)
    for chapter in original.chapters:
        values = {name: getattr(chapter, name) for name in (*ChapterSettings.__dataclass_fields__, "source")}
        copied = Chapter(**values)
        copy.chapters.append(copied)
        session.flush()
        copy_contents(session, original=chapter, copy=copied, now=context.now)
    return copy


def make_law_course(context: ActionContext, *, law: str, unit_id: int | None, access: AccessScope) -> Course:
    """Make a draft course of a law: its articles by chapter where the text was imported, else what its questions explain.

    Each chapter's exercise is drawn from the law's questions. Raises InvalidCourseError for a law without questions.
    """
    session, now = context.session, context.now
    found = count_questions(session, Wanted(law=law)) if law else 0
    if not found:
        raise InvalidCourseError("题库中还没有这部法律可用的题目。请先补充题目，再生成课程。")
    today = day_of(now)
    drafts = _draft_chapters(session, law, on=today)
    settings = CourseSettings(
        title=f"《{law}》学习",
        summary="",
        year=today.year,
        is_required=True,
        credits=Decimal(len(drafts)),
        due_on=None,
        unit_id=unit_id,
    )
    course = create_course(context, settings=settings, access=access)
    count = min(_LAW_EXERCISE, found)
    for position, draft in enumerate(drafts, 1):
        chapter = Chapter(
            position=position,
            title=draft.title,
            body=draft.body,
            law=law,
            topic="",
            exercise_count=count,
            pass_count=min_right(count),
        )
        course.chapters.append(chapter)
    session.flush()
    for chapter in course.chapters:
        pin_articles(session, chapter, now=now)
    return course


def _draft_chapters(session: Session, law: str, *, on: date) -> list[DraftChapter]:
    """Draft chapters from a law's articles where its text was imported, else from what its questions explain; raise InvalidCourseError where there is neither."""
    version = find_version_in_force(session, law=law, on=on)
    articles = list_articles(session, version.id) if version else []
    drafts = law_chapters(law, [(article.heading, article.label) for article in articles])
    drafts = drafts or point_chapters(explanations_of(session, law))
    if not drafts:
        raise InvalidCourseError("这部法律没有导入条文，题目也没有解析，生成不了课程内容。请先导入条文或补充解析。")
    return drafts


_EVERYTHING = AccessScope(is_everything=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCourse:
    """What became of a shipped course; `issue` says why it is still a draft, empty where it is published."""

    title: str
    is_new: bool
    issue: str = ""


def load_courses(
    context: ActionContext, texts: Sequence[CourseText], *, year: int, is_required: bool, publishes: bool
) -> list[LoadedCourse]:
    """Load courses for the whole roster of a year; one whose title stands in that year already is left as the office has it."""
    known = set(context.session.scalars(select(Course.title).where(Course.year == year)))
    return [
        LoadedCourse(title=text.title, is_new=False)
        if text.title in known
        else _load(context, text, year=year, is_required=is_required, publishes=publishes)
        for text in texts
    ]


def _load(context: ActionContext, text: CourseText, *, year: int, is_required: bool, publishes: bool) -> LoadedCourse:
    settings = CourseSettings(
        title=text.title,
        summary=text.summary,
        year=year,
        is_required=is_required,
        credits=Decimal(text.credits),
        due_on=None,
        unit_id=None,
    )
    course = create_course(context, settings=settings, access=_EVERYTHING)
    for position, chapter in enumerate(text.chapters, 1):
        save_chapter(
            context,
            course_id=course.id,
            chapter_id=None,
            settings=_chapter_settings(text, chapter, position),
            access=_EVERYTHING,
        )
    if not publishes:
        return LoadedCourse(title=text.title, is_new=True)
    try:
        publish_course(context, course_id=course.id, access=_EVERYTHING)
    except InvalidCourseError as error:
        return LoadedCourse(title=text.title, is_new=True, issue=error.text)
    return LoadedCourse(title=text.title, is_new=True)


def _chapter_settings(text: CourseText, chapter: ChapterText, position: int) -> ChapterSettings:
    source = f"依据：[[{text.law} {'、'.join(chapter.articles)}]]"
    return ChapterSettings(
        position=position,
        title=chapter.title,
        body=f"{chapter.text}\n\n{source}\n",
        law=text.law,
        topic="",
        exercise_count=chapter.exercise_count,
        pass_count=chapter.pass_count,
    )
