"""What the office reads about papers that were drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.content.questions.models import BankQuestion, QuestionState
from examapp.delivery.exams.models import Exam, ExamState
from examapp.delivery.question_replacements.models import PaperRedraw

IS_BARRED = (BankQuestion.state != QuestionState.ACTIVE) | (BankQuestion.law_change != "")
"""A question that no new paper may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrawRow:
    """One time that papers were drawn again, with the codes of the questions."""

    redraw: PaperRedraw
    codes: list[str]


def list_redraws(session: Session, exam_id: int) -> list[RedrawRow]:
    """List the times that papers of an exam were drawn again, the last first."""
    codes = select(func.array_agg(BankQuestion.code)).where(BankQuestion.id == func.any(PaperRedraw.question_ids))
    rows = session.execute(
        select(PaperRedraw, codes.scalar_subquery())
        .where(PaperRedraw.exam_id == exam_id)
        .order_by(PaperRedraw.id.desc())
    )
    return [RedrawRow(redraw=redraw, codes=sorted(found or [])) for redraw, found in rows]


def list_exams_with_barred_questions(session: Session, *, now: datetime) -> list[tuple[int, int, bool]]:
    """List the exams that have not closed of which papers hold barred questions: id, the most papers begun, whether unstarted ones could not be drawn again."""
    last = (
        select(PaperRedraw.exam_id, func.max(PaperRedraw.id).label("id"), func.max(PaperRedraw.begun).label("begun"))
        .group_by(PaperRedraw.exam_id)
        .subquery()
    )
    rows = session.execute(
        select(Exam.id, last.c.begun, PaperRedraw.shortage != "")
        .join(last, last.c.exam_id == Exam.id)
        .join(PaperRedraw, PaperRedraw.id == last.c.id)
        .where(
            Exam.state == ExamState.PUBLISHED, Exam.closes_at > now, (last.c.begun > 0) | (PaperRedraw.shortage != "")
        )
        .order_by(Exam.opens_at)
    )
    return [(exam_id, begun, is_short) for exam_id, begun, is_short in rows]
