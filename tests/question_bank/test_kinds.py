"""Each kind as pure tables, and laws that hold for all of them."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from question_bank import validation
from question_bank.kinds import response_schema
from question_bank.kinds.base import (
    MAX_OPTIONS,
    MAX_TEXT,
    InvalidResponseError,
    ItemKey,
    KeyFields,
    ResponseSpec,
    ScoringRule,
    Severity,
)
from question_bank.kinds.registry import DRAWN_KINDS, KINDS, PART_KINDS, find_kind, kind_of
from question_bank.model import OPTION_LETTERS, TRUE_FALSE_OPTIONS, Kind, Question

FOUR = ("甲", "乙", "丙", "丁")
LETTERED = [kind for kind in PART_KINDS if kind_of(kind).has_letter_key]
GRADED = [kind for kind in DRAWN_KINDS if kind_of(kind).is_part]


def question(kind, **fields):
    return Question(kind=kind, stem="题干", **fields)


def codes(issues):
    return [issue.code for issue in issues]


def key_of(kind, letters, count=4):
    """A key of a kind: of single choice and true/false the first letter, of ordering all of them in this order."""
    if kind == Kind.FILL_BLANK:
        return ItemKey(kind=kind, points=Decimal(6), blanks=(("三十日", "30日"), ("县政府",)))
    if kind in {Kind.SINGLE_CHOICE, Kind.TRUE_FALSE}:
        letters = letters[:1]
    return ItemKey(kind=kind, points=Decimal(6), key=tuple(letters), option_count=count)


@pytest.mark.parametrize(
    ("stem", "units"),
    [
        ("保存____年，由____负责", ["年", ""]),
        ("在______ 个月内，经____人民政府", ["个月", ""]),
        ("共____年", ["", ""]),
        ("____万元以上____倍以下", ["万元", "倍"]),
    ],
)
def test_units_stand_right_behind_their_blanks(stem, units):
    assert kind_of(Kind.FILL_BLANK).units_of(stem, 2) == units
    assert kind_of(Kind.SINGLE_CHOICE).units_of(stem, 0) == []


def test_every_kind_of_the_model_is_registered_once_with_codes_of_its_own():
    assert set(KINDS) == set(Kind)
    letters = [kind.letter for kind in KINDS.values() if kind.is_part]
    assert all(letters) and len(set(letters)) == len(letters)
    names = [name for kind in KINDS.values() for name in kind.aliases]
    assert len(set(names)) == len(names)
    assert find_kind("essay") is None and find_kind(None) is None


@pytest.mark.parametrize(
    ("kind", "options", "blanks", "spec", "written"),
    [
        (Kind.SINGLE_CHOICE, 4, 0, ResponseSpec(4, 1), "S41"),
        (Kind.MULTIPLE_CHOICE, 5, 0, ResponseSpec(5, 5), "M55"),
        (Kind.TRUE_FALSE, 2, 0, ResponseSpec(2, 1), "T21"),
        (Kind.ORDERING, 4, 0, ResponseSpec(4, 4), "O44"),
        (Kind.FILL_BLANK, 0, 2, ResponseSpec(0, 2), "B02"),
        (Kind.SHORT_ANSWER, 0, 1, ResponseSpec(0, 1), "W01"),
        (Kind.MULTIPLE_CHOICE, 26, 0, ResponseSpec(26, 26), "MJJ"),
    ],
)
def test_what_a_response_may_be_is_written_in_three_characters(kind, options, blanks, spec, written):
    assert kind_of(kind).response_spec(option_count=options, blank_count=blanks) == spec
    assert response_schema.encode(kind_of(kind), spec) == written


@given(st.lists(st.tuples(st.sampled_from(PART_KINDS), st.integers(1, 26)), max_size=12))
def test_a_response_schema_reads_back_item_by_item(items):
    specs = [(kind_of(kind), kind_of(kind).response_spec(option_count=n, blank_count=n)) for kind, n in items]
    schema = "".join(response_schema.encode(kind, spec) for kind, spec in specs)
    assert response_schema.count_items(schema) == len(items)
    assert [response_schema.find_item(schema, n) for n in range(1, len(items) + 1)] == specs
    assert response_schema.find_item(schema, 0) is None and response_schema.find_item(schema, len(items) + 1) is None
    assert response_schema.kinds_in(schema) == [kind for kind, _ in specs]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (question(Kind.SINGLE_CHOICE, options=FOUR, key=("A",)), []),
        (question(Kind.SINGLE_CHOICE, options=FOUR), ["no_key"]),
        (question(Kind.SINGLE_CHOICE, options=FOUR, key=("A", "B")), ["two_keys"]),
        (question(Kind.SINGLE_CHOICE, options=FOUR, key=("E",)), ["key_outside_options"]),
        (question(Kind.SINGLE_CHOICE, options=("甲", "甲"), key=("A",)), ["same_options"]),
        (question(Kind.MULTIPLE_CHOICE, options=FOUR, key=("A", "D")), []),
        (question(Kind.TRUE_FALSE, options=TRUE_FALSE_OPTIONS, key=("B",)), []),
        (question(Kind.TRUE_FALSE, key=("C",)), ["key_outside_options"]),
        (question(Kind.TRUE_FALSE), ["no_key"]),
        (question(Kind.ORDERING, options=FOUR, key=("C", "A", "D", "B")), []),
        (question(Kind.ORDERING, options=FOUR), ["no_key"]),
        (question(Kind.ORDERING, options=FOUR, key=("C", "A", "D")), ["incomplete_order"]),
        (question(Kind.ORDERING, options=FOUR, key=("C", "A", "D", "C")), ["incomplete_order"]),
        (question(Kind.ORDERING, options=FOUR, key=("C", "A", "D", "E")), ["incomplete_order"]),
        (question(Kind.ORDERING, options=FOUR, key=("C", "A", "D", "B", "C")), ["incomplete_order"]),
        (question(Kind.ORDERING, options=("甲", "甲"), key=("A", "B")), ["same_options"]),
        (question(Kind.FILL_BLANK, blanks=(("三十日",),)), []),
        (question(Kind.FILL_BLANK, blanks=(("三十日",), ())), ["no_key"]),
        (question(Kind.FILL_BLANK), ["no_key"]),
        (question(Kind.SHORT_ANSWER), ["no_model_answer"]),
    ],
)
def test_keys_are_judged_by_their_kind(asked, found):
    assert codes(validation.iter_key_issues(asked)) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (question(Kind.SINGLE_CHOICE, options=FOUR), []),
        (question(Kind.SINGLE_CHOICE, options=("甲",)), ["too_few_options"]),
        (question(Kind.ORDERING, options=("甲", " ")), ["too_few_options", "blank_option"]),
        (question(Kind.ORDERING, options=FOUR * 7), ["too_many_options"]),
        (question(Kind.MULTIPLE_CHOICE, options=tuple(f"项{n}" for n in range(MAX_OPTIONS + 1))), ["too_many_options"]),
        (question(Kind.TRUE_FALSE), []),
        (Question(kind=Kind.SHORT_ANSWER, stem=" "), ["no_stem"]),
        (Question(kind=Kind.SHORT_ANSWER, stem="长" * (MAX_TEXT + 1)), ["too_long"]),
        (Question(kind=Kind.SHORT_ANSWER, stem=f"<p>{'长' * MAX_TEXT}</p>", is_html=True), []),
        (question(Kind.CASE), ["no_parts"]),
        (question(Kind.CASE, parts=(question(Kind.CASE, parts=(question(Kind.TRUE_FALSE),)),)), ["nested_case"]),
        (question(Kind.CASE, parts=(question(Kind.SINGLE_CHOICE, options=("甲",)),)), ["too_few_options"]),
    ],
)
def test_what_cannot_be_stored_is_told_whatever_the_key_is(asked, found):
    assert codes(validation.iter_issues(asked)) == found
    rejected = validation.find_issue(validation.iter_issues(asked), Severity.REJECT)
    assert (rejected is None) == (not found)
    assert rejected is None or rejected.severity is Severity.REJECT


@pytest.mark.parametrize(
    ("kind", "response", "scoring", "points"),
    [
        (Kind.ORDERING, "CADB", "", 6),
        (Kind.ORDERING, "ACDB", "", 0),
        (Kind.ORDERING, "ACDB", "right_pairs", 5),
        (Kind.ORDERING, "ACBD", "right_pairs", 4),
        (Kind.ORDERING, "BDAC", "right_pairs", 0),
        (Kind.SINGLE_CHOICE, "C", "", 6),
        (Kind.SINGLE_CHOICE, "A", "", 0),
        (Kind.TRUE_FALSE, "C", "", 6),
    ],
)
def test_points_by_kind_and_rule(kind, response, scoring, points):
    key = key_of(kind, "CADB")
    key = ItemKey(kind=kind, points=key.points, key=key.key, option_count=4, scoring=scoring)
    assert kind_of(kind).score(key, list(response), ScoringRule.ALL_OR_NOTHING) == points


@given(
    st.sampled_from(GRADED), st.permutations("ABCD"), st.sampled_from(ScoringRule), st.sampled_from(["", "right_pairs"])
)
def test_the_key_itself_brings_all_points_and_the_wrong_response_less(kind, letters, rule, scoring):
    base = key_of(kind, letters)
    key = ItemKey(
        kind=kind, points=base.points, key=base.key, option_count=base.option_count, blanks=base.blanks, scoring=scoring
    )
    right = list(key.key) or [variants[0] for variants in key.blanks]
    assert kind_of(kind).score(key, right, rule) == key.points
    if kind != Kind.MULTIPLE_CHOICE:
        assert kind_of(kind).score(key, kind_of(kind).wrong_response(key), rule) < key.points


@given(st.permutations("ABCD"), st.permutations("ABCD"), st.sampled_from(["", "right_pairs"]))
def test_an_order_scores_between_nothing_and_all_and_all_only_for_the_right_one(key, response, scoring):
    item = ItemKey(kind=Kind.ORDERING, points=Decimal(6), key=tuple(key), option_count=4, scoring=scoring)
    points = kind_of(Kind.ORDERING).score(item, response, ScoringRule.ALL_OR_NOTHING)
    assert 0 <= points <= 6
    assert (points == 6) == (list(response) == list(key))
    backwards = kind_of(Kind.ORDERING).score(item, response[::-1], ScoringRule.ALL_OR_NOTHING)
    assert scoring == "" or points + backwards == 6


@given(st.sampled_from(LETTERED), st.integers(2, 8), st.randoms(use_true_random=False))
def test_shown_options_lead_back_to_the_stored_key(kind, count, rng):
    count = 2 if kind == Kind.TRUE_FALSE else count
    known = kind_of(kind)
    orders = known.display_orders(count)
    assert orders[0] == OPTION_LETTERS[:count]
    order = rng.choice(orders)
    assert sorted(order) == list(OPTION_LETTERS[:count])
    stored = known.stored_key(
        question(kind, options=FOUR, key=tuple(rng.sample(OPTION_LETTERS[:count], count))), plain=str
    )
    shown = known.display_key(stored, order)
    back = [order[OPTION_LETTERS.index(letter)] for letter in shown]
    assert known.normalised(back) == known.normalised(stored)


@given(st.sampled_from(LETTERED), st.lists(st.sampled_from("ABCD"), unique=True))
def test_normalising_twice_changes_nothing_and_keeps_every_key(kind, response):
    known = kind_of(kind)
    once = known.normalised(response)
    assert known.normalised(once) == once and sorted(once) == sorted(response)
    assert kind_of(Kind.ORDERING).normalised(response) == response


def test_an_ordering_is_answered_only_with_all_its_keys():
    known, spec = kind_of(Kind.ORDERING), ResponseSpec(3, 3)
    assert known.is_answered(["C", "A", "B"], spec)
    assert not any(known.is_answered(part, spec) for part in ([], ["C"], ["C", "A"], ["C", "A", "A"], ["C", "A", "D"]))


@pytest.mark.parametrize(
    ("kind", "raw", "read"),
    [
        (Kind.SINGLE_CHOICE, ["B"], ["B"]),
        (Kind.SINGLE_CHOICE, ["A", "B"], "不对"),
        (Kind.MULTIPLE_CHOICE, ["C", "A", "A"], ["A", "C"]),
        (Kind.MULTIPLE_CHOICE, ["E"], "不对"),
        (Kind.ORDERING, ["C", "A", "D", "B"], ["C", "A", "D", "B"]),
        (Kind.ORDERING, ["C", "A"], "每个选项"),
        (Kind.ORDERING, ["C", "A", "D", "D"], "每个选项"),
        (Kind.ORDERING, [], ""),
        (Kind.FILL_BLANK, [" 三十日 ", ""], ["三十日", ""]),
        (Kind.FILL_BLANK, ["三十日"], "按空填写"),
        (Kind.FILL_BLANK, ["", " "], ""),
    ],
)
def test_practice_answers_are_read_by_kind(kind, raw, read):
    spec = kind_of(kind).response_spec(option_count=4, blank_count=2)
    if isinstance(read, list):
        assert kind_of(kind).read_practice(raw, spec) == read
        return
    with pytest.raises(InvalidResponseError) as rejected:
        kind_of(kind).read_practice(raw, spec)
    assert read in rejected.value.reason and bool(read) == bool(rejected.value.reason)


@pytest.mark.parametrize(
    ("asked", "fields", "lines"),
    [
        (question(Kind.MULTIPLE_CHOICE, key=("A", "C")), KeyFields(key=["A", "C"]), ["AC"]),
        (question(Kind.TRUE_FALSE, key=("B",)), KeyFields(truth="B"), ["错误"]),
        (question(Kind.ORDERING, key=("C", "A", "B")), KeyFields(answer="CAB"), ["C → A → B"]),
        (question(Kind.SHORT_ANSWER, key=("因为",)), KeyFields(answer="因为"), ["因为"]),
        (
            question(Kind.FILL_BLANK, blanks=(("三十日", "30日"), ("县政府",))),
            KeyFields(blanks="三十日|30日\n县政府"),
            ["第 1 空：三十日 / 30日", "第 2 空：县政府"],
        ),
    ],
)
def test_a_key_goes_into_the_form_and_back_and_is_told_in_words(asked, fields, lines):
    known = kind_of(asked.kind)
    assert known.fields_of(asked) == fields
    assert (known.key_of_fields(fields), known.blanks_of_fields(fields)) == (asked.key, asked.blanks)
    assert known.key_lines(asked.key, asked.blanks) == lines
    assert known.key_lines((), asked.blanks)


@given(st.sampled_from(GRADED), st.permutations("ABCD"), st.integers(), st.floats(0, 1))
def test_simulated_responses_are_responses_of_their_kind(kind, letters, seed, chance):
    key = key_of(kind, letters if kind != Kind.TRUE_FALSE else "AB", 2 if kind == Kind.TRUE_FALSE else 4)
    known = kind_of(kind)
    spec = known.response_spec(option_count=key.option_count, blank_count=len(key.blanks))
    response = known.simulate(key, rng=random.Random(seed), chance=lambda _: chance)
    assert len(response) <= spec.size
    assert not spec.option_count or set(response) <= set(OPTION_LETTERS[: spec.option_count])
