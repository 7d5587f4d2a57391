"""Sheets of a workbook, read only after its directory and its cells have been counted (H08)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import xlrd
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from examapp.documents.archives import RESAVE, ZIP, Archive, UnreadableFileError, check_contents, open_archive
from examapp.documents.embedded_pictures import (
    EmbeddedPicture,
    PlacedPicture,
    cell_pictures,
    placed_pictures,
)
from examapp.documents.number_formats import code_of, column_number, show_numbers, shown
from examapp.documents.workbook_notes import MAX_NOTE, SheetNotes, read_sheet_notes

MAX_ROWS = 20_000
"""Rows with something in them, in all sheets together."""
MAX_SHEETS = 200
MAX_GRID = 3_000_000
"""Cells of the rectangle that a sheet spans: the reader keeps the empty ones too."""
MAX_XLS = 20 * 1024 * 1024

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(/?)>")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_CELL_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_ROW_REFERENCE = re.compile(rb"""\br\s*=\s*["'](\d{1,7})["']""")
_NO_SHEET = re.compile(r".*\.(?:png|jpe?g|gif|emf|wmf|bmp|rels)|xl/(?:sharedStrings|styles)\.xml", re.IGNORECASE)
"""Files that a workbook cannot give out as sheets: all others are looked at, wherever they lie."""


@dataclass(slots=True)
class WorkbookSheet:
    """One sheet: its cells from the first row on, and the merged areas among them (all counted from 0)."""

    name: str
    hidden: bool
    rows: list[list[object]]
    joined: list[tuple[int, int, int, int]] = field(default_factory=list)
    pictures: list[PlacedPicture] = field(default_factory=list)
    cell_pictures: dict[str, EmbeddedPicture] = field(default_factory=dict)
    """What WPS keeps in cells, by the name by which cells call it."""
    notes: SheetNotes = field(default_factory=SheetNotes)


def open_sheets(content: bytes, *, name: str, may_hold_macros: bool = False) -> list[WorkbookSheet]:
    """Return the sheets of an .xlsx or .xls file; UnreadableFileError when it is no workbook, damaged, locked, or too large.

    `may_hold_macros`: read the cells of a workbook with macros too, which are never run.
    """
    if content.startswith(ZIP):
        return _open_xlsx(content, may_hold_macros=may_hold_macros)
    if content.startswith(OLE):
        if name.lower().endswith((".xlsx", ".xlsm")):
            raise UnreadableFileError(f"文件扩展名是 .xlsx，内容却是旧版 .xls 或加了密码的文件。{RESAVE}")
        return _open_xls(content)
    if content[:2000].lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        raise UnreadableFileError(f"这个文件是网页或 XML，只是用了 Excel 的扩展名。{RESAVE}")
    raise UnreadableFileError(f"这不是 Excel 文件，或者文件已损坏。{RESAVE}")


def _open_xlsx(content: bytes, *, may_hold_macros: bool) -> list[WorkbookSheet]:
    archive = open_archive(content)
    check_contents(archive, may_hold_macros=may_hold_macros)
    _check_cells(archive)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        if len(workbook.sheets_metadata) > MAX_SHEETS:
            raise UnreadableFileError(
                f"工作簿有 {len(workbook.sheets_metadata)} 张工作表，超过 {MAX_SHEETS} 张的上限。请拆成几个文件再导入。"
            )
        hidden = {sheet.name for sheet in workbook.sheets_metadata if sheet.visible is not SheetVisibleEnum.Visible}
        names = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ is SheetTypeEnum.WorkSheet]
        pictures, in_cells, notes = placed_pictures(archive), cell_pictures(archive), read_sheet_notes(archive)
        return _as_shown(
            archive,
            _within_grid(
                replace(
                    _sheet(name, name in hidden, workbook.get_sheet_by_name(name), pictures.get(name, []), in_cells),
                    notes=notes.get(name, SheetNotes()),
                )
                for name in names
            ),
        )
    except PasswordError as error:
        raise UnreadableFileError("工作簿加了密码。请去掉密码后再导入。") from error
    except (CalamineError, ValueError, OSError, KeyError) as error:
        raise UnreadableFileError(f"工作簿已损坏，读不出来。{RESAVE}") from error


def _as_shown(archive: Archive, sheets: list[WorkbookSheet]) -> list[WorkbookSheet]:
    show_numbers(archive, {sheet.name: sheet.rows for sheet in sheets})
    return sheets


def _within_grid(sheets: Iterable[WorkbookSheet]) -> list[WorkbookSheet]:
    """Return the sheets, read one by one until they hold too many cells: several may be made of one and the same part."""
    found: list[WorkbookSheet] = []
    cells = 0
    for sheet in sheets:
        cells += sum(map(len, sheet.rows))
        if cells > MAX_GRID:
            raise UnreadableFileError(f"工作簿的内容过多。请拆成几个文件，每个不超过 {MAX_ROWS} 行，再分别导入。")
        found.append(sheet)
    return found


