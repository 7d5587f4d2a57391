"""Practise one question by choice: found by search, kept as a favourite, or the question of the day; and keep a note to it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import cast, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from examapp.core.clock import day_of
from examapp.core.errors import DomainError, NotFoundError
from examapp.core.html import normalise
from examapp.questions.models import Question, QuestionVersion
from examapp.training.models import DailyQuestion, PracticeItem, QuestionNote
from examapp.training.operations.practice import add_items, drop_open_items, refuse_while_sitting
from examapp.training.queries.practice import fitting
from examapp.training.rules import NothingToPractiseError, Wanted

LONGEST_NOTE = 500


class NoteRefusedError(DomainError):
    """A note that cannot be kept."""

    code = "note_refused"
    status = 422
    message = f"笔记最多 {LONGEST_NOTE} 字。请缩短后再保存。"


def draw_question(session: Session, *, person_id: int, question_id: int, now: datetime) -> PracticeItem:
    """Draw a certain question; raises NothingToPractiseError where practice may not draw it now, SittingNowError."""
    refuse_while_sitting(session, person_id, now=now)
    rows = session.execute(
        fitting(select(Question.id, QuestionVersion.id.label("version_id"), QuestionVersion.content), Wanted()).where(
            Question.id == question_id
        )
    ).all()
    if not rows:
        raise NothingToPractiseError("这道题现在不能练习。请换一道。")
    drop_open_items(session, person_id)
    (item,) = add_items(session, rows, person_id=person_id, now=now)
    item.wanted = Wanted().as_json()
    session.flush()
    return item


def draw_daily(session: Session, *, person_id: int, now: datetime) -> PracticeItem:
    """Give the question of the day as this person has it: the one drawn or answered today, else drawn now."""
    question_id = _question_of(session, day_of(now))
    latest = session.scalars(
        select(PracticeItem)
        .where(
            PracticeItem.person_id == person_id,
            PracticeItem.question_id == question_id,
            PracticeItem.run_id.is_(None),
        )
        .order_by(PracticeItem.id.desc())
        .limit(1)
    ).one_or_none()
    if latest is not None and day_of(latest.drawn_at) == day_of(now):
        return latest
    return draw_question(session, person_id=person_id, question_id=question_id, now=now)


def _question_of(session: Session, day: date) -> int:
    """Give the question of a day, chosen at its first call; another one where practice may no longer draw it."""
    able = fitting(select(Question.id), Wanted())
    chosen = select(DailyQuestion.question_id).where(DailyQuestion.day == day, DailyQuestion.question_id.in_(able))
    found = session.scalar(chosen)
    if found is not None:
        return found
    picked = session.scalar(able.order_by(func.md5(cast(Question.id, Text) + literal(day.isoformat()))).limit(1))
    if picked is None:
        raise NothingToPractiseError
    statement = insert(DailyQuestion).values(day=day, question_id=picked)
    session.execute(statement.on_conflict_do_update(index_elements=["day"], set_={"question_id": picked}))
    return int(picked)


def keep_note(
    session: Session, *, person_id: int, question_id: int, is_favourite: bool, note: str, now: datetime
) -> None:
    """Keep a favourite or a note to a question that this person has met; nothing of either takes it away.

    Raises NotFoundError for a question that the person has not met, NoteRefusedError.
    """
    met = select(PracticeItem.id).where(PracticeItem.person_id == person_id, PracticeItem.question_id == question_id)
    if session.scalar(met.limit(1)) is None:
        raise NotFoundError
    words = normalise(note).strip()
    if len(words) > LONGEST_NOTE:
        raise NoteRefusedError
    if not is_favourite and not words:
        session.execute(
            delete(QuestionNote).where(QuestionNote.person_id == person_id, QuestionNote.question_id == question_id)
        )
        return
    statement = insert(QuestionNote).values(
        person_id=person_id, question_id=question_id, is_favourite=is_favourite, note=words, updated_at=now
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["person_id", "question_id"],
            set_={"is_favourite": is_favourite, "note": words, "updated_at": now},
        )
    )
