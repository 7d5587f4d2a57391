"""Results from another platform that stand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.exams.models import Exam
from examapp.grading.models import OutsideResult
from examapp.grading.queries.results import release_of


def standing_points(session: Session, exam_id: int, person_ids: Collection[int]) -> dict[int, tuple[Decimal, Decimal]]:
    """Give the points and points possible of these people's standing results."""
    rows = session.execute(
        select(OutsideResult.person_id, OutsideResult.points, OutsideResult.points_possible).where(
            OutsideResult.exam_id == exam_id,
            OutsideResult.person_id.in_(person_ids),
            OutsideResult.undone_at.is_(None),
        )
    )
    return {row.person_id: (row.points, row.points_possible) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOutsideResult:
    """A person's own result from another platform, shown once the exam shows results."""

    exam_title: str
    source: str
    points: Decimal
    points_possible: Decimal
    band: str
    taken_at: datetime


def list_own_outside_results(session: Session, person_id: int, *, now: datetime) -> list[OwnOutsideResult]:
    """List a person's standing results from other platforms whose exam shows results now, the latest first."""
    rows = session.execute(
        select(OutsideResult, Exam)
        .join(Exam, Exam.id == OutsideResult.exam_id)
        .where(OutsideResult.person_id == person_id, OutsideResult.undone_at.is_(None))
        .order_by(OutsideResult.taken_at.desc(), OutsideResult.id.desc())
    )
    return [
        OwnOutsideResult(
            exam_title=exam.title,
            source=result.source,
            points=result.points,
            points_possible=result.points_possible,
            band=result.band,
            taken_at=result.taken_at,
        )
        for result, exam in rows
        if release_of(session, exam, now=now).are_results_out
    ]
