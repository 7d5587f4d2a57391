"""Kinds whose key is a set of option letters: single choice (单选题), multiple choice (多选题), true/false (判断题)."""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar

from question_bank.kinds.base import (
    MAX_OPTIONS,
    MIN_OPTIONS,
    ZERO,
    Issue,
    ItemKey,
    KeyFields,
    QuestionKind,
    ResponseSpec,
    ScoringRule,
    Severity,
)
from question_bank.model import OPTION_LETTERS, TRUE_FALSE_OPTIONS, Kind, Question
from question_bank.rich import Rich

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


def option_numbers(letters: Sequence[str], option_count: int) -> list[int]:
    """Return the numbers of option letters, A as 0, each once; raise ValueError for a letter beyond the options."""
    return [OPTION_LETTERS.index(letter, 0, option_count) for letter in dict.fromkeys(letters)]


class OptionKind(QuestionKind):
    """A kind whose response and key are option letters."""

    has_letter_key = True
    has_options = True
    max_keys = 0
    """How many letters a response may hold; 0 for as many as there are options."""

    def response_spec(self, *, option_count: int, blank_count: int) -> ResponseSpec:
        """Return a spec of option keys."""
        return ResponseSpec(option_count, self.max_keys or option_count)

    def iter_issues(self, question: Question) -> Iterator[Issue]:
        """Yield what is wrong with the options: their number, and blank ones."""
        count = len(question.options)
        if count > MAX_OPTIONS:
            reason = f"有 {count} 个选项，超过 {MAX_OPTIONS} 个的上限。请减少选项后再导入。"
            yield Issue(code="too_many_options", reason=reason, severity=Severity.REJECT)
        blank_count = sum(Rich(option, question.is_html).is_blank for option in question.options)
        if count - blank_count < MIN_OPTIONS:
            reason = f"{self.name}的选项不足两个，无法导入。请补齐选项。"
            yield Issue(code="too_few_options", reason=reason, severity=Severity.REJECT)
        if blank_count:
            yield Issue(code="blank_option", reason="有选项是空的。请补上选项内容并核对答案。")

    def display_orders(self, count: int) -> tuple[str, ...]:
        """Return all permutations of a few options, a sample of those of many."""
        return permutations(count)


class ChoiceKind(OptionKind):
    """A kind whose response and key are sets of option letters."""

    template = "choice"
    max_keys = 1
    guess_count = 4
    """Among how many options demo data guesses."""
    no_key = Issue(code="no_key", reason="没有写明正确答案。请补上答案。")
    many_keys = Issue(
        code="two_keys", reason="单选题却有不止一个选项得满分。请确认是改成多选题，还是只留一个答案。", voids_key=True
    )

    def iter_key_issues(self, question: Question) -> Iterator[Issue]:
        """Yield a key outside the options, none, too many letters, or two options that say the same."""
        options = self.options_of(question)
        letters = OPTION_LETTERS[: len(options)]
        if any(letter not in letters for letter in question.key):
            yield Issue(code="key_outside_options", reason="答案指向不存在的选项。请核对答案。", voids_key=True)
            return
        if not question.key:
            yield self.no_key
        if self.max_keys and len(set(question.key)) > self.max_keys:
            yield self.many_keys
        right = {options[letters.index(letter)] for letter in question.key}
        if any(option in right for letter, option in zip(letters, options, strict=True) if letter not in question.key):
            yield Issue(code="same_options", reason="有两个选项内容相同，却一个算对一个算错。请核对选项和答案。")

    def iter_style_issues(self, question: Question) -> Iterator[str]:
        """Yield repeated options and options that speak of the others."""
        if len(set(question.options)) != len(question.options):
            yield "选项重复"
        for option in question.options:
            if any(banned in option for banned in _BANNED_OPTIONS):
                yield f"选项“{option}”不合要求"

    def stored_key(self, question: Question, *, plain: Callable[[str], str]) -> list[str]:
        """Return the letters in rising order, each once."""
        return sorted(set(question.key))

    def packed_size(self, option_count: int) -> int:
        """Return one byte for each eight options."""
        return (option_count + 7) // 8

    def pack(self, response: Sequence[str], option_count: int) -> bytes:
        """Return a bit mask, big-endian: bit 0 is letter A."""
        mask = sum(1 << number for number in option_numbers(response, option_count))
        return mask.to_bytes(self.packed_size(option_count), "big")

    def unpack(self, packed: bytes) -> tuple[str, ...]:
        """Return the letters of the set bits."""
        mask = int.from_bytes(packed, "big")
        return tuple(letter for number, letter in enumerate(OPTION_LETTERS) if mask >> number & 1)

    def score(self, key: ItemKey, response: Sequence[str], rule: ScoringRule) -> Decimal:
        """Return all points for exactly the right options, else none."""
        return key.points if frozenset(response) == frozenset(key.key) else ZERO

    def normalised(self, response: Sequence[str]) -> list[str]:
        """Return the chosen keys in rising order."""
        return sorted(response)

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


