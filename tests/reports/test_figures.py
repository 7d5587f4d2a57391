"""Every figure equals what plain Python counts from raw rows, on the screen, in xlsx, in csv and in the API."""

import io
import re
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from docx import Document
from openpyxl import load_workbook

from examapp import clock
from examapp.delivery.exams.models import ExamAudience
from examapp.oversight.report_templates.render_docx import demand_text
from examapp.oversight.statistics.queries import home_figures
from tests.helpers.reports import (
    FIELDS,
    as_api,
    assert_all_agree,
    csv_rows,
    docx_rows,
    export,
    figures_of,
    ods_rows,
    pdf_text,
    xlsx_rows,
)
from tests.reports.county import naive_figures


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
    assert body["as_of"] == "2026-11-24T12:00:00.000+08:00" and set(FIELDS) <= set(body["definitions"])


def test_screen_xlsx_csv_ods_docx_pdf_and_api_show_the_same_numbers(county, world, session):
    county.fill_with_every_odd_case()
    on_paper = assert_all_agree(county, world.api(world.admin()), naive_figures(session, [county.exam.id]))
    assert "名册：截至2026年11月24日12:00的在册人员" in on_paper


@pytest.mark.parametrize(("scope", "text"), [("this", "统计范围：本次考试"), ("final", "统计范围：含补考")])
@pytest.mark.parametrize("rule", ["best", "last", "first"])
def test_every_form_agrees_with_make_ups_and_results_from_another_platform(county, world, session, scope, text, rule):
    county.exam.counting_rule = rule
    people = county.fill_with_every_odd_case()
    makeup = county.makeup(closed=True)
    county.eligible_for(makeup, people["bare fail"], people["absent"])
    county.attempt(people["bare fail"], exam=makeup, points="91", hours_ago=5)
    county.attempt(people["absent"], exam=makeup, points="60", hours_ago=5)
    county.outside(people["absent too"], "84")
    county.outside(people["zero"], "70")
    county.outside(people["excellent"], "12")
    county.outside(people["exempt"], "99")
    county.outside(people["in progress"], "88", undone=True)
    county.outside(people["exemption refused"], "93", exam=makeup, hours_ago=6)
    exam_ids = [county.exam.id, makeup.id] if scope == "final" else [county.exam.id]
    naive = naive_figures(session, exam_ids, rule=rule)
    assert naive[county.top.id].participated == (16 if scope == "final" else 14)
    assert text in assert_all_agree(county, world.api(world.admin()), naive, scope=scope)


CIRCULAR_HEADS = {
    "应考": "eligible",
    "参考": "participated",
    "良好": "good",
    "不合格": "failed",
    "参考率": "participation_rate",
    "合格率": "pass_rate",
    "优秀率": "excellence_rate",
}


@pytest.mark.parametrize("tree", ["region", "sector"])
def test_circular_says_the_same_in_word_and_pdf(county, world, session, tree):
    county.fill_with_every_odd_case()
    client = world.api(world.admin())
    naive = naive_figures(session, [county.exam.id], tree=tree)
    top = county.top if tree == "region" else county.system
    docx = export(client, county, top, "circular", "docx", tree=tree)
    on_paper = pdf_text(export(client, county, top, "circular", "pdf", tree=tree))
    whole = naive[top.id].as_api()
    text = "".join(paragraph.text for paragraph in Document(io.BytesIO(docx)).paragraphs)
    for wording in (
        f"关于{county.exam.title}参考情况的通报",
        f"应考{whole['eligible']}人；参考{whole['participated']}人",
        f"参考率{whole['participation_rate']}%",
        f"良好{whole['good']}人、优秀{whole['excellent']}人），不合格{whole['failed']}人",
        f"平均分{whole['mean_points']}",
        "2026年11月24日",
        "（数据截至2026年11月24日12:00）通报如下",
        "以上数据统计截至2026年11月24日12:00，人员以当时在册名单为准",
    ):
        assert wording in text and wording in on_paper
    assert "{" not in text + on_paper
    rows = docx_rows(docx)
    below = [county.bureau, county.town, county.empty] if tree == "region" else [county.bureau]
    assert [row["单位"] for row in rows] == [unit.name for unit in below]
    for unit, row in zip(below, rows, strict=True):
        expected = naive[unit.id].as_api()
        for head, name in CIRCULAR_HEADS.items():
            assert as_api(name, row[head].rstrip("%")) == expected[name]
        assert "".join(row.values()) in on_paper


