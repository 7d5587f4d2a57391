"""Results that people got on another platform: they come in together, count beside the attempts, and go together.

Two imports for one exam wait for each other at the exam's row, so that one result of a person stands at any moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from examapp.core.errors import ConflictError
from examapp.core.points import round_points
from examapp.exams.models import Exam
from examapp.grading.models import OutsideResult
from examapp.grading.operations.grading import marks_of
from examapp.grading.rules import Band, band_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideMark:
    """A person's points on another platform."""

    person_id: int
    unit_id: int
    points: Decimal


def record_outside_results(
    session: Session,
    *,
    exam_id: int,
    import_id: int,
    marks: Sequence[OutsideMark],
    possible: Decimal,
    source: str,
    taken_at: datetime,
    recorded_by_id: int | None,
    now: datetime,
) -> int:
    """Let these results count in an exam, by its own pass mark and bands; those of the same people that stood before step back."""
    exam = _lock(session, exam_id)
    people = [mark.person_id for mark in marks]
    session.execute(
        update(OutsideResult)
        .where(OutsideResult.exam_id == exam_id, OutsideResult.person_id.in_(people), OutsideResult.undone_at.is_(None))
        .values(undone_at=now, replaced_by_id=import_id)
    )
    limits = marks_of(exam)
    shared = {
        "exam_id": exam_id,
        "import_id": import_id,
        "source": source,
        "points_possible": possible,
        "taken_at": taken_at,
        "recorded_at": now,
        "recorded_by_id": recorded_by_id,
    }
    rows = []
    for mark in marks:
        band = band_of(mark.points, possible, limits)
        rows.append(
            {
                "person_id": mark.person_id,
                "unit_id": mark.unit_id,
                "points": mark.points,
                "percent": round_points(mark.points * 100 / possible),
                "band": band,
                "is_passed": band is not Band.FAIL,
            }
            | shared
        )
    if rows:
        session.execute(insert(OutsideResult), rows)
    _note_whether_any(session, exam)
    return len(rows)


def undo_outside_results(session: Session, *, exam_id: int, import_id: int, now: datetime) -> int:
    """Take back all results of an import, and let those stand again that they had replaced; gives how many went.

    Raises ConflictError where a later import has replaced some of them: that one goes first.
    """
    exam = _lock(session, exam_id)
    of_import = OutsideResult.import_id == import_id
    replaced = select(OutsideResult.id).where(of_import, OutsideResult.replaced_by_id.is_not(None)).limit(1)
    if session.scalar(replaced) is not None:
        raise ConflictError("这批成绩里有的已被之后的导入更新。请先撤销之后的那次导入，再撤销这一次。")
    gone = session.execute(
        update(OutsideResult)
        .where(of_import, OutsideResult.undone_at.is_(None))
        .values(undone_at=now)
        .returning(OutsideResult.id)
    ).all()
    session.execute(
        update(OutsideResult)
        .where(OutsideResult.replaced_by_id == import_id)
        .values(undone_at=None, replaced_by_id=None)
    )
    _note_whether_any(session, exam)
    return len(gone)


def _lock(session: Session, exam_id: int) -> Exam:
    return session.get_one(Exam, exam_id, with_for_update=True, populate_existing=True)


def _note_whether_any(session: Session, exam: Exam) -> None:
    standing = select(OutsideResult.id).where(OutsideResult.exam_id == exam.id, OutsideResult.undone_at.is_(None))
    exam.has_outside_results = session.scalar(standing.limit(1)) is not None
