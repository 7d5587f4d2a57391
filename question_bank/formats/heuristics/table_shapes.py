"""Write tables of unusual shape in the usual one, before their head is looked for."""

import re
import unicodedata
from collections.abc import Sequence

from question_bank.formats.heuristics.kind_names import kind_of
from question_bank.formats.heuristics.stems import strip_mark
from question_bank.formats.heuristics.table_headers import HEADER_ROWS, field_named, find_header
from question_bank.formats.heuristics.table_names import Field, normalise_header
from question_bank.model import OPTION_LETTERS

_YES, _NO = frozenset({"正确", "对", "√", "是"}), frozenset({"错误", "错", "×", "否"})
_TICKS = frozenset({"√", "✓", "✔", "☑", "●", "1", "是", "V", "v"})

_NUMBER = re.compile(r"(\d{1,4})\s*[.．、]\s*(?!\d)")


def fill_joined(texts: list[list[str]], joined: Sequence[tuple[int, int, int, int]]) -> None:
    """Give each row of a merged cell the merged text (first column only)."""
    for top, left, bottom, _right in joined:
        if top >= len(texts) or left >= len(texts[top]):
            continue
        for row in texts[top + 1 : bottom + 1] if texts[top][left] else ():
            row.extend("" for _ in range(left + 1 - len(row)))
            row[left] = row[left] or texts[top][left]


def unify_shapes(texts: list[list[str]]) -> None:
    """Write options a row with their letters in a column of their own, ticks in two columns and stems below a kind's name as tables usually have them."""
    for number, row in enumerate(texts[:HEADER_ROWS]):
        names = [normalise_header(cell) for cell in row]
        fields = [named[0] if (named := field_named(cell)) else None for cell in row]
        if Field.STEM in fields and Field.ANSWER not in fields:
            _join_truth(texts, number, names)
        if Field.STEM in fields and Field.OPTIONS in fields:
            _join_letters(texts, number, fields.index(Field.OPTIONS))
        if {Field.STEM, Field.OPTIONS} <= {*fields}:
            _empty_repeated(texts, number, fields)
        if Field.STEM in fields and not {Field.OPTIONS, Field.OPTION, Field.ANSWER_N}.intersection(fields):
            _fold_options(texts, number, fields.index(Field.STEM))
    if find_header(texts) is None:
        for row in texts[:HEADER_ROWS]:
            _name_stem(row)


def _name_stem(row: list[str]) -> None:
    """Name the column of stems `题干` where its head is the name of a kind, and an answer's stands beside it."""
    kinds = [index for index, cell in enumerate(row) if cell.endswith("题") and kind_of(normalise_header(cell))]
    fields = {named[0] for cell in row if (named := field_named(cell))}
    if len(kinds) == 1 and Field.ANSWER in fields and Field.STEM not in fields:
        row[kinds[0]] = "题干"


def _join_truth(texts: list[list[str]], number: int, names: list[str]) -> None:
    """Make one column of answers of two that are headed 正确 and 错误, of which one is ticked."""
    yes = [index for index, name in enumerate(names) if name in _YES]
    no = [index for index, name in enumerate(names) if name in _NO]
    if len(yes) != 1 or len(no) != 1:
        return
    for row in texts[number + 1 :]:
        row.extend("" for _ in range(max(yes[0], no[0]) + 1 - len(row)))
        pair = [unicodedata.normalize("NFKC", row[one[0]]).strip() for one in (yes, no)]
        if sorted(map(bool, pair)) == [False, True] and "".join(pair) in _TICKS:
            row[yes[0]], row[no[0]] = ("正确" if pair[0] else "错误"), ""
        else:
            row[yes[0]] = row[no[0]] = ""  # both ticked or neither: without an answer, on review
    texts[number][yes[0]], texts[number][no[0]] = "答案", ""


def _empty_repeated(texts: list[list[str]], number: int, fields: list[Field | None]) -> None:
    """Empty the cells of rows that repeat the question above for a further option, as a database joins them; most rows must do so."""
    own = {index for index, one in enumerate(fields) if one in {Field.OPTIONS, Field.RIGHT}}
    stem, options = fields.index(Field.STEM), fields.index(Field.OPTIONS)
    below = [row for row in texts[number + 1 :] if any(row)]
    cells = [[text for index, text in enumerate(row) if index not in own] for row in below]
    repeated = [at for at in range(1, len(below)) if cells[at] == cells[at - 1] and any(below[at][stem : stem + 1])]
    letters = {strip_mark("".join(below[at][options : options + 1]))[0] for at in repeated}
    if len(repeated) * 2 < len(below) or (Field.RIGHT not in fields and not letters <= {*OPTION_LETTERS[1:]}):
        return
    for at in repeated:
        below[at][:] = [text if index in own else "" for index, text in enumerate(below[at])]


def _join_letters(texts: list[list[str]], number: int, place: int) -> None:
    """Put the letters that stand alone in a column `选项` before the texts beside them: an option a row."""
    below = [row for row in texts[number + 1 :] if len(row) > place + 1 and row[place]]
    if len(below) < 2 or not all(_is_letter(row[place]) and row[place + 1] for row in below):
        return
    for row in below:
        row[place], row[place + 1] = f"{row[place].strip()}. {row[place + 1]}", ""


def _is_letter(text: str) -> bool:
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    return len(plain) == 1 and plain in OPTION_LETTERS[:10]


def _fold_options(texts: list[list[str]], number: int, place: int) -> None:
    """Put options that stand in rows below their stem, `A. 甲` or a letter and its text in the cell beside, behind it in its cell."""
    is_beside = len(texts[number]) > place + 1 and not texts[number][place + 1]
    groups: list[tuple[list[str], list[tuple[list[str], str]]]] = []
    for row in texts[number + 1 :]:
        row.extend("" for _ in range(place + 2 - len(row)))
        letter, text, rest = _option_in(row, place, is_beside=is_beside)
        if groups and text and letter == OPTION_LETTERS[len(groups[-1][1])]:
            if not set(filter(None, rest)) <= _TICKS:
                return
            groups[-1][1].append((row, f"{letter}. {text}{' √' if any(rest) else ''}"))
        elif row[place]:
            groups.append((row, []))
    if not groups or sum(len(options) > 1 for _, options in groups) * 2 < len(groups):
        return
    numbers = [match[1] for stem, _ in groups if (match := _NUMBER.match(stem[place]))]
    is_numbered = numbers == [str(number) for number in range(1, len(groups) + 1)]
    for stem, options in groups:
        if is_beside and stem[place].rstrip(".．、").isdigit() and stem[place + 1]:
            stem[place], stem[place + 1] = stem[place + 1], ""
        stem[place] = "\n".join(
            [_NUMBER.sub("", stem[place]) if is_numbered else stem[place], *(text for _, text in options)]
        )
        for row, _ in options:
            row[:] = [""] * len(row)


def _option_in(row: list[str], place: int, *, is_beside: bool) -> tuple[str, str, list[str]]:
    """Return the letter and text of an option that stands in a row, and the cells beside it; no text where there is none."""
    if is_beside and _is_letter(row[place]):
        letter = unicodedata.normalize("NFKC", row[place]).strip().upper()
        return letter, row[place + 1], row[:place] + row[place + 2 :]
    letter, text = strip_mark(row[place])
    return letter, text if letter else "", row[:place] + row[place + 1 :]
