"""What a correction changes in what grades are made of, and what that comes to: pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, Self

import msgspec

from examapp.delivery.grading.rules import (
    ZERO,
    GradingRules,
    Ruling,
    Score,
    Treatment,
    VersionKey,
    read_points,
    score_stored,
    total_up,
    unpack_item,
    unpack_sheet,
)
from examapp.points import as_text, mean
from question_bank.kinds import response_schema
from question_bank.kinds.response_schema import WIDTH


class CorrectionKind(StrEnum):
    """What is corrected."""

    ITEM = "item"
    """How an item counts."""
    RULES = "rules"
    """Scoring rule, pass mark or bands of an exam."""
    ANNULMENT = "annulment"
    """A sitting counts for nothing, or counts again."""


class CorrectionState(StrEnum):
    """The life of a correction; an applied one is undone only by another."""

    ASKED = "asked"
    CHECKED = "checked"
    APPLIED = "applied"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeChange:
    """What a correction changes; the fields of its kind are set."""

    kind: CorrectionKind
    version_id: int = 0
    part: int = 0
    treatment: Treatment = Treatment.KEY
    key_ids: tuple[int, ...] = ()
    new_part: Mapping[str, Any] | None = None
    """A key for the part that the bank does not hold yet, as an entry of `answer_keys.parts`; it counts beside `key_ids`."""
    old_key_id: int = 0
    """The version's newest key when `new_part` was written."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """The fields of GradingRules that are replaced, as `grades.rules` writes them."""
    attempt_id: int = 0
    is_annulled: bool = False

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read `corrections.change`."""
        return msgspec.convert(stored, cls)

    def changed_rules(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Give the rules of a grade after the change, from those before it."""
        if self.kind is CorrectionKind.ANNULMENT:
            kept = {name: value for name, value in before.items() if name != "is_annulled"}
            return kept | {"is_annulled": True} if self.is_annulled else kept
        return {**before, **self.rules}


class CurrentGrade(NamedTuple):
    """A grade that counts now, with all that it is made of, in the order of its statement's columns."""

    id: int
    attempt_id: int
    exam_id: int
    unit_id: int
    points: Decimal
    points_possible: Decimal
    percent: Decimal
    band: str
    is_passed: bool
    item_points: str
    """A JSON array, read as `sections` one grade at a time: thousands kept as lists would be walked by the garbage collector again and again."""
    rules: Mapping[str, Any]
    key_ids: Mapping[str, int]
    """Empty for a change of an item, which no other item's key has part in."""
    ruling_ids: Sequence[int]
    sheet: bytes
    sections: str
    response_schema: str
    hand_points: Mapping[str, str] | None
    """Of the grade's marks: points by item."""
    texts: Mapping[str, Sequence[str]] | None
    """Responses in words by item; None where the paper asks for none."""


def grade_again(
    grade: CurrentGrade,
    change: GradeChange,
    *,
    keys: Mapping[int, VersionKey],
    rulings: Mapping[int, Ruling],
    new_ruling: Ruling | None,
) -> dict[str, Any] | None:
    """Give the columns of the grade that follows this one by a change, None where its paper does not hold the changed part.

    Everything it is made of but the change is as it was; `item_points` with commas between.
    """
    kept = [rulings[ruling_id] for ruling_id in grade.ruling_ids]
    rules = change.changed_rules(grade.rules)
    made: tuple[Score, list[str]] | None
    if new_ruling is None:
        made = _score_all(grade, keys, kept, _read_rules(*rules.items()))
    else:
        place = (new_ruling.version_id, new_ruling.part)
        was_void = any(each.treatment is Treatment.VOID for each in kept if (each.version_id, each.part) == place)
        kept = [each for each in kept if (each.version_id, each.part) != place] + [new_ruling]
        made = _score_part(grade, new_ruling, _read_rules(*rules.items()), was_void=was_void)
    if made is None:
        return None
    score, item_points = made
    return {
        "grade_id": grade.id, "points": score.points, "points_possible": score.points_possible, "percent": score.percent, "band": score.band,
        "is_passed": score.is_passed, "item_points": ",".join(item_points), "rules": rules, "ruling_ids": sorted(ruling.id for ruling in kept),
    }  # fmt: skip


@lru_cache(maxsize=256)
def _read_rules(*fields: tuple[str, Any]) -> GradingRules:
    """Read `grades.rules`, of which an exam has one or a few, from its fields and their values."""
    return GradingRules.from_json(dict(fields))


def _score_all(
    grade: CurrentGrade, keys: Mapping[int, VersionKey], rulings: Sequence[Ruling], rules: GradingRules
) -> tuple[Score, list[str]]:
    score = score_stored(
        msgspec.json.decode(grade.sections),
        grade.response_schema,
        unpack_sheet(grade.response_schema, grade.sheet, grade.texts or {}),
        {int(version_id): keys[key_id] for version_id, key_id in grade.key_ids.items()},
        rules=rules,
        rulings=rulings,
        hand_points={int(item): Decimal(points) for item, points in (grade.hand_points or {}).items()},
    )
    return score, [str(points) for points in score.item_points]


