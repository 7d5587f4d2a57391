"""Where and how often a question was used, and how it fared."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.questions.models import QuestionUse


def list_uses(session: Session, version_ids: Sequence[int]) -> list[QuestionUse]:
    """List how versions fared in each exam, the newest exam first."""
    statement = select(QuestionUse).where(QuestionUse.question_version_id.in_(version_ids))
    return list(
        session.scalars(
            statement.order_by(QuestionUse.exam_id.desc(), QuestionUse.question_version_id, QuestionUse.part)
        )
    )
