"""Classify a line by the lines that follow it, while a text is split."""

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

from question_bank.formats.heuristics.answers import count_blanks, looks_like_key, numbered_parts
from question_bank.formats.heuristics.stems import (
    split_options,
    strip_mark,
    take_inline_answer,
    take_letter_keys,
    take_truth,
)
from question_bank.formats.heuristics.text_answers import is_answer_line, pieces_of
from question_bank.formats.heuristics.text_patterns import (
    GLUED_NUMBER,
    Number,
    TextLine,
    read_analysis_label,
    read_answer_heading,
    read_answer_label,
    read_heading,
    read_kind_label,
    read_number,
)
from question_bank.model import Kind

NEAR = 80
"""Lines looked at ahead of a line, and of a question when it is asked whether it is complete."""
_MATERIAL_LABEL = re.compile(
    r"^[【\[]\s*(?:案情|案例|材料|资料|问题|提问|小题|背景材料|基本案情|案情简介|案情介绍)\s*[】\]]\s*[:：]?\s*|^(?:问题|提问|小题|请?回答下列问题)\s*[:：]\s*$"
)
"""A label before the text of a case, or above its questions."""
_OF_CASES = re.compile(r"案例|材料|案情")
SURE = frozenset({"mark", "word"})
"""Styles of numbers that begin questions and not enumerations."""
_ASKS = re.compile(r"\W*\w.*[(（]\s*[)）]\s*[。.]?$")


@dataclass(slots=True)
class TextBlock:
    """The lines of one question, without its number."""

    number: int | None
    lines: list[TextLine]
    section: str = ""
    kind: Kind | None = None
    label: str = ""
    material: str = ""
    answers_before: int = 0
    """How many answer sections stood before it."""
    law: str = ""
    """The law that a heading above it names."""
    is_first: bool = False
    """Whether it is the first below a heading, where numbers may begin again."""
    review_reason: str = ""
    """Why its lines, or those of the question beside it, may not all be its own."""
    loose: str = ""
    """The line without a label that stands last behind its key."""
    is_explained: bool = False
    """Whether that line goes on an explanation which has a label."""


@dataclass(slots=True)
class Material:
    """A text that several questions share: those whose numbers it names, else all up to the next heading or material."""

    first: int
    last: int
    head: str
    lines: list[str] = field(default_factory=list)
    uses: int = 0

    def text(self) -> str:
        """Return the words of the material, its head line where it has no other."""
        lines = [text for line in self.lines if (text := _MATERIAL_LABEL.sub("", line))]
        return "\n".join(lines).strip() or self.head


@dataclass(frozen=True, slots=True)
class Lookahead:
    """What follows a numbered line up to the next."""

    options: bool
    answer: bool
    """An answer label on a later line or behind the stem."""
    bracket: bool
    labelled: bool
    asks: bool
    """Whether the numbered line ends in an empty bracket, as the stem of a true/false question does."""

    @property
    def strong(self) -> bool:
        """Whether it is clearly a question."""
        return self.options or self.answer or self.bracket or self.labelled


def is_entry(rest: str) -> bool:
    """Return whether the text behind a number is an answer, not a stem."""
    return not rest or read_answer_label(rest) is not None or looks_like_key(pieces_of(rest)[0])


def texts_of(block: TextBlock) -> list[str]:
    """Return the first lines of a block, enough to judge it by."""
    return [line.text for line in block.lines[:NEAR]]


def is_label(text: str) -> bool:
    """Return whether a label of an answer or explanation stands on the line."""
    return any((read_answer_label(piece), read_analysis_label(piece)) != (None, None) for piece in pieces_of(text))


def before_labels(texts: list[str]) -> list[str]:
    """Return the lines up to the first label: stem and options."""
    kept = []
    for text in texts:
        pieces = pieces_of(text)
        if pieces and (read_answer_label(pieces[0]) is not None or read_analysis_label(pieces[0]) is not None):
            break
        kept.append(pieces[0] if pieces else text)
        if len(pieces) > 1:
            break
    return kept


def has_answer(block: TextBlock) -> bool:
    """Return whether a block says its answer itself, by a label or in its stem."""
    texts = texts_of(block)
    if any(read_answer_label(piece) is not None for text in texts for piece in pieces_of(text)):
        return True
    return _is_keyed(texts[0] if texts else "")


