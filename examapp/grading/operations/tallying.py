"""Count how each question fared in an exam, and write it down where the bank reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from examapp.core.points import percentage
from examapp.grading.queries.tallies import GradedPaper, exams_to_tally, iter_graded_papers
from examapp.questions.models import QuestionUse

_AT_ONCE = 5000


@dataclass(slots=True)
class _Tally:
    asked: int = 0
    right: int = 0
    points: Decimal = Decimal(0)
    possible: Decimal = Decimal(0)


def tally_questions(session: Session, *, now: datetime) -> int:
    """Count anew every exam with grades younger than its last count; gives how many exams were counted."""
    due = exams_to_tally(session)
    for exam_id, title in due:
        rows = [
            {
                "question_version_id": version_id, "part": part, "exam_id": exam_id, "exam_title": title, "asked": tally.asked,
                "right_count": tally.right, "share": percentage(tally.points, tally.possible) or Decimal(0), "counted_at": now,
            }
            for (version_id, part), tally in sorted(_tallies(iter_graded_papers(session, exam_id)).items())
        ]  # fmt: skip
        session.execute(delete(QuestionUse).where(QuestionUse.exam_id == exam_id))
        for start in range(0, len(rows), _AT_ONCE):
            session.execute(insert(QuestionUse), rows[start : start + _AT_ONCE])
    return len(due)


def _tallies(graded: Iterator[GradedPaper]) -> dict[tuple[int, int], _Tally]:
    found: dict[tuple[int, int], _Tally] = {}
    for paper in graded:
        items = (item for section in paper.sections for item in section["items"])
        for (version_id, part, _, possible), points in zip(items, paper.item_points, strict=True):
            tally = found.setdefault((version_id, part + 1), _Tally())
            tally.asked += 1
            tally.right += Decimal(points) == Decimal(possible)
            tally.points += Decimal(points)
            tally.possible += Decimal(possible)
    return found
