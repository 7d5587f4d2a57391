"""Pages of the person studying: events, one's own record and certificates; and the public check of a certificate."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.delivery.grading.rules import BAND_NAMES
from examapp.learning.study_events.actions import CheckIn, check_in
from examapp.learning.study_events.queries import (
    find_attendance,
    get_material,
    get_my_event,
    list_materials,
    list_my_events,
)
from examapp.learning.study_events.rules import KIND_NAMES, STATE_NAMES
from examapp.learning.study_record.queries import study_record
from examapp.organisation.accounts.guards import menu_entry, my_user, signed_in
from examapp.uploads.views import serve_file
from examapp.web.params import chosen_year
from examapp.web.submit import request_transaction

blueprint = Blueprint("records", __name__)


def send_pdf(content: bytes, name: str) -> Response:
    """Send a PDF as a file to keep."""
    return send_file(BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name)


_LABELS = {
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
        events=list_my_events(read_session(), my_user().person_id, now=clock.now()),
        kind_names=KIND_NAMES,
        now=clock.now(),
    )


@blueprint.get("/study/events/<int:event_id>")
@signed_in
def show_my_event(event_id: int) -> str:
    """Show an event, with the field for the room's code while it is taken."""
    session = read_session()
    event = get_my_event(session, event_id, my_user().person_id)
    return render_template(
        "records/my_event.html",
        event=event,
        attendance=find_attendance(session, event_id, my_user().person_id),
        files=list_materials(session, event_id),
        kind_names=KIND_NAMES,
        state_names=STATE_NAMES,
        is_open=event.code_closes_at is not None and event.code_closes_at > clock.now(),
        typed="".join(filter(str.isdecimal, request.args.get("code", "")))[:6],
    )


@blueprint.get("/study/events/<int:event_id>/files/<int:file_id>")
@signed_in
def my_event_file(event_id: int, file_id: int) -> Response:
    """Give a file of an event that is for me."""
    get_my_event(read_session(), event_id, my_user().person_id)
    return serve_file(get_material(read_session(), event_id, file_id).file)


@blueprint.post("/study/events/<int:event_id>/check-in")
@signed_in
def check_in_myself(event_id: int) -> Response:
    """Put myself down as present."""
    with request_transaction() as context:
        outcome = check_in(context, event_id=event_id, typed=request.form.get("code", ""))
    category, text = _LABELS[outcome]
    flash(text, category)
    return redirect(url_for(".show_my_event", event_id=event_id))


@blueprint.get("/study/record")
@menu_entry("学法档案", position=50, group="学习")
@signed_in
def my_record() -> str:
    """Show my study record of a year."""
    found = study_record(read_session(), my_user().person_id, year=chosen_year(), access=None, now=clock.now())
    return render_template(
        "records/record.html",
        record=found,
        is_own=True,
        this_year=clock.today().year,
        kind_names=KIND_NAMES,
        band_names=BAND_NAMES,
    )
