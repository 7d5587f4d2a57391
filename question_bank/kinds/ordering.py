"""Ordering (排序题): all options are put into their right order; the key is a permutation of the option letters."""

import itertools
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

from question_bank.kinds.base import ZERO, InvalidResponseError, Issue, ItemKey, KeyFields, ResponseSpec, ScoringRule
from question_bank.kinds.choices import OptionKind, option_numbers, shown_letters
from question_bank.model import OPTION_LETTERS, Kind, Question

ALL_OR_NOTHING = "all_or_nothing"
RIGHT_PAIRS = "right_pairs"


class Ordering(OptionKind):
    """Options to be put into order."""

    code = Kind.ORDERING
    name = "排序题"
    letter = "O"
    template = "ordering"
    aliases = ("排序", "顺序排列", "sort", "order", "ordering", "paixu")
    codes: ClassVar[Mapping[str, str]] = {"moodle-xml": "ordering"}
    has_own_result = True
    is_always_shuffled = True
    section_scoring: ClassVar[Mapping[str, str]] = {
        ALL_OR_NOTHING: "排序题：顺序全部正确才得分",
        RIGHT_PAIRS: "排序题：按先后正确的对数占全部对数的比例得分",
    }

    def iter_key_issues(self, question: Question) -> Iterator[Issue]:
        """Yield a key that is no permutation of the options, and options that say the same."""
        letters = list(OPTION_LETTERS[: len(question.options)])
        if not question.key:
            yield Issue(code="no_key", reason="排序题没有写明正确顺序。请补上答案。")
        elif sorted(question.key) != letters:
            reason = f"排序题的答案要按正确顺序写出全部 {len(letters)} 个选项的字母，各写一次。请核对答案。"
            yield Issue(code="incomplete_order", reason=reason, voids_key=True)
        if len(set(question.options)) < len(question.options):
            yield Issue(code="same_options", reason="有两个选项内容相同，分不出先后。请核对选项。")

    def packed_size(self, option_count: int) -> int:
        """Return one byte an option."""
        return option_count

    def pack(self, response: Sequence[str], option_count: int) -> bytes:
        """Return the letters in the response's order, A as 1, then zeros."""
        numbers = option_numbers(response, option_count)
        return bytes(number + 1 for number in numbers).ljust(option_count, b"\0")

    def unpack(self, packed: bytes) -> tuple[str, ...]:
        """Return the letters in order."""
        return tuple(OPTION_LETTERS[number - 1] for number in packed.rstrip(b"\0"))

    def score(self, key: ItemKey, response: Sequence[str], rule: ScoringRule) -> Decimal:
        """Return all points for the right order; else, by the section's rule, the share of pairs whose first stands before its second."""
        if list(response) == list(key.key):
            return key.points
        if key.scoring != RIGHT_PAIRS:
            return ZERO
        place = {letter: number for number, letter in enumerate(response)}
        pairs = list(itertools.combinations(key.key, 2))
        right = sum(place[first] < place[second] for first, second in pairs)
        return key.points * right / len(pairs)

    def is_answered(self, response: Sequence[str], spec: ResponseSpec) -> bool:
        """Return whether every option has its place; a part of them is a draft."""
        return sorted(response) == list(OPTION_LETTERS[: spec.option_count])

    def display_key(self, key: Sequence[str], order: str) -> tuple[str, ...]:
        """Return the display letters in the right order."""
        return tuple(shown_letters(key, order)) if order else tuple(key)

    def key_lines(self, key: Sequence[str], blanks: Sequence[Sequence[str]]) -> list[str]:
        """Return the right order."""
        return [" → ".join(key) or "未定"]

    def read_practice(self, raw: Sequence[str], spec: ResponseSpec) -> list[str]:
        """Return the order of all options."""
        if not raw:
            raise InvalidResponseError
        if not self.is_answered(raw, spec):
            raise InvalidResponseError("请给每个选项排好位置，再提交。")
        return list(raw)

    def key_of_fields(self, fields: KeyFields) -> tuple[str, ...]:
        """Return the letters as typed, full width and small ones too."""
        return tuple(re.findall(r"[A-Z]", unicodedata.normalize("NFKC", fields.answer).upper()))

    def fields_of(self, question: Question) -> KeyFields:
        """Return the letters in the right order."""
        return KeyFields(answer="".join(question.key))

    def simulate(self, key: ItemKey, *, rng: random.Random, chance: Callable[[int], float]) -> list[str]:
        """Order rightly by chance, else swap two neighbours."""
        if rng.random() < chance(4):
            return list(key.key)
        first = rng.randrange(len(key.key) - 1)
        return [*key.key[:first], key.key[first + 1], key.key[first], *key.key[first + 2 :]]

    def wrong_response(self, key: ItemKey) -> list[str]:
        """Order backwards."""
        return list(reversed(key.key))
