"""What one knows and what not, by law and knowledge point."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from examapp.core.points import round_points
from examapp.questions.models import KnowledgePoint, Question, QuestionState, question_knowledge_points
from examapp.training.models import ReviewCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """How a law or knowledge point stands."""

    name: str
    bank: int
    """Active questions; 0 where not counted."""
    answered: int
    right: int
    due: int = 0
    people: int = 1

    @property
    def share(self) -> Decimal | None:
        """Right answers at the last try, per cent of those answered; None where nothing was answered."""
        return round_points(Decimal(100 * self.right) / self.answered) if self.answered else None


def my_map(session: Session, person_id: int, *, now: datetime) -> tuple[list[Known], list[Known]]:
    """Give one's own map by law and by knowledge point, the weakest first. Two statements."""
    cards = (
        select(
            ReviewCard.question_id,
            func.bool_and(ReviewCard.is_right).label("is_right"),
            func.bool_or(ReviewCard.due_at <= now).label("is_due"),
        )
        .where(ReviewCard.person_id == person_id)
        .group_by(ReviewCard.question_id)
        .subquery()
    )
    sums = (
        func.count(Question.id),
        func.count(cards.c.question_id),
        func.count().filter(cards.c.is_right),
        func.count().filter(cards.c.is_due),
    )
    by_law = (
        select(Question.law_name, *sums)
        .outerjoin(cards, cards.c.question_id == Question.id)
        .where(Question.state == QuestionState.ACTIVE, Question.law_name != "")
        .group_by(Question.law_name)
    )
    link = question_knowledge_points
    by_point = (
        select(KnowledgePoint.name, *sums)
        .join(link, link.c.knowledge_point_id == KnowledgePoint.id)
        .join(Question, Question.id == link.c.question_id)
        .outerjoin(cards, cards.c.question_id == Question.id)
        .where(Question.state == QuestionState.ACTIVE)
        .group_by(KnowledgePoint.name)
    )
    return _known(session, by_law), _known(session, by_point)


def _known(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Known]:
    found = [
        Known(name=row[0], bank=row[1], answered=row[2], right=row[3], due=row[4]) for row in session.execute(statement)
    ]
    return sorted(found, key=lambda known: (known.share is None, known.share or 0, known.name))
