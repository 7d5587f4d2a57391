"""What single choice, multiple choice and true/false have in common: the key is a set of option letters."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache

from question_bank.kinds.base import (
    ZERO,
    Issue,
    ItemKey,
    KeyFields,
    QuestionKind,
    ResponseSpec,
    ScoringRule,
    options_issues,
)
from question_bank.model import OPTION_LETTERS, Question

_MAX_PERMUTED = 6
_SAMPLED_ORDERS = 2000
"""All 720 orders of six options are listed; of more options a sample."""
_BANNED_OPTIONS = ("以上都对", "以上都不对", "以上皆是", "以上均", "都不是", "A和B", "AB都")


@lru_cache(maxsize=64)
def permutations(count: int) -> tuple[str, ...]:
    """Return orders of the first letters, the rising one first; the same each time."""
    letters = OPTION_LETTERS[:count]
    if count <= _MAX_PERMUTED:
        return tuple("".join(order) for order in itertools.permutations(letters))
    rng = random.Random(count)  # noqa: S311 – no secret: which of them a person gets is drawn by the paper's own seed
    return (letters, *("".join(rng.sample(letters, count)) for _ in range(_SAMPLED_ORDERS)))


def shown_letters(key: Sequence[str], order: str) -> list[str]:
    """Return the display letters of stored letters, in the key's order; letters that the order does not show are left out."""
    return [OPTION_LETTERS[order.index(letter)] for letter in key if letter in order]


class ChoiceKind(QuestionKind):
    """A kind whose response and key are sets of option letters."""

    template = "choice"
    has_letter_key = True
    has_options = True
    max_keys = 1
    """How many letters a response may hold; 0 for as many as there are options."""
    guess_count = 4
    """Among how many options demo data guesses."""

    def response_spec(self, *, option_count: int, blank_count: int) -> ResponseSpec:
        """Return a spec of option keys."""
        del blank_count
        return ResponseSpec(option_count, self.max_keys or option_count)

    def iter_issues(self, question: Question) -> Iterator[Issue]:
        """Yield what is wrong with the options."""
        return options_issues(question, self.name)

    def iter_key_issues(self, question: Question) -> Iterator[Issue]:
        """Yield a key outside the options, none, too many letters, or two options that say the same."""
        options = self.options_of(question)
        letters = OPTION_LETTERS[: len(options)]
        if any(letter not in letters for letter in question.key):
            yield Issue(code="key_outside_options", reason="答案指向不存在的选项。请核对答案。", voids_key=True)
            return
        if not question.key:
            yield self.no_key()
        if self.max_keys and len(set(question.key)) > self.max_keys:
            yield self.too_many_keys()
        right = {options[letters.index(letter)] for letter in question.key}
        if any(option in right for letter, option in zip(letters, options, strict=True) if letter not in question.key):
            yield Issue(code="same_options", reason="有两个选项内容相同，却一个算对一个算错。请核对选项和答案。")

    def no_key(self) -> Issue:
        """Return the issue of a missing key."""
        return Issue(code="no_key", reason="没有写明正确答案。请补上答案。")

    def too_many_keys(self) -> Issue:
        """Return the issue of a key with more letters than the kind has."""
        reason = "单选题却有不止一个选项得满分。请确认是改成多选题，还是只留一个答案。"
        return Issue(code="two_keys", reason=reason, voids_key=True)

    def iter_style_issues(self, question: Question) -> Iterator[str]:
        """Yield repeated options and options that speak of the others."""
        if len(set(question.options)) != len(question.options):
            yield "选项重复"
        for option in question.options:
            if any(banned in option for banned in _BANNED_OPTIONS):
                yield f"选项「{option}」不合要求"

    def stored_key(self, question: Question, *, plain: Callable[[str], str]) -> list[str]:
        """Return the letters in rising order, each once."""
        del plain
        return sorted(set(question.key))

    def score(self, key: ItemKey, response: Sequence[str], rule: ScoringRule) -> Decimal:
        """Return all points for exactly the right options, else none."""
        del rule
        return key.points if frozenset(response) == frozenset(key.key) else ZERO

    def normalised(self, response: Sequence[str]) -> list[str]:
        """Return the chosen keys in rising order."""
        return sorted(response)

    def display_orders(self, count: int) -> tuple[str, ...]:
        """Return all permutations of a few options, a sample of those of many."""
        return permutations(count)

    def display_key(self, key: Sequence[str], order: str) -> tuple[str, ...]:
        """Return the display letters in rising order."""
        return tuple(sorted(shown_letters(key, order))) if order else tuple(key)

    def key_of_fields(self, fields: KeyFields) -> tuple[str, ...]:
        """Return the ticked letters in rising order."""
        return tuple(sorted(fields.key))

    def fields_of(self, question: Question) -> KeyFields:
        """Return the ticked letters."""
        return KeyFields(key=list(question.key))

    def simulate(self, key: ItemKey, *, rng: random.Random, chance: Callable[[int], float]) -> list[str]:
        """Choose right by chance, else one of the wrong options."""
        if rng.random() < chance(self.guess_count):
            return list(key.key)
        return [rng.choice([letter for letter in OPTION_LETTERS[: key.option_count] if letter not in key.key])]

    def wrong_response(self, key: ItemKey) -> list[str]:
        """Choose the first wrong option alone."""
        letters = OPTION_LETTERS[: key.option_count]
        return [next((letter for letter in letters if letter not in key.key), key.key[0])]
