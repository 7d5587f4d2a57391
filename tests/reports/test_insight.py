"""Comparison with last year, the weakest laws and knowledge points, the hours of a day, the period: from raw rows, by unit code."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from examapp import clock
from examapp.clock import local
from examapp.content.blueprints.models import Paper
from examapp.delivery.grading.models import Grade
from tests.helpers.grading import let_rows_change
from tests.helpers.reports import main, unit_page
from tests.reports.county import DAY, naive_figures


def rows_of(page):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", main(page), re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in rows
    ]


def test_last_year_stands_beside_this_year_unit_by_unit(county, world, session):
    people = county.fill_with_every_odd_case()
    last = world.exam(title="去年考试", opens_in=-400 * DAY, lasts=30 * DAY)
    county.attempt(people["good"], exam=last, points="50")
    county.attempt(people["zero"], exam=last, points="95")
    world.exam(title="模拟", kind="mock", opens_in=-300 * DAY, lasts=DAY)
    client = world.client(world.admin())
    page = client.get(unit_page(county, county.top, "/compare"))
    now, then = naive_figures(session, [county.exam.id]), naive_figures(session, [last.id])
    rows = {row[0].split()[0]: row[1:] for row in rows_of(page) if row}
    assert list(rows) == ["合计：绥安县", "101", "201", "301"] and "对比：去年考试" in page.text
    for code, unit in (("合计：绥安县", county.top), ("101", county.bureau), ("201", county.town)):
        a, b = now[unit.id].as_api(), then[unit.id].as_api()
        change = Decimal(a["participation_rate"]) - Decimal(b["participation_rate"])
        assert rows[code][:5] == [str(a["eligible"]), str(b["eligible"]), f"{a['participation_rate']}%", f"{b['participation_rate']}%", f"+{change}"]  # fmt: skip
    assert rows["301"][2] == "–" and rows["301"][4] == "–"
    first = client.get(f"/admin/reports/exams/{last.id}/units/{county.top.id}/compare")
    assert "还没有可以比较的往年考试" in first.text
    assert (
        "对比：模拟"
        in client.get(
            unit_page(county, county.top, "/compare", **{"with": world.exam(title="模拟", kind="mock").id})
        ).text
    )


def test_a_comparison_narrows_both_exams_to_the_same_people(county, world, session):
    one, other = world.person(county.bureau, rank="一级科员"), world.person(county.bureau, rank="二级科员")
    last = world.exam(title="去年考试", opens_in=-400 * DAY, lasts=30 * DAY)
    for person, then, now in ((one, "50", "90"), (other, "70", "60")):
        county.attempt(person, exam=last, points=then, hours_ago=390 * 24)
        county.attempt(person, points=now)
    client = world.client(world.admin())

    def total(**query):
        page = client.get(unit_page(county, county.bureau, "/compare", **query))
        return page.text, next(row[1:] for row in rows_of(page) if row)

    page, row = total(rank="一级科员")
    assert row == ["1", "1", "100.00%", "100.00%", "0.00", "100.00%", "0.00%", "+100.00", "90.00", "50.00", "+40.00"]
    assert "只统计职级为“一级科员”的人员" in page and "职级、职务的条件两场都按" in page and "交卷日期只限" not in page
    assert total()[1][:2] == ["2", "2"]
    page, row = total(since=local(clock.now()).date() + DAY)
    assert row[:5] == ["2", "2", "0.00%", "100.00%", "-100.00"] and "对比的考试计全部交卷" in page


def test_weakest_laws_and_points_come_from_the_counted_sheets_of_the_unit_only(county, world, session):
    questions = [world.question(law="行政处罚法"), world.question(law="宪法")]
    versions = [question.current_version_id for question in questions]
    items = [[version, 0, "ABCD", "50"] for version in versions]
    paper = world.save(Paper(sections=[{"title": "", "instructions": "", "items": items}], response_schema="S41S41", total_points=Decimal(100), created_at=clock.now()))  # fmt: skip
    let_rows_change(session, "grades")
    for unit, marks in ((county.bureau, ["50", "0"]), (county.office, ["50", "25"]), (county.town, ["0", "0"])):
        attempt = county.attempt(world.person(unit), points="60")
        attempt.paper_id = paper.id
        session.query(Grade).filter_by(attempt_id=attempt.id).one().item_points = marks
    session.flush()
    client = world.client(world.admin())
    rows = [row for row in rows_of(client.get(unit_page(county, county.bureau, "/weak"))) if row]
    assert rows[:2] == [["宪法", "2", "25.00%"], ["行政处罚法", "2", "100.00%"]]
    whole = [row for row in rows_of(client.get(unit_page(county, county.top, "/weak"))) if row]
    assert whole[:2] == [["宪法", "3", "16.67%"], ["行政处罚法", "3", "66.67%"]]
    assert "还没有已评分的答卷" in client.get(unit_page(county, county.school, "/weak")).text
    last = world.exam(title="去年考试", opens_in=-400 * DAY, lasts=30 * DAY)
    attempt = county.attempt(world.person(county.bureau), exam=last, points="50", hours_ago=390 * 24)
    attempt.paper_id = paper.id
    session.query(Grade).filter_by(attempt_id=attempt.id).one().item_points = ["25", "25"]
    session.flush()
    page = client.get(unit_page(county, county.bureau, "/weak"))
    assert "上次薄弱、这次改善的法律（1 部）" in page.text
    rows = [row for row in rows_of(page) if row]
    assert rows[0] == ["行政处罚法", "2", "100.00%", "50.00%", "+50.00"]
    assert rows[1] == ["宪法", "2", "25.00%", "50.00%", "-25.00"]


def test_weakest_knowledge_points_are_those_of_raw_items_and_of_the_people_that_are_wanted(county, world, session):
    """Each item counts for each point that its question has; what is not graded, not counted or of others is left out."""
    points_of = [("听证", "救济"), ("救济",), ()]
    questions = [world.question(law="行政处罚法", knowledge_points=points) for points in points_of]
    possible = ["50", "30", "20"]
    items = [[q.current_version_id, 0, "ABCD", each] for q, each in zip(questions, possible, strict=True)]
    paper = world.save(Paper(sections=[{"title": "", "instructions": "", "items": items}], response_schema="S41S41S41", total_points=Decimal(100), created_at=clock.now()))  # fmt: skip
    let_rows_change(session, "grades")
    sheets = []

    def take_exam(person, points, marks, **more):
        attempt = county.attempt(person, points=points, **more)
        attempt.paper_id = paper.id
        session.query(Grade).filter_by(attempt_id=attempt.id).one().item_points = marks
        return (person.rank, marks)

    one, other = world.person(county.bureau, rank="一级科员"), world.person(county.office, rank="二级科员")
    take_exam(one, "20", ["0", "0", "20"], hours_ago=30)
    sheets.append(take_exam(one, "65", ["50", "15", "0"], number=2))
    sheets.append(take_exam(other, "30", ["0", "30", "0"]))
    take_exam(world.person(county.town, rank="一级科员"), "0", ["0", "0", "0"])
    exempt = world.person(county.bureau, rank="一级科员")
    county.excuse(exempt)
    take_exam(exempt, "100", ["50", "30", "20"])
    county.attempt(world.person(county.bureau))
    session.flush()
    client = world.client(world.admin())

    def naive(rank):
        found = {}
        for its_rank, marks in sheets:
            for got, limit, points in zip(marks, possible, points_of, strict=True):
                for point in points if rank in ("", its_rank) else ():
                    found.setdefault(point, []).append((Decimal(got), Decimal(limit)))
        rates = [(sum(g for g, _ in pairs) * 100 / sum(m for _, m in pairs), name, len(pairs)) for name, pairs in found.items()]  # fmt: skip
        return [[name, str(count), f"{rate:.2f}%"] for rate, name, count in sorted(rates)]

    for rank in ("", "一级科员", "二级科员"):
        page = client.get(unit_page(county, county.bureau, "/weak", rank=rank))
        assert [row for row in rows_of(page) if row and row[0] in ("听证", "救济")] == naive(rank), rank
    assert naive("")[0] == ["听证", "2", "50.00%"] and naive("一级科员")[-1] == ["听证", "1", "100.00%"]


def test_hours_of_a_day_add_up_to_its_new_hand_ins(county, world):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())
    page = client.get(unit_page(county, county.top, "/progress")).text
    days = {int(d): int(n) for d, n in re.findall(r"11月(\d+)日</td><td class=\"number\">(\d+)</td>", page)}
    for day, new in days.items():
        shown = client.get(unit_page(county, county.top, "/progress", day=f"2026-11-{day:02d}")).text
        hours = [int(n) for n in re.findall(r"\d+时至\d+时</td><td class=\"number\">(\d+)</td>", shown)]
        assert sum(hours) == new and f'当日合计</td><td class="number">{new}</td>' in shown
    assert client.get(unit_page(county, county.top, "/progress", day="yesterday")).status_code == 200


def test_period_counts_only_what_was_handed_in_within_it(county, world):
    early, late = world.person(county.bureau), world.person(county.bureau)
    county.attempt(early, points="70", hours_ago=40)
    county.attempt(late, points="80", hours_ago=2)
    day = local(clock.now() - timedelta(hours=2)).date()
    client = world.client(world.admin())

    def participated(**query):
        page = client.get(unit_page(county, county.bureau, "/people", group="participated", **query)).text
        return int(re.search(r"共 <strong>(\d+)</strong>", page).group(1))

    assert (participated(), participated(since=day), participated(until=day - DAY)) == (2, 1, 1)
    page = client.get(unit_page(county, county.bureau, since=day)).text
    assert f"只计 {day} 起" in page and f"since={day}" in page


@pytest.mark.parametrize("part", ["/compare", "/weak"])
def test_unit_of_others_is_the_same_404_there(county, world, part):
    county.fill_with_every_odd_case()
    client = world.client(world.admin("unit_admin", county.bureau))
    missing = client.get(f"/admin/reports/exams/{county.exam.id}/units/999999{part}")
    other = client.get(unit_page(county, county.town, part))
    assert (other.status_code, main(other)) == (404, main(missing))
    assert client.get(unit_page(county, county.office, part)).status_code == 200
