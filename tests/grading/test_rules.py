from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp.delivery.grading.rules import (
    Band,
    GradeBoundaries,
    GradingRules,
    Ruling,
    Treatment,
    UnmarkedItemError,
    VersionKey,
    band_of,
    describe_ruling,
    score_item,
    score_paper,
    score_stored,
    unpack_sheet,
)
from examapp.learning.practice_answers.actions import is_answer_right
from question_bank.kinds import response_schema
from question_bank.kinds.base import ItemKey, ScoringRule
from question_bank.kinds.fill_blank import canonical
from question_bank.kinds.registry import kind_of
from question_bank.model import Kind

LETTERS = "ABCDE"
MARKS = GradeBoundaries(pass_percent=Decimal(60), good_percent=Decimal(80), excellent_percent=Decimal(90))


def rules_with(rule=ScoringRule.ALL_OR_NOTHING):
    return GradingRules(
        scoring_rule=rule, pass_percent=Decimal(60), good_percent=Decimal(80), excellent_percent=Decimal(90)
    )


def multiple(key: str, points: str = "3") -> ItemKey:
    return ItemKey(kind=Kind.MULTIPLE_CHOICE, points=Decimal(points), key=tuple(key), option_count=5)


@pytest.mark.parametrize(
    ("rule", "key", "response", "points"),
    [
        (ScoringRule.ALL_OR_NOTHING, "ACD", "ACD", "3"), (ScoringRule.ALL_OR_NOTHING, "ACD", "AC", "0"), (ScoringRule.ALL_OR_NOTHING, "ACD", "ACDE", "0"),
        (ScoringRule.HALF_FOR_INCOMPLETE, "ACD", "AC", "1.5"), (ScoringRule.HALF_FOR_INCOMPLETE, "ACD", "A", "1.5"), (ScoringRule.HALF_FOR_INCOMPLETE, "ACD", "AB", "0"),
        (ScoringRule.HALF_FOR_INCOMPLETE, "ACD", "DCA", "3"), (ScoringRule.HALF_FOR_INCOMPLETE, "ACD", "", "0"),
        (ScoringRule.PER_OPTION, "ACD", "AC", "2"), (ScoringRule.PER_OPTION, "ACD", "A", "1"), (ScoringRule.PER_OPTION, "ACD", "ACB", "0"), (ScoringRule.PER_OPTION, "AC", "A", "1.5"),
        (ScoringRule.NET_RIGHT, "ACD", "ACB", "1"), (ScoringRule.NET_RIGHT, "ACD", "AB", "0"), (ScoringRule.NET_RIGHT, "ACD", "BE", "0"), (ScoringRule.NET_RIGHT, "ACD", "ACDE", "2"),
    ],
)  # fmt: skip
def test_multiple_choice_by_each_of_the_four_rules(rule, key, response, points):
    assert score_item(multiple(key), list(response), rule=rule) == Decimal(points)


def test_thirds_are_rounded_half_up_to_cents():
    assert score_item(multiple("ACD", "1"), ["A"], rule=ScoringRule.PER_OPTION) == Decimal("0.33")
    assert score_item(multiple("ACD", "1"), ["A", "C"], rule=ScoringRule.PER_OPTION) == Decimal("0.67")
    assert score_item(multiple("AC", "0.25"), ["A"], rule=ScoringRule.HALF_FOR_INCOMPLETE) == Decimal("0.13")


@given(
    st.sets(st.sampled_from(LETTERS), min_size=1), st.sets(st.sampled_from(LETTERS)), st.sampled_from(list(ScoringRule))
)
def test_no_rule_gives_less_than_zero_or_more_than_the_points_and_only_the_key_gives_all(key, response, rule):
    points = score_item(multiple("".join(sorted(key))), sorted(response), rule=rule)
    assert Decimal(0) <= points <= Decimal(3)
    assert (points == 3) == (response == key)
    assert score_item(multiple("".join(sorted(key))), sorted(response), rule=ScoringRule.ALL_OR_NOTHING) <= points


@given(st.permutations("ABCD"), st.sets(st.sampled_from("ABCD"), min_size=1))
def test_shuffled_options_keep_their_meaning(order, stored_key):
    shown = kind_of(Kind.MULTIPLE_CHOICE).display_key(sorted(stored_key), "".join(order))
    assert {order[ord(letter) - 65] for letter in shown} == stored_key


