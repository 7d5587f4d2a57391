"""Every figure equals what plain Python counts from raw rows."""

import pytest

from tests.reports.county import naive_figures

FIELDS = (
    "roster", "exempt", "deferred", "eligible", "participated", "passed", "excellent", "participation_rate", "pass_rate",
    "pass_of_eligible_rate", "excellence_rate", "mean_points",
)


def figures_of(client, exam, unit, **query):
    answer = client.get(f"/api/v1/exams/{exam.id}/participation", query_string={"unit": unit.id, "depth": 5, **query})
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


@pytest.mark.parametrize("rule", ["best", "last", "first"])
def test_every_odd_case_counts_as_defined(county, world, session, rule):
    county.exam.counting_rule = rule
    county.fill_with_every_odd_case()
    body = figures_of(world.client(world.admin()), county.exam, county.top)
    naive = naive_figures(session, [county.exam.id], rule=rule)
    assert [row["code"] for row in body["rows"]] == ["000", "101", "10101", "201", "20101", "301"]
    for row in body["rows"]:
        assert {name: row[name] for name in FIELDS} == naive[row["unit_id"]].as_api(), row["name"]
    top = body["rows"][0]
    assert (top["roster"], top["exempt"], top["deferred"], top["eligible"], top["participated"]) == (25, 2, 2, 21, 13)
    assert body["rows"][-1]["participation_rate"] is None and body["rows"][-1]["mean_points"] is None
