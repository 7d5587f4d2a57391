"""Parse the syntax of GIFT."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

ESCAPED = "~=#{}:\\"
_HIDDEN = {char: chr(0xF0E0 + place) for place, char in enumerate(ESCAPED)} | {"n": chr(0xF0DF)}
_SHOWN = str.maketrans({hidden: "\n" if char == "n" else char for char, hidden in _HIDDEN.items()})
_ESCAPE = re.compile(r"\\([~=#{}:\\n])")
_ID = re.compile(r"\[id:(?P<id>[^\]]+)\]")
_TAG = re.compile(r"\[tag:(?P<tag>[^\]]+)\]")


@dataclass(slots=True)
class GiftBlock:
    """One question's text, escapes hidden, with its first line and what its comments say."""

    line: int
    text: str
    code: str | None = None
    tags: list[str] = field(default_factory=list)


def hide(text: str) -> str:
    """Return the text with escaped characters replaced by private-use ones, so that they are no delimiters."""
    return _ESCAPE.sub(lambda match: _HIDDEN[match.group(1)], text)


def show(text: str) -> str:
    """Return the text with private-use characters replaced by the escaped ones."""
    return text.translate(_SHOWN)


def escape(text: str) -> str:
    """Return text written so that GIFT takes every character as itself."""
    return re.sub(r"([~=#{}:\\])", r"\\\1", text).replace("\n", "\\n")


def blocks(text: str) -> Iterator[GiftBlock]:
    """Yield the blocks of a file: parted by blank lines, save those inside braces that close again, or by a title behind an answer."""
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
            if line.startswith("::") and 0 < (text := "\n".join(current)).count("{") == text.count("}"):
                yield _block(start, current, comments)
                current, comments = [], []
            if not current:
                start = number
            current.append(line)
    if any(line.strip() for line in current):
        yield _block(start, current, comments)


def _stays_open(current: list[str], lines: list[str], number: int) -> bool:
    """Return whether a blank line stands inside braces: the next brace to come closes them."""
    text = "\n".join(current)
    if text.count("{") <= text.count("}"):
        return False
    for line in lines[number : number + 200]:
        closing, opening = line.find("}"), line.find("{")
        if closing >= 0 or opening >= 0:
            return closing >= 0 and (opening < 0 or closing < opening)
    return False


def _block(start: int, lines: list[str], comments: list[str]) -> GiftBlock:
    comment_text = show("\n".join(comments))
    code = _ID.search(comment_text)
    tags = [match.group("tag").strip() for match in _TAG.finditer(comment_text)]
    return GiftBlock(start, "\n".join(lines).strip(), code.group("id").strip() if code else None, tags)


_TITLE = re.compile(r"::(?P<title>.*?)::", re.DOTALL)
_FORMAT = re.compile(r"\[(?P<format>html|moodle|plain|markdown)\]", re.IGNORECASE)
_TRUE_FALSE = re.compile(r"(?P<answer>TRUE|FALSE|T|F)\s*(?P<notes>#.*)?", re.IGNORECASE | re.DOTALL)
_WEIGHT = re.compile(r"%(?P<weight>-?\d+(?:\.\d+)?)%")
_PAIR = re.compile(r"\{([^{}]*)\}")
_FOLD = re.compile(r"[ \t]*\n[ \t]*")
BLANK = "_____"


class GiftType(StrEnum):
    """The kinds that GIFT tells apart."""

    CATEGORY = "Category"
    DESCRIPTION = "Description"
    ESSAY = "Essay"
    TRUE_FALSE = "TF"
    MULTIPLE_CHOICE = "MC"
    SHORT = "Short"
    NUMERICAL = "Numerical"
    MATCHING = "Matching"
    BROKEN = "Broken"


@dataclass(frozen=True, slots=True)
class GiftText:
    """A text and its format: moodle, plain, html, markdown."""

    text: str
    format: str = "moodle"


@dataclass(frozen=True, slots=True)
class GiftAnswer:
    """One answer: behind `=` or `~`, its weight in percent if written, its feedback."""

    is_correct: bool
    weight: Decimal | None
    text: GiftText
    feedback: GiftText | None


@dataclass(slots=True)
class GiftQuestion:
    """A block taken apart."""

    line: int
    type: GiftType
    stem: GiftText
    title: str | None = None
    code: str | None = None
    tags: list[str] = field(default_factory=list)
    answers: list[GiftAnswer] = field(default_factory=list)
    is_true: bool = False
    notes: list[GiftText | None] = field(default_factory=list)
    """Feedback of a true/false question: on the wrong answer, on the right one."""
    global_feedback: GiftText | None = None
    gaps: list[list[GiftAnswer]] = field(default_factory=list)
    """The answers of each pair of braces, where there are several."""
    is_bare: bool = False
    """Whether the first answer has no sign: Moodle takes `{One}` for the answer itself."""


