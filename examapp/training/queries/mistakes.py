"""A person's mistake book: what was last answered wrong in practice, exercises and released exams."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from examapp.grading.queries.mistakes import GradedSitting, list_sittings_with_keys
from examapp.papers.queries import PaperItem, get_paper, items_of
from examapp.questions.models import QuestionVersion
from examapp.training.models import PracticeItem

_MOST_SITTINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A part of a question that was answered wrong and not yet right since."""

    question_id: int
    part: int
    """From 0."""
    answered_at: datetime
    item_id: int | None
    """The practised item; None where it was in an exam."""
    exam_title: str = ""


def mistake_book(session: Session, person_id: int, *, now: datetime) -> list[Mistake]:
    """List a person's mistakes that no later right answer has settled, the latest first; exams only after their keys' release."""
    rows = session.execute(
        select(
            PracticeItem.question_id,
            PracticeItem.part,
            PracticeItem.answered_at,
            PracticeItem.id,
            PracticeItem.is_right,
        )
        .where(PracticeItem.person_id == person_id, PracticeItem.answered_at.is_not(None))
        .ext(distinct_on(PracticeItem.question_id, PracticeItem.part))
        .order_by(PracticeItem.question_id, PracticeItem.part, PracticeItem.answered_at.desc(), PracticeItem.id.desc())
    ).all()
    settled = {(row.question_id, row.part): row.answered_at for row in rows}
    book = {
        (row.question_id, row.part): Mistake(
            question_id=row.question_id, part=row.part, answered_at=row.answered_at, item_id=row.id
        )
        for row in rows
        if not row.is_right
    }
    for mistake in _exam_mistakes(session, person_id, now=now):
        place = (mistake.question_id, mistake.part)
        if place not in settled or settled[place] < mistake.answered_at:
            book[place] = mistake
            settled[place] = mistake.answered_at
    return sorted(book.values(), key=lambda mistake: (mistake.answered_at, mistake.question_id), reverse=True)


def _exam_mistakes(session: Session, person_id: int, *, now: datetime) -> list[Mistake]:
    found = [
        (item, sitting)
        for sitting in list_sittings_with_keys(session, person_id, now=now)[:_MOST_SITTINGS]
        for item in _wrong_items(session, sitting)
    ]
    versions = {item.version_id for item, _ in found}
    rows = session.execute(
        select(QuestionVersion.id, QuestionVersion.question_id).where(QuestionVersion.id.in_(versions))
    )
    questions = {row.id: row.question_id for row in rows}
    return [
        Mistake(
            question_id=questions[item.version_id],
            part=item.part,
            answered_at=sitting.attempt.submitted_at or sitting.attempt.started_at,
            item_id=None,
            exam_title=sitting.exam.title,
        )
        for item, sitting in found
    ]


def _wrong_items(session: Session, sitting: GradedSitting) -> list[PaperItem]:
    items = items_of(get_paper(session, sitting.attempt.paper_id))
    return [
        item for item, points in zip(items, sitting.grade.item_points, strict=True) if Decimal(points) != item.points
    ]


def list_items(session: Session, ids: list[int]) -> dict[int, PracticeItem]:
    """Give practised items by id."""
    return {item.id: item for item in session.scalars(select(PracticeItem).where(PracticeItem.id.in_(ids)))}
