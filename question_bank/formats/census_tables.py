"""Count the questions that tables seem to hold, by heads and cells alone; a part of the census, which uses no reader's code."""

import re
from collections.abc import Iterable, Iterator, Sequence

MAX_HEAD = 10
"""Rows among which the head of a table is looked for."""
MAX_NAME = 12
"""Characters of a cell in such a head."""
MAX_SHORT = 4
"""Characters: cells of a second row of heads are shorter."""
_HEAD_STEM = re.compile(r"题干|题目|试题|问题|question|stem", re.IGNORECASE)
_HEAD_REST = re.compile(
    r"数量?$|个数|编号|序号|答案|选项|正确|题型|解析|分数|分值|难度|answer|option|key", re.IGNORECASE
)
_SENTENCE = re.compile(r"[，。；？！,;?!]")
_HEAD_KEY = re.compile(r"^(?!.*(?:解析|是否|说明)).*(?:答案|正确选项)|answer", re.IGNORECASE)
_HEAD_OPTION = re.compile(r"^(?:(?!.*(?:是否|正确|答案|数)).*(?:选项|备选)|[A-HＡ-Ｈ])\S{0,2}$|option", re.IGNORECASE)
_ROW = re.compile(r"<(?:\w+:)?(?:tr|table-row|Row)(?=[\s/>])")
_CELL = re.compile(r"<(?:\w+:)?(?:t[dh]|table-cell|covered-table-cell|Cell)(?=[\s/>])")
_REPEATED = re.compile(r"""(?:number-columns-repeated|colspan)\s*=\s*["']?(\d{1,3})""", re.IGNORECASE)
_DOWN = re.compile(r"""rowspan\s*=\s*["']?(\d{1,4})""", re.IGNORECASE)
_TABLE = re.compile(r"<table:table\s")
MAX_SPAN = 50
"""Columns over which one cell is counted as more than one."""


def count_rows(rows: Iterable[Sequence[object]]) -> int | None:
    """Count the rows with two filled cells below a head that names a question and something beside; None without such a head."""
    rows = list(rows)
    upright = [
        str(row[0]).strip()
        for row in rows
        if len(row) > 1 and str(row[1]).strip() and not any(map(str.strip, map(str, row[2:])))
    ]
    stems = [name for name in upright if is_stem_name(name)]
    if len(stems) > 1 and len(set(stems)) == 1 and len(set(upright)) * 2 <= len(upright):
        return len(stems)
    filled = [cells for row in rows if sum(map(bool, cells := [str(cell).strip() for cell in row])) > 1]
    filled = [cells for cells in filled if "".join(cells).strip("-: ")]  # the ruler of a Markdown table
    for place, cells in enumerate(filled[:MAX_HEAD]):
        names = [cell if len(cell) <= MAX_NAME else "" for cell in cells]
        stem = next(
            (at for at, name in enumerate(names) if _HEAD_STEM.search(name) and not _HEAD_REST.search(name)), None
        )
        if stem is not None and any(map(_HEAD_REST.search, names)):
            counted = [row for row in filled[place + 1 :] if not _is_option_row(row) and not is_head_again(row)]
            twins = [at for at, name in enumerate(names) if at > stem and name == names[stem]]
            beside = sum("".join(row[at : at + 1]) != "" for row in counted for at in twins)
            return _joined_away([row for row in counted if _is_asked(row, names, stem)], names, stem) + beside
    return None


def _is_asked(row: Sequence[str], names: Sequence[str], stem: int) -> bool:
    """Return whether a row has a stem, an answer, or two options: others go on with the question above, are a second row of heads, or stand below."""
    if "".join(row[stem : stem + 1]):
        return True
    if all(len(cell) < MAX_SHORT for cell in row):
        return False
    filled = [name for cell, name in zip(row, names, strict=False) if cell]
    return any(map(_HEAD_KEY.search, filled)) or sum(_HEAD_OPTION.search(name) is not None for name in filled) > 1


def _joined_away(rows: Sequence[Sequence[str]], names: Sequence[str], stem: int) -> int:
    """Count rows; those that repeat the stem above count once where each has an option and says whether it is right."""
    options = sum(_HEAD_OPTION.search(name) is not None for name in names)
    place_of_options = next((at for at, name in enumerate(names) if _HEAD_OPTION.search(name)), 0)
    is_marked = any("是否" in name or "correct" in name.lower() for name in names)
    stems = ["".join(row[stem : stem + 1]) for row in rows]
    again = [at for at in range(1, len(rows)) if stems[at] == stems[at - 1]]
    is_lettered = all(re.match(r"[B-H]", "".join(rows[at][place_of_options : place_of_options + 1])) for at in again)
    return len(rows) - len(again) if options == 1 and (is_marked or is_lettered) else len(rows)


def _is_option_row(row: Sequence[str]) -> bool:
    """Return whether a row begins with an option's letter alone: it goes on with the question above."""
    return next(filter(None, row), "").upper() in {*"BCDEFGH"} or (row[0].upper() == "A" and len(row[0]) == 1)


def is_head_again(row: Sequence[str]) -> bool:
    """Return whether a row names a question and something beside, and nothing else."""
    names = [cell for cell in row if cell and len(cell) <= MAX_NAME and not _SENTENCE.search(cell)]
    is_stem = any(_HEAD_STEM.search(name) and not _HEAD_REST.search(name) for name in names)
    return is_stem and len(names) == sum(map(bool, row)) and any(map(_HEAD_REST.search, names))


def is_stem_name(text: str) -> bool:
    """Return whether a cell names the column of questions."""
    return len(text) <= MAX_NAME and _HEAD_STEM.search(text) is not None and _HEAD_REST.search(text) is None


def count_markup(text: str) -> int | None:
    """Count the rows of tables that are written in tags: in OpenDocument each with a head of its own, else one head for all."""
    parts = _TABLE.split(text)[1:] or [text]
    counts = [count_rows(_rows_of(part)) for part in parts]
    return sum(filter(None, counts)) or next((0 for count in counts if count is not None), None)


def _rows_of(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row in their columns: those that one above spans, or that the same tag stands for, are empty."""
    down: dict[int, int] = {}
    for row in _ROW.split(text)[1:]:
        cells: list[str] = []
        for cell in _CELL.split(row)[1:]:
            while down.get(len(cells), 0):
                down[len(cells)] -= 1
                cells.append("")
            tag, _, _ = cell.partition(">")
            repeated, spanned = _REPEATED.search(tag), _DOWN.search(tag)
            content = bare(f"<{cell}")
            is_same = repeated is not None and "repeated" in repeated[0]
            for place in range(min(int(repeated[1]), MAX_SPAN) if repeated else 1):
                if spanned:
                    down[len(cells)] = int(spanned[1]) - 1
                cells.append(content if is_same or not place else "")
        while down.get(len(cells), 0):
            down[len(cells)] -= 1
            cells.append("")
        yield cells


def bare(tagged: str) -> str:
    """Return a text without its tags."""
    return re.sub(r"<[^<>]*>", "", tagged).strip()
