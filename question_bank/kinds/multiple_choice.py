"""Multiple choice (多选题): one option or more are right; the exam's rule says what a part of them is worth."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

from question_bank.kinds.base import ZERO, ItemKey, ScoringRule
from question_bank.kinds.choices import ChoiceKind
from question_bank.model import OPTION_LETTERS, Kind, Question

_HARDER = 0.12
"""How much less likely a wholly right answer is than that of a single choice, in demo data."""


class MultipleChoice(ChoiceKind):
    """Any number of options."""

    code = Kind.MULTIPLE_CHOICE
    name = "多选题"
    letter = "M"
    aliases = ("多选", "多", "多项选择", "多选择", "多项", "不定项选择", "不定项", "不定项多选",
               "multiple", "multiple_choice", "duoxuan", "checkbox", "multi")  # fmt: skip
    codes: ClassVar[Mapping[str, str]] = {"moodle-xml": "multichoice", "qti-1.2": "multiple_answers_question"}
    is_multiple = True
    max_keys = 0
    swappable_with = frozenset({Kind.SINGLE_CHOICE})

    def iter_style_issues(self, question: Question) -> Iterator[str]:
        """Yield a key of one letter."""
        yield from super().iter_style_issues(question)
        if not 2 <= len(question.key) <= len(question.options):
            yield "多选题应有两个以上答案"

    def score(self, key: ItemKey, response: Sequence[str], rule: ScoringRule) -> Decimal:
        """Return all points for exactly the right options, else what the exam's rule gives."""
        chosen, right = frozenset(response), frozenset(key.key)
        if chosen == right:
            return key.points
        hits, misses = len(chosen & right), len(chosen - right)
        if rule is ScoringRule.NET_RIGHT:
            return key.points * max(0, hits - misses) / len(right)
        if misses or rule is ScoringRule.ALL_OR_NOTHING:
            return ZERO
        return key.points / 2 if rule is ScoringRule.HALF_FOR_INCOMPLETE else key.points * hits / len(right)

    def simulate(self, key: ItemKey, *, rng: random.Random, chance: Callable[[int], float]) -> list[str]:
        """Choose right by chance, else miss by one option."""
        if rng.random() < chance(self.guess_count) - _HARDER:
            return list(key.key)
        letters = OPTION_LETTERS[: key.option_count]
        return sorted(set(key.key) ^ {rng.choice(letters)}) or [letters[0]]
