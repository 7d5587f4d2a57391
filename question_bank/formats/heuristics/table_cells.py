"""Read cells of question tables: texts, small fields, and options that are together in one cell."""

import json
import re
import unicodedata
from decimal import Decimal, InvalidOperation

from examapp.documents.decoding import read_count
from question_bank.formats.heuristics.stems import split_options, strip_mark
from question_bank.model import OPTION_LETTERS, Difficulty

_EASY = frozenset({"易", "简单", "容易", "较易", "很易", "较简单", "低", "初级", "easy", "基础", "很简单", "非常简单"})
_MEDIUM = frozenset({"中", "中等", "一般", "适中", "普通", "中级", "medium", "normal", "较难易适中"})
_HARD = frozenset({"难", "困难", "较难", "很难", "高", "高级", "hard", "difficult", "偏难", "非常难"})
_LIST_DIVIDERS = re.compile(r"[;；,，|｜\n]+")
_POINTS = re.compile(r"(\d{1,5}(?:\.\d{1,2})?)\s*分?")


def read_difficulty(text: str, *, top: int) -> Difficulty | None:
    """Return the difficulty that a word or a level from 1 to `top` (3 or 5) means; None when unclear."""
    word = unicodedata.normalize("NFKC", text).strip().lower().removesuffix("级").removesuffix("度")
    if word in _EASY:
        return Difficulty.EASY
    if word in _MEDIUM:
        return Difficulty.MEDIUM
    if word in _HARD:
        return Difficulty.HARD
    if 1 <= (level := read_count(word)) <= top:
        middle = (top + 1) // 2
        return Difficulty.EASY if level < middle else Difficulty.MEDIUM if level == middle else Difficulty.HARD
    return None


def read_points(text: str) -> Decimal | None:
    """Return the points that a cell such as `2`, `2.5` or `2分` gives; None when it is no such number above zero."""
    match = _POINTS.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not match:
        return None
    try:
        return Decimal(match[1]) or None
    except InvalidOperation:
        return None


def read_list(text: str) -> tuple[str, ...]:
    """Return the members of a list in one cell, divided by `；`, `，`, `|` or line ends, else by spaces."""
    parts = _LIST_DIVIDERS.split(text) if _LIST_DIVIDERS.search(text) else text.split()
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


_DIVIDERS = (r"\n+|<br\s*/?>", r"\$[;,|]\$|\${2,}|#{2,}|\|{2,}|@{2,}|&{2,}", r"[|｜]", r"[;；]", r"\t+", r"\s#\s|#")
_RARER = (r"\$", r"\^", r"[~～]", r"/", r"[ \u3000]{2,}|\u3000")
"""Signs that words may hold too: they divide only where they give three parts."""
_SOFT = frozenset({_DIVIDERS[0], r"[;；]", *_RARER})
"""Line ends and signs that may as well stand within an option."""
_UNSURE = (r"[，,]", r"、", r"\s+")
_SEQUENCE = re.compile(r"(?:^|(?<=[、，,/；;\s]))([A-Z])[、.．:：]\s*")
_COUNTED = re.compile(
    r"(?:^|(?<=[\s、，,/；;]))(?:([a-z])\s*[、.．:：)）]|([1-9])\s*[、.．:：)）](?!\d)|([A-Z])(?=[\u4e00-\u9fff]))|([①-⑨])"
)
"""Small letters, numbers, letters without a sign: they mark options where they begin the cell and leave none out."""
_TRAILING = re.compile(r"(?:<br\s*/?>|[|｜$#@&;；,，、/\s])+$", re.IGNORECASE)
_TEXT_NAMES = (
    "text",
    "content",
    "value",
    "label",
    "name",
    "option",
    "内容",
    "选项内容",
    "选项",
    "title",
    "optionContent",
    "optionText",
    "optionValue",
)
_KEY_NAMES = (
    "key",
    "letter",
    "id",
    "no",
    "prefix",
    "code",
    "选项序号",
    "标号",
    "optionKey",
    "optionCode",
    "optionLabel",
    "label",
)


def read_options(text: str) -> list[tuple[str, str]]:
    """Return letters and texts of the options in one cell; empty when they cannot be separated."""
    text = text.strip()
    if marked := _read_marked(text):
        return marked
    divider = _divider_of(text)
    return _with_letters(_divided(text, divider)) if divider else []


def is_softly_divided(text: str) -> bool:
    """Return whether the options in a cell have no letters and are divided by a sign that may as well stand within one: `责令改正；补种；警告`."""
    return not strip_mark(text)[0] and not _read_marked(text.strip()) and _divider_of(text.strip()) in _SOFT


def _read_marked(text: str) -> list[tuple[str, str]]:
    """Return options that JSON, letters or numbers tell apart."""
    listed = _read_json_options(text) if text[:1] in {"[", "{"} else []
    prefix, lettered = ("", []) if listed or not text else split_options(text)
    if len(lettered) >= 2 and not prefix.strip():
        return _without_dividers(lettered)
    return listed or _in_sequence(text) or _counted(text)


def _divider_of(text: str) -> str:
    """Return the first pattern that divides a text into two parts, three where its sign is a rarer one; empty when none does."""
    minimum = {**dict.fromkeys(_DIVIDERS, 2), **dict.fromkeys(_RARER, 3)}
    return next((divider for divider, count in minimum.items() if len(_divided(text, divider)) >= count), "")


