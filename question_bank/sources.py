"""Show the words of a file around each question that a person has to look at, where the file is no plain text."""

import re
from collections.abc import Iterator, Sequence

from examapp.documents.archives import UnreadableFileError
from question_bank.model import ParseResult

MAX_PLACES = 2000
"""Questions of a file whose source is shown."""
MAX_LINE = 200
BEFORE, AFTER = 2, 9
"""Paragraphs shown before and after the one that a question begins with."""
_ROW = re.compile(r"工作表“(?P<sheet>.*)” ?第 (?P<row>\d+) 行.*", re.DOTALL)
_PARAGRAPH = re.compile(r"第 (\d+) 段")
_TABLE_ROW = re.compile(r"第 (\d+) 张题目表格 ?第 (\d+) 行.*", re.DOTALL)
Lines = list[tuple[str, str]]
"""Label and text of each line."""


def find_sources(content: bytes, name: str, result: ParseResult) -> dict[str, Lines]:
    """Return by place the paragraphs around a doubtful or rejected question of a Word document, or the cells of its row in a workbook."""
    places = dict.fromkeys(
        [item.note.where for item in result.needing_review] + [note.where for note in result.rejected]
    )
    finder = {"docx": _in_document, "excel": _in_workbook}.get(result.format)
    if finder is None or not places:
        return {}
    try:
        return dict(finder(content, name, list(places)[:MAX_PLACES]))
    except UnreadableFileError:
        return {}


def _in_document(content: bytes, _name: str, places: Sequence[str]) -> Iterator[tuple[str, Lines]]:
    from question_bank.formats.docx import numbered_lines

    lines, tables = numbered_lines(content)
    first: dict[int, int] = {}
    for index, (number, _) in enumerate(lines):
        first.setdefault(number, index)
    for place in places:
        if (match := _PARAGRAPH.fullmatch(place)) and int(match[1]) in first:
            index = first[int(match[1])]
            shown = lines[max(index - BEFORE, 0) : index + AFTER]
            yield place, [(str(number), text[:MAX_LINE]) for number, text in shown if text.strip()]
        elif (match := _TABLE_ROW.fullmatch(place)) and int(match[1]) <= len(tables):
            yield place, _cells(tables[int(match[1]) - 1], int(match[2]))


def _in_workbook(content: bytes, name: str, places: Sequence[str]) -> Iterator[tuple[str, Lines]]:
    from examapp.documents.workbooks import open_sheets

    sheets = {sheet.name: sheet.rows for sheet in open_sheets(content, name=name, may_hold_macros=True)}
    for place in places:
        if (match := _ROW.fullmatch(place)) and match["sheet"] in sheets:
            yield place, _cells(sheets[match["sheet"]], int(match["row"]))


def _cells(rows: Sequence[Sequence[object]], number: int) -> Lines:
    """Return the filled cells of a row, counted from 1, labelled by their columns' letters."""
    row = rows[number - 1] if 0 < number <= len(rows) else ()
    texts = [(_letters(index), " ".join(str(cell).split())[:MAX_LINE]) for index, cell in enumerate(row)]
    return [(letter, text) for letter, text in texts if text]


def _letters(index: int) -> str:
    """Return a column's letters as Excel shows them: A to Z, then AA."""
    first, last = divmod(index, 26)
    return (_letters(first - 1) if first else "") + chr(ord("A") + last)
