"""What reading a file of questions comes to: every question of the file ends in exactly one of three lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from question_bank.model import Question

PICTURE = "\ufffc"
"""Stands in the text where a document has a picture or a formula."""
FIRST_NUMBERED = 0xF0000
NUMBERED = "[\U000f0000-\U000ffffd]"
"""Such a sign after it says which of the document's pictures it is, counted from `FIRST_NUMBERED`."""


@dataclass(frozen=True, slots=True)
class Note:
    """A loss or a refusal: where in the file, and why, in Chinese.

    `where` is a place that a person finds again: `工作表「单选」第 7 行「答案」列`, `第 31 行`, or an XML path.
    `code` is a constant English word for programs: `no_key`, `key_outside_options`, `kind_not_sat` …
    """

    where: str
    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class ReadQuestion:
    """A question that was imported, with the place it stood at and what could not be kept of it."""

    question: Question
    where: str
    losses: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class DoubtfulQuestion:
    """A question whose key the file leaves in doubt: for the review list, its key is never guessed."""

    question: Question
    note: Note


@dataclass(slots=True)
class ParseResult:
    """All of one file: `found == len(imported) + len(doubtful) + len(refused)`."""

    format: str
    imported: list[ReadQuestion] = field(default_factory=list)
    doubtful: list[DoubtfulQuestion] = field(default_factory=list)
    refused: list[Note] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)
    """What the file holds beside questions and is not kept: pages, categories, sections."""

    @property
    def found(self) -> int:
        """How many questions the file holds."""
        return len(self.imported) + len(self.doubtful) + len(self.refused)
