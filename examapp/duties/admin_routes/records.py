"""Pages of what was done: an item with its records, the form of a record, the ledger."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError, NotFoundError
from examapp.core.spreadsheets import Cell, Column, Sheet
from examapp.duties import queries, rules
from examapp.duties.admin_routes.frame import (
    WRITE,
    admin_blueprint,
    check_form,
    my_hands,
    send_sheets,
    status_of,
)
from examapp.duties.forms import RecordForm, VersionForm
from examapp.duties.models import DutyItem
from examapp.duties.operations import records
from examapp.duties.queries import LedgerRow
from examapp.people.access import actor, requires


@admin_blueprint.get("/items/<int:item_id>")
@requires(WRITE)
def show_item(item_id: int) -> str:
    """Show an item of a unit's list with what was done on it."""
    session = reading()
    item = queries.get_item(session, item_id, my_hands())
    duty_list = queries.get_list(session, item.list_id, my_hands())
    found = queries.list_records(session, item_id)
    first = found[0].done_on if found else None
    return render_template(
        "duties/records.html",
        item=item,
        duty_list=duty_list,
        unit=_unit_of(session, item),
        records=found,
        progress=rules.progress_of(item.due_on, first, today=clock.today()),
        progress_names=rules.PROGRESS_NAMES,
        progress_states=rules.PROGRESS_STATES,
        may_record=duty_list.published_at is not None and item.withdrawn_at is None,
    )


def _unit_of(session: Session, item: DutyItem) -> str:
    unit = queries.unit_of(session, queries.get_list(session, item.list_id, my_hands()))
    if unit is None:
        raise NotFoundError
    return unit.name


@admin_blueprint.route("/items/<int:item_id>/records/new", methods=["GET", "POST"])
@requires(WRITE)
def record_deed(item_id: int) -> AnyResponse | tuple[str, int]:
    """Record a deed on an item."""
    item = queries.get_item(reading(), item_id, my_hands())
    _unit_of(reading(), item)
    form = RecordForm()

    def save(session: Session) -> None:
        records.record_deed(
            session, item_id=item_id, deed=form.deed(), hands=my_hands(), actor=actor(), now=clock.now()
        )

    return _edit(form, item, save)


@admin_blueprint.route("/records/<int:record_id>/edit", methods=["GET", "POST"])
@requires(WRITE)
def correct_deed(record_id: int) -> AnyResponse | tuple[str, int]:
    """Correct a record."""
    row = queries.get_record(reading(), record_id, my_hands())
    form = RecordForm(obj=row)

    def save(session: Session) -> None:
        records.correct_deed(
            session,
            record_id=record_id,
            version=form.version.data or 0,
            deed=form.deed(),
            hands=my_hands(),
            actor=actor(),
            now=clock.now(),
        )

    return _edit(form, row.item, save)


def _edit(form: RecordForm, item: DutyItem, save: Callable[[Session], None]) -> AnyResponse | tuple[str, int]:
    problem, item_id = "", item.id
    if form.validate_on_submit():
        try:
            with transaction() as session:
                save(session)
            flash("履职记录已保存。", "success")
            return redirect(url_for(".show_item", item_id=item_id))
        except DomainError as error:
            problem = error.text
    return render_template("duties/record.html", form=form, item=item, problem=problem), status_of(form)


@admin_blueprint.post("/records/<int:record_id>/withdraw")
@requires(WRITE)
def withdraw_deed(record_id: int) -> AnyResponse:
    """Take a record off the ledger."""
    form = VersionForm()
    check_form(form)
    item_id = queries.get_record(reading(), record_id, my_hands()).item_id
    with transaction() as session:
        records.withdraw_deed(
            session,
            record_id=record_id,
            version=form.version.data,
            hands=my_hands(),
            actor=actor(),
            now=clock.now(),
        )
    flash("履职记录已撤销。", "success")
    return redirect(url_for(".show_item", item_id=item_id))


@admin_blueprint.get("/lists/<int:list_id>/ledger")
@requires(WRITE)
def show_ledger(list_id: int) -> str:
    """Show a unit's ledger of a year."""
    session = reading()
    duty_list = queries.get_list(session, list_id, my_hands())
    unit = queries.unit_of(session, duty_list)
    if unit is None:
        raise NotFoundError
    rows = list(queries.iter_ledger(session, list_id))
    done = [row.record for row in rows if row.record is not None]
    return render_template(
        "duties/ledger.html",
        duty_list=duty_list,
        unit=unit,
        rows=rows,
        count=len(done),
        reached=sum(record.reached for record in done),
    )


@admin_blueprint.get("/lists/<int:list_id>/ledger.xlsx")
@requires(WRITE)
def export_ledger(list_id: int) -> Response:
    """Give a unit's ledger as a workbook."""
    session = reading()
    duty_list = queries.get_list(session, list_id, my_hands())
    unit = queries.unit_of(session, duty_list)
    if unit is None:
        raise NotFoundError
    title = f"{unit.name}{duty_list.year}年普法责任制台账"
    widths = {"序号": 6, "事项": 28, "宣传的法律法规": 24, "开展情况": 40, "受众人数": 10}
    heads = [
        "序号",
        "事项",
        "责任人",
        "完成时限",
        "日期",
        "形式",
        "地点",
        "受众人数",
        "宣传的法律法规",
        "开展情况",
        "备注",
    ]
    sheet = Sheet(
        name="台账",
        title=title,
        columns=[Column(head=head, width=widths.get(head, 14)) for head in heads],
        rows=[_ledger_cells(row) for row in queries.iter_ledger(session, list_id)],
    )
    return send_sheets([sheet], f"{title}.xlsx")


def _ledger_cells(row: LedgerRow) -> list[Cell]:
    item, deed = row.item, row.record
    done: list[Cell] = (
        ["", "", "", None, "", ""]
        if deed is None
        else [deed.done_on, deed.form, deed.place, deed.reached, deed.law, deed.text]
    )
    return [row.number, item.content, item.person, item.due_on, *done, "已撤下" if item.withdrawn_at else ""]
