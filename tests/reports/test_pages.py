"""The pages of figures: who sees which unit, and that every number leads to its people."""

import pytest


def unit_page(county, unit, part="", **query):
    extra = "".join(f"&{k}={v}" for k, v in query.items())
    return f"/admin/reports/exams/{county.exam.id}/units/{unit.id}{part}?x=1{extra}"


@pytest.mark.parametrize("part", ["", "/people", "/progress", "/score-sheet", "/corrections"])
@pytest.mark.parametrize("tree", ["region", "sector"])
def test_every_page_opens_on_both_trees(county, world, part, tree):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())
    for unit in (county.top, county.bureau, county.empty):
        answer = client.get(unit_page(county, unit, part, tree=tree))
        assert answer.status_code == 200
        assert "意见建议" in answer.text