def look_ahead(rest: str, texts: list[str], *, label_below: bool) -> Lookahead:
    """Return what a numbered line begins, from the text behind its number and the lines below it."""
    stem = "\n".join(before_labels([rest, *texts]))
    later = any(read_answer_label(text) is not None for text in texts) or label_below
    inline = len(pieces_of(rest)) > 1 and read_answer_label(rest) is None
    kind, label, _ = read_kind_label(rest)
    return Lookahead(
        options=bool(split_options(stem)[1]) and not strip_mark(rest)[0],
        answer=later or inline,
        bracket=_is_keyed(rest) and not looks_like_key(rest),
        labelled=bool(kind or label),
        asks=bool(_ASKS.match(rest)),
    )


def _is_keyed(stem: str) -> bool:
    return bool(take_letter_keys(stem)[1]) or bool(take_truth(stem)[1]) or bool(take_inline_answer(stem)[1])


def answers_after_label(line: TextLine, blocks: list[TextBlock]) -> list[TextLine]:
    """Return the answers as lines, one or several questions a line; none where the label's answer is the last question's own."""
    listed = read_answer_label(line.text)
    if not listed or not blocks:
        return []
    if is_answer_line(listed):
        return [TextLine(line.number, listed)]
    parts = numbered_parts(listed)
    unanswered = blocks[-len(parts) :] if parts else []
    if not unanswered or any(has_answer(block) for block in unanswered):
        return []
    if count_blanks("".join(texts_of(unanswered[-1]))) == len(parts):
        return []
    if [block.number for block in unanswered] != list(range(1, len(parts) + 1)):
        return []
    return [TextLine(line.number, f"{place}、{part}") for place, part in enumerate(parts, 1)]


class LineContext:
    """The lines of a text with their numbers, and what follows each."""

    def __init__(self, lines: list[TextLine]) -> None:
        self.lines = lines
        self.numbers = _marked_by_section(lines, [read_number(line.text) for line in lines])
        _add_glued(lines, self.numbers)
        ends, end = [0] * len(self.lines), len(self.lines)
        for index in range(len(self.lines) - 1, -1, -1):
            ends[index] = end
            number, text = self.numbers[index], self.lines[index].text
            if (number and number.style not in {"loose", "paren"}) or read_heading(text) or read_answer_heading(text):
                end = index
        self.ends = ends

    def _end(self, index: int) -> int:
        return min(self.ends[index], index + NEAR)

    def _label_below(self, end: int) -> bool:
        """Return whether the line that ends a block is `参考答案：` with the answer in words below it, not a section's head."""
        head = read_answer_heading(self.lines[end].text) if end < len(self.lines) else None
        if head is None or not head[1]:
            return False
        below = next((line.text for line in self.lines[end + 1 : end + 4] if line.text), "")
        return bool(below) and not is_answer_line(below) and read_heading(below) is None

    def _ahead(self, index: int, rest: str) -> Lookahead:
        texts = [line.text for line in self.lines[index + 1 : self._end(index)] if line.text]
        return look_ahead(rest, texts, label_below=self._label_below(self.ends[index]))

    def _key_below(self, index: int) -> bool:
        return index + 1 < len(self.lines) and read_answer_label(self.lines[index + 1].text) is not None

    def _opens_bare(self, index: int) -> bool:
        """Return whether a stem, options from A or an answer follow a number alone on its line; else it is a page's."""
        end = self._end(index)
        if end < len(self.lines) and read_answer_heading(self.lines[end].text):
            end = min(self.ends[end], end + NEAR)
        texts = [line.text for line in self.lines[index + 1 : end] if line.text]
        if len(texts) < 2 or strip_mark(texts[0])[0]:
            return False
        labels = (read_answer_label(text) for text in texts[1:])
        return bool(split_options("\n".join(texts))[1]) or any(label is not None for label in labels)

    def _is_whole_below(self, index: int) -> bool:
        """Return whether options from A on and an answer stand right below a line: then it is a stem, though nothing is numbered."""
        below = [line.text for line in self.lines[index + 1 : index + 12] if line.text]
        letters = [strip_mark(text)[0] for text in below[:2]]
        options = letters == ["A", "B"] or (bool(below) and len(split_options(below[0])[1]) >= 2)
        return options and any(read_answer_label(text) is not None for text in below)


