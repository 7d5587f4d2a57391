"""Guess answers without knowing the law: what fixed rules and a bigram model score above chance on each kind of question."""

import itertools
import math
import re
import statistics
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from question_bank.kinds.registry import kind_of
from question_bank.model import OPTION_LETTERS, Kind, Question

ABSOLUTE_TERMS = re.compile(
    "一律|必须|只能|任何|所有|全部|都|凡是|绝对|完全|无须|无需|不必|不需要|只要|只有|仅|一定|永远|就可以"
)
"""Words that tell a test-wise reader that a statement is false. 不得 is left out: laws themselves are written with it."""
GUESSED_KINDS = (Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.TRUE_FALSE)
MODEL, MODEL_SWAPPED = "字词模型", "字词模型（两半对调）"
"""The bigram model, and the same with the halves for learning and measuring exchanged."""
MIN_MEASURED = 50
"""Fewer questions of a kind say nothing about guessing."""
_NUMBER = re.compile(r"\d+|[零一二两三四五六七八九十百千万]+(?=[日天年月个元名人份倍])")
Rule = Callable[[Question, str], float]
"""How much a text, an option or the statement of a true/false, looks right beside its question; the highest is chosen."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What one rule scores on one kind: shares of the questions, 0 to 1."""

    kind: Kind
    rule: str
    share: float
    chance: float

    @property
    def excess(self) -> float:
        """Return by how many points of a hundred the rule beats chance."""
        return 100 * (self.share - self.chance)


def option_texts(question: Question) -> Sequence[str]:
    """Return what is right or wrong in a question: its options, or the one statement of a true/false."""
    return question.options if kind_of(question.kind).has_options else (question.stem,)


def is_right(question: Question, index: int) -> bool:
    """Return whether the option at an index belongs to the key."""
    return OPTION_LETTERS[index] in question.key


def share_of_absolute_terms(parts: Iterable[Question], kind: Kind, *, right: bool) -> float:
    """Return which share of a kind's right (or wrong) texts holds an absolute word."""
    found = [
        bool(ABSOLUTE_TERMS.search(text))
        for part in parts
        if part.kind is kind
        for index, text in enumerate(option_texts(part))
        if is_right(part, index) is right
    ]
    return statistics.fmean(found) if found else 0.0


def guess_answers(parts: Sequence[Question]) -> Iterator[Guess]:
    """Yield what each rule scores on each kind. The model learns from one half of the questions and is measured on the other, both ways."""
    for kind in GUESSED_KINDS:
        mine = [part for part in parts if part.kind is kind]
        odd, even = ([part for part in mine if zlib.crc32(part.stem.encode()) % 2 == half] for half in (1, 0))
        if min(len(odd), len(even)) < MIN_MEASURED:
            continue
        for name, rule in RULES.items():
            yield _measured(kind, name, rule, mine)
        yield _measured(kind, MODEL, _bigram_model(odd), even)
        yield _measured(kind, MODEL_SWAPPED, _bigram_model(even), odd)


def _measured(kind: Kind, name: str, rule: Rule, parts: Sequence[Question]) -> Guess:
    if not kind_of(kind).has_options:
        scores = [rule(part, part.stem) for part in parts]
        middle = statistics.median(scores)
        hits = [
            0.5 if score == middle else (score > middle) is is_right(part, 0)
            for part, score in zip(parts, scores, strict=True)
        ]
        return Guess(kind, name, statistics.fmean(hits), 0.5)
    if not kind_of(kind).is_multiple:
        chance = statistics.fmean(1 / len(part.options) for part in parts)
        return Guess(kind, name, statistics.fmean(_hit(part, rule) for part in parts), chance)
    usual = {
        count: Counter(len(part.key) for part in parts if len(part.options) == count).most_common(1)[0][0]
        for count in {len(part.options) for part in parts}
    }
    sizes = [usual[len(part.options)] for part in parts]
    chance = statistics.fmean(
        (len(part.key) == size) / math.comb(len(part.options), size) for part, size in zip(parts, sizes, strict=True)
    )
    hits = [_best(part, rule, size) == set(part.key) for part, size in zip(parts, sizes, strict=True)]
    return Guess(kind, name, statistics.fmean(hits), chance)


def _hit(part: Question, rule: Rule) -> float:
    """Return 1 for the key, less where the rule cannot tell it from other options, 0 for a miss."""
    scores = [rule(part, option) for option in part.options]
    best = [index for index, score in enumerate(scores) if score == max(scores)]
    return any(is_right(part, index) for index in best) / len(best)


def _best(part: Question, rule: Rule, size: int) -> set[str]:
    scored = sorted(zip(part.options, OPTION_LETTERS, strict=False), key=lambda pair: -rule(part, pair[0]))
    return {letter for _, letter in scored[:size]}


def _echo(question: Question, text: str) -> float:
    stem = set(itertools.pairwise(question.stem)) if text != question.stem else set()
    return len(stem & set(itertools.pairwise(text))) / max(1, len(text))


def _middle_number(question: Question, text: str) -> float:
    """Prefer the second and third of options that are numbers in order."""
    if not all(_NUMBER.search(option) for option in option_texts(question)):
        return 0.0
    place = question.options.index(text) if text in question.options else 0
    return float(0 < place < len(question.options) - 1)


RULES: dict[str, Rule] = {
    "选最长": lambda _, text: len(text),
    "选最短": lambda _, text: -len(text),
    "避开绝对化用语": lambda _, text: -len(ABSOLUTE_TERMS.findall(text)),
    "选重复题干的": _echo,
    "选居中的数": _middle_number,
}


def _bigram_model(parts: Sequence[Question]) -> Rule:
    """Return a rule that knows which pairs of characters stood in right and in wrong texts (naive Bayes, add one)."""
    counts: dict[bool, Counter[tuple[str, str]]] = {True: Counter(), False: Counter()}
    for part in parts:
        for index, text in enumerate(option_texts(part)):
            counts[is_right(part, index)].update(set(itertools.pairwise(text)))
    totals = {side: sum(counter.values()) + len(counts[True] | counts[False]) for side, counter in counts.items()}
    return lambda _, text: sum(
        math.log((counts[True][pair] + 1) / totals[True]) - math.log((counts[False][pair] + 1) / totals[False])
        for pair in set(itertools.pairwise(text))
    )
