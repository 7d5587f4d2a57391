"""A question's lines while the text is being cut, and what can be seen of them ahead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from question_bank.formats.answers import looks_like_key
from question_bank.formats.options import split_options, strip_mark
from question_bank.formats.stems import take_inline_answer, take_letter_keys, take_truth
from question_bank.formats.text.answer_lists import pieces_of
from question_bank.formats.text.lines import Line
from question_bank.formats.text.patterns import read_analysis_label, read_answer_label, read_kind_label
from question_bank.model import Kind

NEAR = 80
"""Lines looked at ahead of a line, and of a question when it is asked whether it is complete."""
_ASKS = re.compile(r"\w.*[(（]\s*[)）]\s*[。.]?$")


@dataclass(slots=True)
class Block:
    """The lines of one question, without its number."""

    number: int | None
    lines: list[Line]
    section: str = ""
    kind: Kind | None = None
    label: str = ""
    material: str = ""
    answers_before: int = 0
    """How many answer sections stood before it."""


@dataclass(slots=True)
class Material:
    """A text that several questions share: those whose numbers it names, else all up to the next heading or material."""

    first: int
    last: int
    head: str
    lines: list[str] = field(default_factory=list)
    uses: int = 0

    def text(self) -> str:
        """The words of the material, its head line where it has no other."""
        return "\n".join(self.lines).strip() or self.head


@dataclass(frozen=True, slots=True)
class Ahead:
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
    """Whether the text behind a number is an answer, not a stem."""
    return not rest or read_answer_label(rest) is not None or looks_like_key(pieces_of(rest)[0])


def texts_of(block: Block) -> list[str]:
    """The first lines of a block, enough to judge it by."""
    return [line.text for line in block.lines[:NEAR]]


def is_label(text: str) -> bool:
    """Whether a label of an answer or explanation stands on the line."""
    return any(
        read_answer_label(piece) is not None or read_analysis_label(piece) is not None for piece in pieces_of(text)
    )


def before_labels(texts: list[str]) -> list[str]:
    """The lines up to the first label: stem and options."""
    kept = []
    for text in texts:
        pieces = pieces_of(text)
        if pieces and (read_answer_label(pieces[0]) is not None or read_analysis_label(pieces[0]) is not None):
            break
        kept.append(pieces[0] if pieces else text)
        if len(pieces) > 1:
            break
    return kept


def has_answer(block: Block) -> bool:
    """Whether a block says its answer itself, by a label or in its stem."""
    texts = texts_of(block)
    if any(read_answer_label(piece) is not None for text in texts for piece in pieces_of(text)):
        return True
    return _is_keyed(texts[0] if texts else "")


def look_ahead(rest: str, texts: list[str], *, label_below: bool) -> Ahead:
    """What a numbered line begins, from the text behind its number and the lines below it."""
    stem = "\n".join(before_labels([rest, *texts]))
    later = any(read_answer_label(text) is not None for text in texts) or label_below
    inline = len(pieces_of(rest)) > 1 and read_answer_label(rest) is None
    kind, label, _ = read_kind_label(rest)
    return Ahead(
        options=bool(split_options(stem)[1]) and not strip_mark(rest)[0],
        answer=later or inline,
        bracket=_is_keyed(rest) and not looks_like_key(rest),
        labelled=bool(kind or label),
        asks=bool(_ASKS.search(rest)),
    )


def _is_keyed(stem: str) -> bool:
    return bool(take_letter_keys(stem)[1]) or bool(take_truth(stem)[1]) or bool(take_inline_answer(stem)[1])
