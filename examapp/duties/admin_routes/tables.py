"""A list as a table that leaves and comes back: Excel in the heads that counties use."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.spreadsheets import Cell, Column, Sheet
from examapp.core.tables import UnreadableTableError, read_grids
from examapp.duties import queries
from examapp.duties.admin_routes.frame import WRITE, admin_blueprint, my_hands, send_sheets, status_of
from examapp.duties.forms import UploadForm
from examapp.duties.models import DutyItem, DutyList
from examapp.duties.operations import importing
from examapp.duties.rules.table import ALIASES, LABELS, TableReading, read_table
from examapp.people.access import actor, requires

_GROUPS = {
    "leader": "责任清单",
    "person": "责任清单",
    "department": "责任清单",
    "audience": "措施清单",
    "carrier": "措施清单",
    "measures": "措施清单",
    "key_on": "时间清单",
    "due_on": "时间清单",
}
_WIDTHS = {"number": 6, "content": 28, "measures": 40, "standard": 28, "audience": 16, "carrier": 18}


@admin_blueprint.get("/lists/<int:list_id>/table.xlsx")
@requires(WRITE)
def export_list(list_id: int) -> Response:
    """Give a list as a workbook, with its days (`?days=1`) or in the plain form."""
    session = reading()
    duty_list = queries.get_list(session, list_id, my_hands())
    unit = queries.unit_of(session, duty_list)
    title = f"{unit.name if unit else '共性事项'}{duty_list.year}年普法责任清单"
    names = [name for name in LABELS if request.args.get("days") == "1" or name not in {"key_on", "due_on"}]
    sheet = Sheet(
        name="普法责任清单",
        title=title,
        columns=[Column(head=LABELS[n], width=_WIDTHS.get(n, 12), group=_GROUPS.get(n, "")) for n in names],
        rows=[
            [_cell(item, number, name) for name in names]
            for number, item in enumerate(queries.live_items(session, list_id), 1)
        ],
    )
    return send_sheets([sheet], f"{title}.xlsx")


def _cell(item: DutyItem, number: int, name: str) -> Cell:
    if name == "number":
        return number
    value: Cell = getattr(item, name)
    return value or ""


@admin_blueprint.route("/lists/<int:list_id>/import", methods=["GET", "POST"])
@requires(WRITE)
def import_list(list_id: int) -> AnyResponse | tuple[str, int]:
    """Take a list from a table; with one row that cannot stand nothing is taken, and every reason is shown."""
    duty_list = queries.get_list(reading(), list_id, my_hands())
    form, read = UploadForm(), TableReading()
    if form.validate_on_submit():
        read = _read(form, duty_list)
        if read.rows and not read.problems:
            return _take(list_id, read)
    page = render_template("duties/import.html", form=form, duty_list=duty_list, problems=read.problems)
    return page, status_of(form)


def _read(form: UploadForm, duty_list: DutyList) -> TableReading:
    file = form.file.data
    try:
        return read_table(read_grids(file.read(), name=file.filename or "", aliases=ALIASES), year=duty_list.year)
    except UnreadableTableError as refusal:
        form.file.errors = [*form.file.errors, refusal.text]
        return TableReading()


def _take(list_id: int, read: TableReading) -> AnyResponse:
    with transaction() as session:
        taken = importing.import_rows(
            session, list_id=list_id, rows=read.rows, hands=my_hands(), actor=actor(), now=clock.now()
        )
    flash(f"已导入：新增 {taken.added} 项，更新 {taken.changed} 项，没有变化 {taken.unchanged} 项。", "success")
    return redirect(url_for(".show_list", list_id=list_id))
