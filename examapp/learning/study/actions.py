"""A learner's way through a chapter: pages in their order, then the exercise; everything is decided here, nothing is taken on trust."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import DomainError
from examapp.learning.course_contents.queries import live_html
from examapp.learning.courses.models import Chapter, ChapterArticle, ChapterProgress, ExerciseRun
from examapp.learning.courses.queries import get_my_chapter, runs_today
from examapp.learning.practice.actions import add_items, ensure_no_active_attempt
from examapp.learning.practice.queries import count_held, count_questions, pick_questions
from examapp.learning.practice.rules import RUNS_A_DAY, Wanted, split_pages
from examapp.learning.study_gates.actions import clear_exams, complete_course

MIN_OF_ARTICLES = 20
"""Questions on a chapter's own articles from which its exercise is drawn of them alone, so that two tries differ."""


class InvalidExerciseError(DomainError):
    """The exercise cannot begin now; the message says why, and what to do."""

    code = "exercise_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPage:
    """A page of a chapter as it was opened."""

    chapter: Chapter
    number: int
    count: int
    html: str
    progress: ChapterProgress


def open_page(session: Session, *, chapter_id: int, person_id: int, number: int, now: datetime) -> OpenedPage:
    """Open a page of a chapter and note it; beyond the first page not yet opened nobody comes, so that one is opened instead.

    Opening the last page makes the chapter read. Raises NotFoundError for a chapter that this person does not learn.
    """
    chapter = get_my_chapter(session, chapter_id, person_id)
    pages = split_pages(chapter.body)
    progress = _lock_progress(session, chapter_id, person_id)
    number = min(max(number, 1), len(pages), progress.pages_opened + 1)
    progress.pages_opened = max(progress.pages_opened, number)
    if progress.pages_opened >= len(pages) and progress.read_at is None:
        progress.read_at = now
    session.flush()
    html = live_html(session, pages[number - 1], on=day_of(now))
    return OpenedPage(chapter=chapter, number=number, count=len(pages), html=html, progress=progress)


def take_along(session: Session, *, chapter_id: int, person_id: int, now: datetime) -> ExerciseRun:
    """Hand over a chapter whole, with its exercise begun, for where there is no network: the text was given to its end, so it is read.

    Raises as begin_exercise does.
    """
    chapter = get_my_chapter(session, chapter_id, person_id)
    progress = _lock_progress(session, chapter_id, person_id)
    progress.pages_opened = max(progress.pages_opened, len(split_pages(chapter.body)))
    progress.read_at = progress.read_at or now
    session.flush()
    return begin_exercise(session, chapter_id=chapter_id, person_id=person_id, now=now)


def _lock_progress(session: Session, chapter_id: int, person_id: int) -> ChapterProgress:
    session.execute(
        insert(ChapterProgress)
        .values(chapter_id=chapter_id, person_id=person_id, pages_opened=0)
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(ChapterProgress)
        .where(ChapterProgress.chapter_id == chapter_id, ChapterProgress.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def begin_exercise(session: Session, *, chapter_id: int, person_id: int, now: datetime) -> ExerciseRun:
    """Begin a chapter's exercise with questions drawn again; one that is still open is gone on with instead.

    Raises NotFoundError, InvalidExerciseError (chapter not read to its end, tries of the day used up, bank too small), ActiveAttemptError.
    """
    chapter = get_my_chapter(session, chapter_id, person_id)
    ensure_no_active_attempt(session, person_id, now=now)
    progress = _lock_progress(session, chapter_id, person_id)
    if progress.read_at is None:
        raise InvalidExerciseError("请先把本章读到最后一页，再做练习。")
    running = session.scalars(
        select(ExerciseRun).where(
            ExerciseRun.chapter_id == chapter_id, ExerciseRun.person_id == person_id, ExerciseRun.finished_at.is_(None)
        )
    ).one_or_none()
    if running is not None:
        return running
    if runs_today(session, chapter_id, person_id, on=day_of(now)) >= RUNS_A_DAY:
        raise InvalidExerciseError(
            f"本章练习每天最多做 {RUNS_A_DAY} 次，今天的次数已用完。请再看看本章内容，明天再练。"
        )
    return _draw_run(session, chapter, person_id, now=now)


def _draw_run(session: Session, chapter: Chapter, person_id: int, *, now: datetime) -> ExerciseRun:
    wanted = _wanted_of(session, chapter)
    rows = pick_questions(session, person_id, wanted, count=chapter.exercise_count)
    if len(rows) < chapter.exercise_count and count_held(session, wanted):
        raise InvalidExerciseError(
            "本章的题目和即将举行的考试重合，考试结束前暂停练习。您的学习进度不受影响；如果这是考前必学的课程，请联系普法办开放练习。"
        )
    if len(rows) < chapter.exercise_count:
        raise InvalidExerciseError(
            "题库中可用的题目暂时不够，练习没有开始。您的学习进度不受影响，请联系普法办补充题目。"
        )
    last = session.scalar(
        select(func.max(ExerciseRun.number)).where(
            ExerciseRun.chapter_id == chapter.id, ExerciseRun.person_id == person_id
        )
    )
    run = ExerciseRun(
        person_id=person_id,
        chapter_id=chapter.id,
        number=(last or 0) + 1,
        pass_count=chapter.pass_count,
        started_at=now,
        started_on=day_of(now),
    )
    session.add(run)
    session.flush()
    add_items(session, rows, person_id=person_id, now=now, run_id=run.id)
    return run


def _wanted_of(session: Session, chapter: Chapter) -> Wanted:
    """Give what a chapter's exercise is drawn from: questions on its own articles where there are enough, else on its whole law."""
    wanted = Wanted(law=chapter.law, topic=chapter.topic)
    own = select(ChapterArticle.label).where(ChapterArticle.chapter_id == chapter.id, ChapterArticle.law == chapter.law)
    labels = tuple(session.scalars(own))
    of_articles = replace(wanted, articles=labels)
    is_enough = bool(labels) and count_questions(session, of_articles) >= max(MIN_OF_ARTICLES, chapter.exercise_count)
    return of_articles if is_enough else wanted


def pass_chapter(session: Session, *, chapter_id: int, person_id: int, now: datetime) -> None:
    """Count a chapter whose exercise was passed, once and only if it was read to its end; a course it completes brings its credits."""
    progress = _lock_progress(session, chapter_id, person_id)
    if progress.read_at is None or progress.passed_at is not None:
        return
    progress.passed_at = now
    session.flush()
    course_id = session.scalars(select(Chapter.course_id).where(Chapter.id == chapter_id)).one()
    complete_course(session, course_id, person_id=person_id)
    clear_exams(session, now=now, person_id=person_id)
