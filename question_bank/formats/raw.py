"""A question as a file holds it, before anything is decided about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from question_bank.formats.pictures import Drawn
from question_bank.model import Citation, Difficulty, Kind
from question_bank.parse_result import Note


@dataclass(slots=True)
class RawQuestion:
    """What one row or block of a file says; `assembling.assemble` decides how it ends."""

    where: str
    stem: str = ""
    kind: Kind | None = None
    """The kind the file states; None when it must be seen from options and answer."""
    kind_label: str = ""
    """What stands in the place of the kind, when it is no kind of ours."""
    options: list[tuple[str, str]] = field(default_factory=list)
    answer: str = ""
    blanks: list[str] = field(default_factory=list)
    """Answers given one a blank (columns `空 1`, `空 2` …)."""
    answer_where: str = ""
    places: dict[str, str] = field(default_factory=dict)
    """Where the `kind`, the `stem` and the `options` stand, in files in which each has a place of its own."""
    explanation: str = ""
    citation: Citation | None = None
    knowledge_points: tuple[str, ...] = ()
    difficulty: Difficulty | None = None
    points: Decimal | None = None
    code: str | None = None
    tags: tuple[str, ...] = ()
    parts: list[RawQuestion] = field(default_factory=list)
    pictures: list[tuple[str, Drawn]] = field(default_factory=list)
    """Each with the text that it lies on: `drawn.STEM`, `drawn.EXPLANATION`, or an option's letter."""
    losses: list[Note] = field(default_factory=list)
    doubts: list[Note] = field(default_factory=list)
    refusal: Note | None = None
    """Why the question cannot be imported whatever it says."""
    neighbourhood: str = ""
    """Where its true/false neighbours are: the sheet or the file."""
    letter_means_truth: bool = True
    """Whether a bare A or B of a true/false question without options is read as 正确 or 错误."""

    def lose(self, reason: str, code: str) -> None:
        """Name something of the question that cannot be kept."""
        self.losses.append(Note(self.where, reason, code))

    def doubt(self, reason: str, code: str) -> None:
        """Name why the question's key is not clear."""
        self.doubts.append(Note(self.answer_where or self.where, reason, code))
