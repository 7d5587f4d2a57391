"""Read workbooks whose sheets hold a text, a line in each row, and no table."""

import re
from collections.abc import Sequence
from dataclasses import replace

from examapp.documents.archives import UnreadableFileError
from examapp.documents.number_formats import cell_text
from examapp.documents.workbooks import WorkbookSheet
from question_bank.formats.text import read_text
from question_bank.model import Note, ParseResult

_MIN_SHARE = 0.9
"""Share of the rows that have one filled cell, or a number or letter and a text beside it."""
_MARK = re.compile(r"(\d{1,4}|[A-Ha-h])[.．、]?")
_LINE = re.compile(r"第 (\d+) 行")


def read_sheet_text(sheets: Sequence[WorkbookSheet], *, name: str, format_name: str) -> ParseResult | None:
    """Return the questions of visible sheets that hold lines of text; None where they hold anything else, or no question."""
    whole = ParseResult(format_name)
    for sheet in sheets:
        lines = [] if sheet.hidden else _lines_of(sheet)
        if not lines:
            continue
        try:
            reading = read_text("\n".join(text for _, text in lines), name=name, format_name=format_name)
        except UnreadableFileError:
            return None
        _say_rows(reading, sheet.name, [row for row, _ in lines])
        whole.imported.extend(reading.imported)
        whole.needing_review.extend(reading.needing_review)
        whole.rejected.extend(reading.rejected)
        whole.remarks.extend(reading.remarks)
    return whole if whole.found else None


def _lines_of(sheet: WorkbookSheet) -> list[tuple[int, str]]:
    """Return the lines of a sheet with their rows' numbers; none where too many rows have further cells."""
    lines: list[tuple[int, str]] = []
    filled = odd = 0
    for number, row in enumerate(sheet.rows, 1):
        cells = [text for cell in row if (text := cell_text(cell).strip())]
        is_marked = len(cells) == 2 and _MARK.fullmatch(cells[0]) is not None
        filled, odd = filled + bool(cells), odd + (len(cells) > 1 and not is_marked)
        text = f"{cells[0].rstrip('.．、')}. {cells[1]}" if is_marked else "  ".join(cells)
        lines += [(number, line) for line in text.split("\n")]
    return lines if filled > 2 and odd <= (1 - _MIN_SHARE) * filled else []


def _say_rows(reading: ParseResult, sheet: str, rows: Sequence[int]) -> None:
    """Say places by sheet and row."""

    def moved(note: Note) -> Note:
        return replace(note, where=place(note.where))

    def place(where: str) -> str:
        return _LINE.sub(lambda match: f"工作表“{sheet}” 第 {rows[min(int(match[1]), len(rows)) - 1]} 行", where)

    imported = reading.imported
    reading.imported = [
        replace(one, where=place(one.where), dropped=tuple(map(moved, one.dropped))) for one in imported
    ]
    reading.needing_review = [replace(one, note=moved(one.note)) for one in reading.needing_review]
    reading.rejected, reading.remarks = [*map(moved, reading.rejected)], [*map(moved, reading.remarks)]
