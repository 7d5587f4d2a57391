"""The mistake book: a person's cards that come back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from examapp.content.questions.models import BankQuestion
from examapp.delivery.exams.models import Exam
from examapp.learning.spaced_repetition.models import ReviewCard


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


def mistake_book(
    session: Session, person_id: int, *, now: datetime, page: int, size: int, law: str = "", kind: str = ""
) -> Book:
    """Give a page of a person's cards, those due first, then by the day they come back; of one law or kind where it is named. Two statements."""
    sums = session.execute(
        _filtered(
            select(
                func.count().label("total"),
                func.count().filter(ReviewCard.due_at <= now).label("due"),
                func.count().filter(ReviewCard.exam_id.is_not(None)).label("from_exams"),
                func.min(ReviewCard.due_at).filter(ReviewCard.due_at > now).label("next_at"),
            ),
            person_id,
            law,
            kind,
        )
    ).one()
    rows = session.execute(
        _filtered(select(ReviewCard, BankQuestion.law_name, func.coalesce(Exam.title, "")), person_id, law, kind)
        .outerjoin(Exam, ReviewCard.exam_id == Exam.id)
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


def _filtered(statement: Select[*tuple[Any, ...]], person_id: int, law: str, kind: str) -> Select[*tuple[Any, ...]]:
    """Narrow a statement over cards to those of a person that stand in the book, of one law or kind where it is named."""
    statement = (
        statement.select_from(ReviewCard)
        .join(BankQuestion, ReviewCard.question_id == BankQuestion.id)
        .where(ReviewCard.person_id == person_id, ReviewCard.due_at.is_not(None))
    )
    if law:
        statement = statement.where(BankQuestion.law_name == law)
    if kind:
        statement = statement.where(BankQuestion.kind == kind)
    return statement


def list_laws_and_kinds(session: Session, person_id: int) -> tuple[list[str], list[str]]:
    """List the laws and the question kinds of a person's mistake book, for its filters. One statement."""
    rows = session.execute(
        _filtered(select(BankQuestion.law_name, BankQuestion.kind), person_id, "", "").distinct()
    ).all()
    return sorted({law for law, _ in rows if law}), sorted({kind for _, kind in rows})


def count_due(session: Session, person_id: int, *, now: datetime, law: str = "", kind: str = "") -> int:
    """Count the cards of a person that are due, of one law or kind where it is named."""
    statement = _filtered(select(func.count()), person_id, law, kind).where(ReviewCard.due_at <= now)
    return int(session.execute(statement).scalar_one())
