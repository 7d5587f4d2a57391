"""Answers to points: pure functions over the exam's scoring rule; no rounding but the one of `points`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

import msgspec

from examapp.points import round_points
from question_bank.kinds import response_schema
from question_bank.kinds.base import ItemKey, QuestionKind, ScoringRule
from question_bank.kinds.registry import kind_of
from question_bank.model import OPTION_LETTERS

ZERO = Decimal("0.00")


class Band(StrEnum):
    """等次; exclusive."""

    EXCELLENT = "excellent"
    GOOD = "good"
    PASS = "pass"  # noqa: S105 – a band, not a password
    FAIL = "fail"


BAND_NAMES = {Band.EXCELLENT: "优秀", Band.GOOD: "良好", Band.PASS: "合格", Band.FAIL: "不合格"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeBoundaries:
    """The exam's marks, in per cent of the points possible."""

    pass_percent: Decimal
    good_percent: Decimal
    excellent_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingRules(GradeBoundaries):
    """What an exam's settings give to a grade, frozen into it: a grade is never read by the settings of a later day."""

    scoring_rule: ScoringRule
    is_annulled: bool = False
    """Whether the sitting counts for nothing, as two persons have decided: no points, not passed."""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read `grades.rules`; raise msgspec.ValidationError where it is incomplete."""
        return msgspec.convert(stored, cls)


class Treatment(StrEnum):
    """How an exam counts an item after a correction."""

    KEY = "key"
    BEST_OF = "best_of"
    FULL = "full"
    VOID = "void"


TREATMENT_NAMES = {
    Treatment.KEY: "改为新答案",
    Treatment.BEST_OF: "新旧答案均给分",
    Treatment.FULL: "全体给分",
    Treatment.VOID: "不计分",
}


class UnmarkedItemError(LookupError):
    """A person must mark this item, and nobody has: it is no zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a paper comes to."""

    points: Decimal
    points_possible: Decimal
    percent: Decimal
    band: Band
    is_passed: bool
    item_points: tuple[Decimal, ...]
    sheet: bytes
    """The responses in stored letters, item after item, each as its kind packs it."""


@dataclass(frozen=True, slots=True, eq=False)
class VersionKey:
    """A key of a question version: the row it comes from, and one entry a part. A row never changes, and is one object in a process."""

    id: int
    parts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """How an exam counts one part (from 0) of a question version; its row never changes. `keys` are what it is scored by, the best counting."""

    id: int
    version_id: int
    part: int
    treatment: Treatment
    keys: tuple[VersionKey, ...]


def describe_ruling(ruling: Ruling, kind: QuestionKind, order: str) -> str:
    """Say in Chinese how a ruling counts its part, with every answer that counts, in the letters that the person saw."""
    parts = [key.parts[ruling.part] for key in ruling.keys]
    answers = ["、".join(kind.describe_key(part["key"], part.get("blanks") or (), order)) for part in parts]
    return "：".join(filter(None, (TREATMENT_NAMES[ruling.treatment], "；".join(answers))))


def score_paper(
    sections: Sequence[Mapping[str, Any]],
    schema: str,
    responses: Mapping[str, Sequence[str]],
    keys: Mapping[int, VersionKey],
    *,
    rules: GradingRules,
    rulings: Iterable[Ruling] = (),
    hand_points: Mapping[int, Decimal] | None = None,
) -> Score:
    """Score a paper as it is stored: `responses` by item in the letters that the person saw; the rest as in `score_stored`."""
    orders = (item[2] for section in sections for item in section["items"])
    kinds = response_schema.kinds_in(schema)
    stored = [
        kind.stored_response(responses.get(str(number), ()), order)
        for number, (order, kind) in enumerate(zip(orders, kinds, strict=True), 1)
    ]
    return score_stored(sections, schema, stored, keys, rules=rules, rulings=rulings, hand_points=hand_points)


def score_stored(
    sections: Sequence[Mapping[str, Any]],
    schema: str,
    stored: Sequence[tuple[str, ...]],
    keys: Mapping[int, VersionKey],
    *,
    rules: GradingRules,
    rulings: Iterable[Ruling] = (),
    hand_points: Mapping[int, Decimal] | None = None,
) -> Score:
    """Score responses in stored letters, one an item: `keys` by question version, `hand_points` by item.

    Raise KeyError for a question version without a key, UnmarkedItemError for an item that a person must mark and nobody has.
    """
    items = ((*item, section.get("scoring", "")) for section in sections for item in section["items"])
    ruled = {(ruling.version_id, ruling.part): ruling for ruling in rulings}
    given = hand_points or {}
    item_points, possible, sheet = [], ZERO, bytearray()
    for number, ((version_id, part, order, worth, scoring), kind, response) in enumerate(
        zip(items, response_schema.kinds_in(schema), stored, strict=True), 1
    ):
        if kind.has_letter_key:
            sheet += _packed(kind, response, len(order))
        ruling = ruled.get((version_id, part)) if ruled else None
        if ruling is not None and ruling.treatment is Treatment.VOID:
            item_points.append(ZERO)
            continue
        possible += read_points(worth)
        if ruling is not None and ruling.treatment is Treatment.FULL:
            item_points.append(read_points(worth))
        elif number in given:
            item_points.append(min(given[number], read_points(worth)))
        elif not kind.is_machine_graded:
            raise UnmarkedItemError(number)
        else:
            score = _score_letters if kind.has_letter_key else _score
            asked = (part, kind, len(order), worth, scoring)
            if ruling is None:
                item_points.append(score((keys[version_id], *asked), response, rules.scoring_rule))
            else:
                item_points.append(max(score((key, *asked), response, rules.scoring_rule) for key in ruling.keys))
    if rules.is_annulled:
        item_points = [ZERO] * len(item_points)
    return total_up(tuple(item_points), possible, rules, sheet=bytes(sheet))


@lru_cache(maxsize=30_000)
def _packed(kind: QuestionKind, response: tuple[str, ...], option_count: int) -> bytes:
    return kind.pack(response, option_count)


def unpack_sheet(schema: str, sheet: bytes, texts: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Give the responses of a grade, one an item: stored letters from its sheet, `texts` by item. Raise ValueError for a sheet of another paper."""
    places = _places(schema)
    if len(sheet) != (end := places[-1][2] if places else 0):
        raise ValueError(f"{len(sheet)} bytes for a paper of {end}")
    return [unpack_item(schema, sheet, number, texts) for number in range(1, len(places) + 1)]