def _add_glued(lines: list[TextLine], numbers: list[Number | None]) -> None:
    """Add the numbers of lines such as `2.24小时内…`, which read as decimals, where they carry on the numbers and no other line has them."""
    following, last = 0, 0
    after = [0] * len(lines)
    for place in range(len(lines) - 1, -1, -1):
        after[place] = following
        number = numbers[place]
        is_counted = number is not None and number.style in {*SURE, "loose"}
        following = number.value if number and is_counted else 0 if read_heading(lines[place].text) else following
    above = ""
    for place, line in enumerate(lines):
        number, glued = numbers[place], GLUED_NUMBER.match(line.text)
        last = 0 if glued and int(glued["n"]) == 1 and read_heading(above) else last
        above = line.text or above
        if number and (number.style in SURE or (number.style == "loose" and number.value == last + 1)):
            last = number.value
        elif glued and int(glued["n"]) == last + 1 != after[place]:
            last += 1
            numbers[place] = Number(last, "mark", glued["rest"])


def _marked_by_section(lines: list[TextLine], numbers: list[Number | None]) -> list[Number | None]:
    """Return the lines' numbers; whether `（1）` counts questions is decided for each section of cases apart, and for all the rest at once."""
    heads = [place for place, line in enumerate(lines) if line.text and _is_kind_heading(line.text)]
    if not heads:
        return _marked(lines, numbers)
    ends, decided = [*heads[1:], len(lines)], list(numbers)
    cases = [(place, end) for place, end in zip(heads, ends, strict=True) if _OF_CASES.search(lines[place].text)]
    within = {at for place, end in cases for at in range(place, end)}
    outside = [at for at in range(len(lines)) if at not in within]
    for at, number in zip(
        outside, _marked([lines[at] for at in outside], [numbers[at] for at in outside]), strict=True
    ):
        decided[at] = number
    for place, end in cases:
        decided[place:end] = _marked(lines[place:end], numbers[place:end])
    return decided


def _is_kind_heading(text: str) -> bool:
    heading = read_heading(text)
    return heading is not None and bool(heading.kind or heading.label)


def _marked(lines: list[TextLine], numbers: list[Number | None]) -> list[Number | None]:
    """Return the lines' numbers; `（1）` counts questions where they follow each other and no question has another number."""
    places = [place for place, number in enumerate(numbers) if number and number.style == "paren"]
    if not places or any(_is_other(line.text, number) for line, number in zip(lines, numbers, strict=True)):
        return numbers
    ends = [*places[1:], len(lines)]
    below = [[line.text for line in lines[place:end]] for place, end in zip(places, ends, strict=True)]
    is_asked = all(_is_asked(texts) for texts in below)
    is_whole = [
        len(split_options("\n".join(texts))[1]) >= 2 or bool(take_truth(texts[0])[1] or _ASKS.search(texts[0]))
        for texts in below
    ]
    values = [number.value for place in places if (number := numbers[place])]
    is_counted = all(value in {1, last + 1} for last, value in pairwise([0, *values]))
    may_be_asked = is_counted and not any(_OF_CASES.search(line.text) for line in lines)
    if (
        not all(is_whole)
        and not (is_counted and is_asked)
        and not (may_be_asked and (any(is_whole) or any(map(_is_answered, below))))
    ):
        return numbers
    return [replace(number, style="mark") if number and number.style == "paren" else number for number in numbers]


def _is_other(text: str, number: Number | None) -> bool:
    """Return whether a line opens a question by another number than `（1）`: not as an entry of an answer section."""
    return number is not None and number.style in SURE and not is_answer_line(text) and not is_entry(number.rest)


def _is_asked(texts: list[str]) -> bool:
    """Return whether a mere key, with options above it or none, is the first label below a line: then the line is a question."""
    stem = before_labels(texts)
    label = next((label for text in texts for piece in pieces_of(text) if (label := read_answer_label(piece))), None)
    return (
        label is not None and looks_like_key(label) and (len(stem) < 3 or len(split_options("\n".join(stem))[1]) >= 2)
    )


def _is_answered(texts: list[str]) -> bool:
    return any(read_answer_label(text) is not None for text in texts)
