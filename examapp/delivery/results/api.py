"""The delivery protocol's result of an attempt."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from flask import Blueprint, Response, g
from msgspec import Meta

from examapp.db.session import transaction
from examapp.delivery.attempts.actions import close_if_overdue
from examapp.delivery.attempts.models import AttemptState
from examapp.delivery.attempts.queries import attempt_error
from examapp.delivery.exams.queries import get_exam
from examapp.delivery.grading.models import Grade
from examapp.delivery.grading.rules import Band
from examapp.delivery.results import queries
from examapp.delivery.results.queries import ItemResult
from examapp.organisation.accounts.guards import are_keys_withheld, my_user, signed_in
from examapp.points import round_points
from examapp.web.json_io import DecimalText, Instant, instant, json_response

api_blueprint = Blueprint("grading_api", __name__, url_prefix="/api/v1")


class GradingBody(TypedDict):
    """A result that is not there yet."""

    state: Literal["grading"]


class HiddenResultBody(TypedDict):
    """A result that the exam's policy does not show yet."""

    state: Literal["graded"]
    published: Annotated[bool, Meta(extra_json_schema={"const": False})]
    publish_at: Instant | None


class ResultItemBody(TypedDict):
    """One item of a graded paper with its key."""

    item: int
    response: list[str]
    points: DecimalText
    key: list[str]
    explanation: str
    article: str


class ResultBody(TypedDict):
    """A result that is shown; its items once the keys are released."""

    state: Literal["graded"]
    published: Annotated[bool, Meta(extra_json_schema={"const": True})]
    points: DecimalText
    points_possible: DecimalText
    percent: DecimalText
    band: Annotated[str, Meta(extra_json_schema={"enum": list(Band)})]
    passed: bool
    items: list[ResultItemBody] | None


@api_blueprint.get("/attempts/<int:attempt_id>/result")
@signed_in
def get_result(attempt_id: int) -> Response:
    """Give the result as far as the exam's policy shows it now."""
    with transaction() as session:
        attempt = close_if_overdue(session, attempt_id, person_id=my_user().person_id, now=g.arrived_at)
        if attempt.state == AttemptState.IN_PROGRESS:
            raise attempt_error("not_submitted")
        grade = queries.find_current_grade(session, attempt.id)
        if grade is None:
            grading: GradingBody = {"state": "grading"}
            return json_response(grading, 202)
        exam = get_exam(session, attempt.exam_id)
        release = queries.release_to(session, exam, are_keys_withheld=are_keys_withheld, now=g.arrived_at)
        if not release.are_results_out:
            publish_at = instant(release.results_at) if release.results_at else None
            hidden: HiddenResultBody = {"state": "graded", "published": False, "publish_at": publish_at}
            return json_response(hidden)
        items = queries.list_item_results(session, attempt, grade) if release.are_keys_out else None
        return json_response(_result_json(grade, items))


def _result_json(grade: Grade, items: list[ItemResult] | None) -> ResultBody:
    return {
        "state": "graded",
        "published": True,
        "points": str(round_points(grade.points)),
        "points_possible": str(round_points(grade.points_possible)),
        "percent": str(round_points(grade.percent)),
        "band": grade.band,
        "passed": grade.is_passed,
        "items": None if items is None else [_item_json(item) for item in items],
    }


def _item_json(item: ItemResult) -> ResultItemBody:
    return {
        "item": item.item,
        "response": item.response,
        "points": str(round_points(item.points)),
        "key": item.key,
        "explanation": item.explanation,
        "article": item.article,
    }
