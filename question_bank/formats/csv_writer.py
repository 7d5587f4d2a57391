"""Questions written as a csv table of our own shape."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from question_bank.formats.excel.writing import OPTION_COLUMNS, columns, rows_of
from question_bank.formats.written import Written
from question_bank.model import OPTION_LETTERS, Question
from question_bank.parse_result import Note

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write(questions: Sequence[Question]) -> Written:
    """Write UTF-8 with its mark, which Excel and WPS know; what would live as a formula there gets an apostrophe before it."""
    wide = max((len(one.options) for question in questions for one in (question, *question.parts)), default=0)
    heads = columns(max(OPTION_COLUMNS, min(wide, len(OPTION_LETTERS))))
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(heads)
    losses: list[Note] = []
    for number, row in enumerate(rows_of(questions), 2):
        losses += [Note(note.where, note.reason.replace("Excel", "csv"), note.code) for note in row.losses]
        if row.pictures:
            losses.append(Note(row.where, "题里的图片没有写入 csv。", "image"))
        cells = [row.cells.get(head, "") for head in heads]
        for head, cell in zip(heads, cells, strict=True):
            if cell.startswith(_FORMULA):
                reason = f"内容以“{cell[0]}”开头，前面加了单引号，以免被当作公式。"
                losses.append(Note(f"第 {number} 行「{head}」列", reason, "formula"))
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return Written(("\ufeff" + target.getvalue()).encode(), losses)