def read_unsure_options(text: str) -> list[tuple[str, str]]:
    """Return options divided by commas or spaces, which may as well be signs within them: for the review list only."""
    return next((_with_letters(parts) for sign in _UNSURE if len(parts := _divided(text, sign)) >= 3), [])


def _divided(text: str, divider: str) -> list[str]:
    return [part.strip() for part in re.split(divider, text, flags=re.IGNORECASE) if part.strip()]


def _in_sequence(text: str) -> list[tuple[str, str]]:
    """Return options with letters that any sign divides: `A、甲、B、乙、C、丙`."""
    marks: list[re.Match[str]] = []
    for match in _SEQUENCE.finditer(text):
        if match[1] == OPTION_LETTERS[len(marks) : len(marks) + 1]:  # none behind the last
            marks.append(match)
    if len(marks) < 3 or marks[0].start():
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [(mark[1], text[mark.end() : end].strip("、，,/；; \n\t")) for mark, end in zip(marks, ends, strict=True)]


def _counted(text: str) -> list[tuple[str, str]]:
    """Return options counted as `a.甲 b.乙`, `1.甲 2.乙`, `A甲 B乙` or `①甲②乙`."""
    marks: list[re.Match[str]] = []
    for match in _COUNTED.finditer(text):
        alike = not marks or match.lastindex == marks[0].lastindex
        if alike and _place(match) == len(marks):
            marks.append(match)
    if len(marks) < 3 or marks[0].start():
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    parts = [text[mark.end() : end].strip("、，,/；; \n\t") for mark, end in zip(marks, ends, strict=True)]
    return list(zip(OPTION_LETTERS, parts, strict=False))


def _place(mark: re.Match[str]) -> int:
    sign = unicodedata.normalize("NFKC", mark[mark.lastindex or 0]).upper()
    return int(sign) - 1 if sign.isdigit() else OPTION_LETTERS.index(sign)


def _without_dividers(options: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the options without the sign that divides them, where the same one ends each but the last."""
    ends = [match[0] if (match := _TRAILING.search(text)) else "" for _, text in options]
    if not ends[0] or len(set(ends[:-1])) > 1:
        return options
    return [(letter, _TRAILING.sub("", text)) for letter, text in options]


def _read_json_options(text: str) -> list[tuple[str, str]]:
    """Return options written as JSON: texts, objects with key and text, or one object from letter to text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return options_from_json(value)


def options_from_json(value: object) -> list[tuple[str, str]]:
    """Return options from a decoded JSON value, in any of the shapes in which platforms keep them."""
    if isinstance(value, dict):
        inner = value.get("options") or value.get("choices")
        if isinstance(inner, (list, dict)):
            return options_from_json(inner)
        pairs = [(str(key).strip().upper(), _text_of(item)) for key, item in value.items()]
        return pairs if all(letter in OPTION_LETTERS and len(letter) == 1 for letter, _ in pairs) else []
    if not isinstance(value, list) or len(value) > len(OPTION_LETTERS):
        return []
    texts = [_text_of(item) for item in value]
    keys = [_key_of(item) for item in value]
    if all(keys):
        return list(zip(keys, texts, strict=True))
    return _with_letters(texts)


def _text_of(item: object) -> str:
    if isinstance(item, dict):
        texts = [str(item[name]) for name in _TEXT_NAMES if isinstance(item.get(name), (str, int, float))]
        return next((text for text in texts if not _is_mark(text)), texts[0] if texts else "")
    return "" if item is None else str(item)


def _is_mark(text: str) -> bool:
    """Return whether a text may be an option's letter or number rather than its words."""
    return text.strip().isdecimal() or (len(text.strip()) == 1 and text.strip().upper() in OPTION_LETTERS)


def _key_of(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    for name in _KEY_NAMES:
        key = str(item.get(name, "")).strip().upper()
        if len(key) == 1 and key in OPTION_LETTERS:
            return key
    return ""


def _with_letters(parts: list[str]) -> list[tuple[str, str]]:
    """Return letters by order; the letters that the parts bring themselves are taken off where all bring one."""
    own = [strip_mark(part) for part in parts]
    if all(mark for mark, _ in own):
        return own
    return [(OPTION_LETTERS[index], part) for index, part in enumerate(parts[: len(OPTION_LETTERS)])]


def read_phrases(text: str) -> tuple[str, ...]:
    """Return the knowledge points or tags of a cell; unlike those of `read_list` they may hold spaces and commas."""
    return tuple(part.strip() for part in re.split(r"[;；|｜\n]+", text) if part.strip())


def letter_columns(texts: list[tuple[int, str]], filled: list[str]) -> list[tuple[str, str]]:
    """Return options by the places of their columns; a letter that each text repeats is taken off."""
    if len(filled) == 1:
        together = read_options(filled[0])
        if len(together) >= 2:
            return together
    by_place = dict(texts)
    last = max(place for place, text in by_place.items() if text)
    options = [(OPTION_LETTERS[place], by_place.get(place, "")) for place in range(last + 1)]
    marks = [(letter, *strip_mark(text)) for letter, text in options if text]
    if all(letter == own for letter, own, _ in marks):
        bare = {letter: rest for letter, _, rest in marks}
        return [(letter, bare.get(letter, "")) for letter, _ in options]
    return options
