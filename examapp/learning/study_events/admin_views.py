"""Pages of organisers and the office: events, certificates, who has studied what."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import segno
from flask import Blueprint, flash, jsonify, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.delivery.exams.queries import list_sector_units, list_units_within
from examapp.documents.spreadsheets import SheetLayout, write_xlsx
from examapp.errors import NotFoundError
from examapp.learning.study_events import actions, queries
from examapp.learning.study_events.forms import EventForm
from examapp.learning.study_events.models import StudyEvent
from examapp.learning.study_events.queries import EventFilter
from examapp.learning.study_events.rules import KIND_NAMES, STATE_NAMES, code_changes_in_s, may_open_check_in, room_code
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.platform.audit.actions import ActionContext
from examapp.uploads.views import serve_file
from examapp.web.params import chosen_number, chosen_page, page_count, read_year
from examapp.web.submit import status_of, submit
from examapp.web.trusted_hosts import site_url

PERMISSIONS = {
    "records:event:write": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
}


admin_blueprint = Blueprint("records_admin", __name__, url_prefix="/admin/records")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def unit_choices(permission: str) -> list[tuple[int, str]]:
    """List the units within a permission's access scope for a select."""
    return [(unit.id, unit.name) for unit in list_units_within(read_session(), my_access(permission))]


def send_sheets(sheets: Iterable[SheetLayout], name: str) -> Response:
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
_MAX_LISTED, _MAX_LAW = 500, 100
_MAX_PROBLEMS = 20
_WAYS = {"code": "签到码", "list": "名单"}


@admin_blueprint.get("/events")
@menu_entry("学法活动", position=130, group="学习")
@requires(_WRITE)
def list_events() -> str:
    """List the events of the units within the access scope."""
    wanted = read_filter(_WRITE)
    rows, total = queries.list_events(read_session(), my_access(_WRITE), page=chosen_page(), wanted=wanted)
    return render_template(
        "records/events.html",
        rows=rows,
        total=total,
        wanted=wanted,
        address=filter_address(wanted),
        units=filter_units(_WRITE),
        page=chosen_page(),
        pages_count=page_count(total, queries.PAGE),
        kind_names=KIND_NAMES,
        state_names=STATE_NAMES,
    )


def read_filter(permission: str, *, usual_year: int | None = None) -> EventFilter:
    """Read from the address which events are wanted; raises NotFoundError for a unit beyond the permission's access scope."""
    args, unit_id = request.args, chosen_number("unit")
    kind, state = args.get("kind", ""), args.get("state", "")
    first, last = clock.find_day(args.get("first", "")), clock.find_day(args.get("last", ""))
    return EventFilter(
        year=read_year(args.get("year")) or (usual_year if first is None and last is None else None),
        first=first,
        last=last,
        kind=kind if kind in KIND_NAMES else "",
        unit=get_unit_within(read_session(), unit_id, my_access(permission)) if unit_id is not None else None,
        law=args.get("law", "").replace("\0", "").strip()[:_MAX_LAW],
        state=state if state in STATE_NAMES else "",
    )


def filter_address(wanted: EventFilter) -> dict[str, Any]:
    """Give the filter as an address has it, so that a page of it can be kept and sent."""
    found = {"year": wanted.year, "first": wanted.first, "last": wanted.last, "kind": wanted.kind, "law": wanted.law, "state": wanted.state}  # fmt: skip
    return {name: value for name, value in found.items() if value} | ({"unit": wanted.unit.id} if wanted.unit else {})


def filter_units(permission: str) -> list[tuple[int, str]]:
    """List the units and systems within the access scope for the filter."""
    access = my_access(permission)
    systems = [(unit.id, f"{unit.name}（系统）") for unit in list_sector_units(read_session())]
    return [*(systems if access.is_everything else []), *unit_choices(permission)]


@admin_blueprint.route("/events/new", methods=["GET", "POST"])
@requires(_WRITE)
def plan_event() -> Response | tuple[str, int]:
    """Plan an event."""
    return _edit(None)


@admin_blueprint.route("/events/<int:event_id>/edit", methods=["GET", "POST"])
@requires(_WRITE)
def edit_event(event_id: int) -> Response | tuple[str, int]:
    """Change an event."""
    return _edit(queries.get_event(read_session(), event_id, my_access(_WRITE)))


def _edit(event: StudyEvent | None) -> Response | tuple[str, int]:
    form = EventForm(obj=event)
    if event is not None and not form.is_submitted():
        form.starts_at.data, form.ends_at.data = clock.local(event.starts_at), clock.local(event.ends_at)
        form.is_distinct.data = False  # asked again only where the event moves
    form.offer([(event.unit_id, event.unit.name)] if event else unit_choices(_WRITE))
    event_id = event.id if event else None
    if form.validate_on_submit():
        with submit("活动已保存。", form=form) as context:
            saved_id = _save(context, event_id, form)
        if not form.is_rejected:
            return redirect(url_for(".show_event", event_id=saved_id))
    return render_template("records/event_form.html", form=form, event_id=event_id), status_of(form)


def _save(context: ActionContext, event_id: int | None, form: EventForm) -> int:
    settings, access = form.settings(), my_access(_WRITE)
    if event_id is None:
        unit_id = form.unit_id.data
        return actions.plan_event(context, unit_id=unit_id, settings=settings, access=access).id
    return actions.change_event(context, event_id=event_id, settings=settings, access=access).id


