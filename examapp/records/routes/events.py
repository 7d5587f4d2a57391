"""Events that concern me: what is on, and putting myself down by the room's code."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.uploads.serving import serve_file
from examapp.people.access import actor, me, signed_in
from examapp.records.operations.attendance import CheckIn, check_in
from examapp.records.queries.events import find_attendance, get_material, get_my_event, list_materials, list_my_events
from examapp.records.routes.frame import blueprint
from examapp.records.rules.events import KIND_NAMES, STATE_NAMES

_WORDS = {
    CheckIn.DONE: ("success", "签到成功。活动办结后计入您的学法档案。"),
    CheckIn.WRONG: ("danger", "签到码不对或已经换了。请看现场大屏上现在的签到码，重新输入。"),
    CheckIn.CLOSED: ("warning", "现在不能签到。如果您在现场，请告诉组织者，由组织者按名单登记。"),
    CheckIn.TOO_OFTEN: ("warning", "输错次数太多，请过十分钟再试，或请组织者按名单登记。"),
}


@blueprint.get("/study/events/")
@signed_in
def my_events() -> str:
    """List the events that are on for me."""
    return render_template(
        "records/my_events.html",
        events=list_my_events(reading(), me().person_id, now=clock.now()),
        kind_names=KIND_NAMES,
        now=clock.now(),
    )


@blueprint.get("/study/events/<int:event_id>")
@signed_in
def show_my_event(event_id: int) -> str:
    """Show an event, with the field for the room's code while it is taken."""
    session = reading()
    event = get_my_event(session, event_id, me().person_id)
    return render_template(
        "records/my_event.html",
        event=event,
        attendance=find_attendance(session, event_id, me().person_id),
        files=list_materials(session, event_id),
        kind_names=KIND_NAMES,
        state_names=STATE_NAMES,
        is_open=event.code_closes_at is not None and event.code_closes_at > clock.now(),
    )


@blueprint.get("/study/events/<int:event_id>/files/<int:file_id>")
@signed_in
def my_event_file(event_id: int, file_id: int) -> Response:
    """Give a file of an event that is for me."""
    get_my_event(reading(), event_id, me().person_id)
    return serve_file(get_material(reading(), event_id, file_id).file)


@blueprint.post("/study/events/<int:event_id>/check-in")
@signed_in
def check_me_in(event_id: int) -> Response:
    """Put myself down as present."""
    with transaction() as session:
        outcome = check_in(
            session, event_id=event_id, typed=request.form.get("code", ""), actor=actor(), now=clock.now()
        )
    category, words = _WORDS[outcome]
    flash(words, category)
    return redirect(url_for(".show_my_event", event_id=event_id))