def test_single_choice_and_true_false_are_right_or_wrong():
    key = ItemKey(kind=Kind.SINGLE_CHOICE, points=Decimal(2), key=("B",), option_count=4)
    assert score_item(key, ["B"], rule=ScoringRule.NET_RIGHT) == 2
    assert score_item(key, ["A"], rule=ScoringRule.HALF_FOR_INCOMPLETE) == 0
    assert score_item(key, [], rule=ScoringRule.ALL_OR_NOTHING) == 0


@pytest.mark.parametrize("text", ["三十日", " 三十日 ", "30日", "３０日", "30 日。"])
def test_blank_takes_its_variants_in_full_and_half_width(text):
    key = ItemKey(kind=Kind.FILL_BLANK, points=Decimal(4), blanks=(("三十日", "30日"), ("行政机关",)))
    assert score_item(key, [text, "行政机关"], rule=ScoringRule.ALL_OR_NOTHING) == 4
    assert score_item(key, [text, "法院"], rule=ScoringRule.ALL_OR_NOTHING) == 2
    assert score_item(key, ["", ""], rule=ScoringRule.ALL_OR_NOTHING) == 0


@pytest.mark.parametrize("text", ["三", "3", "三年", "3 年", "３年。"])
def test_a_number_before_its_unit_may_be_written_with_the_unit(text):
    key = ItemKey(kind=Kind.FILL_BLANK, points=Decimal(2), blanks=(("三", "3"), ("停止",)), units=("年", "年"))
    assert score_item(key, [text, "停止"], rule=ScoringRule.ALL_OR_NOTHING) == 2
    assert score_item(key, [text, "停止年"], rule=ScoringRule.ALL_OR_NOTHING) == 1


@pytest.mark.parametrize("text", ["三月", "三日", "三个年", "四年", "年", "三年年", "三年以上"])
def test_another_unit_or_number_than_the_stem_asks_for_is_wrong(text):
    key = ItemKey(kind=Kind.FILL_BLANK, points=Decimal(2), blanks=(("三", "3"),), units=("年",))
    assert score_item(key, [text], rule=ScoringRule.ALL_OR_NOTHING) == 0


def test_a_unit_counts_only_where_the_stem_has_it_behind_the_blank():
    bare = ItemKey(kind=Kind.FILL_BLANK, points=Decimal(2), blanks=(("三", "3"),))
    assert score_item(bare, ["三年"], rule=ScoringRule.ALL_OR_NOTHING) == 0
    whole = ItemKey(kind=Kind.FILL_BLANK, points=Decimal(2), blanks=(("三年", "3年"),), units=("年",))
    assert score_item(whole, ["三年年"], rule=ScoringRule.ALL_OR_NOTHING) == 0


def test_practice_and_grading_take_the_same_unit():
    stored = {"key": [], "blanks": [["六十", "60"]], "units": ["日"], "explanation": ""}
    asked = {"kind": "fill_blank", "options": []}
    sections, schema, _ = stored_paper((Kind.FILL_BLANK, ["六十"], "", "1.00"))
    keys = {1: VersionKey(1, [stored])}
    for text, is_right in (("60日", True), ("六十", True), ("60月", False)):
        assert is_answer_right(asked, stored, order="", response=[text]) is is_right
        assert score_paper(sections, schema, {"1": [text]}, keys, rules=rules_with()).item_points == (int(is_right),)


def test_canonical_does_not_make_different_texts_equal():
    assert canonical("30日") != canonical("13日")
    assert canonical("Ａｂ") == canonical("ab")


@pytest.mark.parametrize(
    ("points", "band"),
    [("90", "excellent"), ("89.99", "good"), ("80", "good"), ("60", "pass"), ("59.99", "fail"), ("0", "fail")],
)
def test_bands_are_exclusive_and_begin_at_their_mark(points, band):
    assert band_of(Decimal(points), Decimal(100), MARKS) == Band(band)


def test_just_below_the_pass_mark_is_not_rounded_up():
    assert band_of(Decimal("59.996"), Decimal(100), MARKS) is Band.FAIL


def stored_paper(*items):
    """Sections, schema and keys of a paper with these items: kind, stored key, order of options, points."""
    listed, schema, keys = [], "", {}
    for number, (kind, key, order, points) in enumerate(items, 1):
        found = kind_of(kind)
        schema += response_schema.encode(found, found.response_spec(option_count=len(order), blank_count=len(key)))
        listed.append([number, 0, order, points])
        part = {"key": [], "blanks": [[text] for text in key]} if found.has_blanks else {"key": list(key)}
        keys[number] = VersionKey(number, [part])
    return [{"title": "", "instructions": "", "items": listed}], schema, keys


