"""A GIFT file cut into its blocks, and the characters that GIFT escapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

ESCAPED = "~=#{}:\\"
_HIDDEN = {char: chr(0xF0E0 + place) for place, char in enumerate(ESCAPED)} | {"n": chr(0xF0DF)}
_SHOWN = str.maketrans({hidden: "\n" if char == "n" else char for char, hidden in _HIDDEN.items()})
_ESCAPE = re.compile(r"\\([~=#{}:\\n])")
_ID = re.compile(r"\[id:(?P<id>[^\]]+)\]")
_TAG = re.compile(r"\[tag:(?P<tag>[^\]]+)\]")


@dataclass(slots=True)
class Block:
    """One question's text, escapes hidden, with the line it begins at and what its comments tell."""

    line: int
    text: str
    code: str | None = None
    tags: list[str] = field(default_factory=list)


def hide(text: str) -> str:
    """The text with escaped characters put where no delimiter is sought."""
    return _ESCAPE.sub(lambda match: _HIDDEN[match.group(1)], text)


def show(text: str) -> str:
    """The text with hidden characters as themselves."""
    return text.translate(_SHOWN)


def escape(text: str) -> str:
    """Text written so that GIFT takes every character as itself."""
    return re.sub(r"([~=#{}:\\])", r"\\\1", text).replace("\n", "\\n")


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a file: parted by blank lines, save those inside braces that close again, or by a title behind an answer."""
    lines = hide(text).split("\n")
    current: list[str] = []
    comments: list[str] = []
    start = 1
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("//"):
            comments.append(line)
        elif not line.strip() and not _stays_open(current, lines, number):
            if current:
                yield _block(start, current, comments)
                current, comments = [], []
        else:
            if line.startswith("::") and _is_closed(current):
                yield _block(start, current, comments)
                current, comments = [], []
            if not current:
                start = number
            current.append(line)
    if any(line.strip() for line in current):
        yield _block(start, current, comments)


def _is_closed(current: list[str]) -> bool:
    """Whether the lines hold a whole answer, so that a title begins the next question."""
    text = "\n".join(current)
    return 0 < text.count("{") == text.count("}")


def _stays_open(current: list[str], lines: list[str], number: int) -> bool:
    """Whether a blank line stands inside braces: the next brace to come closes them."""
    text = "\n".join(current)
    if text.count("{") <= text.count("}"):
        return False
    for line in lines[number : number + 200]:
        closing, opening = line.find("}"), line.find("{")
        if closing >= 0 or opening >= 0:
            return closing >= 0 and (opening < 0 or closing < opening)
    return False


def _block(start: int, lines: list[str], comments: list[str]) -> Block:
    told = show("\n".join(comments))
    code = _ID.search(told)
    tags = [match.group("tag").strip() for match in _TAG.finditer(told)]
    return Block(start, "\n".join(lines).strip(), code.group("id").strip() if code else None, tags)
