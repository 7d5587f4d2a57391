"""Read spreadsheets that are XML: OpenDocument (.ods) and the XML tables that Excel 2003 and many web systems write as .xls."""

from collections.abc import Iterator

from examapp.documents.archives import ZIP, UnreadableFileError, open_archive
from examapp.documents.decoding import read_count, text_head
from examapp.documents.safe_xml import Element, local, parse_xml, root_name, text_of
from examapp.documents.workbook_notes import MAX_NOTE
from examapp.documents.workbooks import MAX_ROWS, WorkbookSheet
from question_bank.formats.excel import read_sheets
from question_bank.formats.heuristics.table_headers import NO_NAMES
from question_bank.model import ColumnNames, ParseResult

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_MICROSOFT = "urn:schemas-microsoft-com:office:spreadsheet"
_SS = f"{{{_MICROSOFT}}}"
MAX_WIDTH = 500
"""Columns of a row."""


def looks_like_ods(content: bytes, name: str) -> bool:
    """Return whether the bytes are an OpenDocument spreadsheet."""
    return content.startswith(ZIP) and b"opendocument.spreadsheet" in content[:300]


def looks_like_spreadsheet_xml(content: bytes, name: str) -> bool:
    """Return whether the bytes are an XML table of Excel 2003."""
    return root_name(content) == "Workbook" and _MICROSOFT in text_head(content, size=8000)


def read_ods(content: bytes, *, name: str, columns: ColumnNames = NO_NAMES) -> ParseResult:
    """Return all questions of an OpenDocument spreadsheet, its cells as they are shown."""
    archive = open_archive(content)
    if "content.xml" not in archive:
        raise UnreadableFileError("OpenDocument 文件不完整（没有 content.xml）。请重新另存后再上传。")
    root = parse_xml(archive.read("content.xml"), what="OpenDocument 表格")
    if any(
        local(one) == "encryption-data"
        for one in _manifest(archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in archive else b"")
    ):
        raise UnreadableFileError("OpenDocument 文件加了密码。请去掉密码后再导入。")
    hidden = {
        style.get(f"{_STYLE}name")
        for style in root.iter(f"{_STYLE}style")
        for properties in style.iterchildren(f"{_STYLE}table-properties")
        if properties.get(f"{_TABLE}display") == "false"
    }
    tables = [one for body in root.iter(f"{_OFFICE}spreadsheet") for one in body.iterchildren(f"{_TABLE}table")]
    sheets = [_ods_sheet(one, hidden=one.get(f"{_TABLE}style-name") in hidden) for one in tables]
    return read_sheets(_checked(sheets), name=name, columns=columns, format_name="ods")


def _manifest(content: bytes) -> Iterator[Element]:
    return parse_xml(content, what="OpenDocument 目录").iter() if content else iter(())


def _checked(sheets: list[WorkbookSheet]) -> list[WorkbookSheet]:
    if sum(any(row) for sheet in sheets for row in sheet.rows) > MAX_ROWS:
        raise UnreadableFileError(f"表格超过 {MAX_ROWS} 行。请拆成几个文件，每个不超过 {MAX_ROWS} 行，再分别导入。")
    return sheets


def _ods_sheet(table: Element, *, hidden: bool) -> WorkbookSheet:
    sheet = WorkbookSheet(table.get(f"{_TABLE}name", ""), hidden, [])
    hidden_rows: set[int] = set()
    blank = 0
    for row in table.iter(f"{_TABLE}table-row"):
        cells, joined = _ods_row(row)
        repeated = read_count(row.get(f"{_TABLE}number-rows-repeated"), 1)
        if not any(cells):
            blank += repeated
            continue
        if len(sheet.rows) + blank + repeated > 3 * MAX_ROWS:
            raise UnreadableFileError(
                "有一张工作表在很远的地方还有内容，范围过大。请删去表格以外的零散内容和空行后再导入。"
            )
        sheet.rows.extend([] for _ in range(blank))
        top = len(sheet.rows)
        if row.get(f"{_TABLE}visibility", "visible") != "visible":
            hidden_rows.update(range(top, top + repeated))
        for note in row.iter(f"{_OFFICE}annotation"):
            text = " ".join("\n".join(_paragraph(one) for one in note.iterchildren(f"{_TEXT}p")).split())
            if text:
                sheet.notes.texts.setdefault(top, []).append(text[:MAX_NOTE])
        sheet.joined.extend((top, left, top + down - 1, left + right - 1) for left, down, right in joined)
        sheet.rows.extend(list(cells) for _ in range(repeated))
        blank = 0
    sheet.notes.hidden_rows = frozenset(hidden_rows)
    sheet.notes.hidden_columns = frozenset(_ods_hidden_columns(table))
    return sheet


