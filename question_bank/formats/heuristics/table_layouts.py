"""Lay out as one question a row the tables whose questions stand side by side, or each down the sheet with the names of its fields beside."""

from collections.abc import Sequence
from dataclasses import replace

from examapp.documents.number_formats import cell_text
from examapp.documents.workbook_notes import SheetNotes
from question_bank.formats.heuristics.table_headers import HEADER_ROWS, find_header
from question_bank.formats.heuristics.table_names import Field, field_known, normalise_header
from question_bank.formats.heuristics.table_questions import QuestionTable

MIN_NAMED = 0.8
"""Share of the rows of upright questions whose first cell names a field."""

Rows = list[list[object]]


def lay_out(table: QuestionTable) -> QuestionTable:
    """Return a table with one question a row; the table itself where it has them so, or where merged cells, pictures or comments would lose their place."""
    if table.joined or table.pictures or table.names.said or table.notes != SheetNotes():
        return table
    texts = [[cell_text(value) for value in row] for row in table.rows[:HEADER_ROWS]]
    for number, row in enumerate(texts):
        if width := _twin_width(row):
            return _one_below_other(table, number, width)
    return table if find_header(texts) is not None else _turned(table)


def _field(cell: str) -> Field | None:
    named = field_known(cell)
    return named[0] if named else None


def _twin_width(row: Sequence[str]) -> int:
    """Return how many columns a table is wide that stands in a row of heads twice or more, side by side; 0 where none does."""
    names = [normalise_header(cell) for cell in row]
    while names and not names[-1]:
        names.pop()
    stems = [index for index, cell in enumerate(row) if _field(cell) is Field.STEM]
    width = stems[1] - stems[0] if len(stems) > 1 else 0
    is_twin = width > 1 and all(
        name == names[index % width] for index, name in enumerate(names[: len(names) // width * width])
    )
    return width if is_twin and len(names) - len(names) // width * width == 0 and all(names) else 0


def _one_below_other(table: QuestionTable, head: int, width: int) -> QuestionTable:
    rows: Rows = [list(row[:width]) for row in table.rows[: head + 1]]
    numbers, sides = list(table.numbers[: head + 1]), [0] * (head + 1)
    for start in range(0, max(map(len, table.rows)), width):
        for at, row in enumerate(table.rows[head + 1 :], head + 1):
            part = list(row[start : start + width])
            if not start or any(cell_text(value) for value in part):
                rows.append(part)
                numbers.append(table.numbers[at])
                sides.append(start // width)
    return replace(table, rows=rows, numbers=numbers, sides=sides)


def _turned(table: QuestionTable) -> QuestionTable:
    """Return the table of upright questions (`题干 | …`, below it `选项A | …`) as rows; the table itself where it is none of these."""
    filled = [(at, [cell_text(value) for value in row]) for at, row in enumerate(table.rows)]
    filled = [(at, row) for at, row in filled if any(row)]
    named = [(at, row) for at, row in filled if _field(row[0])]
    stems = sum(_field(row[0]) is Field.STEM for _, row in named)
    is_wide = any(any(row[2:]) for _, row in named)
    if stems < 2 or len(named) < MIN_NAMED * len(filled) or is_wide:
        return table
    first = normalise_header(named[0][1][0])
    blocks: list[dict[str, tuple[int, object]]] = []
    for at, row in named:
        name = normalise_header(row[0])
        if name == first or not blocks:
            blocks.append({})
        if name in blocks[-1]:
            return table
        blocks[-1][name] = (at, table.rows[at][1] if len(row) > 1 else "")
    heads = list(dict.fromkeys(name for block in blocks for name in block))
    if len(blocks) != stems or find_header([heads]) is None:
        return table
    rows: Rows = [list(heads), *([block.get(name, (0, ""))[1] for name in heads] for block in blocks)]
    starts = [min(at for at, _ in block.values()) for block in blocks]
    numbers = [table.numbers[at] for at in (starts[0], *starts)]
    return replace(table, rows=rows, numbers=numbers)
