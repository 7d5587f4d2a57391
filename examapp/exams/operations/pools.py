"""No exam that counts shares questions with one that shows their keys while it runs (decision 0027)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.exams.models import Exam, ExamKind, ExamState
from examapp.exams.queries.organiser import list_blueprint_ids
from examapp.exams.rules import shows_keys_early
from examapp.papers.queries import list_pool_ids


def shared_pool_faults(session: Session, exam: Exam, *, now: datetime) -> list[str]:
    """Say in Chinese with which published exams that are not over an exam shares questions though one of the two shows keys early."""
    is_mock = exam.kind == ExamKind.MOCK
    if is_mock and not shows_keys_early(exam):
        return []
    own: set[int] | None = None
    faults = []
    for other in _others(session, exam, now=now):
        if not is_mock and not shows_keys_early(other):
            continue
        if own is None:
            own = list_pool_ids(session, list_blueprint_ids(session, exam))
        count = len(own & list_pool_ids(session, list_blueprint_ids(session, other)))
        if count:
            faults.append(_words(other, count, is_mock=is_mock))
    return faults


def _others(session: Session, exam: Exam, *, now: datetime) -> list[Exam]:
    """List the published exams of the other sort, mocks or those that count, that are not over."""
    sort = Exam.kind != ExamKind.MOCK if exam.kind == ExamKind.MOCK else Exam.kind == ExamKind.MOCK
    statement = select(Exam).where(Exam.id != exam.id, Exam.state == ExamState.PUBLISHED, Exam.closes_at > now, sort)
    return list(session.scalars(statement.order_by(Exam.opens_at, Exam.id)))


def _words(other: Exam, count: int, *, is_mock: bool) -> str:
    if is_mock:
        return (
            f"本场在考试期间就公布答案，题库范围与正式考试「{other.title}」有 {count} 道题相同，会泄露那场的答案。"
            "请另建组卷规则，选不同的法律或知识点；或把本场的答案改为「考试结束后公布」。"
        )
    return (
        f"模拟考试「{other.title}」在考试期间就公布答案，题库范围与本场有 {count} 道题相同，会泄露本场的答案。"
        "请给两场选不同的法律或知识点；或把那场模拟考试的答案改为「考试结束后公布」。"
    )
