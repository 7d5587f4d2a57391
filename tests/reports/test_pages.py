"""The pages of figures: who sees which unit, that every number leads to its people, and what they cost."""

import re
from urllib.parse import unquote

import pytest

from tests.helpers.forms import token_of
from tests.helpers.reports import main, unit_page

PARTS = ["", "/people", "/progress", "/score-sheet"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("tree", ["region", "sector"])
def test_every_page_opens_on_both_trees(county, world, part, tree):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())
    for unit in (county.top, county.bureau, county.empty, county.system):
        answer = client.get(unit_page(county, unit, part, tree=tree))
        assert answer.status_code == 200
        assert "意见建议" in answer.text


@pytest.mark.parametrize("part", PARTS)
def test_unit_of_others_looks_like_a_missing_one(county, world, part):
    county.fill_with_every_odd_case()
    client = world.client(world.admin("unit_admin", county.bureau))
    missing = client.get(f"/admin/reports/exams/{county.exam.id}/units/999999{part}")
    assert missing.status_code == 404
    for unit in (county.town, county.top, county.school, county.empty):
        for tree in ("region", "sector"):
            answer = client.get(unit_page(county, unit, part, tree=tree))
            assert (answer.status_code, main(answer)) == (404, main(missing))
    for unit in (county.bureau, county.office):
        assert client.get(unit_page(county, unit, part)).status_code == 200


def test_unit_of_others_is_the_same_404_in_the_api(county, world):
    world.person(county.bureau)  # whom the exam concerns
    api = world.api(world.admin("unit_admin", county.bureau))
    path = f"/api/v1/exams/{county.exam.id}/participation?unit="
    missing = api.get(f"{path}999999")
    answer = api.get(f"{path}{county.town.id}")
    assert (answer.status_code, answer.data) == (missing.status_code, missing.data) == (404, missing.data)
    body = {"unit": county.town.id, "content": "scores", "format": "csv"}
    assert api.post(f"/api/v1/exams/{county.exam.id}/exports", json=body).status_code == 404
    assert api.get(f"{path}{county.bureau.id}").status_code == 200
    assert api.get(f"/api/v1/exams/{county.exam.id + 1000}/participation?unit={county.bureau.id}").data == missing.data
    assert api.get(f"/api/v1/exams/{county.exam.id}/participation").get_json()["rows"][0]["unit_id"] == county.bureau.id


def test_region_reach_shows_no_people_of_the_sector(county, world):
    county.fill_with_every_odd_case()
    body = (
        world.api(world.admin("unit_admin", county.bureau))
        .get(f"/api/v1/exams/{county.exam.id}/participation?unit={county.bureau.id}&tree=sector&depth=3")
        .get_json()
    )
    assert [row["code"] for row in body["rows"]] == ["101"]
    sector = (
        world.api(world.admin("unit_admin", county.bureau, tree="sector"))
        .get(f"/api/v1/exams/{county.exam.id}/participation?unit={county.bureau.id}&tree=sector&depth=3")
        .get_json()
    )
    assert [row["code"] for row in sector["rows"]] == ["101", "20101"]


def test_candidate_and_leader_get_what_is_theirs(county, world):
    candidate, leader = world.client(world.person(county.bureau)), world.client(world.admin("leader", county.top))
    assert candidate.get(unit_page(county, county.bureau)).status_code == 404
    page = leader.get(unit_page(county, county.bureau))
    assert page.status_code == 200 and "导出本单位" not in page.text
    assert leader.get("/admin/reports/exports").status_code == 404
    assert leader.get(unit_page(county, county.bureau, "/score-sheet")).status_code == 404


def test_every_number_leads_to_as_many_people(county, world):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())
    page = client.get(unit_page(county, county.top, depth=3)).text
    links = re.findall(r'href="([^"]*/people[^"]*)">(\d+)</a>', page)
    assert len(links) > 30
    for address, number in links:
        listed = client.get(address.replace("&amp;", "&")).text
        assert f"共 <strong>{number}</strong> 人" in listed, address


def test_sorting_and_filters_stand_in_the_address(county, world):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())

    def codes(**query):
        return re.findall(r'class="soft">(\w+)</span> <a', client.get(unit_page(county, county.top, **query)).text)

    assert codes() == ["101", "201", "301"]
    assert codes(sort="code", dir="desc") == ["301", "201", "101"]
    by_rate = codes(sort="participation_rate", dir="desc")
    assert set(by_rate) == {"101", "201", "301"} and by_rate[-1] == "301", "what has no rate comes last"
    assert codes(sort="participation_rate") == [*reversed(by_rate[:2]), "301"]
    assert codes(kind="township") == ["201"] and codes(q="教育") == ["101"] and codes(depth=0) == []
    assert codes(sort="nonsense", depth="x", tree="y", scope="z", kind="k") == ["101", "201", "301"]
    only = client.get(unit_page(county, county.top, position="局长")).text
    assert "只统计职务为“局长”" in only.replace("\n", "")


