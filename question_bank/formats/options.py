"""Options as they stand in running text: `A、` `A.` `（A）` `A：`, one a line, several on a line, or run together."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from question_bank.model import OPTION_LETTERS

_MARK = re.compile(
    r"(?:[(（\[【]\s*(?P<wrapped>[A-ZＡ-Ｚa-z])\s*[)）\]】]\s*[.．、:：]?|(?P<plain>[A-ZＡ-Ｚa-z])\s?(?P<sign>[.．、:：)）]|(?=\s)))"
)
_GLUED = re.compile(r"(?:(?<=[\s。？?：:）)])|^)(?P<letter>[A-H])[。，,\-—]?(?=[\u4e00-\u9fff\d])", re.MULTILINE)
_CODE = re.compile(r"[A-Za-z]\.[A-Za-z_]\w*\s*(?:\(|=|\[|[,，;；。]|\s|$)", re.ASCII)
_NEXT_NUMBER = re.compile(r"\d\s*[.．、:：)）]$")
"""What stands before a letter in `1. A 2. B`: a list of keys, no options."""
MAX_STARTS = 40
"""Letters tried as the first option's: no real question has so many."""
_JOINING = "、和与或及同跟"
"""Signs before a letter that make `A、B、C` an enumeration inside an option's words."""
_CLASSES = {".": ".", "．": ".", ":": ":", "：": ":", "、": "、", ")": ")", "）": ")"}


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    letter: str
    sign: str
    before: str
    free: bool
    """Whether the mark stands at a line's start or behind a space or a closing sign."""
    at_line: bool


def split_options(text: str, *, first: str = "A") -> tuple[str, list[tuple[str, str]]]:
    """The text before the options, and the options with their letters, beginning with the letter `first`.

    The letters are as written: a letter twice or left out stays visible to the caller. With `first` other than A
    a single option is enough.
    """
    marks = _chosen(_marks(text), first)
    if not marks or (first == "A" and len(marks) < 2):
        return _spaced(text) if first == "A" else (text, [])
    ends = [mark.start for mark in marks[1:]] + [len(text)]
    options = [(mark.letter, _tidy(text[mark.end : end])) for mark, end in zip(marks, ends, strict=True)]
    return text[: marks[0].start].rstrip(), options


def _spaced(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text before a last line such as `A 甲 B 乙 C 丙`, and its options: letters in order with spaces around, three at least."""
    before, _, line = text.rpartition("\n")
    parts = re.split(r"(?:^|\s+)([A-H])\s+", line.strip())
    letters, words = parts[1::2], [part.strip() for part in parts[2::2]]
    in_order = len(letters) > 2 and letters == list(OPTION_LETTERS[: len(letters)])
    if parts[0] or not in_order or not all(words) or any(_NEXT_NUMBER.search(word) for word in words):
        return text, []
    return before.rstrip(), list(zip(letters, words, strict=True))


def split_glued(text: str, letters: tuple[str, ...]) -> tuple[str, list[tuple[str, str]]]:
    """The text before options without any sign (`A甲 B乙`) and the options, where they hold the letters of the key.

    Only for questions whose key is known to be these letters: without it `A` may be a word's.
    """
    marks: list[re.Match[str]] = []
    for match in _GLUED.finditer(text):
        if match["letter"] == OPTION_LETTERS[len(marks)]:
            marks.append(match)
    if len(marks) < 2 or not letters or OPTION_LETTERS.index(letters[-1]) >= len(marks) or not marks[0].start():
        return text, []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    options = [(mark["letter"], _tidy(text[mark.end() : end])) for mark, end in zip(marks, ends, strict=True)]
    return text[: marks[0].start()].rstrip(), options


def strip_mark(text: str) -> tuple[str, str]:
    """The letter that begins an option's text, and the text without it; no letter where there is none."""
    match = _MARK.match(text)
    if not match or (match["plain"] and not match["sign"]):
        return "", text
    return _letter(match), text[match.end() :].strip()


def _tidy(text: str) -> str:
    return text.strip().rstrip(";；").rstrip()


def _letter(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match["wrapped"] or match["plain"]).upper()


def _marks(text: str) -> list[_Mark]:
    found = []
    for match in _MARK.finditer(text):
        start = match.start()
        before = text[start - 1] if start else "\n"
        if match["plain"] and before.isascii() and (before.isalpha() or before in "._'\""):
            continue
        if match["plain"] and before.isdigit() and (not match["sign"] or _letter(match) == "A"):
            continue
        if match["plain"] and (before in "(（" or (match["sign"] in {")", "）"} and _is_inside(text, start))):
            continue
        at_line = not text[text.rfind("\n", 0, start) + 1 : start].strip()
        if match["wrapped"] and match["wrapped"].islower() and not at_line:
            continue
        sign = "()" if match["wrapped"] else _CLASSES.get(match["sign"] or "", "")
        if match["plain"] and (
            (not sign and not at_line) or _CODE.match(text, start) or (match["plain"].islower() and not at_line)
        ):
            continue
        free = before.isspace() or before in ";；)）。.，,？?:："
        found.append(_Mark(start, match.end(), _letter(match), sign, before, free, at_line))
    return found


def _is_inside(text: str, place: int) -> bool:
    """Whether a bracket opened shortly before the place is still open there."""
    before = text[max(0, place - 30) : place]
    return max(before.rfind("("), before.rfind("（")) > max(before.rfind(")"), before.rfind("）"))


def _chosen(marks: list[_Mark], first: str) -> list[_Mark]:
    """The marks that carry the options on: the next letter in the same style, or at a line's start."""
    starts = [index for index, mark in enumerate(marks) if mark.letter == first]
    for index in starts[:MAX_STARTS]:
        mark = marks[index]
        chosen = [mark]
        for later in marks[index + 1 :]:
            if _follows(chosen[-1], later):
                chosen.append(later)
        if first != "A" or len(chosen) > (1 if mark.free or mark.at_line else 2):
            return chosen
    return []


def _follows(last: _Mark, mark: _Mark) -> bool:
    gap = OPTION_LETTERS.index(mark.letter) - OPTION_LETTERS.index(last.letter)
    same = mark.sign == last.sign
    if gap == 1:
        if mark.at_line:
            return same or (mark.sign not in {"", "()"} and last.sign not in {"", "()"})
        return same and (mark.free or mark.sign in {".", ":", "()"} or mark.before not in _JOINING)
    if gap == 0:
        return same and (mark.at_line or mark.free) and mark.sign in {".", ":"}
    return gap in {2, 3} and same and mark.at_line and last.at_line
