"""What is known while a text is split: the present question, section and material, and how far each has come."""

from dataclasses import dataclass, field

from question_bank.formats.heuristics import text_patterns as patterns
from question_bank.formats.heuristics.answers import looks_like_key
from question_bank.formats.heuristics.stems import split_options
from question_bank.formats.heuristics.text_answers import AnswerBlock, pieces_of
from question_bank.formats.heuristics.text_lookahead import (
    NEAR,
    LineContext,
    Material,
    TextBlock,
    before_labels,
    has_answer,
    is_label,
    texts_of,
)
from question_bank.formats.heuristics.text_patterns import Heading, Number, TextLine
from question_bank.model import Note


@dataclass(slots=True)
class Segments:
    """What the text holds."""

    blocks: list[TextBlock] = field(default_factory=list)
    answers: list[AnswerBlock] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)


class SplitState(LineContext):
    """The state of a text that is being split, line by line."""

    def __init__(self, lines: list[TextLine]) -> None:
        super().__init__(lines)
        self.found = Segments()
        self.block: TextBlock | None = None
        self.heading = Heading("", None)
        self.fresh = True
        """Whether no question has begun since the last heading."""
        self.last = 0
        self.inner = 0
        """The last number of an enumeration within a question's text or answer."""
        self.blank_before = True
        self.mode = "preamble"
        self.material: Material | None = None
        self.pending: list[str] = []
        """Lines below a heading that are no question: perhaps the text that the next ones share."""
        self.left: list[TextLine] = []
        """Lines that no question, material or answer section has taken so far."""
        self.known: dict[int | None, list[TextBlock]] = {}
        self.law = ""
        self.is_law_outer: bool | None = None
        """Whether laws stand above kinds in the outline; None until the first law."""

    def _is_about_cases(self) -> bool:
        return patterns.ABOUT_CASES.search(self.heading.title) is not None

    def _count_inner(self, line: TextLine, number: Number | None) -> None:
        """Follow an enumeration `1. 2. 3.` within the question; it may begin on the line of a label."""
        if number is None:
            pieces = pieces_of(line.text)
            text = pieces[-1] if pieces else ""
            found = patterns.read_answer_label(text)
            found = found if found is not None else patterns.read_analysis_label(text)
            number = patterns.read_number(found) if found else None
            number = number if number and number.value == 1 else None
        if number and number.style not in {"chinese", "paren"} and number.value in {1, self.inner + 1}:
            self.inner = number.value

    def _is_complete(self) -> bool:
        return self.block is None or has_answer(self.block) or self._has_options()

    def _has_options(self) -> bool:
        return self.block is not None and len(split_options("\n".join(before_labels(texts_of(self.block))))[1]) >= 2

    def _is_keyed(self) -> bool:
        """Return whether the present question's last label is of its answer, and that is a mere key."""
        labels = [piece for line in self.block.lines[-NEAR:] for piece in pieces_of(line.text)] if self.block else []
        last = next((piece for piece in reversed(labels) if is_label(piece)), "")
        return looks_like_key(patterns.read_answer_label(last) or "")

    def _is_keyed_whole(self) -> bool:
        """Return whether the present question has a mere key and none of its lines is a point of an outline: what looks like a heading is one."""
        if self.block is None or not self._is_complete():
            return False
        texts = texts_of(self.block)
        if any(patterns.read_subheading(text) for text in texts[1:]):
            return False
        labels = [patterns.read_answer_label(piece) for text in texts for piece in pieces_of(text)]
        keys = [label for label in labels if label is not None]
        return looks_like_key(keys[0]) if keys else not self._in_text()

    def _in_text(self) -> bool:
        """Return whether the present question has come to its answer or explanation."""
        return self.block is not None and any(is_label(line.text) for line in self.block.lines[-NEAR:])
