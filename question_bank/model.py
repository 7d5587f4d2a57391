"""A question as every format reads and writes it, and the result of reading a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from examapp.documents.archives import UnreadableFileError

OPTION_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TRUE_FALSE_OPTIONS = ("正确", "错误")


class Kind(StrEnum):
    """The kinds of question that the bank holds; a case holds sub-questions of the others."""

    SINGLE_CHOICE = "single_choice"
    MULTIPLE_CHOICE = "multiple_choice"
    TRUE_FALSE = "true_false"
    FILL_BLANK = "fill_blank"
    SHORT_ANSWER = "short_answer"
    ORDERING = "ordering"
    CASE = "case"


class Difficulty(StrEnum):
    """How hard a question is held to be before statistics say so."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


DIFFICULTY_NAMES = {Difficulty.EASY: "易", Difficulty.MEDIUM: "中", Difficulty.HARD: "难"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where in which version of which law a question has its answer."""

    law: str
    article: str
    version: str | None = None
    """Date of the law's version, ISO (`2021-01-22`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture that a question's HTML names by `src="bank:<name>"`."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question.

    `key` by kind: choices – option letters in rising order (`("A", "C")`); true/false – `("A",)` for 正确 and `("B",)`
    for 错误, with `options` always `("正确", "错误")`; fill-in – one tuple of accepted variants a blank, in `blanks`, and
    `key` empty; ordering – all option letters in the right order; short answer – the model answer as the one string of `key`; case – empty, the keys are in `parts`.
    """

    kind: Kind
    stem: str
    options: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    blanks: tuple[tuple[str, ...], ...] = ()
    parts: tuple["Question", ...] = ()
    """Sub-questions of a case, whose common text is `stem`."""
    explanation: str = ""
    citation: Citation | None = None
    knowledge_points: tuple[str, ...] = ()
    difficulty: Difficulty | None = None
    points: Decimal | None = None
    code: str | None = None
    """The question's own number in its file or bank."""
    tags: tuple[str, ...] = ()
    is_html: bool = False
    """Whether stem, options, explanation are HTML fragments; else plain text."""
    images: tuple[Image, ...] = ()


PICTURE = "\ufffc"
"""Placeholder in the text for a picture or formula of a document."""
FIRST_NUMBERED = 0xF0000
MAX_NUMBERED = 0xFFFE
"""Pictures that such characters can number."""
NUMBERED = "[\U000f0000-\U000ffffd]"
"""A character after the placeholder: the index of the document's picture, counted from `FIRST_NUMBERED`."""


@dataclass(frozen=True, slots=True)
class Note:
    """A loss or a rejection: where in the file, and why, in Chinese.

    `where` is a place that a person finds again: `工作表“单选”第 7 行“答案”列`, `第 31 行`, or an XML path.
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
    dropped: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionForReview:
    """A question whose key the file leaves in doubt: for the review list, its key is never guessed."""

    question: Question
    note: Note


Outcome = ReadQuestion | QuestionForReview | Note


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """What people have said that columns hold: codes of fields (`option:0`; empty: not read) by normalised head, or by `#2` for the third column."""

    said: Mapping[str, str] = field(default_factory=dict)
    """About this file: above all that the readers know."""
    remembered: Mapping[str, str] = field(default_factory=dict)
    """About earlier files: only for heads that the readers do not know."""


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns of a table: enough to ask a person which column holds what."""

    place: str
    heads: tuple[str, ...]
    keys: tuple[str, ...]
    """By which `ColumnNames` knows each column."""
    fields: tuple[str, ...]
    """The code of what each column was read as; empty where it was not read."""
    samples: tuple[tuple[str, ...], ...]
    remembered: tuple[int, ...] = ()
    """Indexes of columns that were read as an earlier file's."""
    is_known: bool = True
    """Whether a head was recognised."""


class UnknownColumnsError(UnreadableFileError):
    """The file holds tables, but no head is recognised: a person can say what the columns hold."""

    def __init__(self, text: str, *, format_name: str, tables: list[TableColumns]) -> None:
        super().__init__(text)
        self.format_name, self.tables = format_name, tables


@dataclass(slots=True)
class ParseResult:
    """All of one file: `found == len(imported) + len(doubtful) + len(rejected)`."""

    format: str
    imported: list[ReadQuestion] = field(default_factory=list)
    needing_review: list[QuestionForReview] = field(default_factory=list)
    rejected: list[Note] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)
    """What the file holds beside questions and is not kept: pages, categories, sections."""
    census: int | None = None
    """How many questions the file seems to hold, by a count that reads nothing; None where it gives no sign to count."""
    tables: list[TableColumns] = field(default_factory=list)
    sources: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By place the words of the file around a doubtful or rejected question, each line with its label, where the file is no plain text."""

    @property
    def found(self) -> int:
        """How many questions the file holds."""
        return len(self.imported) + len(self.needing_review) + len(self.rejected)

    @property
    def differs_from_census(self) -> bool:
        """Return whether the file seems to hold more or fewer questions than were found, the parts of cases counted either way."""
        questions = [item.question for item in self.imported] + [item.question for item in self.needing_review]
        parts = sum(len(question.parts) for question in questions)
        cases = sum(bool(question.parts) for question in questions)
        return self.census not in {None, self.found, self.found + parts, self.found + parts - cases}

    def add(self, outcome: Outcome) -> None:
        """Append an outcome to its list."""
        if isinstance(outcome, ReadQuestion):
            self.imported.append(outcome)
        elif isinstance(outcome, QuestionForReview):
            self.needing_review.append(outcome)
        else:
            self.rejected.append(outcome)
