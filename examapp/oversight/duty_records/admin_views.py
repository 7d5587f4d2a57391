"""Pages of what was done: an item with its records, the form of a record, the ledger."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.clock import day_of
from examapp.db.session import read_session
from examapp.errors import NotFoundError
from examapp.learning.study_events.queries import get_event
from examapp.organisation.accounts.guards import requires
from examapp.oversight.duty_lists import queries as duty_list_queries
from examapp.oversight.duty_lists import rules as duty_list_rules
from examapp.oversight.duty_lists.admin_views import WRITE, admin_blueprint, current_duty_scope
from examapp.oversight.duty_lists.forms import RecordForm, VersionForm
from examapp.oversight.duty_lists.models import DutyItem
from examapp.oversight.duty_records import actions
from examapp.oversight.duty_records.actions import files_of, get_record_file
from examapp.oversight.own_duties import actions as own_duty_actions
from examapp.platform.audit.actions import ActionContext
from examapp.uploads.views import serve_file
from examapp.web.params import sent_number
from examapp.web.submit import check_form, request_transaction, status_of, submit


@admin_blueprint.get("/items/<int:item_id>")
@requires(WRITE)
def show_item(item_id: int) -> str:
    """Show an item of a unit's list with what was done on it."""
    session = read_session()
    item = duty_list_queries.get_item(session, item_id, current_duty_scope())
    duty_list = duty_list_queries.get_list(session, item.list_id, current_duty_scope())
    found = duty_list_queries.list_records(session, item_id)
    first = found[0].done_on if found else None
    return render_template(
        "duties/records.html",
        item=item,
        duty_list=duty_list,
        unit=_unit_of(session, item),
        records=found,
        files=files_of(session, [row.id for row in found]),
        progress=duty_list_rules.progress_of(item.due_on, first, today=clock.today()),
        progress_names=duty_list_rules.PROGRESS_NAMES,
        progress_states=duty_list_rules.PROGRESS_STATES,
        may_record=duty_list.published_at is not None and item.withdrawn_at is None,
    )


def _unit_of(session: Session, item: DutyItem) -> str:
    unit = duty_list_queries.unit_of(session, duty_list_queries.get_list(session, item.list_id, current_duty_scope()))
    if unit is None:
        raise NotFoundError
    return unit.name


@admin_blueprint.route("/items/<int:item_id>/records/new", methods=["GET", "POST"])
@requires(WRITE)
def record_deed(item_id: int) -> AnyResponse | tuple[str, int]:
    """Record a deed on an item."""
    item = duty_list_queries.get_item(read_session(), item_id, current_duty_scope())
    _unit_of(read_session(), item)
    form = RecordForm()

    def save(context: ActionContext) -> None:
        actions.record_deed(context, item_id=item_id, deed=form.deed(), duty_scope=current_duty_scope())

    return _edit(form, item, save)


@admin_blueprint.route("/records/<int:record_id>/edit", methods=["GET", "POST"])
@requires(WRITE)
def correct_deed(record_id: int) -> AnyResponse | tuple[str, int]:
    """Correct a record."""
    row = duty_list_queries.get_record(read_session(), record_id, current_duty_scope())
    form = RecordForm(obj=row)

    def save(context: ActionContext) -> None:
        actions.correct_deed(
            context,
            record_id=record_id,
            version=form.version.data or 0,
            deed=form.deed(),
            duty_scope=current_duty_scope(),
        )

    return _edit(form, row.item, save)


def _edit(form: RecordForm, item: DutyItem, save: Callable[[ActionContext], None]) -> AnyResponse | tuple[str, int]:
    item_id = item.id
    if form.validate_on_submit():
        with submit("履职记录已保存。", form=form) as context:
            save(context)
        if not form.is_rejected:
            return redirect(url_for(".show_item", item_id=item_id))
    return render_template("duties/record.html", form=form, item=item), status_of(form)


@admin_blueprint.post("/records/<int:record_id>/withdraw")
@requires(WRITE)
def withdraw_deed(record_id: int) -> AnyResponse:
    """Take a record off the ledger."""
    form = VersionForm()
    check_form(form)
    item_id = duty_list_queries.get_record(read_session(), record_id, current_duty_scope()).item_id
    with request_transaction("履职记录已撤销。") as context:
        actions.withdraw_deed(context, record_id=record_id, version=form.version.data, duty_scope=current_duty_scope())
    return redirect(url_for(".show_item", item_id=item_id))


@admin_blueprint.post("/items/<int:item_id>/remind")
@requires(WRITE)
def remind_of_item(item_id: int) -> AnyResponse:
    """Remind who answers for an item."""
    with request_transaction() as context:
        names = own_duty_actions.remind_of(context, item_id=item_id, duty_scope=current_duty_scope())
    flash(f"已提醒{'、'.join(names)}，登录后在首页看到。", "success")
    return redirect(url_for(".show_item", item_id=item_id))


@admin_blueprint.post("/records/<int:record_id>/files")
@requires(WRITE)
def attach_file(record_id: int) -> AnyResponse:
    """Hang a file on a record."""
    item_id = duty_list_queries.get_record(read_session(), record_id, current_duty_scope()).item_id
    sent = request.files.get("file")
    name, content = (sent.filename or "", sent.read()) if sent else ("", b"")
    with submit("附件已上传。") as context:
        actions.attach_file(context, record_id=record_id, name=name, content=content, duty_scope=current_duty_scope())
    return redirect(url_for(".show_item", item_id=item_id))


@admin_blueprint.get("/records/<int:record_id>/files/<token>")
@requires(WRITE)
def fetch_file(record_id: int, token: str) -> AnyResponse:
    """Give a file of a record."""
    session = read_session()
    duty_list_queries.get_record(session, record_id, current_duty_scope())
    return serve_file(get_record_file(session, record_id, token.replace("\0", "")))


@admin_blueprint.post("/records/<int:record_id>/files/<token>/remove")
@requires(WRITE)
def remove_file(record_id: int, token: str) -> AnyResponse:
    """Take a file off a record."""
    item_id = duty_list_queries.get_record(read_session(), record_id, current_duty_scope()).item_id
    with request_transaction("附件已删除。") as context:
        actions.remove_file(
            context, record_id=record_id, token=token.replace("\0", ""), duty_scope=current_duty_scope()
        )
    return redirect(url_for(".show_item", item_id=item_id))


@admin_blueprint.route("/events/<int:event_id>", methods=["GET", "POST"])
@requires(WRITE)
def record_event(event_id: int) -> str | AnyResponse:
    """Choose the item of the list under which an event is recorded."""
    if request.method == "POST":
        return _record(event_id)
    session, duty_scope = read_session(), current_duty_scope()
    event = get_event(session, event_id, duty_scope.write)
    year = day_of(event.starts_at).year
    duty_list = duty_list_queries.find_list(session, event.unit_id, year)
    is_ready = duty_list is not None and duty_list.published_at is not None
    return render_template(
        "duties/event.html",
        event=event,
        year=year,
        items=duty_list_queries.live_items(session, duty_list.id) if duty_list is not None and is_ready else [],
        is_ready=is_ready,
        existing=actions.find_event_record(session, event_id),
        deed=actions.deed_of(session, event),
    )


def _record(event_id: int) -> AnyResponse:
    item_id = request.form.get("item_id", 0, type=sent_number)
    with submit("已记入台账。", back=url_for(".record_event", event_id=event_id)) as context:
        actions.record_event(context, event_id=event_id, item_id=item_id, duty_scope=current_duty_scope())
    return redirect(url_for(".show_item", item_id=item_id))
