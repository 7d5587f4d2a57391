"""A unit's events: plan, show the room's code, put people down, settle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import NotFoundError
from examapp.core.permissions import Permission
from examapp.core.uploads.limits import FileRefusedError
from examapp.core.uploads.serving import serve_file
from examapp.people.access import actor, my_reach, requires
from examapp.records.admin_routes.frame import admin_blueprint, chosen_page, page_count, status_of, unit_choices
from examapp.records.forms import EventForm
from examapp.records.models import StudyEvent
from examapp.records.operations import attendance, events, materials
from examapp.records.operations.events import EventRefusedError
from examapp.records.queries import events as queries
from examapp.records.rules.events import KIND_NAMES, STATE_NAMES, code_changes_in_s, may_open_check_in, room_code

_WRITE = Permission.EVENTS_WRITE
_MOST_LISTED = 500
_MOST_PROBLEMS = 20
_WAYS = {"code": "签到码", "list": "名单"}


@admin_blueprint.get("/events")
@requires(_WRITE)
def list_events() -> str:
    """List the events of the units within reach."""
    rows, total = queries.list_events(reading(), my_reach(_WRITE), page=chosen_page())
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
    return _edit(queries.get_event(reading(), event_id, my_reach(_WRITE)))


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
            saved = events.plan_event(session, unit_id=form.unit_id.data, settings=form.settings(), **known)
        else:
            saved = events.change_event(session, event_id=event_id, settings=form.settings(), **known)
        saved_id = saved.id
    flash("活动已保存。", "success")
    return saved_id


@admin_blueprint.get("/events/<int:event_id>")
@requires(_WRITE)
def show_event(event_id: int) -> str:
    """Show an event with who was there, and what can be done next."""
    session = reading()
    event = queries.get_event(session, event_id, my_reach(_WRITE))
    present = queries.list_present(session, event_id)
    there = {person.person_id for person in present}
    own = [row for row in queries.list_unit_people(session, event.unit_id) if row[0] not in there]
    return render_template(
        "records/event.html",
        event=event,
        present=present,
        files=queries.list_materials(session, event_id),
        own_people=own[:_MOST_LISTED],
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
    event = queries.get_event(reading(), event_id, my_reach(_WRITE))
    if event.code_closes_at is None or event.code_closes_at <= clock.now():
        return redirect(url_for(".show_event", event_id=event_id))
    return render_template("records/room.html", event=event, **_code(event))


@admin_blueprint.get("/events/<int:event_id>/room/code")
@requires(_WRITE)
def room_code_progress(event_id: int) -> Response:
    """Give the code of this minute and how many are there, for the page on the wall."""
    event = queries.get_event(reading(), event_id, my_reach(_WRITE))
    if event.code_closes_at is None or event.code_closes_at <= clock.now():
        raise NotFoundError
    return jsonify(_code(event))


def _code(event: StudyEvent) -> dict[str, Any]:
    now = clock.now()
    return {
        "code": room_code(event.code_seed, now),
        "seconds": code_changes_in_s(now),
        "present": queries.count_present(reading(), event.id),
    }


@admin_blueprint.post("/events/<int:event_id>/open")
@requires(_WRITE)
def open_check_in(event_id: int) -> Response:
    """Open the check-in, and show the code."""
    is_done = _act(lambda session, known: events.open_check_in(session, event_id=event_id, **known), "")
    return redirect(url_for(".show_room" if is_done else ".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/close")
@requires(_WRITE)
def end_check_in(event_id: int) -> Response:
    """Take no more codes."""
    _act(lambda session, known: events.end_check_in(session, event_id=event_id, **known), "签到已结束。")
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/settle")
@requires(_WRITE)
def settle_event(event_id: int) -> Response:
    """Settle an event."""
    words = "活动已办结，到场人员的学法档案已计入。可以接着记入普法台账。"
    _act(lambda session, known: events.settle_event(session, event_id=event_id, **known), words)
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/reopen")
@requires(_WRITE)
def reopen_event(event_id: int) -> Response:
    """Open a settled event for a correction."""
    words = "已重新打开。改好后请再办结，办结前不计入档案。"
    _act(lambda session, known: events.reopen_event(session, event_id=event_id, **known), words)
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/cancel")
@requires(_WRITE)
def cancel_event(event_id: int) -> Response:
    """Cancel an event."""
    _act(lambda session, known: events.cancel_event(session, event_id=event_id, **known), "活动已取消。")
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/people")
@requires(_WRITE)
def put_down(event_id: int) -> Response:
    """Put people down from the list and from what was typed."""
    lines = [*request.form.getlist("people"), *request.form.get("lines", "").replace("，", "\n").splitlines()]

    def act(session: Session, known: dict[str, Any]) -> None:
        listed = attendance.put_down(session, event_id=event_id, lines=lines, **known)
        flash(f"登记 {listed.added} 人。", "success" if listed.added else "warning")
        for problem in listed.problems[:_MOST_PROBLEMS]:
            flash(problem, "warning")
        if len(listed.problems) > _MOST_PROBLEMS:
            flash(f"另有 {len(listed.problems) - _MOST_PROBLEMS} 行没有登记，请核对后重新填写。", "warning")

    _act(act, "")
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/people/<int:person_id>/take-back")
@requires(_WRITE)
def take_back(event_id: int, person_id: int) -> Response:
    """Take a person off the attendance."""
    words = "已从到场名单中去掉。"
    _act(lambda s, known: attendance.take_back(s, event_id=event_id, person_id=person_id, **known), words)
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.post("/events/<int:event_id>/files")
@requires(_WRITE)
def add_file(event_id: int) -> Response:
    """Attach a file."""
    upload = request.files.get("file")
    name, content = (upload.filename or "", upload.read()) if upload else ("", b"")

    def act(session: Session, known: dict[str, Any]) -> None:
        materials.add_material(session, event_id=event_id, name=name, content=content, **known)

    _act(act, "资料已上传。")
    return redirect(url_for(".show_event", event_id=event_id))


@admin_blueprint.get("/events/<int:event_id>/files/<int:file_id>")
@requires(_WRITE)
def event_file(event_id: int, file_id: int) -> Response:
    """Give a file of an event within reach."""
    queries.get_event(reading(), event_id, my_reach(_WRITE))
    return serve_file(queries.get_material(reading(), event_id, file_id).file)


@admin_blueprint.post("/events/<int:event_id>/files/<int:file_id>/delete")
@requires(_WRITE)
def drop_file(event_id: int, file_id: int) -> Response:
    """Take a file away."""
    words = "资料已删除。"
    _act(lambda s, known: materials.drop_material(s, event_id=event_id, file_id=file_id, **known), words)
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
