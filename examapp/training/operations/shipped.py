"""Take the courses that ship with the program into the house: each once a year, published where the bank has its questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.people.rules import Reach
from examapp.training.models import Course
from examapp.training.operations.courses import (
    ChapterSettings,
    CourseRefusedError,
    CourseSettings,
    create_course,
    publish_course,
    save_chapter,
)
from question_bank.coursetext import ChapterText, CourseText

_EVERYTHING = Reach(is_everything=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What became of a shipped course; `fault` says why it is still a draft, empty where it is published."""

    title: str
    is_new: bool
    fault: str = ""


def load_courses(
    session: Session,
    texts: Sequence[CourseText],
    *,
    year: int,
    is_required: bool,
    publishes: bool,
    actor: Actor,
    now: datetime,
) -> list[Loaded]:
    """Load courses for the whole roster of a year; one whose title stands in that year already is left as the office has it."""
    known = set(session.scalars(select(Course.title).where(Course.year == year)))
    return [
        Loaded(title=text.title, is_new=False)
        if text.title in known
        else _load(session, text, year=year, is_required=is_required, publishes=publishes, actor=actor, now=now)
        for text in texts
    ]


def _load(
    session: Session, text: CourseText, *, year: int, is_required: bool, publishes: bool, actor: Actor, now: datetime
) -> Loaded:
    settings = CourseSettings(
        title=text.title,
        summary=text.summary,
        year=year,
        is_required=is_required,
        credits=Decimal(text.credits),
        due_on=None,
        unit_id=None,
    )
    course = create_course(session, settings=settings, reach=_EVERYTHING, actor=actor, now=now)
    for position, chapter in enumerate(text.chapters, 1):
        save_chapter(
            session,
            course_id=course.id,
            chapter_id=None,
            settings=_chapter_settings(text, chapter, position),
            reach=_EVERYTHING,
            actor=actor,
            now=now,
        )
    if not publishes:
        return Loaded(title=text.title, is_new=True)
    try:
        publish_course(session, course_id=course.id, reach=_EVERYTHING, actor=actor, now=now)
    except CourseRefusedError as error:
        return Loaded(title=text.title, is_new=True, fault=error.text)
    return Loaded(title=text.title, is_new=True)


def _chapter_settings(text: CourseText, chapter: ChapterText, position: int) -> ChapterSettings:
    source = f"依据：《{text.law}》（{text.version_on.year}年版）{'、'.join(chapter.articles)}"
    return ChapterSettings(
        position=position,
        title=chapter.title,
        body=f"{chapter.text}\n\n{source}\n",
        law=text.law,
        topic="",
        exercise_count=chapter.exercise_count,
        pass_count=chapter.pass_count,
    )
