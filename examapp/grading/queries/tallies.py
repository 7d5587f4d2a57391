"""Reads for counting how questions fared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from examapp.attempts.models import Attempt
from examapp.exams.models import Exam
from examapp.grading.models import Grade
from examapp.papers.models import Paper
from examapp.questions.models import QuestionUse

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class GradedPaper:
    """A paper as it was drawn, and what its items brought."""

    sections: Sequence[dict[str, Any]]
    item_points: Sequence[str]


def exams_to_tally(session: Session) -> list[tuple[int, str]]:
    """List the exams with grades younger than their last count: id and title."""
    counted = (
        select(QuestionUse.exam_id, func.max(QuestionUse.counted_at).label("at"))
        .group_by(QuestionUse.exam_id)
        .subquery()
    )
    graded = (
        select(Attempt.exam_id, func.max(Grade.graded_at).label("at"))
        .join(Attempt, Grade.attempt_id == Attempt.id)
        .where(Grade.is_current)
        .group_by(Attempt.exam_id)
        .subquery()
    )
    rows = session.execute(
        select(Exam.id, Exam.title)
        .join(graded, graded.c.exam_id == Exam.id)
        .outerjoin(counted, counted.c.exam_id == Exam.id)
        .where(or_(counted.c.at.is_(None), graded.c.at > counted.c.at))
        .order_by(Exam.id)
    )
    return [(row.id, row.title) for row in rows]


def iter_graded_papers(session: Session, exam_id: int) -> Iterator[GradedPaper]:
    """Give every graded paper of an exam, streamed."""
    rows = session.execute(
        select(Paper.sections, Grade.item_points)
        .join(Attempt, Grade.attempt_id == Attempt.id)
        .join(Paper, Attempt.paper_id == Paper.id)
        .where(Attempt.exam_id == exam_id, Grade.is_current)
        .execution_options(yield_per=_AT_ONCE)
    )
    for sections, item_points in rows:
        yield GradedPaper(sections, item_points)
