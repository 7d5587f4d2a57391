"""The interface of a question kind, and the limits that hold for all kinds."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from question_bank.model import OPTION_LETTERS, Kind, Question

MIN_OPTIONS = 2
MAX_OPTIONS = len(OPTION_LETTERS)
MAX_TEXT = 20_000
"""Characters of one stem, option, answer or explanation, markup not counted."""
MAX_PRACTICE_TEXT = 200
"""Characters of one text that answers a question of a practice."""
ZERO = Decimal(0)


class ScoringRule(StrEnum):
    """How an exam scores a multiple-choice answer (多选计分)."""

    ALL_OR_NOTHING = "all_or_nothing"
    HALF_FOR_INCOMPLETE = "half_for_incomplete"
    PER_OPTION = "per_option"
    """Points per right option, any wrong one makes zero."""
    NET_RIGHT = "net_right"
    """Right minus wrong, not below zero."""


class Severity(StrEnum):
    """What becomes of a question with an issue."""

    REJECT = "reject"
    """It cannot be stored, whatever its key."""
    REVIEW = "review"
    """It can be stored; its key must be set by a person first."""
    NOTE = "note"
    """It is stored as it is, with a note of the issue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What is wrong with a question: a constant English code, and the reason in Chinese with what to do next."""

    code: str
    reason: str
    severity: Severity = Severity.REVIEW
    voids_key: bool = False
    """Whether the key must not be kept, since it contradicts the kind."""


class InvalidResponseError(ValueError):
    """A practice answer that the question does not allow; `reason` is Chinese, empty where nothing was answered."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """What a response to one item may be."""

    option_count: int
    """The number of options whose keys it may hold, each once; 0 where it holds texts."""
    size: int
    """The most keys it may hold, or the exact number of texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemKey:
    """What one item of a paper is scored against: display keys of options, or the accepted variants of each blank."""

    kind: Kind
    points: Decimal
    key: tuple[str, ...] = ()
    option_count: int = 0
    blanks: tuple[tuple[str, ...], ...] = ()
    units: tuple[str, ...] = ()
    """Of each blank the unit that the stem has right after it, which may be written too; empty where no blank has one."""
    scoring: str = ""
    """A code of the kind's `section_scoring`; empty for its first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFields:
    """A key as the editor's form fields hold it; each kind uses one of them."""

    key: Sequence[str] = ()
    """Ticked option letters."""
    truth: str = ""
    blanks: str = ""
    """One line a blank, variants divided by `|`."""
    answer: str = ""


