"""Draw questions for a person."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import cast, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from examapp.clock import day_of
from examapp.content.blueprints.models import BlueprintSection
from examapp.content.blueprints.queries import get_blueprint, list_filters
from examapp.content.questions.models import BankQuestion, QuestionVersion
from examapp.delivery.attempts.queries import find_counting_attempt
from examapp.delivery.exam_candidates.queries import list_exams_of
from examapp.documents.html import normalise
from examapp.errors import ActiveAttemptError, DomainError, NotFoundError
from examapp.learning.courses.models import ExerciseRun, PracticeItem
from examapp.learning.practice.models import DailyQuestion, QuestionNote
from examapp.learning.practice.queries import fitting, pick_cards, pick_questions
from examapp.learning.practice.rules import NothingToPractiseError, Wanted, drawable_parts, option_order
from examapp.learning.spaced_repetition.models import ReviewCard
from examapp.learning.spaced_repetition.queries import count_due

_RNG = random.SystemRandom()


def draw_practice(session: Session, *, person_id: int, wanted: Wanted, now: datetime) -> PracticeItem:
    """Draw the next question of a practice; what was drawn before and not answered is dropped.

    Raises NothingToPractiseError, and ActiveAttemptError while the person sits an exam that counts.
    """
    ensure_no_active_attempt(session, person_id, now=now)
    drop_open_items(session, person_id)
    parts = None
    if wanted.is_mistakes:
        rows = pick_cards(session, person_id, wanted, now=now)
        parts = {row.id: row.part for row in rows}
    else:
        rows = pick_questions(session, person_id, wanted, count=1)
    if not rows:
        raise NothingToPractiseError(_why_no_card(session, person_id, wanted, now) if wanted.is_mistakes else None)
    (item,) = add_items(session, rows, person_id=person_id, now=now, parts=parts)
    item.wanted = wanted.as_json()
    session.flush()
    return item


def _why_no_card(session: Session, person_id: int, wanted: Wanted, now: datetime) -> str:
    left = count_due(session, person_id, now=now, law=wanted.law, kind=wanted.kind)
    if left:
        return f"还有 {left} 题现在不能练（已停用，或和即将举行的考试重合），考试结束后自动恢复。"
    return "今天该复习的错题都练完了。"


def drop_open_items(session: Session, person_id: int) -> None:
    """Drop what was drawn for practice before and not answered."""
    session.execute(
        delete(PracticeItem).where(
            PracticeItem.person_id == person_id, PracticeItem.run_id.is_(None), PracticeItem.answered_at.is_(None)
        )
    )


def ensure_no_active_attempt(session: Session, person_id: int, *, now: datetime) -> None:
    """Raise ActiveAttemptError while the person sits an exam that counts."""
    if find_counting_attempt(session, person_id, now=now) is not None:
        raise ActiveAttemptError


def add_items(
    session: Session,
    rows: Sequence[Any],
    *,
    person_id: int,
    now: datetime,
    run_id: int | None = None,
    parts: dict[int, int] | None = None,
) -> list[PracticeItem]:
    """Keep drawn questions for a person, one part of each with its options shuffled; their versions no longer change."""
    version_ids = [row.version_id for row in rows]
    session.execute(
        update(QuestionVersion)
        .where(QuestionVersion.id.in_(version_ids), QuestionVersion.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    items = []
    for row in rows:
        possible = drawable_parts(row.content)
        requested_part = (parts or {}).get(row.id)
        part = requested_part if requested_part in possible else _RNG.choice(possible)
        order = option_order(row.content["parts"][part], _RNG)
        items.append(
            PracticeItem(
                person_id=person_id,
                question_id=row.id,
                question_version_id=row.version_id,
                part=part,
                order=order,
                run_id=run_id,
                wanted={},
                drawn_at=now,
                response=[],
            )
        )
    session.add_all(items)
    session.flush()
    return items


MAX_NOTE_LENGTH = 500


class InvalidNoteError(DomainError):
    """A note that cannot be kept."""

    code = "note_rejected"
    status = 422
    message = f"笔记最多 {MAX_NOTE_LENGTH} 字。请缩短后再保存。"


def draw_question(session: Session, *, person_id: int, question_id: int, now: datetime) -> PracticeItem:
    """Draw a certain question; raises NothingToPractiseError where practice may not draw it now, ActiveAttemptError."""
    otherwise = "这道题现在不能练习。请换一道。"
    return _draw_certain(session, person_id, question_id, wanted=Wanted(), now=now, otherwise=otherwise)


def draw_card(session: Session, *, person_id: int, question_id: int, part: int, now: datetime) -> PracticeItem:
    """Draw the question of a card of the person's mistake book.

    Raises NotFoundError where there is none, NothingToPractiseError where practice may not draw it now, ActiveAttemptError.
    """
    _get_card(session, person_id, question_id, part)
    wanted, parts = Wanted(is_mistakes=True), {question_id: part}
    otherwise = "这道题现在不能练习（已停用，或和即将举行的考试重合），考试结束后自动恢复。"
    return _draw_certain(session, person_id, question_id, wanted=wanted, now=now, otherwise=otherwise, parts=parts)


def _draw_certain(
    session: Session,
    person_id: int,
    question_id: int,
    *,
    wanted: Wanted,
    now: datetime,
    otherwise: str,
    parts: dict[int, int] | None = None,
) -> PracticeItem:
    """Draw a question in place of what was drawn before; `wanted` is how the next one is drawn, `otherwise` what is said where practice may not draw it."""
    ensure_no_active_attempt(session, person_id, now=now)
    rows = session.execute(
        fitting(
            select(BankQuestion.id, QuestionVersion.id.label("version_id"), QuestionVersion.content), Wanted()
        ).where(BankQuestion.id == question_id)
    ).all()
    if not rows:
        raise NothingToPractiseError(otherwise)
    drop_open_items(session, person_id)
    (item,) = add_items(session, rows, person_id=person_id, now=now, parts=parts)
    item.wanted = wanted.as_json()
    session.flush()
    return item


def remove_card(session: Session, *, person_id: int, question_id: int, part: int) -> None:
    """Take a mastered question out of the person's mistake book; a later mistake brings it back. Raises NotFoundError."""
    card = _get_card(session, person_id, question_id, part)
    card.due_at = card.stability = card.difficulty = None


