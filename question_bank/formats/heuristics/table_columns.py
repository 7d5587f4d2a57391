"""Describe the columns of a table to the person who is asked what they hold."""

from collections.abc import Iterator, Sequence

from question_bank.formats.heuristics.table_guess import guess_header
from question_bank.formats.heuristics.table_headers import (
    HEADER_ROWS,
    REMEMBERED,
    SAID,
    TableHeader,
    field_named,
    field_of_code,
    key_of,
)
from question_bank.formats.heuristics.table_names import MAX_HEADER, Field, own_header
from question_bank.model import OPTION_LETTERS, ColumnNames, TableColumns

MAX_SAMPLE = 60
"""Characters of a cell, and columns of a table, that are shown."""


def label_of(code: str) -> str:
    """Return how people call what a column holds."""
    wanted, place = field_of_code(code)
    if wanted is Field.OPTION:
        return f"选项{OPTION_LETTERS[place]}"
    numbered = {Field.BLANK: f"第 {place + 1} 空答案", Field.ANSWER_N: f"第 {place + 1} 个答案"}
    named = {Field.OPTIONS: "选项（都在一格里）", Field.MULTI: "是否多选"}
    return numbered.get(wanted) or named.get(wanted) or own_header(wanted)


def column_choices() -> dict[str, str]:
    """Return what a person may say that a column holds: codes with their labels, the commonest first."""
    first = (Field.STEM, Field.KIND, Field.ANSWER, Field.OPTIONS)
    codes = [f"{one}:0" for one in first] + [f"option:{place}" for place in range(10)]
    codes += [f"{one}:0" for one in Field if one not in {*first, Field.OPTION, Field.BLANK, Field.ANSWER_N}]
    codes += [f"blank:{place}" for place in range(6)]
    return {code: label_of(code) for code in codes}


def describe_columns(
    place: str, rows: Sequence[Sequence[str]], header: TableHeader | None, names: ColumnNames
) -> TableColumns | None:
    """Return the columns of a table with a few rows; None where it has not even two columns.

    Where no head was recognised, the fields are proposals: by single heads that are known, and by cells that are unambiguous.
    """
    filled = [sum(bool(cell) and len(cell) <= MAX_HEADER for cell in row) for row in rows[:HEADER_ROWS]]
    row = header.row if header else filled.index(max(filled)) if filled else 0
    last = header.last_row if header else row
    below = [one for one in rows[last + 1 :] if any(one)][:3]
    shown = rows[row] if 0 <= row < len(rows) and not (header and header.is_guessed) else ()
    width = min(max(map(len, (shown, *below)), default=0), MAX_SAMPLE)
    heads = tuple(_cell(shown, index) for index in range(width))
    keys = tuple(key_of(head, index) for index, head in enumerate(heads))
    found = [field_named(head, names, index) for index, head in enumerate(heads)]
    if header and header.row == header.last_row and not header.is_from_zero:
        by_index = {column.index: (column.field, column.place) for column in header.columns}
        found = [(*by_index[at], one[2] if one else SAID) if at in by_index else one for at, one in enumerate(found)]
    if header is None and (guessed := guess_header([list(one) for one in rows[last + 1 :]])):
        proposed = {column.index: (column.field, column.place, SAID) for column in guessed.columns}
        found = [one or proposed.get(at) for at, one in enumerate(found)]
    fields = tuple(f"{one[0]}:{one[1]}" if one else "" for one in found)
    samples = tuple(tuple(_cell(one, index)[:MAX_SAMPLE] for index in range(width)) for one in below)
    shortened = tuple(head[:MAX_SAMPLE] for head in heads)
    remembered = tuple(index for index, one in enumerate(found) if header and one and one[2] == REMEMBERED)
    return TableColumns(place, shortened, keys, fields, samples, remembered, header is not None) if width > 1 else None


def _cell(row: Sequence[str], index: int) -> str:
    return row[index] if index < len(row) else ""


def column_remarks(header: TableHeader, columns: TableColumns | None) -> Iterator[tuple[str, str]]:
    """Yield reason and code of what a person should know about the columns: seen by their cells alone, or read as was said about an earlier file."""
    if header.is_guessed:
        places = sorted(header.columns, key=lambda column: column.index)
        named = "、".join(f"第 {one.index + 1} 列{label_of(f'{one.field}:{one.place}')}" for one in places)
        yield f"表格没有表头，已按内容认出：{named}。请核对，不对时在“各列是什么”里改正。", "columns_guessed"
    if columns is None:
        return
    for place in columns.remembered:
        head, code = columns.heads[place], columns.fields[place]
        yield f"“{head}”列按以前的说明读作“{label_of(code)}”。如不对，请在下面改正。", "column_remembered"
