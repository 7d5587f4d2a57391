"""Read and write questions as Excel workbooks."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.image import Image as SizedImage
from xlsxwriter.worksheet import Worksheet

from examapp.documents.archives import ZIP, UnreadableFileError, holds_office
from examapp.documents.number_formats import cell_text
from examapp.documents.workbook_styles import styled_cells
from examapp.documents.workbooks import MAX_ROWS, OLE, WorkbookSheet, open_sheets
from question_bank.formats.csv_table import (
    MAX_CELL,
    NO_TABLE,
    PART_NAMES,
    SHEET,
    TableExportRow,
    columns,
    columns_for,
    rows_of,
)
from question_bank.formats.export import ExportedFile
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.answer_sheets import answers_of, give_answers
from question_bank.formats.heuristics.emphasis import has_no_keys, read_by_emphasis
from question_bank.formats.heuristics.resolving import resolve_questions
from question_bank.formats.heuristics.table_headers import NO_NAMES
from question_bank.formats.heuristics.table_questions import QuestionTable, join_cases
from question_bank.formats.heuristics.table_rows import read_table
from question_bank.formats.parsed import ParsedQuestion
from question_bank.formats.sheet_text import read_sheet_text
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import (
    DIFFICULTY_NAMES,
    ColumnNames,
    Kind,
    Note,
    ParseResult,
    Question,
    TableColumns,
    UnknownColumnsError,
)

_MAIN = re.compile(rb"(?:spreadsheetml|ms-excel)\.(?:sheet|template)(?:\.macroEnabled)?\.main\+xml")


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the file is a workbook, by what it says of its parts, or by its first bytes and its name."""
    if content.startswith(ZIP):
        return holds_office(content, folder="xl/", main=_MAIN)
    return content.startswith(OLE) and PurePath(name).suffix.lower() in {".xls", ".xlsx", ".xlsm", ".et", ""}


def read(content: bytes, *, name: str, columns: ColumnNames = NO_NAMES) -> ParseResult:
    """Return all questions of all visible sheets; UnreadableFileError when the file is no workbook or holds no question table."""
    sheets = open_sheets(content, name=name, may_hold_macros=True)
    reading = read_sheets(sheets, name=name, columns=columns)
    if content.startswith(ZIP) and has_no_keys(reading):
        styled = styled_cells(content)
        reading = read_by_emphasis(
            reading, styled, lambda style: read_sheets(_ticked(sheets, styled[style]), name=name, columns=columns)
        )
    if content.startswith(ZIP) and b"vbaProject.bin" in content:
        reading.remarks.append(Note("整个文件", "工作簿里有宏。宏没有运行，只读了单元格里的内容。", "macros"))
    return reading


def _ticked(sheets: Sequence[WorkbookSheet], styled: Mapping[str, set[tuple[int, int]]]) -> list[WorkbookSheet]:
    """Return sheets with a tick behind the text of each styled cell, rows left out that are styled throughout."""
    found: list[WorkbookSheet] = []
    for sheet in sheets:
        rows = [list(row) for row in sheet.rows]
        for number, row in enumerate(rows):
            filled = [place for place, cell in enumerate(row) if str(cell).strip()]
            mine = [place for place in filled if (number, place) in styled.get(sheet.name, ())]
            for place in mine if len(mine) < len(filled) else ():
                row[place] = f"{cell_text(row[place])} √"
        found.append(replace(sheet, rows=rows))
    return found


def read_sheets(
    sheets: Sequence[WorkbookSheet], *, name: str, columns: ColumnNames = NO_NAMES, format_name: str = "excel"
) -> ParseResult:
    """Return all questions of all visible sheets; raises UnknownColumnsError where no head is recognised."""
    tables: list[TableColumns] = []
    questions: list[ParsedQuestion] = []
    remarks: list[Note] = []
    found_table = False
    file_kind = kind_names.kind_in(PurePath(name).stem)
    lists: list[tuple[str, dict[str, str]]] = []
    for sheet in sheets:
        result = read_table(_table(sheet, file_kind, columns))
        place = f"工作表“{sheet.name}”"
        if result.columns and not sheet.hidden:
            tables.append(result.columns)
        if result.header is None:
            if not sheet.hidden and (listed := answers_of(sheet.rows)):
                lists.append((place, listed))
            elif any(cell for row in sheet.rows for cell in row):
                remarks.append(Note(place, "这张工作表不是题目表格，没有导入。", "sheet_not_kept"))
            continue
        if sheet.hidden:
            reason = f"这张工作表是隐藏的，里面的 {len(result.rows)} 行题目没有导入。如要导入，请取消隐藏后再上传。"
            remarks.append(Note(place, reason, "hidden_sheet"))
            continue
        found_table = True
        questions.extend(join_cases(result.rows))
        remarks.extend(result.remarks)
    if not found_table:
        if (text := read_sheet_text(sheets, name=name, format_name=format_name)) is not None:
            return text
        is_hidden = any(note.code == "hidden_sheet" for note in remarks)
        if is_hidden or not tables:
            raise UnreadableFileError("题目都在隐藏的工作表里。请取消隐藏后再导入。" if is_hidden else NO_TABLE)
        raise UnknownColumnsError(NO_TABLE, format_name=format_name, tables=tables)
    remarks += [give_answers(questions, listed, place) for place, listed in lists]
    reading = resolve_questions(questions, format_name=format_name)
    reading.remarks.extend(remarks)
    reading.tables = tables
    return reading


