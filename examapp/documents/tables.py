"""Read tables that users upload, workbook or csv in any common encoding, within limits; return them with remarks beside the rows."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

import xlsxwriter

from examapp.documents.archives import ZIP, UnreadableFileError
from examapp.documents.decoding import decode_text
from examapp.documents.html import normalise
from examapp.documents.spreadsheets import SheetColumn, csv_text
from examapp.errors import DomainError

if TYPE_CHECKING:
    from examapp.documents.workbooks import WorkbookSheet

MAX_CSV_ROWS = 100_000
MAX_SHEET_ROWS = 20_000
_DIVIDERS = (",", "\t", ";", "|", "，")
_HEAD_WITHIN = 15
"""Rows at the top among which the head is looked for: titles and remarks stand above it."""
_MAX_COLUMNS = 200
_FORMULA_PROTECTION = re.compile(r"'(?=[=+\-@＝＋－＠\t\r])")


class UnreadableTableError(DomainError):
    """The file cannot be read as a table; the message says why and what to do."""

    code = "unreadable_file"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A sheet or csv file as rows of cells; its first row is row 1, as Excel counts."""

    name: str
    rows: list[list[object]]
    is_csv: bool = False
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GridHeader:
    """Where a grid's head stands (index of its row) and which column (index) holds which field; labels as written."""

    at: int
    columns: dict[str, int]
    labels: dict[str, str]


def read_grids(content: bytes, *, name: str, aliases: Mapping[str, Sequence[str]]) -> list[Grid]:
    """Read all sheets of a workbook, or a csv file; raises UnreadableTableError.

    What breaks the limits (unpacked 100 MB, 2,000 entries, ratio 100, 20,000 rows; csv 100,000) is rejected before it is parsed.
    """
    from examapp.documents.workbooks import OLE, open_sheets

    try:
        if content.startswith((ZIP, OLE)) or PurePath(name).suffix.lower() in {".xlsx", ".xls", ".xlsm", ".et"}:
            return [_grid_of(sheet) for sheet in open_sheets(content, name=name)]
        return [_read_csv(decode_text(content), aliases)]
    except UnreadableFileError as error:
        raise UnreadableTableError(_with_way_round(str(error))) from None


def _with_way_round(reason: str) -> str:
    if "超过 20000 行" in reason:
        return (
            f"工作簿超过 {MAX_SHEET_ROWS:,} 行。请另存为 csv 文件再上传（最多 {MAX_CSV_ROWS:,} 行），或拆成几个文件。"
        )
    return reason


def _grid_of(sheet: WorkbookSheet) -> Grid:
    rows = sheet.rows
    for top, left, bottom, right in sheet.joined:
        if left != right or bottom == top or top >= len(rows) or left >= len(rows[top]):
            continue
        for row in rows[top + 1 : bottom + 1]:
            if left < len(row) and row[left] in {"", None}:
                row[left] = rows[top][left]
    return Grid(name=sheet.name, rows=rows, is_hidden=sheet.hidden)


def _read_csv(text: str, aliases: Mapping[str, Sequence[str]]) -> Grid:
    text = re.sub(r"\Asep=(.)\n", "", text, flags=re.IGNORECASE)
    divider = max(_DIVIDERS, key=lambda sign: _fields_found(text[:20_000], sign, aliases))
    csv.field_size_limit(1_000_000)
    rows: list[list[object]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=divider):
            rows.append([_FORMULA_PROTECTION.sub("", cell, count=1) for cell in row[:_MAX_COLUMNS]])
            if len(rows) > MAX_CSV_ROWS:
                raise UnreadableTableError(f"csv 文件超过 {MAX_CSV_ROWS:,} 行。请拆成几个文件，分别上传。")
    except csv.Error:
        reason = "csv 文件的引号不配对，读不出来。请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。"
        raise UnreadableTableError(reason) from None
    return Grid(name="", rows=rows, is_csv=True)