def unpack_item(schema: str, sheet: bytes, number: int, texts: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Give the response to one item of a grade as `unpack_sheet` does, without reading the others."""
    kind, start, end = _places(schema)[number - 1]
    return _unpacked(kind, sheet[start:end]) if kind.has_letter_key else tuple(texts.get(str(number), ()))


@lru_cache(maxsize=512)
def _places(schema: str) -> tuple[tuple[QuestionKind, int, int], ...]:
    """Give of each item of a response schema its kind, and where its response begins and ends in a sheet."""
    places, end = [], 0
    for at, kind in enumerate(response_schema.kinds_in(schema)):
        characters = schema[response_schema.WIDTH * at : response_schema.WIDTH * (at + 1)]
        start, end = end, end + kind.packed_size(response_schema.option_count(characters))
        places.append((kind, start, end))
    return tuple(places)


@lru_cache(maxsize=30_000)
def _unpacked(kind: QuestionKind, packed: bytes) -> tuple[str, ...]:
    return kind.unpack(packed)


@lru_cache(maxsize=512)
def read_points(written: str) -> Decimal:
    """Read points with two places, however a paper writes them; a grade writes all of its own so."""
    return round_points(Decimal(written))


def _score(
    asked: tuple[VersionKey, int, QuestionKind, int, str, str], response: tuple[str, ...], rule: ScoringRule
) -> Decimal:
    """Score a response in stored letters to a part of a key, of a kind, with so many options, points and scoring."""
    key, part, kind, option_count, points, scoring = asked
    item = shown_key(key, part, kind, order=OPTION_LETTERS[:option_count], points=points, scoring=scoring)
    return score_item(item, response, rule=rule)


_score_letters = lru_cache(maxsize=30_000)(_score)
"""Letters have few values; texts, of which every person writes another, are not kept."""


def shown_key(key: VersionKey, part: int, kind: QuestionKind, *, order: str, points: str, scoring: str = "") -> ItemKey:
    """Give what an item of a paper is scored against, in the letters that the person saw."""
    stored = key.parts[part]
    return ItemKey(
        kind=kind.code,
        points=read_points(points),
        scoring=scoring,
        key=kind.display_key(stored["key"], order),
        option_count=len(order),
        blanks=tuple(tuple(variants) for variants in stored.get("blanks") or ()),
        units=tuple(stored.get("units") or ()),
    )


def total_up(item_points: tuple[Decimal, ...], possible: Decimal, marks: GradeBoundaries, *, sheet: bytes) -> Score:
    """Add up what the items brought, of the points possible."""
    points = sum(item_points, ZERO)
    band = band_of(points, possible, marks)
    percent = round_points(points * 100 / possible) if possible else ZERO
    return Score(
        points=points,
        points_possible=possible,
        percent=percent,
        band=band,
        is_passed=band is not Band.FAIL,
        item_points=item_points,
        sheet=sheet,
    )


def band_of(points: Decimal, possible: Decimal, marks: GradeBoundaries) -> Band:
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