def test_score_sheet_on_paper_holds_the_same_people_and_totals(county, world):
    county.fill_with_every_odd_case()
    client = world.api(world.admin())
    book = load_workbook(io.BytesIO(export(client, county, county.top, "score_sheet", "xlsx"))).active
    rows = [row for row in book.iter_rows(values_only=True) if isinstance(row[0], int)]
    on_paper = pdf_text(export(client, county, county.top, "score_sheet", "pdf"))
    in_word = docx_rows(export(client, county, county.top, "score_sheet", "docx"))
    assert len(rows) == len(in_word) == 25
    for row, text in zip(rows, in_word, strict=True):
        cells = ["" if cell is None else f"{cell:.2f}" if n == 4 else str(cell) for n, cell in enumerate(row)]
        assert list(text.values()) == cells and "".join("".join(cells).split()) in on_paper
    assert "名册25人，免考2人，缓考2人，应考21人，参考13人" in on_paper and "单位负责人（签字）" in on_paper
    absent = pdf_text(export(client, county, county.top, "absent", "pdf"))
    assert absent.count("未开始") + absent.count("已开始未交卷") == 8 and "未参考8人" in absent


def test_score_lists_hold_everybody_once_with_the_attempt_that_counts(county, world):
    people = county.fill_with_every_odd_case()
    client = world.api(world.admin())
    for kind, read in (("xlsx", xlsx_rows), ("csv", csv_rows), ("ods", ods_rows)):
        rows = {row["姓名"]: row for row in read(export(client, county, county.top, "scores", kind))}
        assert len(rows) == 25 and "人left after sitting" not in rows
        assert Decimal(str(rows["人best of three"]["成绩"])) == 92 and int(rows["人best of three"]["作答次数"]) == 3
        moved = rows["人moved after sitting"]
        assert (moved["单位"], moved["作答时单位"], moved["等次"]) == ("青山乡", "教育局", "良好")
        assert rows["人exempt who sat"]["情况"] == "免考（已参加，另列）"
        assert rows["人ungraded"]["等次"] == "正在评分" and rows["人ungraded"]["成绩"] in (None, "")
        assert list(rows)[-4:] == [
            f"人{name}" for name in ("exempt", "exempt who sat", "deferred", "deferred who sat")
        ] or {row["情况"][:2] for row in list(rows.values())[-4:]} == {"免考", "缓考"}
    absent = {row["姓名"]: row["情况"] for row in csv_rows(export(client, county, county.top, "absent", "csv"))}
    assert absent["人in progress"] == "已开始未交卷" and absent["人absent"] == "未开始" and len(absent) == 21 - 13
    assert people["exempt"].name not in absent


def test_who_never_began_is_absent_once_the_exam_is_over(county, world, session):
    county.fill_with_every_odd_case()
    county.exam.closes_at = clock.now()
    session.flush()
    client = world.api(world.admin())
    absent = {row["姓名"]: row["情况"] for row in csv_rows(export(client, county, county.top, "absent", "csv"))}
    assert absent["人absent"] == "缺考" and "未开始" not in absent.values()
    scores = {row["姓名"]: row["情况"] for row in xlsx_rows(export(client, county, county.top, "scores", "xlsx"))}
    assert scores["人absent"] == "缺考"
    on_paper = pdf_text(export(client, county, county.top, "score_sheet", "pdf"))
    assert "缺考" in on_paper and "未开始" not in on_paper


