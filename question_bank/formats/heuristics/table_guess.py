"""Find what the columns of a table without a head hold, where their cells leave no doubt: numbers, kinds, stems, options, keys."""

from collections.abc import Sequence

from question_bank.formats.heuristics import kind_names, table_cells
from question_bank.formats.heuristics.answers import is_truth_word, looks_like_key, read_letters, read_truth
from question_bank.formats.heuristics.table_headers import HeaderColumn, TableHeader
from question_bank.formats.heuristics.table_names import Field
from question_bank.model import OPTION_LETTERS

MIN_ROWS = 4
"""Rows by which cells without a head are believed."""
MIN_STEM = 8
"""Characters of stems on average."""
MAX_TITLES = 3
"""Rows with one filled cell that may stand above."""


def guess_header(rows: Sequence[Sequence[str]]) -> TableHeader | None:
    """Return the head that a table would have, its row that of the titles above; None unless each row has a stem and a key that fits its options."""
    filled = [number for number, row in enumerate(rows) if sum(map(bool, row)) > 1]
    if len(filled) < MIN_ROWS or filled[0] > MAX_TITLES or filled != list(range(filled[0], filled[0] + len(filled))):
        return None
    body = [rows[number] for number in filled]
    columns = [[_cell(row, index) for row in body] for index in range(max(map(len, body)))]
    found = _fields_of(columns)
    if found is None or not all(_fits(row, found) for row in body):
        return None
    known = {column.index for column in found}
    unknown = [
        (index, f"第 {index + 1} 列") for index, cells in enumerate(columns) if any(cells) and index not in known
    ]
    return TableHeader(filled[0] - 1, filled[0] - 1, found, [*unknown], is_guessed=True)


def _cell(row: Sequence[str], index: int) -> str:
    return row[index] if index < len(row) else ""


def _fields_of(columns: Sequence[Sequence[str]]) -> list[HeaderColumn] | None:
    """Return the columns by their cells: one of keys, one of stems, between them or behind those of options."""
    keys = [index for index, cells in enumerate(columns) if all(cells) and all(map(_is_key, cells))]
    numbers = [index for index, cells in enumerate(columns) if _are_numbers(cells)]
    kinds = [index for index, cells in enumerate(columns) if all(cells) and all(map(_names_kind, cells))]
    texts = [index for index in range(len(columns)) if index not in {*keys, *numbers, *kinds}]
    lengths = {index: sum(map(len, columns[index])) / len(columns[index]) for index in texts if all(columns[index])}
    stem = next((index for index, length in lengths.items() if length >= MIN_STEM), None)
    if len(keys) != 1 or stem is None or len(kinds) > 1 or stem != min(texts):
        return None
    options: list[int] = []
    for index in texts[texts.index(stem) + 1 :]:
        if index != stem + 1 + len(options) or (keys[0] > stem and index > keys[0]):
            break
        options.append(index)
    found = [HeaderColumn(stem, Field.STEM, 0, ""), HeaderColumn(keys[0], Field.ANSWER, 0, "")]
    found += [HeaderColumn(index, Field.KIND, 0, "") for index in kinds]
    found += [HeaderColumn(index, Field.CODE, 0, "") for index in numbers[:1] if index < stem]
    if len(options) == 1:
        found.append(HeaderColumn(options[0], Field.OPTIONS, 0, ""))
    elif len(options) <= len(OPTION_LETTERS):
        found += [HeaderColumn(index, Field.OPTION, place, "") for place, index in enumerate(options)]
    return found


def _is_key(text: str) -> bool:
    return looks_like_key(text) and len(text) <= len(OPTION_LETTERS)


def _names_kind(text: str) -> bool:
    return kind_names.kind_of(text) is not None or kind_names.is_choice_name(text)


def _are_numbers(cells: Sequence[str]) -> bool:
    numbers = [int(cell) for cell in cells if cell.isdigit() and len(cell) < 6]
    return len(numbers) == len(cells) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _fits(row: Sequence[str], columns: Sequence[HeaderColumn]) -> bool:
    """Return whether a row's key names options that it has, or a truth where it has none."""
    by_field = {column.field: column for column in columns}
    answer = _cell(row, by_field[Field.ANSWER].index)
    texts = [text for column in columns if column.field is Field.OPTION and (text := _cell(row, column.index))]
    if Field.OPTIONS in by_field:
        texts = [text for _, text in table_cells.read_options(_cell(row, by_field[Field.OPTIONS].index))]
    if not texts or all(map(is_truth_word, texts)):
        return read_truth(answer) is not None
    letters = read_letters(answer, count=len(texts))
    return len(texts) > 1 and letters is not None and OPTION_LETTERS.index(letters[-1]) < len(texts)