def _fields_found(text: str, divider: str, aliases: Mapping[str, Sequence[str]]) -> int:
    rows: list[list[object]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=divider):
            rows.append(list(row))
            if len(rows) == _HEAD_WITHIN:
                break
    except csv.Error:
        return 0
    head = find_head(rows, aliases)
    return len(head.columns) if head else 0


def find_head(rows: Sequence[Sequence[object]], aliases: Mapping[str, Sequence[str]]) -> GridHeader | None:
    """Find the row near the top that names most fields, at least two; None where there is none."""
    by_label = {_label(alias): field for field, names in aliases.items() for alias in names}
    best: GridHeader | None = None
    for at, row in enumerate(rows[:_HEAD_WITHIN]):
        columns: dict[str, int] = {}
        labels: dict[str, str] = {}
        for index, cell in enumerate(row[:_MAX_COLUMNS]):
            field = by_label.get(_label(cell_text(cell)))
            if field is not None and field not in columns:
                columns[field], labels[field] = index, " ".join(cell_text(cell).split())
        if len(columns) >= 2 and (best is None or len(columns) > len(best.columns)):
            best = GridHeader(at=at, columns=columns, labels=labels)
    return best


def _label(text: str) -> str:
    bare = re.sub(r"\(.*?\)|（.*?）|【.*?】|[\s*:：]", "", unicodedata.normalize("NFKC", text))
    return bare.casefold()


def cell_text(cell: object) -> str:
    """Write a cell as text: whole numbers without a point, days without a time, numbers too long for Excel as it shows them."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, int | float):
        if not abs(cell) < 1e15:  # `nan` is not less either
            return f"{float(cell):.5E}"
        return str(int(cell)) if cell == int(cell) else repr(cell)
    if isinstance(cell, date):
        return _day_text(cell)
    return normalise(str(cell)).strip()


def _day_text(day: date) -> str:
    if isinstance(day, datetime) and (day.hour or day.minute or day.second):
        return day.isoformat(" ")
    return f"{day:%Y-%m-%d}"


def give_back(
    grids: Sequence[Grid], notes: Mapping[tuple[int, int], str], *, label: str, bad: str
) -> tuple[bytes, str]:
    """Return the user's own rows with a column of notes; `(grid, row)` from 0 to the note, those that begin with `bad` coloured.

    Returns the file and its ending, `xlsx` or `csv`.
    """
    if len(grids) == 1 and grids[0].is_csv:
        return _csv_back(grids[0], notes, label), "csv"
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as workbook:
        text, red = (
            workbook.add_format({"num_format": "@"}),
            workbook.add_format({"font_color": "#A61B1B", "bold": True}),
        )
        for number, grid in enumerate(grids):
            page = workbook.add_worksheet(_sheet_name(grid.name, number))
            width = max((len(row) for row in grid.rows), default=0)
            page.set_column(0, max(width - 1, 0), 14)
            page.set_column(width, width, 50)
            for index, row in enumerate(grid.rows):
                for column, cell in enumerate(row):
                    if wording := cell_text(cell):
                        page.write_string(index, column, wording, text)
                if note := notes.get((number, index)):
                    page.write_string(index, width, note, red if note.startswith((bad, label)) else text)
    return buffer.getvalue(), "xlsx"


def _sheet_name(name: str, number: int) -> str:
    bare = re.sub(r"[\[\]:*?/\\']", " ", name).strip()[:25] or "名单"
    return f"{bare}~{number + 1}" if number else bare


def _csv_back(grid: Grid, notes: Mapping[tuple[int, int], str], label: str) -> bytes:
    width = max((len(row) for row in grid.rows), default=0)
    rows = [
        [*(cell_text(cell) for cell in row), *[""] * (width - len(row)), notes.get((0, index), "")]
        for index, row in enumerate(grid.rows)
    ]
    first = [SheetColumn(head=cell) for cell in (rows[0] if rows else [label])]
    return csv_text(first, rows[1:]).encode("utf-8-sig")
