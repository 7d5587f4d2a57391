"""Drawing holds for all inputs what the office was promised."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examapp.content.blueprints.rules import (
    BankTooSmallError,
    PoolPart,
    PoolQuestion,
    Section,
    draw,
    forecast,
    parts_of,
    prepare_pool,
    sharing_chance,
    total_points,
)
from question_bank.kinds.response_schema import count_items, find_item
from question_bank.model import Kind
from tests.helpers.drawn_examples import some_of

LAWS = ("宪法", "民法典", "行政处罚法")
LEVELS = ("easy", "medium", "hard", None)
PLAIN = (Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.TRUE_FALSE, Kind.FILL_BLANK)


@st.composite
def questions(draw_from, number):
    kind = draw_from(st.sampled_from((*PLAIN, Kind.CASE)))
    kinds = draw_from(st.lists(st.sampled_from(PLAIN), min_size=2, max_size=3)) if kind == Kind.CASE else [kind]
    parts = tuple(
        PoolPart(k, 2 if k == Kind.TRUE_FALSE else draw_from(st.integers(1 if k == Kind.FILL_BLANK else 2, 9)))
        for k in kinds
    )
    return PoolQuestion(
        question_id=number,
        version_id=number + 1000,
        kind=kind,
        parts=parts,
        law=draw_from(st.sampled_from(LAWS)),
        difficulty=draw_from(st.sampled_from(LEVELS)),
        topic=draw_from(st.sampled_from(("甲", "乙"))),
        knowledge_points=frozenset(draw_from(st.sets(st.sampled_from("xyz"), max_size=2))),
    )


@st.composite
def banks(draw_from):
    return [draw_from(questions(number)) for number in range(draw_from(st.integers(5, 40)))]


@st.composite
def blueprints(draw_from):
    def one():
        count = draw_from(st.integers(1, 4))
        easy = draw_from(st.integers(0, count))
        return Section(
            title="部分",
            kind=draw_from(st.sampled_from((*PLAIN, Kind.CASE))),
            count=count,
            points_each=Decimal(draw_from(st.integers(1, 500))) / 100,
            laws=frozenset(draw_from(st.sets(st.sampled_from(LAWS), max_size=2))),
            knowledge_points=frozenset(draw_from(st.sets(st.sampled_from("xyz"), max_size=1))),
            difficulties={"easy": easy} if draw_from(st.booleans()) else {},
        )

    return [one() for _ in range(draw_from(st.integers(1, 4)))]


@settings(max_examples=some_of(150))
@given(bank=banks(), sections=blueprints(), seed=st.integers(0, 2**62), is_shuffled=st.booleans())
def test_a_drawn_paper_is_what_the_blueprint_says(bank, sections, seed, is_shuffled):
    pool = prepare_pool(sections, bank)
    try:
        paper = draw(sections, pool, seed=seed, is_shuffled=is_shuffled)
    except BankTooSmallError:
        return
    by_version = {question.version_id: question for question in bank}
    assert paper == draw(sections, pool, seed=seed, is_shuffled=is_shuffled)
    assert len(set(paper.version_ids)) == len(paper.version_ids) == sum(section.count for section in sections)
    items = [item for section in paper.sections for item in section["items"]]
    assert paper.total_points == sum(Decimal(points) for *_, points in items)
    assert count_items(paper.response_schema) == len(items)
    for section, made in zip(sections, paper.sections, strict=True):
        chosen = [by_version[version] for version in dict.fromkeys(item[0] for item in made["items"])]
        assert len(chosen) == section.count
        assert all(section.takes(question) for question in chosen)
        assert {Decimal(points) for *_, points in made["items"]} == {section.points_each}
        levels = Counter(question.difficulty for question in chosen)
        assert all(levels[level] >= count for level, count in section.difficulties.items())
        assert [(item[0], item[1]) for item in made["items"]] == [
            (q.version_id, n) for q in chosen for n in range(len(q.parts))
        ]
    for place, (version, number, order, _points) in enumerate(items, 1):
        part = by_version[version].parts[number]
        kind, spec = find_item(paper.response_schema, place)
        assert (kind.code, spec.option_count or spec.size) == (part.kind, part.count)
        letters = "ABCDEFGHI"[: part.count]
        assert order == "" if part.kind == Kind.FILL_BLANK else sorted(order) == list(letters)
        if part.kind == Kind.TRUE_FALSE or (not is_shuffled and order):
            assert order == letters


def _bank(count, **fields):
    return [
        PoolQuestion(
            question_id=n, version_id=n, kind=Kind.SINGLE_CHOICE, parts=(PoolPart(Kind.SINGLE_CHOICE, 4),), **fields
        )
        for n in range(count)
    ]


def _section(count, **fields):
    return Section(title="单选题", kind=Kind.SINGLE_CHOICE, count=count, points_each=Decimal(1), **fields)


@settings(max_examples=some_of(40))
@given(seed=st.integers(0, 2**62))
def test_sections_that_compete_for_the_same_questions_still_come_out_whole(seed):
    law_a, law_b, both = frozenset({"甲法"}), frozenset({"乙法"}), frozenset({"甲法", "乙法"})
    bank = [
        PoolQuestion(
            question_id=n,
            version_id=n,
            kind=Kind.SINGLE_CHOICE,
            parts=(PoolPart(Kind.SINGLE_CHOICE, 4),),
            law=law,
            difficulty=level,
        )
        for n, (law, level) in enumerate([("甲法", "easy")] * 3 + [("甲法", "hard")] * 2 + [("乙法", "easy")] * 3)
    ]
    # Eight questions, eight wanted: only one distribution over the three sections works out.
    sections = [_section(3, laws=law_a), _section(3, laws=both, difficulties={"easy": 2}), _section(2, laws=law_b)]
    paper = draw(sections, prepare_pool(sections, bank), seed=seed, is_shuffled=True)
    assert sorted(paper.version_ids) == list(range(8))


def test_a_bank_that_is_too_small_is_rejected_and_one_that_just_suffices_is_not():
    sections = [_section(3)]
    with pytest.raises(BankTooSmallError):
        draw(sections, prepare_pool(sections, _bank(2)), seed=1, is_shuffled=True)
    assert len(draw(sections, prepare_pool(sections, _bank(3)), seed=1, is_shuffled=True).version_ids) == 3


def test_two_seeds_give_two_papers_and_every_question_gets_its_turn():
    sections = [_section(5)]
    pool = prepare_pool(sections, _bank(20))
    papers = [draw(sections, pool, seed=seed, is_shuffled=True) for seed in range(200)]
    assert len({paper.version_ids for paper in papers}) > 190
    turns = Counter(version for paper in papers for version in paper.version_ids)
    assert set(turns) == set(range(20))
    assert max(turns.values()) < 3 * min(turns.values())
    orders = Counter(item[2] for paper in papers for item in paper.sections[0]["items"])
    assert len(orders) == 24


def test_a_case_that_holds_a_short_answer_is_not_drawn():
    case = PoolQuestion(
        question_id=1,
        version_id=1,
        kind=Kind.CASE,
        parts=(PoolPart(Kind.SINGLE_CHOICE, 4), PoolPart(Kind.SHORT_ANSWER, 1)),
    )
    sections = [Section(title="案例", kind=Kind.CASE, count=1, points_each=Decimal(5))]
    with pytest.raises(BankTooSmallError):
        draw(sections, prepare_pool(sections, [case]), seed=1, is_shuffled=True)


def test_parts_of_a_stored_version_are_read():
    content = {
        "material": "材料",
        "parts": [
            {"kind": "single_choice", "stem": "", "options": ["甲", "乙", "丙"], "blanks": None},
            {"kind": "fill_blank", "stem": "", "options": [], "blanks": 2},
        ],
    }
    assert [part.response_schema for part in parts_of(content)] == ["S31", "B02"]


def test_a_forecast_names_what_the_bank_lacks():
    sections = [
        _section(5, difficulties={"easy": 2, "hard": 2}),
        Section(title="判断", kind=Kind.TRUE_FALSE, count=3, points_each=Decimal(1)),
    ]
    bank = _bank(4, difficulty="easy")
    seen = forecast(sections, prepare_pool(sections, bank))
    assert not seen.is_drawable
    assert seen.total_points is None
    assert [part.missing for part in seen.sections] == [2, 3]
    assert seen.sections[0].candidates == 4
    assert {d: (w, h) for d, w, h in seen.sections[0].by_difficulty} == {"easy": (2, 4), "hard": (2, 0)}


def test_a_forecast_says_how_alike_two_papers_will_be():
    assert sharing_chance([(10, 10)]) == (1, 10)
    assert sharing_chance([(20, 1)]) == (Fraction(1, 20), Fraction(1, 20))
    # two of four: both the same with 1/6; one of two is not more than half
    assert sharing_chance([(4, 2)]) == (Fraction(1, 6), 1)
    sections = [_section(2)]
    seen = forecast(sections, prepare_pool(sections, _bank(4)))
    assert (seen.sharing_percent, seen.shared_on_average, seen.total_points) == (
        Decimal("16.6667"),
        Decimal("1.00"),
        Decimal("2.00"),
    )


@settings(max_examples=some_of(50))
@given(
    spans=st.lists(
        st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(n, 40), st.just(n))), min_size=1, max_size=4
    )
)
def test_a_chance_is_a_chance(spans):
    chance, average = sharing_chance(spans)
    assert 0 <= chance <= 1
    assert 0 < average <= sum(count for _, count in spans)


def test_the_chance_agrees_with_papers_really_drawn():
    sections = [_section(4)]
    pool = prepare_pool(sections, _bank(8))
    drawn = [set(draw(sections, pool, seed=seed, is_shuffled=False).version_ids) for seed in range(4000)]
    alike = sum(len(a & b) > 2 for a, b in zip(drawn[::2], drawn[1::2], strict=True)) / 2000
    chance, _ = sharing_chance([(8, 4)])
    assert abs(alike - float(chance)) < 0.05


def test_full_marks_are_the_same_for_everybody_once_the_sub_questions_of_a_case_are_fixed():
    part = PoolPart(Kind.SINGLE_CHOICE, 4)
    cases = [PoolQuestion(question_id=n, version_id=n, kind=Kind.CASE, parts=(part,) * (2 + n % 2)) for n in range(20)]
    of_any = [Section(title="案例", kind=Kind.CASE, count=2, points_each=Decimal(5))]
    of_three = [replace(of_any[0], part_count=3)]
    assert not forecast(of_any, prepare_pool(of_any, cases)).is_total_fixed
    assert forecast(of_three, prepare_pool(of_three, cases)).is_total_fixed
    assert (total_points(of_any), total_points(of_three)) == (None, Decimal("30.00"))
    pool = prepare_pool(of_three, cases)
    assert {draw(of_three, pool, seed=seed, is_shuffled=True).total_points for seed in range(50)} == {Decimal("30.00")}