@pytest.mark.parametrize("rule", ["best", "last", "first"])
def test_final_figures_take_the_best_over_main_and_make_ups(county, world, session, rule):
    county.exam.counting_rule = rule
    people = county.fill_with_every_odd_case()
    makeup = county.makeup(closed=True)
    county.eligible_for(makeup, people["bare fail"], people["zero"], people["absent"])
    county.attempt(people["bare fail"], exam=makeup, points="91", hours_ago=5)
    county.attempt(people["zero"], exam=makeup, points="20", hours_ago=5)
    county.attempt(people["absent"], exam=makeup, points="60", hours_ago=5)
    client = world.client(world.admin())
    this, final = (figures_of(client, county.exam, county.top, scope=scope)["rows"] for scope in ("this", "final"))
    for rows, exam_ids in ((this, [county.exam.id]), (final, [county.exam.id, makeup.id])):
        naive = naive_figures(session, exam_ids, rule=rule)
        for row in rows:
            assert {name: row[name] for name in FIELDS} == naive[row["unit_id"]].as_api(), (row["name"], exam_ids)
    assert final[0]["participated"] == this[0]["participated"] + 1 and final[0]["passed"] == this[0]["passed"] + 2


def test_tables_show_this_exam_until_a_make_up_has_closed(county, world, fixed_clock):
    people = county.fill_with_every_odd_case()
    admin = world.admin()
    client = world.client(admin)
    makeup = county.makeup(closed=False)
    county.eligible_for(makeup, people["absent"])
    county.attempt(people["absent"], exam=makeup, points="60", hours_ago=5)
    before = figures_of(client, county.exam, county.top)
    assert before["definitions"]["scope"].startswith("本次考试") and before["rows"][0]["participated"] == 13
    fixed_clock.at(makeup.closes_at)
    client = world.client(admin)  # an administrator's sign-in ends by itself meanwhile
    after = figures_of(client, county.exam, county.top)
    assert after["definitions"]["scope"].startswith("含补考") and after["rows"][0]["participated"] == 14
    own = figures_of(client, makeup, county.top)["rows"][0]
    assert (own["roster"], own["participated"]) == (1, 1)


def test_sector_tree_counts_the_school_under_its_bureau(county, world, session):
    county.fill_with_every_odd_case()
    body = figures_of(world.client(world.admin()), county.exam, county.bureau, tree="sector")
    naive = naive_figures(session, [county.exam.id], tree="sector")
    assert [row["code"] for row in body["rows"]] == ["101", "20101"]
    for row in body["rows"]:
        assert {name: row[name] for name in FIELDS} == naive[row["unit_id"]].as_api()
    whole = figures_of(world.client(world.admin()), county.exam, county.top, tree="sector")["rows"]
    assert whole[0]["roster"] == 25 and "S01" in [row["code"] for row in whole]


def test_a_zip_has_a_workbook_for_each_unit_below_with_its_whole_subtree(county, world):
    county.fill_with_every_odd_case()
    client = world.api(world.admin())
    whole = xlsx_rows(export(client, county, county.top, "scores", "xlsx"))
    with zipfile.ZipFile(io.BytesIO(export(client, county, county.top, "scores", "zip"))) as archive:
        parts = {name: xlsx_rows(archive.read(name)) for name in archive.namelist()}
    assert sorted(row["工号"] for rows in parts.values() for row in rows) == sorted(row["工号"] for row in whole)
    bureau = next(rows for name, rows in parts.items() if county.bureau.name in name)
    below = figures_of(client, county.exam, county.bureau)["rows"]
    assert {row["单位编码"] for row in bureau} <= {row["code"] for row in below} and len(bureau) == below[0]["roster"]
    assert all(name.split()[1].removesuffix(".xlsx") for name in parts)


def test_a_circular_asks_of_the_units_what_the_figures_ask():
    assert demand_text(["甲局", "乙局"], 9, "县普法办").startswith("参考率低于总体水平的单位（甲局、乙局）要查找原因")
    assert "（" not in demand_text([], 9, "甲局") and "报甲局。" in demand_text([], 9, "甲局")
    assert "未参考" not in demand_text([], 0, "甲局")


