"""Answers to points: pure functions over the exam's scoring rule; no rounding but the one of the house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from examapp.points import round_points
from question_bank.kinds.base import ItemKey, ScoringRule
from question_bank.kinds.registry import kind_of

ZERO = Decimal("0.00")


class Band(StrEnum):
    """等次; exclusive."""

    EXCELLENT = "excellent"
    GOOD = "good"
    PASS = "pass"  # noqa: S105 – a band, not a password
    FAIL = "fail"


BAND_NAMES = {Band.EXCELLENT: "优秀", Band.GOOD: "良好", Band.PASS: "合格", Band.FAIL: "不合格"}


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
    """Score one item by its kind; never below zero, never above its points."""
    kind = kind_of(key.kind)
    spec = kind.response_spec(option_count=key.option_count, blank_count=len(key.blanks))
    return round_points(kind.score(key, response, rule)) if kind.is_answered(response, spec) else ZERO
