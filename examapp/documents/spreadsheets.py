"""Write spreadsheets and csv for Excel and WPS: text stays text, never a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any

import xlsxwriter

from examapp.clock import local

Cell = str | int | Decimal | date | datetime | None
_MAX_DIGITS = 11
"""Excel writes longer numbers as 4.30527E+17; an apostrophe in front keeps them whole."""
_SMALL_ROWS = 1_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetColumn:
    """A column: its head, its width in characters, and the head above that it shares with its neighbours, if any."""

    head: str
    width: int = 14
    is_number: bool = False
    group: str = ""


@dataclass(slots=True, kw_only=True)
class SheetLayout:
    """A table to write: a title and remarks above, a head, rows that may be a stream, remarks below."""

    name: str
    columns: Sequence[SheetColumn]
    rows: Iterable[Sequence[Cell]]
    title: str = ""
    remarks: Sequence[str] = ()
    closing: Sequence[str] = field(default_factory=tuple)
    is_portrait: bool = False
    watermark: str = ""
    """Stands above every printed page and in the table's last line."""
    made_at: datetime | None = None
    """Stands in the file's properties instead of the moment of writing: the same content makes the same bytes."""


def write_xlsx(path: Path, sheets: Iterable[SheetLayout]) -> None:
    """Write sheets as xlsx; every text cell is a text cell, never a formula or a link.

    Many rows are written in constant memory where no head has two rows; a small file without temporary ones, which take longer than it does.
    """
    begun = [_begun(sheet) for sheet in sheets]
    sheets, is_small = [sheet for sheet, _ in begun], all(is_short for _, is_short in begun)
    options = {
        "in_memory": is_small,
        "constant_memory": not is_small and not any(column.group for sheet in sheets for column in sheet.columns),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as workbook:
        made_at = next((sheet.made_at for sheet in sheets if sheet.made_at is not None), None)
        if made_at is not None:
            workbook.set_properties({"created": made_at.replace(tzinfo=None)})
        formats = {
            "title": workbook.add_format({"bold": True, "font_size": 16, "align": "center"}),
            "remark": workbook.add_format({"text_wrap": True, "valign": "vcenter"}),
            "head": workbook.add_format(
                {"bold": True, "border": 1, "bg_color": "#E8EEF7", "text_wrap": True, "valign": "vcenter"}
            ),
            "cell": workbook.add_format({"border": 1, "valign": "vcenter"}),
            "text": workbook.add_format({"border": 1, "num_format": "@", "text_wrap": True, "valign": "vcenter"}),
            "points": workbook.add_format({"border": 1, "num_format": "0.00", "valign": "vcenter"}),
        }
        for sheet in sheets:
            _write_sheet(workbook, sheet, formats)


def _begun(sheet: SheetLayout) -> tuple[SheetLayout, bool]:
    """Read a sheet's first rows: give it with all of them, and whether there are no more."""
    rows = iter(sheet.rows)
    first = list(islice(rows, _SMALL_ROWS + 1))
    return replace(sheet, rows=chain(first, rows)), len(first) <= _SMALL_ROWS


def _write_sheet(workbook: xlsxwriter.Workbook, sheet: SheetLayout, formats: dict[str, object]) -> None:
    page = workbook.add_worksheet(sheet.name[:31])
    _set_up_paper(page, sheet)
    row = 0
    if sheet.title:
        _write_across(page, row, sheet, sheet.title, formats["title"], line_height=26)
        row += 1
    for remark in sheet.remarks:
        _write_across(page, row, sheet, remark, formats["remark"])
        row += 1
    first = row
    row = _write_head(page, row, sheet.columns, formats["head"])
    page.repeat_rows(first, row)
    page.freeze_panes(row + 1, 0)
    head = row
    for cells in sheet.rows:
        row += 1
        for index, cell in enumerate(cells):
            _write_cell(page, row, index, cell, formats)
    if row > head:
        page.autofilter(head, 0, row, len(sheet.columns) - 1)
    for remark in [*sheet.closing, *([sheet.watermark] if sheet.watermark else [])]:
        row += 1
        _write_across(page, row, sheet, remark, formats["remark"], line_height=20)


def _write_head(page: Any, row: int, columns: Sequence[SheetColumn], form: object) -> int:
    """Write the head, of two rows with merged cells where columns share a head; give its last row."""
    if not any(column.group for column in columns):
        for index, column in enumerate(columns):
            page.write_string(row, index, column.head, form)
        return row
    start = 0
    for group, members in groupby(columns, key=lambda column: column.group):
        heads = [column.head for column in members]
        if group and len(heads) > 1:
            page.merge_range(row, start, row, start + len(heads) - 1, group, form)
        elif group:
            page.write_string(row, start, group, form)
        for index, head in enumerate(heads, start):
            if group:
                page.write_string(row + 1, index, head, form)
            else:
                page.merge_range(row, index, row + 1, index, head, form)
        start += len(heads)
    return row + 1


def _set_up_paper(page: Any, sheet: SheetLayout) -> None:
    page.set_paper(9)
    page.set_portrait() if sheet.is_portrait else page.set_landscape()
    page.fit_to_pages(1, 0)
    page.set_footer("&C第 &P 页，共 &N 页")
    if sheet.watermark:
        page.set_header("&C" + sheet.watermark.replace("&", "&&")[:200])
    for index, column in enumerate(sheet.columns):
        page.set_column(index, index, column.width)


def _write_across(page: Any, row: int, sheet: SheetLayout, text: str, form: object, *, line_height: int = 17) -> None:
    """Write a line over the whole width of the table, as high as its text needs: a Chinese character is two digits wide."""
    width = sum(column.width for column in sheet.columns)
    lines = -(-2 * len(text) // max(width, 1)) or 1
    page.set_row(row, line_height * lines)
    if len(sheet.columns) == 1:
        page.write_string(row, 0, text, form)
    else:
        page.merge_range(row, 0, row, len(sheet.columns) - 1, "", form)
        page.write_string(row, 0, text, form)


def _write_cell(page: object, row: int, index: int, cell: Cell, formats: dict[str, object]) -> None:
    if cell is None:
        page.write_blank(row, index, None, formats["cell"])  # type: ignore[attr-defined]  # xlsxwriter has no types
    elif isinstance(cell, int):
        page.write_number(row, index, cell, formats["cell"])  # type: ignore[attr-defined]
    elif isinstance(cell, Decimal):
        page.write_number(row, index, cell, formats["points"])  # type: ignore[attr-defined]
    else:
        page.write_string(row, index, as_text(cell), formats["text"])  # type: ignore[attr-defined]


def write_csv(path: Path, columns: Sequence[SheetColumn], rows: Iterable[Sequence[Cell]]) -> None:
    """Write csv for Excel: UTF-8 with a byte order mark; a text that would start a formula is led by an apostrophe."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.head for column in columns])
        writer.writerows([[_csv_cell(cell) for cell in cells] for cells in rows])


def csv_text(columns: Sequence[SheetColumn], rows: Iterable[Sequence[Cell]]) -> str:
    """Give the same csv as a string, without the byte order mark."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([column.head for column in columns])
    writer.writerows([[_csv_cell(cell) for cell in cells] for cells in rows])
    return buffer.getvalue()


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, int | Decimal):
        return str(cell)
    text = as_text(cell)
    is_mangled = text.isascii() and text.isdigit() and len(text) > _MAX_DIGITS
    return f"'{text}" if is_mangled or text.startswith(_FORMULA_STARTS) else text


def as_text(cell: str | date | datetime) -> str:
    """Write a text, day or instant as people of the county read it."""
    if isinstance(cell, datetime):
        return f"{local(cell):%Y-%m-%d %H:%M:%S}"
    return cell.isoformat() if isinstance(cell, date) else cell
