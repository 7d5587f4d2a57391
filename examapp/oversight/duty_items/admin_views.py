"""Pages of single items: add, change, take off."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.db.session import read_session
from examapp.documents.spreadsheets import Cell, SheetColumn, SheetLayout
from examapp.documents.tables import UnreadableTableError, read_grids
from examapp.learning.study_events.admin_views import send_sheets
from examapp.organisation.accounts.guards import requires
from examapp.oversight.duty_items import actions
from examapp.oversight.duty_lists import queries as duty_list_queries
from examapp.oversight.duty_lists.admin_views import WRITE, admin_blueprint, current_duty_scope
from examapp.oversight.duty_lists.forms import AnswerableForm, DutyListUploadForm, ItemForm, item_form
from examapp.oversight.duty_lists.models import DutyItem, DutyList
from examapp.oversight.duty_lists.rules import ALIASES, LABELS, ItemKind, TableReading, read_table
from examapp.web.submit import request_transaction, status_of, submit


@admin_blueprint.route("/lists/<int:list_id>/items/new", methods=["GET", "POST"])
@requires(WRITE)
def create_item(list_id: int) -> Response | tuple[str, int]:
    """Add an item to a list."""
    duty_list = duty_list_queries.get_list(read_session(), list_id, current_duty_scope())
    form = ItemForm()
    if form.validate_on_submit():
        with submit(form=form) as context:
            actions.create_item(
                context,
                list_id=list_id,
                duty=form.duty(),
                answerable=form.answerable(),
                duty_scope=current_duty_scope(),
            )
        if not form.is_rejected:
            return _saved(list_id, "事项已添加。")
    return _page(form, duty_list, None)


@admin_blueprint.route("/items/<int:item_id>/edit", methods=["GET", "POST"])
@requires(WRITE)
def change_item(item_id: int) -> Response | tuple[str, int]:
    """Change an item."""
    item = duty_list_queries.get_item(read_session(), item_id, current_duty_scope())
    duty_list = duty_list_queries.get_list(read_session(), item.list_id, current_duty_scope())
    is_whole = duty_list.unit_id is None or item.kind == ItemKind.OWN
    form, list_id = item_form(item, is_whole=is_whole), duty_list.id
    if form.validate_on_submit():
        with submit(form=form) as context:
            actions.change_item(
                context,
                item_id=item_id,
                version=form.version.data or 0,
                duty=form.duty(),
                answerable=form.answerable(),
                duty_scope=current_duty_scope(),
            )
        if not form.is_rejected:
            return _saved(list_id, "事项已保存。")
    return _page(form, duty_list, item)


def _page(form: AnswerableForm, duty_list: DutyList, item: DutyItem | None) -> tuple[str, int]:
    key_days = [(first, name) for (first, _), name in duty_list_queries.key_days(read_session()).items()]
    page = render_template("duties/item.html", form=form, duty_list=duty_list, item=item, key_days=key_days)
    return page, status_of(form)


@admin_blueprint.post("/items/<int:item_id>/remove")
@requires(WRITE)
def remove_item(item_id: int) -> Response:
    """Take an item off its list."""
    list_id = duty_list_queries.get_item(read_session(), item_id, current_duty_scope()).list_id
    with request_transaction() as context:
        is_kept = actions.remove_item(context, item_id=item_id, duty_scope=current_duty_scope())
    text = "事项已撤下。已有履职记录，台账中仍保留。" if is_kept else "事项已删除。"
    return _saved(list_id, text)


def _saved(list_id: int, text: str) -> Response:
    flash(text, "success")
    return redirect(url_for(".show_list", list_id=list_id))


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
    session = read_session()
    duty_list = duty_list_queries.get_list(session, list_id, current_duty_scope())
    unit = duty_list_queries.unit_of(session, duty_list)
    title = f"{unit.name if unit else '共性事项'}{duty_list.year}年普法责任清单"
    names = [name for name in LABELS if request.args.get("days") == "1" or name not in {"key_on", "due_on"}]
    sheet = SheetLayout(
        name="普法责任清单",
        title=title,
        columns=[SheetColumn(head=LABELS[n], width=_WIDTHS.get(n, 12), group=_GROUPS.get(n, "")) for n in names],
        rows=[
            [_cell(item, number, name) for name in names]
            for number, item in enumerate(duty_list_queries.live_items(session, list_id), 1)
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
def import_list(list_id: int) -> Response | tuple[str, int]:
    """Take a list from a table; with one row that cannot stand nothing is taken, and every reason is shown."""
    duty_list = duty_list_queries.get_list(read_session(), list_id, current_duty_scope())
    form, read = DutyListUploadForm(), TableReading()
    if form.validate_on_submit():
        read = _read(form, duty_list)
        if read.rows and not read.problems:
            return _take(list_id, read)
    page = render_template("duties/import.html", form=form, duty_list=duty_list, problems=read.problems)
    return page, status_of(form)


def _read(form: DutyListUploadForm, duty_list: DutyList) -> TableReading:
    file = form.file.data
    try:
        return read_table(read_grids(file.read(), name=file.filename or "", aliases=ALIASES), year=duty_list.year)
    except UnreadableTableError as rejection:
        form.file.errors = [*form.file.errors, rejection.text]
        return TableReading()


def _take(list_id: int, read: TableReading) -> Response:
    with request_transaction() as context:
        taken = actions.import_rows(context, list_id=list_id, rows=read.rows, duty_scope=current_duty_scope())
    flash(f"已导入：新增 {taken.added} 项，更新 {taken.changed} 项，没有变化 {taken.unchanged} 项。", "success")
    return redirect(url_for(".show_list", list_id=list_id))
