"""Lines of a free text with their numbers; records of tabs and questions run together on a line taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from question_bank.formats.answers import looks_like_key
from question_bank.formats.decoding import clean_text
from question_bank.formats.options import split_options
from question_bank.formats.text.patterns import read_number

_TABLE_ROW = re.compile(r"^(?:[\u4e00-\u9fff]{0,6}题号|题目序号|序号|答案|参考答案|正确答案)\s*[:：]?\t")
_PLAIN_KEY = re.compile(r"(?:\d{1,4}\s*[.、．:：)）]?\s*)?(?:[A-ZＡ-Ｚ]{1,8}|[√×✓✗对错]|正确|错误)?")
_INNER_NUMBER = re.compile(r"(?<=[\s。；;）)\u4e00-\u9fff])(\d{1,5})\s*[.．、](?!\d)")
_KEY_FIRST = re.compile(
    r"^[(（]\s*(?P<key>[A-H]{0,8}|[√×✓✗对错])\s*[)）]\s*(?P<number>\d{1,4})\s*[.、．](?!\d)\s*(?P<rest>\D.{7,})$"
)
_MARKDOWN = re.compile(r"\*\*|^#{1,6}\s+|^>\s+|^[-*•·]\s+(?=[A-H][.．、:：)）]|\d{1,4}[.．、])")
"""Signs of Markdown that say nothing about a question."""
_FIELD = re.compile(r"^(?:(?:题目|题干|试题)\s*[:：]\s*(?=\S)|选项\s*[:：]\s*(?=[(（]?A))")
_OPTION_FIELD = re.compile(r"^选项\s*([A-H])\s*[:：.、]\s*")
"""Names of fields that some programs print before a question's texts."""
NEAR = 1500
"""Characters before and behind a number that are looked at when a line holds several questions."""
_KEY_END = re.compile(r"[(（]\s*(?:[A-Z、,，\s]{1,15}|[√×✓✗对错]|正确|错误)\s*[)）]\s*[。.；;]?\s*$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its outer spaces, and its number in the file."""

    number: int
    text: str


def to_lines(text: str) -> list[Line]:
    """The lines of a text; fields divided by tabs and questions run together come apart, blank lines stay."""
    lines: list[Line] = []
    for number, raw in enumerate(text.split("\n"), 1):
        for piece in _fields(raw):
            plain = _OPTION_FIELD.sub(r"\1. ", _FIELD.sub("", _MARKDOWN.sub("", clean_text(piece))))
            cleaned = _KEY_FIRST.sub(_key_last, plain)
            lines.extend(Line(number, part) for part in _several(cleaned))
    return lines


def _key_last(match: re.Match[str]) -> str:
    """`（B）1. 题干` said as `1. 题干（B）`; empty brackets before the number are dropped."""
    key = f"（{match['key']}）" if match["key"] else ""
    return f"{match['number']}. {match['rest']}{key}"


def _fields(raw: str) -> list[str]:
    if "\t" not in raw.strip():
        return [raw]
    fields = [field.strip() for field in raw.split("\t") if field.strip()]
    if _TABLE_ROW.match(raw) or all(_PLAIN_KEY.fullmatch(field) for field in fields):
        return [" ".join(fields)]
    return fields


def _several(text: str) -> list[str]:
    """The questions of a line that holds several, each with its number; else the line itself."""
    number = read_number(text) if len(text) > 12 else None
    if number is None or number.style not in {"mark", "loose"}:
        return [text]
    pieces: list[str] = []
    value, start = number.value, 0
    for match in _INNER_NUMBER.finditer(text, 1):
        if int(match[1]) != value + 1:
            continue
        if _ends(text[max(start, match.start() - NEAR) : match.start()]) and _begins(
            text[match.end() : match.end() + NEAR]
        ):
            pieces.append(text[start : match.start()].strip())
            start, value = match.start(), value + 1
    return [*pieces, text[start:].strip()]


def _ends(piece: str) -> bool:
    return len(split_options(piece)[1]) >= 2 or bool(_KEY_END.search(piece))


def _begins(rest: str) -> bool:
    if looks_like_key(rest[:12]):
        return False
    return len(split_options(rest)[1]) >= 2 or bool(re.search(r"[(（][A-Z√×✓✗对错正确误、,，\s]{1,15}[)）]", rest))