def test_people_are_found_by_name_and_paged(county, world):
    for number in range(60):
        world.person(county.bureau, name=f"甲{number:02d}", staff_number=f"A{number:03d}", login=False)
    client = world.client(world.admin())
    first, second = (
        client.get(unit_page(county, county.top, "/people", group="roster", page=page)).text for page in (1, 2)
    )
    assert "甲49" in first and "甲50" not in first and "甲59" in second and "第 2 页，共 2 页" in second


def test_a_name_that_is_searched_stands_in_no_address(county, world):
    for number in range(60):
        world.person(county.bureau, name=f"甲乙{number:02d}", staff_number=f"A{number:03d}", login=False)
    client = world.api(world.admin())
    path = unit_page(county, county.top, "/people")

    def search(text):
        answer = client.post(path, data={"group": "roster", "q": text})
        assert answer.status_code == 303
        return answer.location, client.get(answer.location).text

    for text, found in (
        ("甲乙07", "共 <strong>1</strong> 人"),
        ("甲乙", "第 1 页，共 2 页"),
        ("%", "没有符合条件的人员"),
    ):
        address, page = search(text)
        assert found in page
        addresses = [address, *re.findall(r'(?:href|action|name="next" value)="([^"]*)"', page)]
        assert not [address for address in addresses if "甲" in unquote(address)]
    following = re.search(r'href="([^"]*page=2[^"]*)"', search("甲乙")[1])[1].replace("&amp;", "&")
    assert "甲乙59" in client.get(following).text


def test_person_page_names_the_attempt_that_counts(county, world):
    people = county.fill_with_every_odd_case()
    client = world.client(world.admin("unit_admin", county.bureau))
    page = client.get(unit_page(county, county.bureau, f"/people/{people['best of three'].id}")).text
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)[1:]
    assert ["计入</td>" in row for row in rows] == [False, True, False]
    outside = client.get(unit_page(county, county.bureau, f"/people/{people['zero'].id}"))
    missing = client.get(unit_page(county, county.bureau, "/people/999999"))
    assert outside.status_code == 404 and main(outside) == main(missing)


def test_score_sheet_has_all_that_is_signed(county, world):
    county.fill_with_every_odd_case()
    page = world.client(world.admin()).get(unit_page(county, county.bureau, "/score-sheet")).text
    for text in (
        "测试考试成绩汇总表",
        "单位：教育局",
        "统计时间",
        "填表人",
        "单位负责人（签字）",
        "单位（盖章）",
        "名册 10 人",
    ):
        assert text in page
    assert page.index("人excellent") < page.index("人exempt")


def test_export_from_a_page_leads_to_its_progress(county, world):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())
    path = f"/admin/reports/exams/{county.exam.id}/units/{county.top.id}/exports"
    token = token_of(client.get(unit_page(county, county.top)))
    form = {"csrf_token": token, "content": "score_sheet", "format": "csv", "tree": "region", "scope": "this"}
    answer = client.post(path, data=form)
    assert answer.status_code == 303
    progress = client.get(answer.headers["Location"])
    assert (
        "文件已生成" in progress.text and "成绩汇总表没有“文本表格（csv）”，已改为“Excel 表格（xlsx）”" in progress.text
    )
    file = client.get(answer.headers["Location"] + "/file")
    assert file.status_code == 200 and file.data[:2] == b"PK"
    assert client.post(path, data=form | {"content": "everything"}).status_code == 400
    assert "下载" in client.get("/admin/reports/exports").text


def test_draft_exams_have_no_figures(county, world):
    draft = world.exam(title="草稿考试", state="draft")
    client = world.client(world.admin())
    assert client.get(f"/admin/reports/exams/{draft.id}/units/{county.top.id}").status_code == 404
    assert "草稿考试" not in client.get("/admin/reports").text


def test_index_leads_to_the_unit_at_which_the_reach_begins(county, world):
    county.fill_with_every_odd_case()
    for admin, unit in ((world.admin(), county.top), (world.admin("unit_admin", county.bureau), county.bureau)):
        client = world.client(admin)
        assert county.exam.title in client.get("/admin/reports").text
        answer = client.get(f"/admin/reports/exams/{county.exam.id}")
        assert answer.status_code == 303 and f"/units/{unit.id}" in answer.headers["Location"]


def test_county_api_costs_at_most_six_statements_and_its_page_one_more_for_the_bar(county, world, statements):
    county.fill_with_every_odd_case()
    client = world.client(world.admin())
    for path, limit in (
        (unit_page(county, county.top), 7),
        (f"/api/v1/exams/{county.exam.id}/participation?unit={county.top.id}&depth=2", 6),
    ):
        with statements() as seen:
            assert client.get(path).status_code == 200
        assert len(seen) <= limit, seen
    for part, limit in (("/people", 8), ("/progress", 13)):
        path = unit_page(county, county.top, part)
        with statements() as seen:
            assert client.get(path).status_code == 200
        assert len(seen) <= limit, seen
