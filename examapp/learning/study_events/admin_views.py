"""Pages of organisers and the office: events, certificates, who has studied what."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.delivery.exams.queries import list_units_within
from examapp.documents.spreadsheets import Sheet, write_xlsx
from examapp.errors import NotFoundError
from examapp.learning.study_events import actions, queries
from examapp.learning.study_events.actions import EventRefusedError
from examapp.learning.study_events.forms import EventForm
from examapp.learning.study_events.models import StudyEvent
from examapp.learning.study_events.rules import KIND_NAMES, STATE_NAMES, code_changes_in_s, may_open_check_in, room_code
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import actor, menu_entry, my_reach, requires
from examapp.uploads.rules import FileRefusedError
from examapp.uploads.views import serve_file
from examapp.web.forms import FlaskForm
from examapp.web.numbers import read_page, read_year

PERMISSIONS = {
    "records:event:write": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
}


admin_blueprint = Blueprint("records_admin", __name__, url_prefix="/admin/records")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def chosen_page() -> int:
    """Give the page in the address, from 1."""
    return read_page(request.args.get("page"))


def chosen_year() -> int:
    """Give the year in the address, the present one where there is none or a wrong one."""
    return read_year(request.args.get("year")) or clock.today().year


def page_count(total: int, size: int) -> int:
    """Give how many pages so many lines fill."""
    return max(-(-total // size), 1)


def status_of(form: FlaskForm) -> int:
    """Give the status of a page that shows a form: 422 after it was sent and refused."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK


def unit_choices(permission: str) -> list[tuple[int, str]]:
    """List the units within a permission's reach for a select."""
    return [(unit.id, unit.name) for unit in list_units_within(read_session(), my_reach(permission))]