def test_paper_sums_its_items():
    paper = stored_paper((Kind.MULTIPLE_CHOICE, "AC", "BCADE", "3.00"), (Kind.TRUE_FALSE, "A", "AB", "1.00"))
    sections, schema, keys = paper
    given = {"1": ["B", "C"], "2": ["B"]}
    score = score_paper(sections, schema, given, keys, rules=rules_with())
    assert (score.points, score.points_possible, score.percent, score.band, score.is_passed) == (
        3,
        4,
        75,
        Band.PASS,
        True,
    )
    assert score.item_points == (3, 0)


def test_a_version_without_a_key_is_no_zero():
    sections, schema, _ = stored_paper((Kind.TRUE_FALSE, "A", "AB", "1.00"))
    with pytest.raises(KeyError):
        score_paper(sections, schema, {}, {}, rules=rules_with())


def test_blanks_of_a_stored_paper_count_each():
    sections, schema, keys = stored_paper((Kind.FILL_BLANK, ["三十日", "法院"], "", "4.00"))
    score = score_paper(sections, schema, {"1": ["三十 日", "县法院"]}, keys, rules=rules_with())
    assert score.item_points == (2,)


@given(
    st.sampled_from([Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.ORDERING]),
    st.permutations("ABCDE"),
    st.permutations("ABCDE"),
    st.integers(1, 5),
    st.permutations("ABCDE"),
    st.integers(0, 5),
    st.sampled_from(list(ScoringRule)),
    st.sampled_from(["", "right_pairs"]),
)
def test_points_do_not_hang_on_the_order_in_which_options_were_shown(
    kind, order, stored, key_size, response, size, rule, scoring
):
    """A paper is scored in stored letters, and kept so; by the letters that the person saw it comes to the same."""
    found, whole = kind_of(kind), kind is Kind.ORDERING
    key = list(stored) if whole else sorted(stored[: 1 if kind is Kind.SINGLE_CHOICE else key_size])
    shown = list(response[: len(order) if whole and size else size])
    sections, schema, keys = stored_paper((kind, key, "".join(order), "3.00"))
    sections[0]["scoring"] = scoring
    item = ItemKey(
        kind=kind, points=Decimal("3.00"), key=found.display_key(key, "".join(order)), option_count=5, scoring=scoring
    )
    score = score_paper(sections, schema, {"1": shown}, keys, rules=rules_with(rule))
    assert score.item_points == (score_item(item, shown, rule=rule),)


PAPER = ((Kind.SINGLE_CHOICE, "A", "BCAD", "2.00"), (Kind.TRUE_FALSE, "A", "AB", "1.00"))


def ruling(version_id, treatment, *keys):
    return Ruling(id=version_id, version_id=version_id, part=0, treatment=treatment, keys=keys)


@pytest.mark.parametrize(
    ("treatment", "key", "points", "possible"),
    [
        (Treatment.KEY, "B", ("2.00", "0.00", "0.00"), "3.00"), (Treatment.BEST_OF, "B", ("2.00", "2.00", "0.00"), "3.00"),
        (Treatment.FULL, "", ("2.00", "2.00", "2.00"), "3.00"), (Treatment.VOID, "", ("0.00", "0.00", "0.00"), "1.00"),
    ],
)  # fmt: skip
def test_a_ruling_counts_an_item_as_its_treatment_says(treatment, key, points, possible):
    """Of three people who answered by the new key, by the old one, and not at all."""
    sections, schema, keys = stored_paper(*PAPER)
    by_keys = {Treatment.KEY: (key,), Treatment.BEST_OF: (key, "A")}.get(treatment, ())
    of = ruling(1, treatment, *(VersionKey(number, [{"key": [each]}]) for number, each in enumerate(by_keys, 10)))
    for shown, expected in zip((["A"], ["C"], []), points, strict=True):
        score = score_paper(sections, schema, {"1": shown, "2": ["A"]}, keys, rules=rules_with(), rulings=[of])
        assert score.item_points == (Decimal(expected), Decimal("1.00"))
        assert score.points_possible == Decimal(possible)


