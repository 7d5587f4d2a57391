"""Spreadsheets that are printed: long cells are wrapped, heads repeat, rows can be filtered."""

from __future__ import annotations

import pytest
from openpyxl import load_workbook

from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_xlsx

COLUMNS = [SheetColumn(head="单位", width=10), SheetColumn(head="人数", is_number=True)]


@pytest.mark.parametrize("count", [2, 1_500])
def test_long_cells_are_wrapped_and_rows_can_be_filtered(tmp_path, count):
    path = tmp_path / "sheet.xlsx"
    rows: list[list[str | int]] = [["很长的单位名称" * 8, n] for n in range(count)]
    write_xlsx(
        path, [SheetLayout(name="表", columns=COLUMNS, rows=rows, title="标题", remarks=["说明"], closing=["合计"])]
    )
    page = load_workbook(path).active
    assert page["A4"].alignment.wrap_text and page["A4"].alignment.vertical == page["B4"].alignment.vertical == "center"
    assert page.auto_filter.ref == f"A3:B{3 + count}"
    assert page.print_title_rows == "$3:$3" and page.freeze_panes == "A4"


def test_an_empty_table_has_no_filter(tmp_path):
    path = tmp_path / "sheet.xlsx"
    write_xlsx(path, [SheetLayout(name="表", columns=COLUMNS, rows=[])])
    assert load_workbook(path).active.auto_filter.ref is None
