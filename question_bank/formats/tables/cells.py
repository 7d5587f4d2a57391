"""Cell values as text, and the small fields of a question (difficulty, points, lists) read from it."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from question_bank.model import Difficulty

_EASY = frozenset({"易", "简单", "容易", "较易", "很易", "较简单", "低", "初级", "easy", "基础", "很简单", "非常简单"})
_MEDIUM = frozenset({"中", "中等", "一般", "适中", "普通", "中级", "medium", "normal", "较难易适中"})
_HARD = frozenset({"难", "困难", "较难", "很难", "高", "高级", "hard", "difficult", "偏难", "非常难"})
_LIST_DIVIDERS = re.compile(r"[;；,，|｜\n]+")
_POINTS = re.compile(r"(\d{1,5}(?:\.\d{1,2})?)\s*分?")


@dataclass(frozen=True, slots=True)
class ShownNumber:
    """A number as its cell shows it (`10%`); unsure where the cell's format is beyond us."""

    text: str
    is_sure: bool


def cell_text(value: object) -> str:
    """The cell as a person sees it: `2` for 2.0, an ISO date for a date."""
    if value is None or value == "":
        return ""
    if isinstance(value, (str, ShownNumber)):
        return value.strip() if isinstance(value, str) else value.text
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return str(value)


def is_date(value: object) -> bool:
    """Whether a spreadsheet program has made a date or a time of the cell."""
    return isinstance(value, (dt.date, dt.time, dt.timedelta))


def is_unsure_number(value: object) -> bool:
    """Whether the cell shows its number in a form that we could not repeat."""
    return isinstance(value, ShownNumber) and not value.is_sure


def read_difficulty(text: str, *, top: int) -> Difficulty | None:
    """The difficulty that a word or a level from 1 to `top` (3 or 5) means; None when unclear."""
    word = unicodedata.normalize("NFKC", text).strip().lower().removesuffix("级").removesuffix("度")
    if word in _EASY:
        return Difficulty.EASY
    if word in _MEDIUM:
        return Difficulty.MEDIUM
    if word in _HARD:
        return Difficulty.HARD
    if word.isascii() and word.isdigit() and 1 <= int(word[:3]) <= top:
        middle = (top + 1) // 2
        level = int(word)
        return Difficulty.EASY if level < middle else Difficulty.MEDIUM if level == middle else Difficulty.HARD
    return None


def read_points(text: str) -> Decimal | None:
    """The points that a cell such as `2`, `2.5` or `2分` gives; None when it is no such number above zero."""
    match = _POINTS.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not match:
        return None
    try:
        return Decimal(match[1]) or None
    except InvalidOperation:
        return None


def read_list(text: str) -> tuple[str, ...]:
    """The members of a list in one cell, divided by `；`, `，`, `|` or line ends, else by spaces."""
    parts = _LIST_DIVIDERS.split(text) if _LIST_DIVIDERS.search(text) else text.split()
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
