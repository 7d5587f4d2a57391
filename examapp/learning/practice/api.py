"""JSON calls of practice: an answer, which an offline chapter sends once the network is back; a mock paper handed in whole."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from flask import Blueprint, Response, current_app
from msgspec import Meta, Struct

from examapp import clock
from examapp.db.session import transaction
from examapp.learning.practice_answers.actions import PaperResponse, answer, hand_in_run
from examapp.organisation.accounts.guards import my_user, signed_in
from examapp.web.json_io import Instant, instant, json_response, read_body

api_blueprint = Blueprint("training_api", __name__, url_prefix="/api/v1")
_MAX_BYTES = 16 * 1024
_MAX_PAPER_BYTES = 256 * 1024


class PracticeAnswer(Struct, frozen=True):
    """The answer to a drawn question; `unsure` counts only as true."""

    response: list[str]
    unsure: Annotated[Any, Meta(extra_json_schema={"type": "boolean"})] = False


class PracticeAnsweredBody(TypedDict):
    """Whether the answer was new."""

    is_new: bool
    server_time: Instant


@api_blueprint.put("/practice/items/<int:item_id>/answer")
@signed_in
def answer_item(item_id: int) -> Response:
    """Take the answer to a drawn question; sent again it changes nothing and says so."""
    body = read_body(PracticeAnswer, max_bytes=_MAX_BYTES)
    now = clock.now()
    with transaction() as session:
        taken = answer(
            session,
            item_id=item_id,
            person_id=my_user().person_id,
            raw=body.response,
            now=now,
            is_unsure=body.unsure is True,
            max_a_day=current_app.config["SETTINGS"].practice_answers_a_day,
        )
    reply: PracticeAnsweredBody = {"is_new": taken.is_new, "server_time": instant(now)}
    return json_response(reply)


class MockAnswer(Struct, frozen=True):
    """The answer to a question of a mock paper, by its number."""

    item: Annotated[int, Meta(ge=1, le=1000)]
    response: list[str]
    unsure: bool = False


class MockSubmission(Struct, frozen=True):
    """A mock paper's answers, as the device holds them."""

    answers: Annotated[list[MockAnswer], Meta(max_length=1000)]


class MockResultBody(TypedDict):
    """How many of a paper's questions were right."""

    right_count: int
    total: int
    server_time: Instant


@api_blueprint.post("/practice/runs/<int:run_id>/submission")
@signed_in
def hand_in_mock(run_id: int) -> Response:
    """Hand in a mock paper: what is blank counts as wrong; sent again it changes nothing."""
    body = read_body(MockSubmission, max_bytes=_MAX_PAPER_BYTES)
    now = clock.now()
    responses = {one.item: PaperResponse(response=one.response, is_unsure=one.unsure) for one in body.answers}
    with transaction() as session:
        run, total = hand_in_run(
            session,
            run_id,
            responses,
            person_id=my_user().person_id,
            now=now,
            max_a_day=current_app.config["SETTINGS"].practice_answers_a_day,
        )
        reply: MockResultBody = {
            "right_count": run.right_count or 0,
            "total": total,
            "server_time": instant(now),
        }
    return json_response(reply)
