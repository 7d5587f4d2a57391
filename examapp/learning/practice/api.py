"""The answer to a drawn question as JSON, for a chapter that was taken along and is sent once the network is back."""

from __future__ import annotations

from flask import Blueprint, Response, current_app

from examapp import clock
from examapp.db.session import transaction
from examapp.errors import BadRequestError
from examapp.learning.practice_answers.actions import answer
from examapp.organisation.accounts.guards import me, signed_in
from examapp.web.json_io import answer as reply
from examapp.web.json_io import instant, read_object

api_blueprint = Blueprint("training_api", __name__, url_prefix="/api/v1")
_MAX_BYTES = 16 * 1024


@api_blueprint.put("/practice/items/<int:item_id>/answer")
@signed_in
def answer_item(item_id: int) -> Response:
    """Take the answer to a drawn question; sent again it changes nothing and says so."""
    body = read_object(most_bytes=_MAX_BYTES)
    response = body.get("response")
    if not isinstance(response, list) or not all(isinstance(part, str) for part in response):
        raise BadRequestError
    now = clock.now()
    with transaction() as session:
        taken = answer(
            session,
            item_id=item_id,
            person_id=me().person_id,
            raw=response,
            now=now,
            is_unsure=body.get("unsure") is True,
            most_a_day=current_app.config["SETTINGS"].max_practice_answers_a_day,
        )
    return reply({"is_new": taken.is_new, "server_time": instant(now)})
