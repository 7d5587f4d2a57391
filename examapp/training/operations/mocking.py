"""A mock paper of one's own: the kinds and numbers of an exam's blueprint, filled with questions that practice may draw."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.core.clock import day_of
from examapp.core.errors import NotFoundError
from examapp.exams.queries import list_exams_of
from examapp.papers.models import BlueprintSection
from examapp.papers.queries import get_blueprint
from examapp.questions.models import KnowledgePoint, Question, QuestionVersion
from examapp.training.models import ExerciseRun
from examapp.training.operations.practice import add_items, refuse_while_sitting
from examapp.training.queries.practice import fitting
from examapp.training.rules import NothingToPractiseError, Wanted

MOST_QUESTIONS = 100


def begin_mock(session: Session, *, exam_id: int, person_id: int, now: datetime) -> ExerciseRun:
    """Begin a mock paper by the blueprint of an exam that this person belongs to; one that is still open is gone on with.

    It counts for nothing. Raises NotFoundError, SittingNowError, NothingToPractiseError where the pool is too small.
    """
    refuse_while_sitting(session, person_id, now=now)
    candidate = next((each for each in list_exams_of(session, person_id, now) if each.exam.id == exam_id), None)
    if candidate is None or candidate.blueprint_id is None:
        raise NotFoundError
    running = session.scalars(
        select(ExerciseRun).where(
            ExerciseRun.exam_id == exam_id, ExerciseRun.person_id == person_id, ExerciseRun.finished_at.is_(None)
        )
    ).first()
    if running is not None:
        return running
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


def _draw(session: Session, section: BlueprintSection) -> list[Any]:
    """Draw a section's questions from the pool; of a case one sub-question is asked."""
    statement = fitting(
        select(Question.id, QuestionVersion.id.label("version_id"), QuestionVersion.content), Wanted(kind=section.kind)
    )
    if section.laws:
        statement = statement.where(Question.law_name.in_(section.laws))
    if section.topics:
        statement = statement.where(Question.topic.in_(section.topics))
    if section.knowledge_points:
        statement = statement.where(Question.knowledge_points.any(KnowledgePoint.name.in_(section.knowledge_points)))
    count = min(section.count, MOST_QUESTIONS)
    rows = list(session.execute(statement.order_by(func.random()).limit(count)))
    if len(rows) < count:
        raise NothingToPractiseError("可以练习的题目还不够组一份模拟卷，或正因考试临近暂停练习。请先按法律练习。")
    return rows
