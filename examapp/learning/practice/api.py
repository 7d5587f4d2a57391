"""JSON call for an answer in practice, which an offline chapter sends once the network is back."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from flask import Blueprint, Response, current_app
from msgspec import Meta, Struct

from examapp import clock
from examapp.db.session import transaction
from examapp.learning.practice_answers.actions import answer
from examapp.organisation.accounts.guards import my_user, signed_in
from examapp.web.json_io import Instant, instant, json_response, read_body

api_blueprint = Blueprint("training_api", __name__, url_prefix="/api/v1")
_MAX_BYTES = 16 * 1024


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
