"""Pages of what was done: an item with its records, the form of a record, the ledger."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError, NotFoundError
from examapp.duties import queries, rules
from examapp.duties.admin_routes.frame import (
    WRITE,
    admin_blueprint,
    check_form,
    my_hands,
    status_of,
)
from examapp.duties.forms import RecordForm, VersionForm
from examapp.duties.models import DutyItem
from examapp.duties.operations import records, reminding
from examapp.duties.queries.files import files_of
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
        files=files_of(session, [row.id for row in found]),
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


@admin_blueprint.post("/items/<int:item_id>/remind")
@requires(WRITE)
def remind_of_item(item_id: int) -> AnyResponse:
    """Remind who answers for an item."""
    with transaction() as session:
        names = reminding.remind_of(session, item_id=item_id, hands=my_hands(), actor=actor(), now=clock.now())
    flash(f"已提醒{'、'.join(names)}，登录后在首页看到。", "success")
    return redirect(url_for(".show_item", item_id=item_id))
