"""Delete questions that no paper holds; a used one can only be retired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import DomainError
from examapp.questions.models import (
    AnswerKey,
    Citation,
    DistinctPair,
    Question,
    QuestionFlag,
    QuestionSearch,
    QuestionVersion,
    question_knowledge_points,
)
from examapp.questions.queries import get_question


class UsedQuestionError(DomainError):
    """A question that papers hold cannot be deleted."""

    code = "question_used"
    message = "这道题已经用在试卷里，不能删除。可以把它停用，停用后不再进入新的试卷。"


def delete_question(session: Session, *, question_id: int, actor: Actor, now: datetime) -> None:
    """Delete a question that was never used; raises UsedQuestionError for others."""
    question = get_question(session, question_id, is_locked=True)
    versions = select(QuestionVersion).where(QuestionVersion.question_id == question.id).with_for_update()
    if any(version.used_at is not None for version in session.scalars(versions)):
        raise UsedQuestionError
    delete_questions(session, ids=[question.id])
    record(session, "questions.delete_question", actor=actor, now=now, object_type="question", object_id=question_id)


def delete_questions(session: Session, *, ids: Sequence[int]) -> None:
    """Remove questions with all that hangs on them; the caller has made sure that no paper holds them."""
    if not ids:
        return
    version_ids = select(QuestionVersion.id).where(QuestionVersion.question_id.in_(ids)).scalar_subquery()
    session.execute(delete(Citation).where(Citation.question_version_id.in_(version_ids)))
    session.execute(delete(AnswerKey).where(AnswerKey.question_version_id.in_(version_ids)))
    points = question_knowledge_points
    session.execute(delete(points).where(points.c.question_id.in_(ids)))
    session.execute(delete(QuestionFlag).where(QuestionFlag.question_id.in_(ids)))
    session.execute(delete(QuestionSearch).where(QuestionSearch.question_id.in_(ids)))
    session.execute(delete(DistinctPair).where(DistinctPair.lower_id.in_(ids) | DistinctPair.higher_id.in_(ids)))
    session.execute(update(Question).where(Question.id.in_(ids)).values(current_version_id=None))
    session.execute(delete(QuestionVersion).where(QuestionVersion.question_id.in_(ids)))
    session.execute(delete(Question).where(Question.id.in_(ids)))
