"""Read and write questions as csv files, of any common encoding and divider."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import PurePath

from examapp.documents.archives import UnreadableFileError
from examapp.documents.decoding import decode_text
from question_bank.formats.export import ExportedFile
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.resolving import resolve_questions
from question_bank.formats.heuristics.table_headers import HEADER_ROWS, find_header
from question_bank.formats.heuristics.table_questions import Table, join_cases
from question_bank.formats.heuristics.table_rows import read_table
from question_bank.formats.table_export import OPTION_COLUMNS, columns, rows_of
from question_bank.model import OPTION_LETTERS, Question
from question_bank.parse_result import Note, ParseResult

MAX_COLUMNS = 1000
"""Columns of a row, empty ones at its end apart."""
MAX_ROWS = 100_000
DIVIDERS = (",", "\t", ";", "|", "，")

_QUOTED_FORMULA = re.compile(r"^'(?=[=+\-@＝＋－＠])")
"""The apostrophe that keeps a spreadsheet from taking a text for a formula."""
_MARK = re.compile(r"sep=(.)\n", re.IGNORECASE)
_NO_TABLE = (
    "没有找到题目表格：前十行里没有同时写着“题干”和“答案”“选项”或“题型”的表头。"
    "请核对是否选错了文件，或按“下载模板”里的表头整理后再导入。"
)


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the file's first rows have the head of a question table."""
    if PurePath(name).suffix.lower() not in {".csv", ".tsv", ".txt", ""}:
        return False
    try:
        text = decode_text(content)
    except UnreadableFileError:
        return False
    return divider_of(text) is not None


def divider_of(text: str) -> str | None:
    """Return the sign that divides the columns of a question table; None when the text holds no such table."""
    header = _MARK.sub("", text[:20_000], count=1)
    best: tuple[int, str] | None = None
    for divider in DIVIDERS:
        try:
            found = find_header(
                [[cell.strip() for cell in row] for row, _ in _rows(header, divider, limit=HEADER_ROWS)]
            )
        except (csv.Error, UnreadableFileError):
            continue
        if found and (best is None or len(found.columns) > best[0]):
            best = (len(found.columns), divider)
    return best[1] if best else None


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a csv file; UnreadableFileError when it holds no question table."""
    return read_csv_text(decode_text(content), name=name, format_name="csv")


def read_csv_text(text: str, *, name: str, format_name: str) -> ParseResult:
    """Return all questions of a table that stands in a text."""
    divider = divider_of(text)
    if divider is None:
        raise UnreadableFileError(_NO_TABLE)
    try:
        lines = list(_rows(_MARK.sub("\n", text, count=1), divider, limit=MAX_ROWS + 1))
    except csv.Error as error:
        raise UnreadableFileError(
            "csv 文件的引号不配对，读不出来。请用 Excel 或 WPS 打开后另存为 .xlsx 再导入。"
        ) from error
    if len(lines) > MAX_ROWS:
        raise UnreadableFileError(f"csv 文件超过 {MAX_ROWS} 行。请拆成几个文件再导入。")
    hint = kind_names.kind_in(PurePath(name).stem)
    rows = [row for row, _ in lines]
    table = Table("", rows, [number for _, number in lines], kind_hint=hint, width=_width(rows))
    result = read_table(table)
    reading = resolve_questions(join_cases(result.rows), format_name=format_name)
    reading.remarks.extend(result.remarks)
    reading.remarks.extend(_open_quote(lines, text.count("\n") + 1, divider))
    return reading


def _width(rows: list[list[str]]) -> int:
    """Return how many cells most rows have at most, the head's at least: a column without a head is no stray divider."""
    header = find_header([[cell.strip() for cell in row] for row in rows[:HEADER_ROWS]])
    own = len(rows[header.row]) if header else 0
    longer = [len(row) for row in rows if len(row) > own]
    return own if len(longer) * 2 <= len(rows) else max(longer, default=own)


def _open_quote(lines: list[tuple[list[str], int]], height: int, divider: str) -> list[Note]:
    """Return a quote that is never closed swallows all rows below it: say where, and how many."""
    row, begin = lines[-1] if lines else ([], 1)
    swallowed = row[-1].rstrip().count("\n") if row else 0
    if swallowed < 1 or begin + swallowed < height - 1 or row[-1].count(divider) < swallowed:
        return []
    reason = f"这一行有一个引号没有关上，下面 {swallowed} 行都并进了这一行，没有读成题目。请补上引号后重新导入。"
    return [Note(f"第 {begin} 行", reason, "open_quote")]


def _rows(text: str, divider: str, *, limit: int) -> list[tuple[list[str], int]]:
    """Return rows with the number of the line on which each begins."""
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider)
    rows: list[tuple[list[str], int]] = []
    begin = 1
    for row in reader:
        row[:] = [_QUOTED_FORMULA.sub("", cell) for cell in row]
        while row and not row[-1].strip():
            row.pop()
        if len(row) > MAX_COLUMNS:
            raise UnreadableFileError(f"csv 文件有一行超过 {MAX_COLUMNS} 列，不像题目表格。请删去多余的列再导入。")
        rows.append((row, begin))
        begin = reader.line_num + 1
        if len(rows) >= limit:
            break
    return rows


_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write(questions: Sequence[Question]) -> ExportedFile:
    """Write UTF-8 with its mark, which Excel and WPS know; what would live as a formula there gets an apostrophe before it."""
    wide = max((len(one.options) for question in questions for one in (question, *question.parts)), default=0)
    headers = columns(max(OPTION_COLUMNS, min(wide, len(OPTION_LETTERS))))
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(headers)
    losses: list[Note] = []
    for number, row in enumerate(rows_of(questions), 2):
        losses += [Note(note.where, note.reason.replace("Excel", "csv"), note.code) for note in row.losses]
        if row.pictures:
            losses.append(Note(row.where, "题里的图片没有写入 csv。", "image"))
        cells = [row.cells.get(header, "") for header in headers]
        for header, cell in zip(headers, cells, strict=True):
            if cell.startswith(_FORMULA):
                reason = f"内容以“{cell[0]}”开头，前面加了单引号，以免被当作公式。"
                losses.append(Note(f"第 {number} 行「{header}」列", reason, "formula"))
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return ExportedFile(("\ufeff" + target.getvalue()).encode(), losses)
