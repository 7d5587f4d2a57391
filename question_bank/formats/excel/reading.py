"""Workbooks of questions in any of the shapes that Chinese platforms give, and in our own."""

from __future__ import annotations

from pathlib import PurePath

from question_bank.formats import kinds
from question_bank.formats.assembling import assemble
from question_bank.formats.excel.workbook import OLE, ZIP, Sheet, open_sheets
from question_bank.formats.raw import RawQuestion
from question_bank.formats.tables.cases import join_cases
from question_bank.formats.tables.rows import read_table
from question_bank.formats.tables.table import Table
from question_bank.model import Kind
from question_bank.parse_result import Note, ParseResult, UnreadableFileError

_NO_TABLE = (
    "没有找到题目表格：前十行里没有同时写着“题干”和“答案”“选项”或“题型”的表头。"
    "请核对是否选错了文件，或按“下载模板”里的表头整理后再导入。"
)


def looks_like(content: bytes, name: str) -> bool:
    """Whether the file is a workbook, by its first bytes and its name or its inner names."""
    if content.startswith(ZIP):
        return b"xl/" in content[:200_000] or b"xl/workbook" in content[-200_000:]
    return content.startswith(OLE) and PurePath(name).suffix.lower() in {".xls", ".xlsx", ".xlsm", ".et", ""}


def read(content: bytes, *, name: str) -> ParseResult:
    """All questions of all visible sheets; UnreadableFileError when the file is no workbook or holds no question table."""
    raws: list[RawQuestion] = []
    remarks: list[Note] = []
    found_table = False
    file_kind = kinds.kind_in(PurePath(name).stem)
    for sheet in open_sheets(content, name=name):
        result = read_table(_table(sheet, file_kind))
        place = f"工作表「{sheet.name}」"
        if result.head is None:
            if any(cell for row in sheet.rows for cell in row):
                remarks.append(Note(place, "这张工作表不是题目表格，没有导入。", "sheet_not_kept"))
            continue
        if sheet.hidden:
            remarks.append(_hidden(place, len(result.rows)))
            continue
        found_table = True
        raws.extend(join_cases(result.rows))
        remarks.extend(result.remarks)
    if not found_table:
        raise UnreadableFileError(_hidden_only(remarks) or _NO_TABLE)
    reading = assemble(raws, format_name="excel")
    reading.remarks.extend(remarks)
    return reading


def _table(sheet: Sheet, file_kind: Kind | None) -> Table:
    kind = kinds.kind_of(sheet.name) or kinds.kind_in(sheet.name)
    label = sheet.name if kind is None and kinds.unsupported_name(sheet.name) else ""
    return Table(
        f"工作表「{sheet.name}」", sheet.rows, range(1, len(sheet.rows) + 1),
        kind_hint=kind or (None if label else file_kind), label_hint=label, joined=sheet.joined,
        pictures=sheet.pictures, cell_pictures=sheet.cell_pictures,
    )  # fmt: skip


def _hidden(place: str, count: int) -> Note:
    return Note(
        place, f"这张工作表是隐藏的，里面的 {count} 行题目没有导入。如要导入，请取消隐藏后再上传。", "hidden_sheet"
    )


def _hidden_only(remarks: list[Note]) -> str:
    return (
        "题目都在隐藏的工作表里。请取消隐藏后再导入。" if any(note.code == "hidden_sheet" for note in remarks) else ""
    )