def _ods_hidden_columns(table: Element) -> Iterator[int]:
    place = 0
    for column in table.iter(f"{_TABLE}table-column"):
        repeated = read_count(column.get(f"{_TABLE}number-columns-repeated"), 1)
        if column.get(f"{_TABLE}visibility", "visible") != "visible":
            yield from range(place, min(place + repeated, MAX_WIDTH))
        place += repeated


def _ods_row(row: Element) -> tuple[list[str], list[tuple[int, int, int]]]:
    """Return the row's cells as shown, and its merged ones: column, rows and columns that each spans."""
    cells: list[str] = []
    joined: list[tuple[int, int, int]] = []
    for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
        text = "\n".join(_paragraph(one) for one in cell.iterchildren(f"{_TEXT}p")).strip()
        down, right = (read_count(cell.get(f"{_TABLE}number-{name}-spanned"), 1) for name in ("rows", "columns"))
        if down > 1:
            joined.append((len(cells), down, right))
        repeated = read_count(cell.get(f"{_TABLE}number-columns-repeated"), 1)
        cells += [text] * min(repeated, MAX_WIDTH - len(cells) if not text else MAX_WIDTH + 1)
        if len(cells) > MAX_WIDTH:
            raise UnreadableFileError(f"有一张工作表超过 {MAX_WIDTH} 列，不像题目表格。请删去多余的列再导入。")
    while cells and not cells[-1]:
        cells.pop()
    return cells, joined


def _paragraph(element: Element) -> str:
    """Return the words of a paragraph with its spaces, tabs and line breaks; annotations and deleted text left out."""
    parts = [element.text or ""]
    for child in element:
        name = local(child)
        if name == "s":
            parts.append(" " * min(read_count(child.get(f"{_TEXT}c"), 1), 100))
        elif name in {"tab", "line-break"}:
            parts.append("\t" if name == "tab" else "\n")
        elif name not in {"annotation", "note", "ruby-text"}:
            parts.append(_paragraph(child))
        parts.append(child.tail or "")
    return "".join(parts)


def read_spreadsheet_xml(content: bytes, *, name: str, columns: ColumnNames = NO_NAMES) -> ParseResult:
    """Return all questions of an XML table of Excel 2003."""
    root = parse_xml(content, what="XML 表格")
    sheets = []
    for worksheet in root.iter(f"{_SS}Worksheet"):
        visible = next((one.text for one in worksheet.iter("{urn:schemas-microsoft-com:office:excel}Visible")), "")
        sheet = WorkbookSheet(
            worksheet.get(f"{_SS}Name", ""), hidden=bool(visible and visible != "SheetVisible"), rows=[]
        )
        for row in worksheet.iter(f"{_SS}Row"):
            _add_xml_row(sheet, row)
        sheets.append(sheet)
    return read_sheets(_checked(sheets), name=name, columns=columns, format_name="spreadsheet-xml")


def _add_xml_row(sheet: WorkbookSheet, row: Element) -> None:
    number = read_count(row.get(f"{_SS}Index"), 1) - 1 if row.get(f"{_SS}Index") else len(sheet.rows)
    if number > 3 * MAX_ROWS:
        raise UnreadableFileError(
            "有一张工作表在很远的地方还有内容，范围过大。请删去表格以外的零散内容和空行后再导入。"
        )
    sheet.rows.extend([] for _ in range(number - len(sheet.rows)))
    if row.get(f"{_SS}Hidden") == "1":
        sheet.notes.hidden_rows |= {number}
    cells: list[object] = []
    for cell in row.iterchildren(f"{_SS}Cell"):
        place = read_count(cell.get(f"{_SS}Index"), 1) - 1 if cell.get(f"{_SS}Index") else len(cells)
        if place > MAX_WIDTH:
            raise UnreadableFileError(f"有一张工作表超过 {MAX_WIDTH} 列，不像题目表格。请删去多余的列再导入。")
        cells.extend([""] * (place - len(cells)))
        right = read_count(cell.get(f"{_SS}MergeAcross"), 1) if cell.get(f"{_SS}MergeAcross") else 0
        down = read_count(cell.get(f"{_SS}MergeDown"), 1) if cell.get(f"{_SS}MergeDown") else 0
        if down:
            sheet.joined.append((number, place, number + down, place + right))
        text = "".join(text_of(one) for one in cell.iterchildren(f"{_SS}Data"))
        for note in cell.iterchildren(f"{_SS}Comment"):
            sheet.notes.texts.setdefault(number, []).append(" ".join(text_of(note).split())[:MAX_NOTE])
        cells += [text.strip(), *[""] * min(right, MAX_WIDTH)]
    sheet.rows.append(cells)