def parse(block: GiftBlock) -> GiftQuestion:
    """Return the block as a question; type BROKEN when its braces or answers say nothing."""
    text = block.text
    if text.startswith("$CATEGORY"):
        name = show(text.partition(":")[2]).strip()
        return GiftQuestion(block.line, GiftType.CATEGORY, GiftText(""), title=name)
    title = _TITLE.match(text)
    if title:
        text = text[title.end() :].strip()
    text_format = _FORMAT.match(text)
    kind = text_format.group("format").lower() if text_format else "moodle"
    if text_format:
        text = text[text_format.end() :]
    opening, closing = text.find("{"), text.find("}")
    question = GiftQuestion(block.line, GiftType.DESCRIPTION, _text(text, kind), code=block.code, tags=block.tags)
    question.title = _folded(title.group("title")) if title else None
    if opening < 0 and closing < 0:
        return question
    if opening < 0 or closing < opening or re.search(r"[{}]", text[opening + 1 : closing] + text[closing + 1 :]):
        _parse_gaps(question, text, kind)
        return question
    question.stem = _stem(text[:opening], text[closing + 1 :], kind)
    _parse_answers(question, text[opening + 1 : closing].strip(), kind)
    return question


def _parse_gaps(question: GiftQuestion, text: str, text_format: str) -> None:
    """Read several pairs of braces, which Moodle itself refuses, as blanks; type BROKEN where one holds no short answer."""
    parts = _PAIR.split(text)
    question.type = GiftType.BROKEN
    if len(parts) < 4 or re.search(r"[{}]", "".join(parts[::2])):
        return
    for body in parts[1::2]:
        gap = GiftQuestion(question.line, GiftType.BROKEN, GiftText(""))
        _parse_answers(gap, body.strip(), text_format)
        if gap.type is not GiftType.SHORT or gap.global_feedback is not None:
            return
        question.gaps.append(gap.answers)
        question.is_bare = question.is_bare or gap.is_bare
    question.type = GiftType.SHORT
    question.stem = _text(BLANK.join(parts[::2]), text_format)


def split_answers(body: str, text_format: str = "moodle", *, weight: re.Pattern[str] = _WEIGHT) -> list[GiftAnswer]:
    """Return the answers of a body such as `=a#well ~%50%b`; escapes must be hidden."""
    starts = [match.start() for match in re.finditer("[=~]", body)]
    ends = [*starts[1:], len(body)]
    return [_answer(body[start:end], text_format, weight) for start, end in zip(starts, ends, strict=True)]


def _parse_answers(question: GiftQuestion, body: str, text_format: str) -> None:
    body, mark, general = body.partition("####")
    if mark:
        question.global_feedback = _formatted(general, text_format)
    body = body.strip()
    true_false = _TRUE_FALSE.fullmatch(body)
    if not body:
        question.type = GiftType.ESSAY
    elif body.startswith("#"):
        question.type = GiftType.NUMERICAL
        numbers = body[1:].strip()
        question.answers = split_answers(numbers if numbers[:1] in {"=", "~"} else f"={numbers}", text_format)
    elif true_false:
        question.type = GiftType.TRUE_FALSE
        question.is_true = true_false.group("answer").upper().startswith("T")
        notes = (true_false.group("notes") or "").split("#")[1:]
        question.notes = [_formatted(note, text_format) if note.strip() else None for note in notes]
    else:
        question.is_bare = body[0] not in "=~"
        signed = body if not question.is_bare else f"~{body}".replace("~=", "=") if "~" in body else f"={body}"
        question.answers = split_answers(signed, text_format)
        question.type = _choice_type(signed, question.answers)


def _choice_type(body: str, answers: list[GiftAnswer]) -> GiftType:
    if "~" in body:
        return GiftType.MULTIPLE_CHOICE
    return GiftType.MATCHING if all("->" in answer.text.text for answer in answers) else GiftType.SHORT


def _answer(text: str, text_format: str, weight: re.Pattern[str]) -> GiftAnswer:
    body = text[1:].strip()
    found = weight.match(body)
    if found:
        body = body[found.end() :]
    wording, mark, note = body.partition("#")
    return GiftAnswer(
        is_correct=text[0] == "=",
        weight=Decimal(found.group("weight")) if found else None,
        text=_formatted(wording, text_format),
        feedback=_formatted(note, text_format) if mark and note.strip() else None,
    )


def _formatted(text: str, text_format: str) -> GiftText:
    text = text.strip()
    found = _FORMAT.match(text)
    return _text(text[found.end() :], found.group("format").lower()) if found else _text(text, text_format)


def _text(text: str, text_format: str) -> GiftText:
    kept = text.strip() if text_format in {"html", "markdown"} else _folded(text)
    return GiftText(show(kept).strip(" \t\n"), text_format)


def _folded(text: str) -> str:
    return show(_FOLD.sub(" ", text.strip()))


def _stem(before: str, after: str, text_format: str) -> GiftText:
    """Return the stem around the braces; words behind them make the answer a blank within, as Moodle has it."""
    around = " ".join(part for part in (before.strip(), BLANK, after.strip()) if part)
    return _text(around if after.strip() else before, text_format)