def send_sheets(sheets: Iterable[Sheet], name: str) -> Response:
    """Send sheets as a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        write_xlsx(path, sheets)
        content = BytesIO(path.read_bytes())
    return send_file(content, mimetype=_XLSX, as_attachment=True, download_name=name)


def send_pdf(content: bytes, name: str) -> Response:
    """Send a PDF as a file to keep."""
    return send_file(BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name)


_WRITE = "records:event:write"
_MAX_LISTED = 500
_MAX_PROBLEMS = 20
_WAYS = {"code": "签到码", "list": "名单"}


@admin_blueprint.get("/events")
@menu_entry("学法活动", position=130)
@requires(_WRITE)
def list_events() -> str:
    """List the events of the units within reach."""
    rows, total = queries.list_events(read_session(), my_reach(_WRITE), page=chosen_page())
    return render_template(
        "records/events.html",
        rows=rows,
        page=chosen_page(),
        pages_count=page_count(total, queries.PAGE),
        kind_names=KIND_NAMES,
        state_names=STATE_NAMES,
    )


@admin_blueprint.route("/events/new", methods=["GET", "POST"])
@requires(_WRITE)
def plan_event() -> Response | tuple[str, int]:
    """Plan an event."""
    return _edit(None)


@admin_blueprint.route("/events/<int:event_id>/edit", methods=["GET", "POST"])
@requires(_WRITE)
def edit_event(event_id: int) -> Response | tuple[str, int]:
    """Change an event."""
    return _edit(queries.get_event(read_session(), event_id, my_reach(_WRITE)))


def _edit(event: StudyEvent | None) -> Response | tuple[str, int]:
    form = EventForm(obj=event)
    if event is not None and not form.is_submitted():
        form.starts_at.data, form.ends_at.data = clock.local(event.starts_at), clock.local(event.ends_at)
    form.offer([(event.unit_id, event.unit.name)] if event else unit_choices(_WRITE))
    event_id, problem = event.id if event else None, ""
    if form.validate_on_submit():
        try:
            return redirect(url_for(".show_event", event_id=_save(event_id, form)))
        except EventRefusedError as error:
            problem = error.text
    return render_template("records/event_form.html", form=form, event_id=event_id, problem=problem), status_of(form)


def _save(event_id: int | None, form: EventForm) -> int:
    known: dict[str, Any] = {"reach": my_reach(_WRITE), "actor": actor(), "now": clock.now()}
    with transaction() as session:
        if event_id is None:
            saved = actions.plan_event(session, unit_id=form.unit_id.data, settings=form.settings(), **known)
        else:
            saved = actions.change_event(session, event_id=event_id, settings=form.settings(), **known)
        saved_id = saved.id
    flash("活动已保存。", "success")
    return saved_id


@admin_blueprint.get("/events/<int:event_id>")
@requires(_WRITE)
def show_event(event_id: int) -> str:
    """Show an event with who was there, and what can be done next."""
    session = read_session()
    event = queries.get_event(session, event_id, my_reach(_WRITE))
    present = queries.list_present(session, event_id)
    there = {person.person_id for person in present}
    own = [row for row in queries.list_unit_people(session, event.unit_id) if row[0] not in there]
    return render_template(
        "records/event.html",
        event=event,
        present=present,
        files=queries.list_materials(session, event_id),
        own_people=own[:_MAX_LISTED],
        kind_names=KIND_NAMES,
        state_names=STATE_NAMES,
        ways=_WAYS,
        is_code_open=event.code_closes_at is not None and event.code_closes_at > clock.now(),
        has_begun=event.starts_at <= clock.now(),
        may_open=may_open_check_in(clock.now(), starts_at=event.starts_at, ends_at=event.ends_at),
    )


@admin_blueprint.get("/events/<int:event_id>/room")
@requires(_WRITE)
def show_room(event_id: int) -> str | Response:
    """Show the code large, for the wall of the room."""
    event = queries.get_event(read_session(), event_id, my_reach(_WRITE))
    if event.code_closes_at is None or event.code_closes_at <= clock.now():
        return redirect(url_for(".show_event", event_id=event_id))
    return render_template("records/room.html", event=event, **_code(event))


@admin_blueprint.get("/events/<int:event_id>/room/code")
@requires(_WRITE)
def room_code_progress(event_id: int) -> Response:
    """Give the code of this minute and how many are there, for the page on the wall."""
    event = queries.get_event(read_session(), event_id, my_reach(_WRITE))
    if event.code_closes_at is None or event.code_closes_at <= clock.now():
        raise NotFoundError
    return jsonify(_code(event))


def _code(event: StudyEvent) -> dict[str, Any]:
    now = clock.now()
    return {
        "code": room_code(event.code_seed, now),
        "seconds": code_changes_in_s(now),
        "present": queries.count_present(read_session(), event.id),
    }


@admin_blueprint.post("/events/<int:event_id>/open")
@requires(_WRITE)
def open_check_in(event_id: int) -> Response:
    """Open the check-in, and show the code."""
    is_done = _act(lambda session, known: actions.open_check_in(session, event_id=event_id, **known), "")
    return redirect(url_for(".show_room" if is_done else ".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/close")
@requires(_WRITE)
def end_check_in(event_id: int) -> Response:
    """Take no more codes."""
    _act(lambda session, known: actions.end_check_in(session, event_id=event_id, **known), "签到已结束。")
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/settle")
@requires(_WRITE)
def settle_event(event_id: int) -> Response:
    """Settle an event."""
    words = "活动已办结，到场人员的学法档案已计入。可以接着记入普法台账。"
    _act(lambda session, known: actions.settle_event(session, event_id=event_id, **known), words)
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/reopen")
@requires(_WRITE)
def reopen_event(event_id: int) -> Response:
    """Open a settled event for a correction."""
    words = "已重新打开。改好后请再办结，办结前不计入档案。"
    _act(lambda session, known: actions.reopen_event(session, event_id=event_id, **known), words)
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/cancel")
@requires(_WRITE)
def cancel_event(event_id: int) -> Response:
    """Cancel an event."""
    _act(lambda session, known: actions.cancel_event(session, event_id=event_id, **known), "活动已取消。")
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/people")
@requires(_WRITE)
def put_down(event_id: int) -> Response:
    """Put people down from the list and from what was typed."""
    lines = [*request.form.getlist("people"), *request.form.get("lines", "").replace("，", "\n").splitlines()]

    def act(session: Session, known: dict[str, Any]) -> None:
        listed = actions.put_down(session, event_id=event_id, lines=lines, **known)
        flash(f"登记 {listed.added} 人。", "success" if listed.added else "warning")
        for problem in listed.problems[:_MAX_PROBLEMS]:
            flash(problem, "warning")
        if len(listed.problems) > _MAX_PROBLEMS:
            flash(f"另有 {len(listed.problems) - _MAX_PROBLEMS} 行没有登记，请核对后重新填写。", "warning")

    _act(act, "")
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/people/<int:person_id>/take-back")
@requires(_WRITE)
def take_back(event_id: int, person_id: int) -> Response:
    """Take a person off the attendance."""
    words = "已从到场名单中去掉。"
    _act(lambda s, known: actions.take_back(s, event_id=event_id, person_id=person_id, **known), words)
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/files")
@requires(_WRITE)
def add_file(event_id: int) -> Response:
    """Attach a file."""
    upload = request.files.get("file")
    name, content = (upload.filename or "", upload.read()) if upload else ("", b"")

    def act(session: Session, known: dict[str, Any]) -> None:
        actions.add_material(session, event_id=event_id, name=name, content=content, **known)

    _act(act, "资料已上传。")
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.get("/events/<int:event_id>/files/<int:file_id>")
@requires(_WRITE)
def event_file(event_id: int, file_id: int) -> Response:
    """Give a file of an event within reach."""
    queries.get_event(read_session(), event_id, my_reach(_WRITE))
    return serve_file(queries.get_material(read_session(), event_id, file_id).file)


@admin_blueprint.post("/events/<int:event_id>/files/<int:file_id>/delete")
@requires(_WRITE)
def drop_file(event_id: int, file_id: int) -> Response:
    """Take a file away."""
    words = "资料已删除。"
    _act(lambda s, known: actions.drop_material(s, event_id=event_id, file_id=file_id, **known), words)
    return redirect(url_for(".show_event", event_id=event_id))


def _act(act: Callable[[Session, dict[str, Any]], object], words: str) -> bool:
    """Do an act and say so; a refusal is said on the page that follows."""
    known: dict[str, Any] = {"reach": my_reach(_WRITE), "actor": actor(), "now": clock.now()}
    try:
        with transaction() as session:
            act(session, known)
    except (EventRefusedError, FileRefusedError) as error:
        flash(error.text, "danger")
        return False
    if words:
        flash(words, "success")
    return True
