"""The practice pool as the office sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from examapp.exams.models import Exam
from examapp.questions.models import Question, QuestionState, QuestionVersion
from examapp.training.models import PracticeHold, PracticeMark
from examapp.training.queries.practice import fitting
from examapp.training.rules import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class LawPool:
    """A law's active questions: how many there are, may be practised, are held back, were opened and were closed by the office."""

    law: str
    active: int
    practisable: int
    held: int
    opened: int
    closed: int


def pool_by_law(session: Session) -> list[LawPool]:
    """Give the pool law by law, by name. Two statements."""
    rows = session.execute(
        select(
            Question.law_name,
            func.count(distinct(Question.id)),
            func.count(distinct(PracticeHold.question_id)),
            func.count(distinct(Question.id)).filter(PracticeMark.is_open.is_(True)),
            func.count(distinct(Question.id)).filter(PracticeMark.is_open.is_(False)),
        )
        .outerjoin(PracticeHold, PracticeHold.question_id == Question.id)
        .outerjoin(PracticeMark, PracticeMark.question_id == Question.id)
        .where(Question.state == QuestionState.ACTIVE, Question.law_name != "")
        .group_by(Question.law_name)
        .order_by(Question.law_name)
    ).all()
    able = session.execute(
        fitting(select(Question.law_name, func.count(distinct(QuestionVersion.question_id))), Wanted()).group_by(
            Question.law_name
        )
    )
    practisable = {row[0]: row[1] for row in able}
    return [
        LawPool(law=law, active=active, practisable=practisable.get(law, 0), held=held, opened=opened, closed=closed)
        for law, active, held, opened, closed in rows
    ]


def holding_exams(session: Session, *, now: datetime) -> list[tuple[str, datetime, int]]:
    """List the coming exams that hold questions back: title, end, how many."""
    rows = session.execute(
        select(Exam.title, Exam.closes_at, func.count())
        .join(PracticeHold, PracticeHold.exam_id == Exam.id)
        .where(Exam.closes_at > now)
        .group_by(Exam.id)
        .order_by(Exam.closes_at)
    )
    return [(row[0], row[1], row[2]) for row in rows]