def _table(sheet: WorkbookSheet, file_kind: Kind | None, names: ColumnNames) -> QuestionTable:
    kind = kind_names.kind_of(sheet.name) or kind_names.kind_in(sheet.name)
    label = sheet.name if kind is None and kind_names.unsupported_name(sheet.name) else ""
    return QuestionTable(
        f"工作表“{sheet.name}”", sheet.rows, range(1, len(sheet.rows) + 1),
        kind_hint=kind or (None if label else file_kind), label_hint=label, joined=sheet.joined,
        pictures=sheet.pictures, cell_pictures=sheet.cell_pictures, names=names, notes=sheet.notes,
    )  # fmt: skip


WIDEST_PICTURE, TALLEST_PICTURE = 260, 150
"""Pixels within which a picture is laid over its cell."""

SAFE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def _question_sheet(book: xlsxwriter.Workbook, headers: Sequence[str]) -> tuple[Worksheet, CellFormat, CellFormat]:
    """Add the sheet with its head; return it with the formats of texts and of heads."""
    sheet = book.add_worksheet(SHEET)
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True, "num_format": "@"})
    for index, header in enumerate(headers):
        sheet.write_string(0, index, header, bold)
        sheet.set_column(index, index, 40 if header in {"题干", "解析"} else 14, text)
    sheet.freeze_panes(1, 0)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    return sheet, text, bold


def write(questions: Sequence[Question]) -> ExportedFile:
    """Return the workbook with pictures over their cells, and what of the questions it cannot say (formatting, over-long texts)."""
    headers = columns_for(questions)
    dropped: list[Note] = []
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, **SAFE}) as book:
        sheet, text, _ = _question_sheet(book, headers)
        for number, row in enumerate(rows_of(questions), 1):
            row.note_long(number + 1)
            _draw(sheet, number, headers, row)
            dropped.extend(row.dropped)
            for index, header in enumerate(headers):
                if row.cells.get(header):
                    sheet.write_string(number, index, row.cells[header][:MAX_CELL], text)
    return ExportedFile(target.getvalue(), dropped)


def _draw(sheet: Worksheet, number: int, headers: Sequence[str], row: TableExportRow) -> None:
    """Lay a row's pictures over the cells that they belong to; what Excel cannot show is a loss."""
    for header, image in row.pictures:
        try:
            drawn = SizedImage(io.BytesIO(image.content))
        except XlsxWriterException:
            row.dropped.append(Note(row.where, f"题里的图片“{image.name}”Excel 不能显示，没有写入。", "image"))
            continue
        scale = min(1, WIDEST_PICTURE / max(drawn.width, 1), TALLEST_PICTURE / max(drawn.height, 1))
        sheet.set_row_pixels(number, TALLEST_PICTURE + 30)
        options = {"image_data": io.BytesIO(image.content), "x_scale": scale, "y_scale": scale, "y_offset": 24}
        sheet.insert_image(number, headers.index(header), image.name, options)


_HELP = (
    ("编号", "可不填。案例题要填，小题靠它找到自己的案例。", "A-001"),
    ("题型", "必填。单选题、多选题、判断题、填空题、简答题、案例题；案例的小题写“案例-单选”等。", "单选题"),
    (
        "题干",
        "必填。填空题用两个以上的下划线 ____ 表示一个空。案例题在这里写案例材料。",
        "行政处罚由____的行政机关管辖。",
    ),
    ("选项A 至 选项H", "单选题、多选题必填，从 A 起连续填写，中间不要空。判断题可不填。", "三日"),
    (
        "答案",
        "必填。选择题写字母，如 A 或 ACD；判断题写“正确”或“错误”；填空题每个空一行，同一个空有几种写法用 | 隔开；简答题写参考答案。",
        "ACD",
    ),
    ("解析", "可不填。为什么对，为什么错。", ""),
    ("难度", "可不填。易、中、难。", "中"),
    ("知识点", "可不填。几个知识点用；隔开。", "行政处罚程序"),
    ("法律", "可不填。法律全称，不加书名号。", "中华人民共和国行政处罚法"),
    ("条文", "可不填。", "第六十条"),
    ("法律版本", "可不填。所依据版本的日期。", "2021-01-22"),
    ("分值", "可不填。数字，最多两位小数。", "2"),
    ("标签", "可不填。几个标签用；隔开。", "新法；重点"),
    ("所属案例", "只有案例的小题填：它所属案例题的编号。", "A-001"),
)
_NOTES = (
    "一行一道题，表头一行请不要改动，不需要的列可以留空。",
    "案例题先写一行“案例题”（题干写材料），下面各行写它的小题。",
    f"一个文件最多 {MAX_ROWS} 行；更多请分成几个文件。",
    "单元格里只写文字，不写公式；图片不能用 Excel 导入。",
)


def template() -> bytes:
    """Return the bytes of the template: the empty question sheet with choices for kind and difficulty, and the help sheet."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, **SAFE}) as book:
        sheet, text, bold = _question_sheet(book, columns())
        names = [*KIND_NAMES.values(), *(name for kind, name in PART_NAMES.items() if kind is not Kind.CASE)]
        _offer(sheet, columns().index("题型"), names)
        _offer(sheet, columns().index("难度"), list(DIFFICULTY_NAMES.values()))
        sheet = book.add_worksheet("填写说明")
        for index, (header, width) in enumerate((("列名", 16), ("怎么填", 70), ("例子", 30))):
            sheet.write_string(0, index, header, bold)
            sheet.set_column(index, index, width, text)
        for row, cells in enumerate(_HELP, 1):
            for index, cell in enumerate(cells):
                sheet.write_string(row, index, cell, text)
        for row, note in enumerate(_NOTES, len(_HELP) + 2):
            sheet.write_string(row, 0, note)
    return target.getvalue()


def _offer(sheet: Worksheet, column: int, names: list[str]) -> None:
    rule = {"validate": "list", "source": names, "error_type": "warning", "error_message": "请从下拉框里选择。"}
    sheet.data_validation(1, column, MAX_ROWS - 1, column, rule)