@admin_blueprint.get("/events/<int:event_id>")
@requires(_WRITE)
def show_event(event_id: int) -> str:
    """Show an event with who was there, and what can be done next."""
    session = read_session()
    event = queries.get_event(session, event_id, my_access(_WRITE))
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
    event = queries.get_event(read_session(), event_id, my_access(_WRITE))
    if event.code_closes_at is None or event.code_closes_at <= clock.now():
        flash("签到没有开放，或已到结束时间，签到码不再显示。", "warning")
        return redirect(url_for(".show_event", event_id=event_id))
    return render_template("records/room.html", event=event, **_code(event))


@admin_blueprint.get("/events/<int:event_id>/room/code")
@requires(_WRITE)
def room_code_progress(event_id: int) -> Response:
    """Give the code of this minute and how many are there, for the page on the wall."""
    event = queries.get_event(read_session(), event_id, my_access(_WRITE))
    if event.code_closes_at is None or event.code_closes_at <= clock.now():
        raise NotFoundError
    return jsonify(_code(event))


def _code(event: StudyEvent) -> dict[str, Any]:
    now = clock.now()
    code = room_code(event.code_seed, now)
    address = site_url() + url_for("records.show_my_event", event_id=event.id, code=code)
    return {
        "code": code,
        "picture": segno.make_qr(address, error="m").svg_data_uri(scale=6, border=2),
        "seconds": code_changes_in_s(now),
        "present": queries.count_present(read_session(), event.id),
    }


@admin_blueprint.post("/events/<int:event_id>/open")
@requires(_WRITE)
def open_check_in(event_id: int) -> Response:
    """Open the check-in, and show the code."""
    with submit(back=url_for(".show_event", event_id=event_id)) as context:
        actions.open_check_in(context, event_id=event_id, access=my_access(_WRITE))
    return redirect(url_for(".show_room", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/close")
@requires(_WRITE)
def end_check_in(event_id: int) -> Response:
    """Take no more codes."""
    return _act(event_id, actions.end_check_in, "签到已结束。")


@admin_blueprint.post("/events/<int:event_id>/settle")
@requires(_WRITE)
def settle_event(event_id: int) -> Response:
    """Settle an event."""
    text = "活动已办结，到场人员的学法档案已计入。可以接着记入普法台账。"
    return _act(event_id, actions.settle_event, text)


@admin_blueprint.post("/events/<int:event_id>/reopen")
@requires(_WRITE)
def reopen_event(event_id: int) -> Response:
    """Open a settled event for a correction."""
    text = "已重新打开。改好后请再办结，办结前不计入档案。"
    return _act(event_id, actions.reopen_event, text)


@admin_blueprint.post("/events/<int:event_id>/cancel")
@requires(_WRITE)
def cancel_event(event_id: int) -> Response:
    """Cancel an event."""
    return _act(event_id, actions.cancel_event, "活动已取消。")


@admin_blueprint.post("/events/<int:event_id>/people")
@requires(_WRITE)
def put_down(event_id: int) -> Response:
    """Put people down from the list and from what was typed."""
    lines = [*request.form.getlist("people"), *request.form.get("lines", "").replace("，", "\n").splitlines()]
    back = url_for(".show_event", event_id=event_id)
    with submit(back=back) as context:
        listed = actions.put_down(context, event_id=event_id, lines=lines, access=my_access(_WRITE))
    flash(f"登记 {listed.added} 人。", "success" if listed.added else "warning")
    for problem in listed.problems[:_MAX_PROBLEMS]:
        flash(problem, "warning")
    if len(listed.problems) > _MAX_PROBLEMS:
        flash(f"另有 {len(listed.problems) - _MAX_PROBLEMS} 行没有登记，请核对后重新填写。", "warning")
    return redirect(back)


@admin_blueprint.post("/events/<int:event_id>/people/<int:person_id>/take-back")
@requires(_WRITE)
def take_back(event_id: int, person_id: int) -> Response:
    """Take a person off the attendance."""
    return _act(event_id, actions.take_back, "已从到场名单中去掉。", person_id=person_id)


@admin_blueprint.post("/events/<int:event_id>/files")
@requires(_WRITE)
def add_file(event_id: int) -> Response:
    """Attach a file."""
    upload = request.files.get("file")
    name, content = (upload.filename or "", upload.read()) if upload else ("", b"")
    return _act(event_id, actions.add_material, "资料已上传。", name=name, content=content)


@admin_blueprint.get("/events/<int:event_id>/files/<int:file_id>")
@requires(_WRITE)
def event_file(event_id: int, file_id: int) -> Response:
    """Give a file of an event within the access scope."""
    queries.get_event(read_session(), event_id, my_access(_WRITE))
    return serve_file(queries.get_material(read_session(), event_id, file_id).file)


@admin_blueprint.post("/events/<int:event_id>/files/<int:file_id>/delete")
@requires(_WRITE)
def drop_file(event_id: int, file_id: int) -> Response:
    """Take a file away."""
    return _act(event_id, actions.drop_material, "资料已删除。", file_id=file_id)


def _act(event_id: int, act: Callable[..., object], text: str, **more: Any) -> Response:
    with submit(text) as context:
        act(context, event_id=event_id, access=my_access(_WRITE), **more)
    return redirect(url_for(".show_event", event_id=event_id))