class QuestionKind:
    """All that the product knows of one kind of question; stateless. What only an item has is not implemented for a case."""

    code: ClassVar[Kind]
    name: ClassVar[str]
    letter: ClassVar[str] = ""
    """The kind in a stored response schema; empty for a kind that is no item of a paper."""
    template: ClassVar[str]
    """The module of macros under `templates/kinds` that shows it and asks for it."""
    aliases: ClassVar[tuple[str, ...]]
    """Names and codes that banks write for the kind (题 left out)."""
    codes: ClassVar[Mapping[str, str]] = {}
    """The kind's name in formats that have one, by the format: `moodle-xml`, `qti-1.2`."""
    is_part: ClassVar[bool] = True
    """Whether it is one item: a question by itself or a sub-question of a case."""
    is_machine_graded: ClassVar[bool] = True
    """Whether its items are drawn into papers and practices."""
    has_options: ClassVar[bool] = False
    """Whether its author writes the options."""
    has_letter_key: ClassVar[bool] = False
    """Whether a response and the key are option letters."""
    is_multiple: ClassVar[bool] = False
    """Whether a response may hold several option letters."""
    has_blanks: ClassVar[bool] = False
    has_own_result: ClassVar[bool] = False
    """Whether its template shows response and key on result pages (macro `answered`), other than as marked options or as texts."""
    is_always_shuffled: ClassVar[bool] = False
    """Whether the stored order of options would reveal the key."""
    swappable_with: ClassVar[frozenset[Kind]] = frozenset()
    """Kinds that the editor may turn it into without losing a field."""
    section_scoring: ClassVar[Mapping[str, str]] = {}
    """Scoring rules that a section of a blueprint may choose, with their names; the first is the default."""

    def options_of(self, question: Question) -> tuple[str, ...]:
        """Return the options that are stored of a question."""
        return question.options if self.has_options else ()

    def response_spec(self, *, option_count: int, blank_count: int) -> ResponseSpec:
        """Return what a response to an item of this kind may be."""
        raise NotImplementedError

    def iter_issues(self, question: Question) -> Iterator[Issue]:
        """Yield what is wrong with options and parts whatever the key is, worst first."""
        return iter(())

    def iter_key_issues(self, question: Question) -> Iterator[Issue]:
        """Yield what is wrong with the key."""
        return iter(())

    def iter_style_issues(self, question: Question) -> Iterator[str]:
        """Yield what a question of the shipped bank must not have, in Chinese."""
        return iter(())

    def stored_key(self, question: Question, *, plain: Callable[[str], str]) -> list[str]:
        """Return the key as it is stored; `plain` takes the markup out of a text."""
        return [plain(text) for text in question.key]

    def key_json(self, question: Question, *, plain: Callable[[str], str]) -> list[Any]:
        """Return the key as the command line prints it."""
        return list(question.key)

    def units_of(self, stem: str, blank_count: int) -> list[str]:
        """Return the units that a plain stem has right after its blanks, which a response may repeat; a kind without blanks has none."""
        return []

    def score(self, key: ItemKey, response: Sequence[str], rule: ScoringRule) -> Decimal:
        """Return the points of a response that is answered, unrounded, from zero to the item's points.

        They do not depend on which letters stand for the options, as long as response and key use the same.
        """
        raise NotImplementedError

    def is_answered(self, response: Sequence[str], spec: ResponseSpec) -> bool:
        """Return whether a response counts as answered: at least one option or one text that is not blank."""
        return any(part.strip() for part in response)

    def normalised(self, response: Sequence[str]) -> list[str]:
        """Return a response so that equal answers are equal lists; the receipt's hash is over this."""
        return list(response)

    def display_orders(self, count: int) -> tuple[str, ...]:
        """Return the orders in which so many stored options may be shown, the stored one first."""
        return ("",)

    def display_key(self, key: Sequence[str], order: str) -> tuple[str, ...]:
        """Return a stored key in the letters a person saw; `order` holds stored letters in display order."""
        return tuple(key)

    def stored_response(self, response: Sequence[str], order: str) -> tuple[str, ...]:
        """Return a response in stored letters; `order` holds stored letters in display order, empty for texts."""
        shown = dict(zip(OPTION_LETTERS, order, strict=False))
        return tuple(shown.get(part, part) for part in response)

    def packed_size(self, option_count: int) -> int:
        """Return how many bytes `pack` gives for so many options; 0 for a kind whose responses are texts."""
        return 0

    def pack(self, response: Sequence[str], option_count: int) -> bytes:
        """Return a response in stored letters as `packed_size` bytes, all zero where nothing was chosen; raise ValueError for a letter beyond the options."""
        return b""

    def unpack(self, packed: bytes) -> tuple[str, ...]:
        """Return the stored letters that `pack` was given, a set in rising order."""
        return ()

    def describe_key(self, key: Sequence[str], blanks: Sequence[Sequence[str]], order: str) -> list[str]:
        """Return the key for result pages in the letters a person saw, one entry a letter or blank."""
        return list(self.display_key(key, order)) or [" / ".join(variants) for variants in blanks]

    def key_lines(self, key: Sequence[str], blanks: Sequence[Sequence[str]]) -> list[str]:
        """Return the stored key in Chinese for the office's pages."""
        return ["".join(key) or "未定"]

    def read_practice(self, raw: Sequence[str], spec: ResponseSpec) -> list[str]:
        """Return a practice's answer as a form sends it, normalised; raises InvalidResponseError."""
        chosen = self.normalised(list(dict.fromkeys(raw)))
        if not chosen:
            raise InvalidResponseError
        if not set(chosen) <= set(OPTION_LETTERS[: spec.option_count]) or len(chosen) > spec.size:
            raise InvalidResponseError("所选的选项不对，请重新选择后提交。")
        return chosen

    def key_of_fields(self, fields: KeyFields) -> tuple[str, ...]:
        """Return the key that a form says."""
        return ()

    def blanks_of_fields(self, fields: KeyFields) -> tuple[tuple[str, ...], ...]:
        """Return the accepted variants of each blank that a form says."""
        return ()

    def fields_of(self, question: Question) -> KeyFields:
        """Return the form fields that show a question's key."""
        return KeyFields(blanks="\n".join("|".join(variants) for variants in question.blanks))

    def simulate(self, key: ItemKey, *, rng: random.Random, chance: Callable[[int], float]) -> list[str]:
        """Return a plausible response for demo data; `chance(guesses)` is the chance to be right among so many guesses."""
        raise NotImplementedError

    def wrong_response(self, key: ItemKey) -> list[str]:
        """Return a complete response that is wrong by a key, the same each time."""
        raise NotImplementedError