_SHIPPED_OPTIONS = 4
"""Options of a single choice in the shipped bank."""


class SingleChoice(ChoiceKind):
    """One option of several."""

    code = Kind.SINGLE_CHOICE
    name = "单选题"
    letter = "S"
    aliases = ("单选", "单", "单项选择", "单选择", "单项", "单项选择单选", "最佳选择", "A型", "A1型", "A1", "A2型", "A2",
               "single", "single_choice", "danxuan", "radio", "radiogroup")  # fmt: skip
    codes: ClassVar[Mapping[str, str]] = {"moodle-xml": "multichoice", "qti-1.2": "multiple_choice_question"}
    swappable_with = frozenset({Kind.MULTIPLE_CHOICE})

    def iter_style_issues(self, question: Question) -> Iterator[str]:
        """Yield another number of options than the shipped bank has."""
        yield from super().iter_style_issues(question)
        if len(question.options) != _SHIPPED_OPTIONS:
            yield f"单选题应有 {_SHIPPED_OPTIONS} 个选项，现有 {len(question.options)} 个"


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


class TrueFalse(ChoiceKind):
    """One statement, right or wrong."""

    code = Kind.TRUE_FALSE
    name = "判断题"
    letter = "T"
    template = "true_false"
    aliases = ("判断", "判", "是非", "对错", "判断对错", "判断正误", "正误判断", "正误", "是非判断",
               "judge", "judgement", "boolean", "judgment", "true_false", "true/false", "panduan")  # fmt: skip
    codes: ClassVar[Mapping[str, str]] = {"moodle-xml": "truefalse", "qti-1.2": "true_false_question"}
    has_options = False
    guess_count = 2
    no_key = many_keys = Issue(code="no_key", reason="判断题没有写明对错。请补上答案。")

    def options_of(self, question: Question) -> tuple[str, ...]:
        """Return 正确 and 错误."""
        return TRUE_FALSE_OPTIONS

    def iter_issues(self, question: Question) -> Iterator[Issue]:
        """Yield nothing: the options are given."""
        return iter(())

    def display_orders(self, count: int) -> tuple[str, ...]:
        """Return the one order in which the two always stand."""
        return (OPTION_LETTERS[:count],)

    def key_lines(self, key: Sequence[str], blanks: Sequence[Sequence[str]]) -> list[str]:
        """Return 正确 or 错误."""
        return [TRUE_FALSE_OPTIONS[OPTION_LETTERS.index(key[0])] if key else "未定"]

    def key_of_fields(self, fields: KeyFields) -> tuple[str, ...]:
        """Return the letter of the chosen word."""
        return (fields.truth,) if fields.truth else ()

    def fields_of(self, question: Question) -> KeyFields:
        """Return the letter of the chosen word."""
        return KeyFields(truth=question.key[0] if question.key else "")
