"""Find the rows of a table that are one question: a merged stem, options in rows of their own, a stem that goes on in the next row."""

import re
from collections.abc import Iterator, Sequence

from question_bank.formats.heuristics.table_headers import HeaderColumn, TableHeader
from question_bank.formats.heuristics.table_names import Field
from question_bank.formats.heuristics.text_patterns import read_material

HEADING = re.compile(
    r"(?:第\s*[一二三四五六七八九十百\d]{1,4}\s*(?:章|节|部分|编|单元|篇)|[一二三四五六七八九十]{1,3}[、.．]|[(（][一二三四五六七八九十]{1,3}[)）]|《[^》]+》$|附件?[:：])"
)
"""The beginning of a heading, which no stem goes on with."""
_STEM_ENDS = tuple("。？?！!；;：:）)】_")


def group_rows(
    texts: Sequence[Sequence[str]], header: TableHeader, joined: Sequence[tuple[int, int, int, int]]
) -> Iterator[list[int]]:
    """Yield the rows of each question below a head: several where the stem is one merged cell over them, or where they go on with it."""
    stem = header.of(Field.STEM)[0]
    groups = {number: [number] for number in range(header.last_row + 1, len(texts))}
    for top, left, bottom, right in joined:
        if left <= stem.index <= right and top > header.last_row and bottom > top and top in groups:
            for number in range(top + 1, bottom + 1):
                if groups.pop(number, None):
                    groups[top].append(number)
    options = {column.index for column in header.of(Field.OPTIONS)}
    cells = options | {column.index for column in header.of(Field.RIGHT)}
    above = None
    for number in sorted(groups):
        filled = {index for index, text in enumerate(texts[number]) if text}
        has_option = bool(filled & options) and filled <= cells
        if above is not None and (has_option or _goes_on(texts, header, groups[above], number, filled)):
            groups[above].extend(groups.pop(number))
        else:
            above = number if filled & {*cells, stem.index} else None
    yield from (groups[number] for number in sorted(groups))


def _goes_on(
    texts: Sequence[Sequence[str]], header: TableHeader, numbers: list[int], number: int, filled: set[int]
) -> bool:
    """Return whether a row with nothing but a stem goes on with that of the row above, which has a number and does not end."""
    stem, codes = header.of(Field.STEM)[0], header.of(Field.CODE)
    if filled != {stem.index} or numbers[-1] != number - 1 or not codes or not _cell(texts[numbers[0]], codes[0]):
        return False
    text = _cell(texts[number], stem)
    return not (_cell(texts[number - 1], stem).endswith(_STEM_ENDS) or HEADING.match(text) or read_material(text))


def _cell(row: Sequence[str], column: HeaderColumn) -> str:
    return row[column.index] if column.index < len(row) else ""


def merge_rows(texts: Sequence[Sequence[str]], numbers: Sequence[int]) -> list[str]:
    """Return the cells of a question's rows as one row."""
    first = list(texts[numbers[0]])
    for number in numbers[1:]:
        for index, text in enumerate(texts[number]):
            if text and index < len(first) and text not in first[index].split("\n"):
                first[index] = f"{first[index]}\n{text}" if first[index] else text
    return first
