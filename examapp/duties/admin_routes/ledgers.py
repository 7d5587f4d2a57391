"""The ledger (台账) of a unit's year: on the page, as a workbook, as a Word document."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, render_template

from examapp.core import clock
from examapp.core.db import reading
from examapp.core.errors import NotFoundError
from examapp.core.spreadsheets import Cell, Column, Sheet
from examapp.core.word_documents import WordDocument
from examapp.duties import queries
from examapp.duties.admin_routes.frame import WRITE, add_table, admin_blueprint, my_hands, send_sheets, send_word
from examapp.duties.models import DutyList
from examapp.duties.queries import LedgerRow
from examapp.org.models import Unit
from examapp.people.access import requires

_HEADS = (
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
)
_WIDTHS = (6, 28, 14, 14, 14, 14, 14, 10, 24, 40, 14)
_SIGNATURES = "单位（盖章）：　　　　　　　　负责人（签字）：　　　　　　　　填报人：　　　　　　　　　　年　　月　　日"


def _unit_list(list_id: int) -> tuple[Unit, DutyList, list[LedgerRow]]:
    """Give the unit, list and ledger of a list within reach; the common list has none."""
    session = reading()
    duty_list = queries.get_list(session, list_id, my_hands())
    unit = queries.unit_of(session, duty_list)
    if unit is None:
        raise NotFoundError
    return unit, duty_list, list(queries.iter_ledger(session, list_id))


def _sums(rows: Sequence[LedgerRow]) -> tuple[int, int]:
    done = [row.record for row in rows if row.record is not None]
    return len(done), sum(record.reached for record in done)


@admin_blueprint.get("/lists/<int:list_id>/ledger")
@requires(WRITE)
def show_ledger(list_id: int) -> str:
    """Show a unit's ledger of a year."""
    unit, duty_list, rows = _unit_list(list_id)
    count, reached = _sums(rows)
    return render_template(
        "duties/ledger.html", duty_list=duty_list, unit=unit, rows=rows, count=count, reached=reached
    )


@admin_blueprint.get("/lists/<int:list_id>/ledger.xlsx")
@requires(WRITE)
def export_ledger(list_id: int) -> Response:
    """Give a unit's ledger as a workbook."""
    unit, duty_list, rows = _unit_list(list_id)
    title = _title(unit, duty_list)
    sheet = Sheet(
        name="台账",
        title=title,
        columns=[Column(head=head, width=width) for head, width in zip(_HEADS, _WIDTHS, strict=True)],
        rows=[_cells(row) for row in rows],
    )
    return send_sheets([sheet], f"{title}.xlsx")


@admin_blueprint.get("/lists/<int:list_id>/ledger.docx")
@requires(WRITE)
def export_ledger_word(list_id: int) -> Response:
    """Give a unit's ledger as a Word document to sign and seal."""
    unit, duty_list, rows = _unit_list(list_id)
    title, (count, reached) = _title(unit, duty_list), _sums(rows)
    summary = f"共 {count} 条履职记录，受众 {reached} 人次；截至 {clock.local(clock.now()):%Y年%-m月%-d日}。"
    document = WordDocument(is_landscape=True)
    document.title(title)
    document.paragraph(summary)
    add_table(document, _HEADS, [_cells(row) for row in rows], _WIDTHS)
    document.paragraph(_SIGNATURES)
    return send_word(document, f"{title}.docx")


def _title(unit: Unit, duty_list: DutyList) -> str:
    return f"{unit.name}{duty_list.year}年普法责任制台账"


def _cells(row: LedgerRow) -> list[Cell]:
    item, deed = row.item, row.record
    done: list[Cell] = (
        ["", "", "", None, "", ""]
        if deed is None
        else [deed.done_on, deed.form, deed.place, deed.reached, deed.law, deed.text]
    )
    return [row.number, item.content, item.person, item.due_on, *done, "已撤下" if item.withdrawn_at else ""]
