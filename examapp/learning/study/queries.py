"""A mock paper as the exam page draws it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from examapp.content.blueprints.queries import get_blueprint
from examapp.delivery.exam_candidates.queries import list_exams_of
from examapp.delivery.exams.models import Exam
from examapp.documents.html import clean_html
from examapp.learning.courses.models import ExerciseRun, PracticeItem
from examapp.learning.practice.queries import PracticeItemRef, ask_all


def get_exam_of(session: Session, run: ExerciseRun) -> Exam | None:
    """Get the exam by whose blueprint a run is a mock paper; None for a run that is none."""
    return session.get(Exam, run.exam_id) if run.exam_id is not None else None


def mock_sections(
    session: Session, exam: Exam, items: Sequence[PracticeItem], *, person_id: int, now: datetime
) -> list[dict[str, Any]]:
    """Give a mock paper's sections in the shape of the delivery protocol's paper, without keys.

    Titles and points are the blueprint's; where it has changed since, or no longer is this person's, the paper is one section of one point each.
    """
    asked = iter(enumerate(ask_all(session, items), start=1))
    blueprint_id = next(
        (each.blueprint_id for each in list_exams_of(session, person_id, now) if each.exam.id == exam.id), None
    )
    planned = get_blueprint(session, blueprint_id).sections if blueprint_id else []
    if sum(section.count for section in planned) != len(items):
        return [{"title": exam.title, "instructions": "", "items": [_item(number, one, "1") for number, one in asked]}]
    return [
        {
            "title": section.title,
            "instructions": clean_html(section.instructions),
            "items": [_item(number, one, str(section.points_each)) for number, one in islice(asked, section.count)],
        }
        for section in planned
    ]


def _item(number: int, asked: PracticeItemRef, points: str) -> dict[str, Any]:
    return {
        "item": number,
        "kind": asked.kind,
        "points": points,
        "stem": clean_html(asked.stem, may_fold=True),
        "material": clean_html(asked.material, may_fold=True) if asked.material else None,
        "blanks": asked.blanks or None,
        "options": [{"key": key, "text": clean_html(text, may_fold=True)} for key, text in asked.options],
    }