def test_a_ruling_on_another_version_or_part_changes_nothing():
    sections, schema, keys = stored_paper(*PAPER)
    others = [ruling(9, Treatment.VOID), Ruling(id=8, version_id=1, part=1, treatment=Treatment.VOID, keys=())]
    plain = score_paper(sections, schema, {"1": ["C"]}, keys, rules=rules_with())
    assert score_paper(sections, schema, {"1": ["C"]}, keys, rules=rules_with(), rulings=others) == plain


def test_what_nobody_has_marked_is_no_zero_and_no_mark_exceeds_the_points():
    sections, schema, keys = stored_paper((Kind.SHORT_ANSWER, ["参考答案"], "", "5.00"))
    with pytest.raises(UnmarkedItemError):
        score_paper(sections, schema, {"1": ["参考答案"]}, keys, rules=rules_with())
    for marked, points in (("3.5", "3.50"), ("9", "5.00")):
        score = score_paper(sections, schema, {}, keys, rules=rules_with(), hand_points={1: Decimal(marked)})
        assert score.item_points == (Decimal(points),)
    full = score_paper(sections, schema, {}, keys, rules=rules_with(), rulings=[ruling(1, Treatment.FULL)])
    assert full.points == 5


@given(st.sampled_from(list(ScoringRule)), st.decimals("0.01", "60", places=2))
def test_rules_come_back_from_their_json(rule, percent):
    rules = GradingRules(
        scoring_rule=rule, pass_percent=percent, good_percent=Decimal(80), excellent_percent=Decimal(90)
    )
    assert GradingRules.from_json(msgspec.json.decode(msgspec.json.encode(rules))) == rules


@st.composite
def answered_papers(draw):
    """A paper of all machine-graded kinds, with responses in the letters that the person saw."""
    items, given = [], {}
    for number in range(1, draw(st.integers(1, 12)) + 1):
        kind = draw(
            st.sampled_from([Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.TRUE_FALSE, Kind.ORDERING, Kind.FILL_BLANK])
        )
        if kind is Kind.FILL_BLANK:
            items.append((kind, ["三十日"], "", "2.00"))
            given[str(number)] = [draw(st.sampled_from(["三十日", "十日", ""]))]
            continue
        letters = "AB" if kind is Kind.TRUE_FALSE else "ABCDEFGHIJ"[: draw(st.integers(2, 10))]
        order = draw(st.permutations(letters))
        several = kind in {Kind.MULTIPLE_CHOICE, Kind.ORDERING}
        key = (
            draw(st.permutations(letters))
            if kind is Kind.ORDERING
            else sorted(draw(st.sets(st.sampled_from(letters), min_size=1, max_size=5 if several else 1)))
        )
        items.append((kind, key, "".join(order), "3.00"))
        given[str(number)] = draw(
            st.lists(st.sampled_from(letters), unique=True, max_size=len(letters) if several else 1)
        )
    return stored_paper(*items), given


@given(answered_papers(), st.sampled_from(list(ScoringRule)))
def test_a_grade_comes_out_again_from_its_sheet(paper, rule):
    """From the stored letters of the sheet, and the texts."""
    (sections, schema, keys), given = paper
    score = score_paper(sections, schema, given, keys, rules=rules_with(rule))
    texts = {item: response for item, response in given.items() if response[:1] and response[0] not in "ABCDEFGHIJ"}
    stored = unpack_sheet(schema, score.sheet, texts)
    assert score_stored(sections, schema, stored, keys, rules=rules_with(rule)) == score
    with pytest.raises(ValueError, match="bytes for a paper"):
        unpack_sheet(schema, score.sheet + b"\0", texts)


def test_an_annulled_attempt_has_no_points_and_the_same_full_marks():
    sections, schema, keys = stored_paper(*PAPER)
    score = score_paper(sections, schema, {"1": ["C"]}, keys, rules=replace(rules_with(), is_annulled=True))
    assert (score.points, score.points_possible, score.band, score.is_passed) == (0, 3, Band.FAIL, False)


def test_a_ruling_names_every_answer_that_counts_in_the_letters_that_the_person_saw():
    keys = tuple(VersionKey(number, [{"key": [letter]}]) for number, letter in enumerate("AC"))
    said = [
        describe_ruling(
            Ruling(id=1, version_id=1, part=0, treatment=treatment, keys=of), kind_of(Kind.SINGLE_CHOICE), "CBA"
        )
        for treatment, of in ((Treatment.BEST_OF, keys), (Treatment.KEY, keys[:1]), (Treatment.VOID, ()))
    ]
    assert said == ["新旧答案均给分：C；A", "改为新答案：C", "不计分"]
