"""A person's mistake book: the cards of what was wrong or unsure in practice, exercises and released exams, and which are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from examapp.exams.models import Exam
from examapp.questions.models import Question, QuestionVersion
from examapp.training.models import PracticeItem, ReviewCard
from examapp.training.queries.practice import fitting
from examapp.training.rules import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A page of the mistake book with its sums."""

    total: int
    due: int
    from_exams: int
    next_at: datetime | None
    """When the next card that is not due yet comes back."""
    cards: tuple[tuple[ReviewCard, str, str], ...]
    """Card, law and the title of the exam it was last answered in."""


def mistake_book(session: Session, person_id: int, *, now: datetime, page: int, size: int) -> Book:
    """Give a page of a person's cards, those due first, then by the day they come back. Two statements."""
    sums = session.execute(
        select(
            func.count().label("total"),
            func.count().filter(ReviewCard.due_at <= now).label("due"),
            func.count().filter(ReviewCard.exam_id.is_not(None)).label("from_exams"),
            func.min(ReviewCard.due_at).filter(ReviewCard.due_at > now).label("next_at"),
        ).where(ReviewCard.person_id == person_id, ReviewCard.due_at.is_not(None))
    ).one()
    rows = session.execute(
        select(ReviewCard, Question.law_name, func.coalesce(Exam.title, ""))
        .join(Question, ReviewCard.question_id == Question.id)
        .outerjoin(Exam, ReviewCard.exam_id == Exam.id)
        .where(ReviewCard.person_id == person_id, ReviewCard.due_at.is_not(None))
        .order_by(ReviewCard.due_at, ReviewCard.question_id, ReviewCard.part)
        .limit(size)
        .offset((page - 1) * size)
    )
    return Book(
        total=sums.total,
        due=sums.due,
        from_exams=sums.from_exams,
        next_at=sums.next_at,
        cards=tuple((row[0], row[1], row[2]) for row in rows),
    )


def count_due(session: Session, person_id: int, *, now: datetime) -> int:
    """Count the cards of a person that are due."""
    return session.execute(
        select(func.count()).where(ReviewCard.person_id == person_id, ReviewCard.due_at <= now)
    ).scalar_one()


def pick_cards(session: Session, person_id: int, *, now: datetime, is_ahead: bool) -> list[Row[Any]]:
    """Pick the card that comes next: of the due ones the longest overdue; ahead of time the one not seen for longest. At most one row."""
    statement = (
        fitting(
            select(Question.id, QuestionVersion.id.label("version_id"), QuestionVersion.content, ReviewCard.part).join(
                ReviewCard, ReviewCard.question_id == Question.id
            ),
            Wanted(),
        )
        .where(ReviewCard.person_id == person_id, ReviewCard.due_at.is_not(None))
        .limit(1)
    )
    if is_ahead:
        statement = statement.order_by(ReviewCard.answered_at, ReviewCard.question_id)
    else:
        statement = statement.where(ReviewCard.due_at <= now).order_by(ReviewCard.due_at, ReviewCard.question_id)
    return list(session.execute(statement))


def list_items(session: Session, ids: list[int]) -> dict[int, PracticeItem]:
    """Give practised items by id."""
    return {item.id: item for item in session.scalars(select(PracticeItem).where(PracticeItem.id.in_(ids)))}