def _score_part(
    grade: CurrentGrade, ruling: Ruling, rules: GradingRules, *, was_void: bool
) -> tuple[Score, list[str]] | None:
    """Score the items of one part by their new ruling; what all others brought stays. Give None for a paper without the part."""
    ruled = list(_find_items(msgspec.json.decode(grade.sections), ruling.version_id, ruling.part))
    if not ruled:
        return None
    schema = grade.response_schema
    item_points, possible = msgspec.json.decode(grade.item_points), grade.points_possible
    for number, order, worth, scoring in ruled:
        item = (ruling.version_id, ruling.part, order, worth)
        asked = (item, scoring, (grade.hand_points or {}).get(str(number)))
        letters = schema[WIDTH * (number - 1) : WIDTH * number]
        score = _score_letters if response_schema.option_count(letters) else _score_item
        response = unpack_item(schema, grade.sheet, number, grade.texts or {})
        points, counted = score(asked, letters, response, ruling, rules)
        item_points[number - 1] = str(points)
        possible += counted - (ZERO if was_void else read_points(worth))
    return total_up(tuple(map(read_points, item_points)), possible, rules, sheet=grade.sheet), item_points


def _find_items(
    sections: Sequence[Mapping[str, Any]], version_id: int, part: int
) -> Iterator[tuple[int, str, str, str]]:
    """Give number, option order, points and the section's scoring of the items of a paper that ask a version's part."""
    first = 1
    for section in sections:
        items = section["items"]
        for place, item in enumerate(items, first):
            if item[0] == version_id and item[1] == part:
                yield place, item[2], item[3], section.get("scoring", "")
        first += len(items)


_AskedItem = tuple[tuple[int, int, str, str], str, str | None]
"""An item of a paper, its section's scoring, and the points that a person gave."""


def _score_item(
    asked: _AskedItem, letters: str, response: tuple[str, ...], ruling: Ruling, rules: GradingRules
) -> tuple[Decimal, Decimal]:
    """Give points and points possible of one item as a paper of it alone is graded; `letters` of its response schema."""
    item, scoring, given = asked
    section = {"scoring": scoring, "items": [item]}
    hand_points = None if given is None else {1: Decimal(given)}
    alone = score_stored([section], letters, [response], {}, rules=rules, rulings=[ruling], hand_points=hand_points)
    return alone.points, alone.points_possible


_score_letters = lru_cache(maxsize=10_000)(_score_item)
"""Who saw the options in the same order and chose the same is scored once; texts, of which every person writes another, are not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One attempt's result before a correction and after it."""

    exam_id: int
    unit_id: int
    """The person's unit when the attempt began."""
    attempt_id: int
    grade_id: int
    """The grade of before."""
    points_before: Decimal
    points_after: Decimal
    percent_before: Decimal
    percent_after: Decimal
    band_before: str
    band_after: str
    was_passed: bool
    is_passed: bool

    @property
    def is_changed(self) -> bool:
        """Whether the result reads otherwise afterwards."""
        before = (self.points_before, self.percent_before, self.band_before)
        return before != (self.points_after, self.percent_after, self.band_after)

    @property
    def is_crossing(self) -> bool:
        """Whether the pass mark lies between before and after."""
        return self.was_passed != self.is_passed

    @classmethod
    def of(cls, before: CurrentGrade, after: Mapping[str, Any]) -> Self:
        """Compare a grade with the columns of the next one."""
        return cls(
            exam_id=before.exam_id, unit_id=before.unit_id, attempt_id=before.attempt_id, grade_id=before.id, points_before=before.points, points_after=after["points"],
            percent_before=before.percent, percent_after=after["percent"], band_before=before.band, band_after=str(after["band"]),
            was_passed=before.is_passed, is_passed=after["is_passed"],
        )  # fmt: skip


def fingerprint(outcomes: Iterable[Outcome]) -> str:
    """Give the SHA-256 of what a dry run came to: attempt, grade, points before and after, band after, by attempt; in hexadecimal."""
    digest = hashlib.sha256()
    for each in sorted(outcomes, key=lambda outcome: outcome.attempt_id):
        digest.update(
            f"{each.attempt_id} {each.grade_id} {as_text(each.points_before)} {as_text(each.points_after)} {each.band_after}\n".encode()
        )
    return digest.hexdigest()


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Give a dry run in figures, as JSON: in all, by exam, and by unit where somebody crosses the pass mark."""
    by_exam: dict[int, list[Outcome]] = {}
    units: dict[int, list[int]] = {}
    for each in outcomes:
        by_exam.setdefault(each.exam_id, []).append(each)
        if each.is_crossing:
            units.setdefault(each.unit_id, [0, 0])[each.was_passed] += 1
    exams = [{"exam_id": exam_id, **_figures(of_exam)} for exam_id, of_exam in sorted(by_exam.items())]
    return {**_figures(outcomes), "exams": exams, "units": [[unit_id, *counts] for unit_id, counts in units.items()]}


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Count attempts touched, raised, lowered, over the pass mark and below it, moves between bands; means in per cent."""
    moves = Counter((each.band_before, each.band_after) for each in outcomes if each.band_before != each.band_after)
    return {
        "attempts": len(outcomes),
        "raised": sum(each.percent_after > each.percent_before for each in outcomes),
        "lowered": sum(each.percent_after < each.percent_before for each in outcomes),
        "newly_passed": sum(each.is_crossing and each.is_passed for each in outcomes),
        "no_longer_passed": sum(each.is_crossing and each.was_passed for each in outcomes),
        "band_moves": [[before, after, count] for (before, after), count in sorted(moves.items())],
        "mean_before": as_text(mean(sum((each.percent_before for each in outcomes), Decimal(0)), len(outcomes))),
        "mean_after": as_text(mean(sum((each.percent_after for each in outcomes), Decimal(0)), len(outcomes))),
    }
