"""The page that takes an event of study in the room over into the ledger."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.clock import day_of
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError, NotFoundError
from examapp.core.numbers import sent_number
from examapp.duties import queries
from examapp.duties.admin_routes.frame import WRITE, admin_blueprint, my_hands
from examapp.duties.operations import events
from examapp.people.access import actor, requires
from examapp.records.queries.events import get_event


@admin_blueprint.route("/events/<int:event_id>", methods=["GET", "POST"])
@requires(WRITE)
def record_event(event_id: int) -> str | Response:
    """Choose the item of the list under which an event is recorded."""
    if request.method == "POST":
        return _record(event_id)
    session, hands = reading(), my_hands()
    event = get_event(session, event_id, hands.write)
    year = day_of(event.starts_at).year
    duty_list = queries.find_list(session, event.unit_id, year)
    is_ready = duty_list is not None and duty_list.published_at is not None
    return render_template(
        "duties/event.html",
        event=event,
        year=year,
        items=queries.live_items(session, duty_list.id) if duty_list is not None and is_ready else [],
        is_ready=is_ready,
        standing=events.find_event_record(session, event_id),
        deed=events.deed_of(session, event),
    )


def _record(event_id: int) -> Response:
    item_id = request.form.get("item_id", 0, type=sent_number)
    try:
        with transaction() as session:
            events.record_event(
                session, event_id=event_id, item_id=item_id, hands=my_hands(), actor=actor(), now=clock.now()
            )
    except NotFoundError:
        raise
    except DomainError as error:
        flash(error.text, "danger")
        return redirect(url_for(".record_event", event_id=event_id))
    flash("已记入台账。", "success")
    return redirect(url_for(".show_item", item_id=item_id))