def test_the_large_screen_shows_units_and_no_persons(county, world):
    people = county.fill_with_every_odd_case()
    county.exam.title = f"{county.top.name}2026年度考试"
    page = world.client(world.admin("leader")).get(
        f"/admin/reports/exams/{county.exam.id}/units/{county.top.id}/screen"
    )
    assert f"<h1>{county.exam.title}</h1>" in page.text, "the county's name stands once"
    rows = figures_of(world.client(world.admin()), county.exam, county.top, depth=1)["rows"]
    shown = re.findall(r"screen-counts\">(\d+) / (\d+) 人", page.text)
    assert [(int(a), int(b)) for a, b in shown] == [
        (row["participated"], row["eligible"]) for row in rows[1:] if row["eligible"]
    ]
    assert f"<dd>{rows[0]['participated']}</dd>" in page.text and page.headers["Refresh"] == "30"
    assert not any(person.name in page.text for person in people.values())


def test_audience_cuts_the_roster(county, world):

    county.fill_with_every_odd_case()
    world.save(ExamAudience(exam_id=county.exam.id, unit_id=county.town.id, ranks=[]))
    rows = figures_of(world.client(world.admin()), county.exam, county.top)["rows"]
    assert rows[0]["roster"] == next(row["roster"] for row in rows if row["code"] == "201") > 0


def test_curve_and_distribution_come_from_those_who_took_part(county, world):
    county.fill_with_every_odd_case()
    page = world.client(world.admin()).get(f"/admin/reports/exams/{county.exam.id}/units/{county.top.id}/progress").text
    assert "13 人（61.9" in page and "合格线 60" in page and "截止 11月27日" in page
    days = re.findall(r"11月(\d+)日</td><td class=\"number\">(\d+)</td><td class=\"number\">(\d+)</td>", page)
    assert [int(day) for day, _, _ in days] == [22, 23, 24] and sum(int(new) for _, new, _ in days) == int(
        days[-1][2]
    ) == 13


def test_home_figures_hold_the_whole_and_the_units_below(county, world, session, statements):

    county.fill_with_every_odd_case()
    with statements() as seen:
        home = home_figures(session, county.exam.id, county.top)
    assert (home.counts.eligible, home.counts.absent, home.curve[-1].total) == (21, 8, 13)
    assert [row.unit.code for row in home.below] == ["101", "201", "301"] and len(seen) <= 6
    assert all(row.counts.participation_rate < home.counts.participation_rate for row in home.lagging())


def test_the_countys_figures_name_the_units_that_they_do_not_cover(county, world):
    client, path = world.api(world.admin()), f"/admin/reports/exams/{county.exam.id}/units"
    stray = world.unit("孤立的局")
    assert "不含没有上级单位" not in client.get(f"{path}/{county.top.id}").get_data(as_text=True)
    world.person(stray)
    assert "不含没有上级单位的孤立的局" in client.get(f"{path}/{county.top.id}").get_data(as_text=True)
    assert "不含没有上级单位" not in client.get(f"{path}/{county.bureau.id}").get_data(as_text=True)
    assert "不含没有上级单位的孤立的局" in figures_of(client, county.exam, county.top)["definitions"]["roster_as_of"]


@pytest.mark.parametrize(
    ("opens", "closes", "text"),
    [
        (datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 18, tzinfo=UTC), "2026年12月1日"),
        (datetime(2026, 11, 20, 8, tzinfo=UTC), datetime(2026, 12, 1, 18, tzinfo=UTC), "2026年11月20日至12月1日"),
        (datetime(2026, 12, 20, 8, tzinfo=UTC), datetime(2027, 1, 5, 18, tzinfo=UTC), "2026年12月20日至2027年1月5日"),
    ],
)
def test_the_days_of_an_exam_are_written_as_people_write_them(opens, closes, text):
    assert clock.span_text(opens.date(), closes.date()) == text
