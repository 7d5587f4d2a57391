"""From what is shown of units nobody works out how fewer than five people fared: not directly, and not by subtraction."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select

from examapp.learning.mastery.queries import MIN_PEOPLE, hidden_subjects
from examapp.learning.spaced_repetition.models import UnitWeakness
from tests.helpers.practice import weakness

LAW = ("law", "监察法")
COUNTED = select(
    UnitWeakness.kind, UnitWeakness.name, UnitWeakness.unit_id, UnitWeakness.candidate_count.label("people")
)


def grow(world, exam, rng, parent=None, depth=0):
    """Make a unit with some people of its own and units below it; gives it as `(unit, people of the subtree, units below)`."""
    unit = world.unit(f"{depth}级单位", parent=parent)
    own = rng.choice((0, 0, 1, 2, 3, 5, 8))
    if own:
        weakness(world, exam, unit, right=1, candidate_count=own)
    below = [grow(world, exam, rng, unit, depth + 1) for _ in range(rng.randrange(5))] if depth < 2 else []
    return unit, own + sum(people for _, people, _ in below), below


def is_shown(session, node):
    unit, people, _ = node
    return people >= MIN_PEOPLE and LAW not in hidden_subjects(session, unit, COUNTED)


def walk(node):
    yield node
    for below in node[2]:
        yield from walk(below)


@pytest.mark.parametrize("seed", range(12))
def test_what_shown_units_leave_of_the_unit_above_is_nobody_or_five(world, session, seed):
    exam = world.exam(world.blueprint())
    top = grow(world, exam, random.Random(seed))
    for node in walk(top):
        unit, people, below = node
        if not is_shown(session, node):
            assert not any(is_shown(session, each) for each in walk(node)), unit.region_path
            continue
        shown = [each for each in below if is_shown(session, each)]
        left = people - sum(each[1] for each in shown)
        assert left == 0 or left >= MIN_PEOPLE, (unit.region_path, left)
        covered = [each for each in below if each[1] >= MIN_PEOPLE]
        assert len(covered) - len(shown) <= 1, "no more is hidden than must be"


def test_a_unit_that_would_give_its_neighbour_away_is_not_shown_and_the_page_says_why(world, session):
    county = world.unit("云溪县", kind="county")
    big, small, lone = (world.unit(name, parent=county) for name in ("教育局", "文联", "工商联"))
    exam = world.exam(world.blueprint())
    for unit, candidate_count in ((big, 9), (small, 6), (lone, 1)):
        weakness(world, exam, unit, right=4, candidate_count=candidate_count)

    def page(unit):
        return world.client(world.admin("unit_admin", unit)).get("/admin/training/mastery").get_data(as_text=True)

    assert "监察法" in page(county)
    assert "监察法" in page(big)
    hidden = page(small)
    assert "监察法" not in hidden
    assert "这次考试本单位答题的人数不足，不作统计" in hidden
    assert "为防止推算，个别单位也不显示" in hidden
    assert "监察法" not in page(lone)
    weakness(world, exam, world.unit("科协", parent=county), right=4, candidate_count=4)
    assert "监察法" in page(small), "five apart together hide each other"
