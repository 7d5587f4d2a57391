"""Reads for corrections: the grades a change touches, the exams and people behind them, and what became of a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, bindparam, select, text
from sqlalchemy.orm import Session

from examapp.delivery.attempts.queries import ends_of
from examapp.delivery.corrections.rules import CorrectionKind, CorrectionState, CurrentGrade, GradeChange
from examapp.delivery.exams.models import Exam
from examapp.delivery.exams.rules import is_visible, results_visible_at
from examapp.delivery.grading.models import Correction, Grade
from examapp.errors import NotFoundError

_CURRENT = text("""
SELECT g.id, g.attempt_id, a.exam_id, g.number, g.points, g.points_possible, g.percent, g.band, g.is_passed, g.item_points, g.key_ids, g.rules,
  g.ruling_ids, g.sheet, p.sections, p.response_schema,
  (SELECT json_object_agg(item, points::text) FROM item_marks WHERE id = ANY(g.mark_ids)) AS hand_points,
  CASE WHEN p.response_schema ~ '^(...)*.0' THEN
    (SELECT json_object_agg(item, response) FROM answers WHERE attempt_id = a.id AND substr(p.response_schema, 3 * item - 1, 1) = '0')
  END AS texts
FROM grades AS g JOIN attempts AS a ON a.id = g.attempt_id JOIN papers AS p ON p.id = a.paper_id
WHERE g.is_current AND a.state = 'graded' AND a.exam_id = ANY(CAST(:exam_ids AS bigint[]))
  AND (:version_id = 0 OR jsonb_exists(g.key_ids, CAST(:version_id AS text))) AND (:attempt_id = 0 OR a.id = :attempt_id)
ORDER BY a.id
""").bindparams(bindparam("version_id", type_=BigInteger), bindparam("attempt_id", type_=BigInteger))
"""The current grades that a change may touch, with all that they are made of: letters from the sheet, words from the answers."""
_AT_ONCE = 500


def iter_current_grades(session: Session, change: GradeChange, exam_ids: Sequence[int]) -> Iterator[list[CurrentGrade]]:
    """Give the current grades of these exams that a change touches, by attempt, a batch at a time; one statement."""
    values = {"exam_ids": list(exam_ids), "version_id": change.version_id, "attempt_id": change.attempt_id}
    rows = session.execute(_CURRENT, values, execution_options={"yield_per": _AT_ONCE})
    for batch in rows.partitions():
        grades = [CurrentGrade(**row._mapping) for row in batch]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping
        if change.kind is CorrectionKind.ITEM:
            grades = [grade for grade in grades if (change.version_id, change.part) in grade.parts()]
        yield grades


def lock_exams(session: Session, exam_ids: Sequence[int]) -> list[Exam]:
    """Lock exams against grading and other corrections, not against starts; raises NotFoundError where one is missing."""
    statement = select(Exam).where(Exam.id.in_(exam_ids)).order_by(Exam.id).with_for_update(key_share=True)
    exams = list(session.scalars(statement.execution_options(populate_existing=True)))
    if len(exams) != len(set(exam_ids)):
        raise NotFoundError
    return exams


def are_results_out(session: Session, exams: Iterable[Exam], *, now: datetime) -> bool:
    """Tell whether results of any of these exams are visible."""
    return any(is_visible(results_visible_at(exam, end=ends_of(session, exam, now=now).own), now) for exam in exams)


def lock_correction(session: Session, correction_id: int) -> Correction:
    """Get and lock a correction; raises NotFoundError."""
    statement = select(Correction).where(Correction.id == correction_id).with_for_update()
    correction = session.scalar(statement.execution_options(populate_existing=True))
    if correction is None:
        raise NotFoundError
    return correction


def is_waiting(session: Session, change: dict[str, Any], exam_ids: Sequence[int]) -> bool:
    """Tell whether the same change of one of these exams was asked for and is not yet decided."""
    is_open = Correction.state.in_((CorrectionState.ASKED, CorrectionState.CHECKED))
    same = select(Correction.id).where(
        is_open, Correction.change == change, Correction.exam_ids.op("&&", is_comparison=True)(list(exam_ids))
    )
    return session.scalar(select(same.exists())) is True


def find_points_before(session: Session, grade: Grade) -> Decimal | None:
    """Find what an attempt had before a regrade or a correction, where its points changed."""
    if grade.regrade_id is None and grade.correction_id is None:
        return None
    before = select(Grade.points).where(Grade.attempt_id == grade.attempt_id, Grade.number == grade.number - 1)
    points = session.scalar(before)
    return points if points != grade.points else None