def _get_card(session: Session, person_id: int, question_id: int, part: int) -> ReviewCard:
    card = session.get(ReviewCard, (person_id, question_id, part))
    if card is None or card.due_at is None:
        raise NotFoundError
    return card


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
    able = fitting(select(BankQuestion.id), Wanted())
    chosen = select(DailyQuestion.question_id).where(DailyQuestion.day == day, DailyQuestion.question_id.in_(able))
    found = session.scalar(chosen)
    if found is not None:
        return found
    picked = session.scalar(able.order_by(func.md5(cast(BankQuestion.id, Text) + literal(day.isoformat()))).limit(1))
    if picked is None:
        raise NothingToPractiseError
    statement = insert(DailyQuestion).values(day=day, question_id=picked)
    session.execute(statement.on_conflict_do_update(index_elements=["day"], set_={"question_id": picked}))
    return int(picked)


def keep_note(
    session: Session, *, person_id: int, question_id: int, is_favourite: bool, note: str, now: datetime
) -> None:
    """Keep a favourite or a note to a question that this person has met; nothing of either takes it away.

    Raises NotFoundError for a question that the person has not met, InvalidNoteError.
    """
    met = select(PracticeItem.id).where(PracticeItem.person_id == person_id, PracticeItem.question_id == question_id)
    if session.scalar(met.limit(1)) is None:
        raise NotFoundError
    text = normalise(note).strip()
    if len(text) > MAX_NOTE_LENGTH:
        raise InvalidNoteError
    if not is_favourite and not text:
        session.execute(
            delete(QuestionNote).where(QuestionNote.person_id == person_id, QuestionNote.question_id == question_id)
        )
        return
    statement = insert(QuestionNote).values(
        person_id=person_id, question_id=question_id, is_favourite=is_favourite, note=text, updated_at=now
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["person_id", "question_id"],
            set_={"is_favourite": is_favourite, "note": text, "updated_at": now},
        )
    )


MAX_QUESTIONS = 100


def begin_mock(session: Session, *, exam_id: int, person_id: int, now: datetime, is_fresh: bool = False) -> ExerciseRun:
    """Begin a mock paper by the blueprint of an exam that this person belongs to; one that is still open is gone on with.

    With `is_fresh` the open one is dropped first. It counts for nothing. Raises NotFoundError, ActiveAttemptError, NothingToPractiseError where the pool is too small.
    """
    ensure_no_active_attempt(session, person_id, now=now)
    candidate = next((each for each in list_exams_of(session, person_id, now) if each.exam.id == exam_id), None)
    if candidate is None or candidate.blueprint_id is None:
        raise NotFoundError
    running = session.scalars(
        select(ExerciseRun)
        .where(ExerciseRun.exam_id == exam_id, ExerciseRun.person_id == person_id, ExerciseRun.finished_at.is_(None))
        .with_for_update()
    ).first()
    if running is not None and not is_fresh:
        return running
    if running is not None:
        _drop_mock(session, running)
    pass_percent = candidate.exam.pass_percent
    rows = [
        row for section in get_blueprint(session, candidate.blueprint_id).sections for row in _draw(session, section)
    ]
    last = session.scalar(
        select(func.max(ExerciseRun.number)).where(ExerciseRun.exam_id == exam_id, ExerciseRun.person_id == person_id)
    )
    run = ExerciseRun(
        person_id=person_id,
        exam_id=exam_id,
        number=(last or 0) + 1,
        pass_count=max(math.ceil(len(rows) * pass_percent / 100), 1),
        started_at=now,
        started_on=day_of(now),
    )
    session.add(run)
    session.flush()
    add_items(session, rows, person_id=person_id, now=now, run_id=run.id)
    return run


def _drop_mock(session: Session, run: ExerciseRun) -> None:
    """Drop a mock paper that was not handed in; what of it was answered stays as practice."""
    session.execute(delete(PracticeItem).where(PracticeItem.run_id == run.id, PracticeItem.answered_at.is_(None)))
    session.execute(update(PracticeItem).where(PracticeItem.run_id == run.id).values(run_id=None))
    session.delete(run)
    session.flush()


def _draw(session: Session, section: BlueprintSection) -> list[Any]:
    """Draw a section's questions from the pool; of a case one sub-question is asked."""
    statement = fitting(
        select(BankQuestion.id, QuestionVersion.id.label("version_id"), QuestionVersion.content),
        Wanted(kind=section.kind),
    )
    statement = statement.where(*list_filters(section))
    count = min(section.count, MAX_QUESTIONS)
    rows = list(session.execute(statement.order_by(func.random()).limit(count)))
    if len(rows) < count:
        raise NothingToPractiseError("可以练习的题目还不够组一份模拟卷，或正因考试临近暂停练习。请先按法律练习。")
    return rows
