"""What corrections make of grades, for all inputs: each grade that follows is what a grading from nothing would give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from examapp.delivery.corrections.rules import (
    CorrectionKind,
    CurrentGrade,
    GradeChange,
    Outcome,
    fingerprint,
    grade_again,
    summarise,
)
from examapp.delivery.grading.rules import GradingRules, Ruling, Treatment, VersionKey, score_stored
from question_bank.kinds import response_schema
from question_bank.kinds.base import ScoringRule
from question_bank.kinds.registry import kind_of
from question_bank.model import Kind

LETTERS = "ABCD"
KINDS = (Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.TRUE_FALSE, Kind.ORDERING, Kind.FILL_BLANK)
RULES = {
    "scoring_rule": "all_or_nothing",
    "pass_percent": "60.00",
    "good_percent": "80.00",
    "excellent_percent": "90.00",
}
TEXTS = ("三十日", "十日", "")


@dataclass
class RuledExams:
    """Keys, papers with their responses, and what is in force; two exams with the same papers."""

    kinds: list[Kind]
    keys: dict[int, VersionKey]
    responses: list[list[tuple[str, ...]]]
    rulings: dict[int, Ruling] = field(default_factory=dict)
    in_force: dict[tuple[int, int], int] = field(default_factory=dict)
    """Newest ruling by exam and version."""
    rules: dict[int, dict[str, str]] = field(default_factory=lambda: {1: dict(RULES), 2: dict(RULES)})
    annulled: set[int] = field(default_factory=set)

    @property
    def sections(self):
        items = [
            [number, 0, "" if kind is Kind.FILL_BLANK else LETTERS, "2.00"] for number, kind in enumerate(self.kinds, 1)
        ]
        return [{"title": "", "instructions": "", "items": items}]

    @property
    def schema(self):
        found = [kind_of(kind) for kind in self.kinds]
        return "".join(
            response_schema.encode(kind, kind.response_spec(option_count=4, blank_count=1)) for kind in found
        )

    def from_nothing(self, exam_id, attempt_id):
        """Grade an attempt by what is in force now."""
        rules = self.rules[exam_id] | ({"is_annulled": True} if attempt_id in self.annulled else {})
        rulings = [self.rulings[ruling_id] for (exam, _), ruling_id in self.in_force.items() if exam == exam_id]
        keys = {number: self.keys[number] for number in range(1, len(self.kinds) + 1)}
        score = score_stored(
            self.sections,
            self.schema,
            self.responses[attempt_id],
            keys,
            rules=GradingRules.from_json(rules),
            rulings=rulings,
        )
        return score, rules, sorted(ruling.id for ruling in rulings)

    def grade(self, exam_id, attempt_id, number=1):
        score, rules, ruling_ids = self.from_nothing(exam_id, attempt_id)
        texts = {
            str(item): list(given)
            for item, (kind, given) in enumerate(zip(self.kinds, self.responses[attempt_id], strict=True), 1)
            if kind is Kind.FILL_BLANK
        }
        return CurrentGrade(
            id=1000 * number + attempt_id, attempt_id=attempt_id, exam_id=exam_id, unit_id=1, points=score.points, points_possible=score.points_possible,
            percent=score.percent, band=str(score.band), is_passed=score.is_passed, item_points=json.dumps([str(points) for points in score.item_points]),
            key_ids={str(item): item for item in range(1, len(self.kinds) + 1)}, rules=rules, ruling_ids=ruling_ids, hand_points=None,
            sections=json.dumps(self.sections), response_schema=self.schema, sheet=score.sheet, texts=texts,
        )  # fmt: skip


def key_of(draw, kind):
    if kind is Kind.FILL_BLANK:
        return {"key": [], "blanks": [[draw(st.sampled_from(TEXTS[:2]))]]}
    if kind is Kind.ORDERING:
        return {"key": list(draw(st.permutations(LETTERS)))}
    size = 4 if kind is Kind.MULTIPLE_CHOICE else 1
    return {"key": sorted(draw(st.sets(st.sampled_from(LETTERS), min_size=1, max_size=size)))}


def response_of(draw, kind):
    if kind is Kind.FILL_BLANK:
        return (draw(st.sampled_from(TEXTS)),)
    if kind is Kind.ORDERING:
        return tuple(draw(st.permutations(LETTERS))) if draw(st.booleans()) else ()
    size = 4 if kind is Kind.MULTIPLE_CHOICE else 1
    return tuple(sorted(draw(st.sets(st.sampled_from(LETTERS), max_size=size))))


@st.composite
def worlds(draw):
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=2, max_size=5))
    keys = {number: VersionKey(number, [key_of(draw, kind)]) for number, kind in enumerate(kinds, 1)}
    return RuledExams(kinds, keys, [[response_of(draw, kind) for kind in kinds] for _ in range(4)])


def draw_change(data, world):
    kind = data.draw(st.sampled_from(list(CorrectionKind)))
    if kind is CorrectionKind.RULES:
        marks = sorted(data.draw(st.lists(st.integers(1, 99), min_size=3, max_size=3)))
        percents = [f"{mark}.00" for mark in marks]
        rule = data.draw(st.sampled_from(list(ScoringRule)))
        return GradeChange(
            kind=kind, rules={"scoring_rule": str(rule)} | dict(zip(list(RULES)[1:], percents, strict=True))
        )
    if kind is CorrectionKind.ANNULMENT:
        return GradeChange(kind=kind, attempt_id=data.draw(st.integers(0, 3)), is_annulled=data.draw(st.booleans()))
    version_id = data.draw(st.integers(2, len(world.kinds)))
    treatment = data.draw(st.sampled_from(list(Treatment)))
    new_id = len(world.keys) + 1
    world.keys[new_id] = VersionKey(new_id, [key_of(data.draw, world.kinds[version_id - 1])])
    key_ids = {Treatment.KEY: (new_id,), Treatment.BEST_OF: (new_id, version_id)}.get(treatment, ())
    return GradeChange(kind=kind, version_id=version_id, treatment=treatment, key_ids=key_ids)


def put_in_force(world, change, exam_ids):
    """Do to what is in force what an applied correction does; gives the new rulings by exam."""
    made = {}
    for exam_id in exam_ids:
        if change.kind is CorrectionKind.RULES:
            world.rules[exam_id] |= change.rules
        if change.kind is CorrectionKind.ITEM:
            keys = tuple(world.keys[key_id] for key_id in change.key_ids)
            ruling = Ruling(
                id=len(world.rulings) + 1, version_id=change.version_id, part=0, treatment=change.treatment, keys=keys
            )
            world.rulings[ruling.id] = made[exam_id] = ruling
            world.in_force[exam_id, change.version_id] = ruling.id
    if change.kind is CorrectionKind.ANNULMENT:
        (world.annulled.add if change.is_annulled else world.annulled.discard)(change.attempt_id)
    return made


@given(worlds(), st.data())
def test_after_any_corrections_each_grade_equals_a_grading_from_nothing(world, data):
    """Attempts 0 and 1 are of one exam, 2 and 3 of another; each correction is of one of them or both."""
    of_exam = {0: 1, 1: 1, 2: 2, 3: 2}
    grades = {attempt_id: world.grade(exam_id, attempt_id) for attempt_id, exam_id in of_exam.items()}
    for number in range(2, data.draw(st.integers(1, 4)) + 2):
        change = draw_change(data, world)
        exam_ids = data.draw(st.sampled_from([[1], [2], [1, 2]]))
        is_annulment = change.kind is CorrectionKind.ANNULMENT
        touched = [change.attempt_id] if is_annulment else [a for a, exam_id in of_exam.items() if exam_id in exam_ids]
        made = put_in_force(world, change, exam_ids)
        for attempt_id in touched:
            before = grades[attempt_id]
            dry = made.get(before.exam_id)
            row = grade_again(before, change, keys=world.keys, rulings=world.rulings, new_ruling=dry)
            grades[attempt_id] = world.grade(before.exam_id, attempt_id, number)
            score, rules, ruling_ids = world.from_nothing(before.exam_id, attempt_id)
            assert (row["points"], row["points_possible"], row["percent"], row["band"], row["item_points"]) == (
                score.points, score.points_possible, score.percent, score.band, ",".join(map(str, score.item_points)),
            )  # fmt: skip
            assert (row["rules"], row["ruling_ids"]) == (rules, ruling_ids)
    for attempt_id, exam_id in of_exam.items():
        assert grades[attempt_id].points == world.from_nothing(exam_id, attempt_id)[0].points


@given(worlds(), st.data())
def test_both_answers_never_lower_and_points_for_all_never_fall_below_them(world, data):
    version_id = data.draw(st.integers(1, len(world.kinds)))
    new = VersionKey(99, [key_of(data.draw, world.kinds[version_id - 1])])
    keys = world.keys | {99: new}
    points = []
    for treatment, key_ids in ((Treatment.BEST_OF, (99, version_id)), (Treatment.FULL, ())):
        change = GradeChange(kind=CorrectionKind.ITEM, version_id=version_id, treatment=treatment, key_ids=key_ids)
        of = Ruling(
            id=1, version_id=version_id, part=0, treatment=treatment, keys=tuple(keys[key_id] for key_id in key_ids)
        )
        points.append(grade_again(world.grade(1, 0), change, keys=keys, rulings={}, new_ruling=of)["points"])
    assert world.grade(1, 0).points <= points[0] <= points[1]


def test_a_paper_without_the_changed_part_is_not_touched():
    world = RuledExams([Kind.TRUE_FALSE], {1: VersionKey(1, [{"key": ["A"]}])}, [[("A",)]])
    change = GradeChange(kind=CorrectionKind.ITEM, version_id=1, part=1, treatment=Treatment.FULL)
    ruling = Ruling(id=1, version_id=1, part=1, treatment=Treatment.FULL, keys=())
    assert grade_again(world.grade(1, 0), change, keys={}, rulings={}, new_ruling=ruling) is None


def outcome(attempt_id, before, after, *, grade_id=1):
    bands = ["pass" if points >= 60 else "fail" for points in (before, after)]
    return Outcome(
        exam_id=1, unit_id=1, attempt_id=attempt_id, grade_id=grade_id, points_before=Decimal(before), points_after=Decimal(after), percent_before=Decimal(before),
        percent_after=Decimal(after), band_before=bands[0], band_after=bands[1], was_passed=before >= 60, is_passed=after >= 60,
    )  # fmt: skip


def test_a_fingerprint_tells_of_every_value_and_of_no_order():
    one, two = outcome(1, 59, 61), outcome(2, 70, 68)
    assert fingerprint([one, two]) == fingerprint([two, one])
    others = ([one], [one, outcome(2, 70, 69)], [outcome(1, 59, 61, grade_id=2), two], [outcome(3, 59, 61), two])
    assert len({fingerprint(each) for each in ([one, two], *others)}) == 5


def test_a_dry_run_in_figures_says_who_crosses_the_pass_mark():
    found = summarise([outcome(1, 59, 61), outcome(2, 70, 58), outcome(3, 80, 80), outcome(4, 61, 63)])
    (of_exam,), units = found.pop("exams"), found.pop("units")
    assert (of_exam, units) == ({"exam_id": 1, **found}, [[1, 1, 1]]), (
        "one exam, and one unit with one more and one less"
    )
    assert found == {
        "attempts": 4, "raised": 2, "lowered": 1, "newly_passed": 1, "no_longer_passed": 1, "band_moves": [["fail", "pass", 1], ["pass", "fail", 1]],
        "mean_before": "67.50", "mean_after": "65.50",
    }  # fmt: skip
