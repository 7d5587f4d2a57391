"""Answers to points: pure functions over the exam's scoring rule; no rounding but the one of the house."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from examapp.core.points import round_points
from examapp.exams.models import ScoringRule
from question_bank.model import Kind

ZERO = Decimal("0.00")
_SPACES_AND_MARKS = re.compile(r"[\s，。、；：,.;:“”\"'‘’《》()（）]+")


class Band(StrEnum):
    """等次; exclusive."""

    EXCELLENT = "excellent"
    GOOD = "good"
    PASS = "pass"  # noqa: S105 – a band, not a password
    FAIL = "fail"


BAND_NAMES = {Band.EXCELLENT: "优秀", Band.GOOD: "良好", Band.PASS: "合格", Band.FAIL: "不合格"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemKey:
    """What an item is scored against: display keys for choices, accepted variants a blank for fill-ins."""

    kind: Kind
    points: Decimal
    key: tuple[str, ...] = ()
    option_count: int = 0
    blanks: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The exam's marks, in per cent of the points possible."""

    pass_percent: Decimal
    good_percent: Decimal
    excellent_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a paper comes to."""

    points: Decimal
    points_possible: Decimal
    percent: Decimal
    band: Band
    is_passed: bool
    item_points: tuple[Decimal, ...]


def score_paper(
    keys: Sequence[ItemKey], responses: Sequence[Sequence[str]], *, rule: ScoringRule, marks: Marks
) -> Score:
    """Score a paper: `responses` in the order of `keys`, empty where nothing was answered."""
    item_points = tuple(score_item(key, response, rule=rule) for key, response in zip(keys, responses, strict=True))
    points, possible = sum(item_points, ZERO), sum((key.points for key in keys), ZERO)
    band = band_of(points, possible, marks)
    percent = round_points(points * 100 / possible) if possible else ZERO
    return Score(
        points=points,
        points_possible=possible,
        percent=percent,
        band=band,
        is_passed=band is not Band.FAIL,
        item_points=item_points,
    )


def band_of(points: Decimal, possible: Decimal, marks: Marks) -> Band:
    """Give the band; compared unrounded, so that 59.996 % is no pass."""
    reached = points * 100
    for band, percent in (
        (Band.EXCELLENT, marks.excellent_percent),
        (Band.GOOD, marks.good_percent),
        (Band.PASS, marks.pass_percent),
    ):
        if possible and reached >= percent * possible:
            return band
    return Band.FAIL


def score_item(key: ItemKey, response: Sequence[str], *, rule: ScoringRule) -> Decimal:
    """Score one item; never below zero, never above its points."""
    if not any(part.strip() for part in response):
        return ZERO
    if key.kind is Kind.FILL_BLANK:
        return _score_blanks(key, response)
    if key.kind is Kind.MULTIPLE_CHOICE:
        return _score_multiple(key, frozenset(response), rule)
    return round_points(key.points) if frozenset(response) == frozenset(key.key) else ZERO


def _score_multiple(key: ItemKey, chosen: frozenset[str], rule: ScoringRule) -> Decimal:
    right = frozenset(key.key)
    if chosen == right:
        return round_points(key.points)
    hits, misses = len(chosen & right), len(chosen - right)
    if rule is ScoringRule.HALF_FOR_INCOMPLETE and not misses:
        return round_points(key.points / 2)
    if rule is ScoringRule.PER_OPTION and not misses:
        return round_points(key.points * hits / len(right))
    if rule is ScoringRule.NET_RIGHT:
        return round_points(key.points * max(0, hits - misses) / len(right))
    return ZERO


def _score_blanks(key: ItemKey, response: Sequence[str]) -> Decimal:
    hits = sum(
        1
        for text, variants in zip(response, key.blanks, strict=False)
        if canonical(text) in {canonical(v) for v in variants}
    )
    return round_points(key.points * hits / len(key.blanks))


def canonical(text: str) -> str:
    """Make a filled-in text comparable: full and half width alike, no spaces, no punctuation, no case."""
    return _SPACES_AND_MARKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


def display_key(key: Sequence[str], order: str) -> tuple[str, ...]:
    """Turn stored option letters into the keys this person saw: `order` holds stored letters in display order."""
    return tuple(sorted(chr(65 + order.index(letter)) for letter in key if letter in order)) if order else tuple(key)
