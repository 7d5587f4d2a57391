"""The delivery protocol's result of an attempt."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g

from examapp.db.session import transaction
from examapp.delivery.attempts.actions import close_if_overdue
from examapp.delivery.attempts.models import AttemptState
from examapp.delivery.attempts.queries import refusal
from examapp.delivery.exams.queries import get_exam
from examapp.delivery.grading.models import Grade
from examapp.delivery.results import queries
from examapp.delivery.results.queries import ItemResult
from examapp.organisation.accounts.guards import are_keys_shut, me, signed_in
from examapp.points import as_text
from examapp.web.json_io import answer, instant

api_blueprint = Blueprint("grading_api", __name__, url_prefix="/api/v1")


@api_blueprint.get("/attempts/<int:attempt_id>/result")
@signed_in
def get_result(attempt_id: int) -> Response:
    """Give the result as far as the exam's policy shows it now."""
    with transaction() as session:
        attempt = close_if_overdue(session, attempt_id, person_id=me().person_id, now=g.arrived_at)
        if attempt.state == AttemptState.IN_PROGRESS:
            raise refusal("not_submitted")
        grade = queries.find_current_grade(session, attempt.id)
        if grade is None:
            return answer({"state": "grading"}, 202)
        exam = get_exam(session, attempt.exam_id)
        release = queries.release_to(session, exam, are_keys_shut=are_keys_shut, now=g.arrived_at)
        if not release.are_results_out:
            publish_at = instant(release.results_at) if release.results_at else None
            return answer({"state": "graded", "published": False, "publish_at": publish_at})
        items = queries.list_item_results(session, attempt, grade) if release.are_keys_out else None
        return answer(_result_json(grade, items))


def _result_json(grade: Grade, items: list[ItemResult] | None) -> dict[str, Any]:
    return {
        "state": "graded",
        "published": True,
        "points": as_text(grade.points),
        "points_possible": as_text(grade.points_possible),
        "percent": as_text(grade.percent),
        "band": grade.band,
        "passed": grade.is_passed,
        "items": None if items is None else [_item_json(item) for item in items],
    }


def _item_json(item: ItemResult) -> dict[str, Any]:
    return {
        "item": item.item,
        "response": item.response,
        "points": as_text(item.points),
        "key": item.key,
        "explanation": item.explanation,
        "article": item.article,
    }