def _check_cells(archive: Archive) -> None:
    rows = 0
    for name in archive.names:
        if _NO_SHEET.fullmatch(name):
            continue
        content = archive.read(name)
        if content.startswith((b"\xff\xfe", b"\xfe\xff")) or (name.endswith(".xml") and b"\x00" in content):
            raise UnreadableFileError(f"工作簿里有编码异常的内容，为安全起见不予打开。{RESAVE}")
        filled, height, width = _span(content)
        rows += filled
        if rows > MAX_ROWS:
            raise UnreadableFileError(
                f"工作簿超过 {MAX_ROWS} 行。请拆成几个文件，每个不超过 {MAX_ROWS} 行，再分别导入。"
            )
        if height * width > MAX_GRID:
            raise UnreadableFileError(
                f"有一张工作表在很远的地方（第 {height} 行、第 {width} 列）还有内容，范围过大。"
                "请删去表格以外的零散内容和空行空列后再导入。"
            )


def _span(xml: bytes) -> tuple[int, int, int]:
    """Return rows with filled cells, the last such row and the last such column."""
    filled = height = width = 0
    for number, start, end in _row_spans(xml):
        last = 0
        for place, match in enumerate(_CELL.finditer(xml, start, end), 1):
            if match[2]:
                continue
            reference = _CELL_REFERENCE.search(match[1])
            last = max(last, column_number(reference[1]) if reference else place)
        if last:
            filled, height, width = filled + 1, max(height, number), max(width, last)
        if filled > MAX_ROWS:
            break
    return filled, height, width


def _row_spans(xml: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield each row's number, and where its cells begin and end."""
    number, start = 0, -1
    for match in _ROW.finditer(xml):
        if start >= 0:
            yield number, start, match.start()
        reference = _ROW_REFERENCE.search(match[1])
        number, start = int(reference[1]) if reference else number + 1, match.end()
    if start >= 0:
        yield number, start, len(xml)


def _sheet(
    name: str, hidden: bool, sheet: CalamineSheet, pictures: list[PlacedPicture], in_cells: dict[str, EmbeddedPicture]
) -> WorkbookSheet:
    rows: list[list[object]] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
    joined = [(top, left, bottom, right) for (top, left), (bottom, right) in sheet.merged_cell_ranges or []]
    return WorkbookSheet(name, hidden, rows, joined, pictures, in_cells)


def _open_xls(content: bytes) -> list[WorkbookSheet]:
    """Old workbooks by xlrd: it keeps ragged rows, so that one cell far out costs nothing."""
    if len(content) > MAX_XLS:
        raise UnreadableFileError(f"旧版 .xls 文件超过 20 MB。{RESAVE}")
    try:
        book = xlrd.open_workbook(file_contents=content, ragged_rows=True, formatting_info=True, logfile=io.StringIO())
    except xlrd.XLRDError as error:
        locked = "encrypt" in str(error).lower() or "password" in str(error).lower()
        reason = "工作簿加了密码。请去掉密码后再导入。" if locked else f"旧版 .xls 文件读不出来。{RESAVE}"
        raise UnreadableFileError(reason) from error
    except Exception as error:  # xlrd gives whatever its parser stumbles over
        raise UnreadableFileError(f"旧版 .xls 文件已损坏，读不出来。{RESAVE}") from error
    if sum(sheet.nrows for sheet in book.sheets()) > MAX_ROWS:
        raise UnreadableFileError(f"工作簿超过 {MAX_ROWS} 行。请拆成几个文件，每个不超过 {MAX_ROWS} 行，再分别导入。")
    return [
        WorkbookSheet(
            sheet.name, sheet.visibility != 0, [_xls_row(book, sheet, row) for row in range(sheet.nrows)],
            [(top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells],
            notes=_xls_notes(book, sheet),
        )
        for sheet in book.sheets()
    ]  # fmt: skip


def _xls_notes(book: xlrd.Book, sheet: xlrd.sheet.Sheet) -> SheetNotes:
    notes = SheetNotes(
        frozenset(row for row, shown in sheet.rowinfo_map.items() if shown.hidden),
        frozenset(column for column, shown in sheet.colinfo_map.items() if shown.hidden),
    )
    struck = {at for at, one in enumerate(book.xf_list) if book.font_list[one.font_index].struck_out}
    if struck:
        rows = range(sheet.nrows)
        notes.struck_rows = frozenset(
            row for row in rows if any(cell.value != "" and cell.xf_index in struck for cell in sheet.row(row))
        )
    for (row, _), note in sheet.cell_note_map.items():
        if text := " ".join(note.text.split()):
            notes.texts.setdefault(row, []).append(text[:MAX_NOTE])
    return notes


def _xls_row(book: xlrd.Book, sheet: xlrd.sheet.Sheet, row: int) -> list[object]:
    return [_xls_value(book, sheet.cell(row, column)) for column in range(sheet.row_len(row))]


def _xls_value(book: xlrd.Book, cell: xlrd.sheet.Cell) -> object:
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            moment = xlrd.xldate_as_datetime(cell.value, book.datemode)
            return moment.time() if 0 < cell.value < 1 else moment
        except (ValueError, OverflowError, xlrd.XLDateError):
            return cell.value
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_NUMBER and cell.xf_index is not None:
        form = book.format_map.get(book.xf_list[cell.xf_index].format_key)
        code = code_of(form.format_key, {form.format_key: form.format_str}) if form else ""
        return shown(cell.value, code) if code else cell.value
    if cell.ctype in {xlrd.XL_CELL_ERROR, xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK}:
        return ""
    return cell.value
