"""Figures and lists that are filtered – by rank, position, day, group – are the same on the page and in every file, and the file says so."""

import html
import io
import re
import zipfile
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, text

from examapp.delivery.attempts.models import Attempt
from examapp.organisation.people.models import Approval
from examapp.oversight.report_exports.models import Export
from examapp.oversight.statistics_scope.rules import GROUP_NAMES
from examapp.platform.audit.models import AuditEvent
from examapp.platform.audit.rules import detail_label
from tests.helpers.reports import (
    FIELDS,
    HEADS,
    as_api,
    csv_rows,
    docx_rows,
    from_page,
    ods_rows,
    pdf_text,
    screen_rows,
    xlsx_rows,
)
from tests.reports.county import naive_figures


def place(county, part="", **query):
    return f"/admin/reports/exams/{county.exam.id}/units/{county.top.id}{part}?{urlencode(query)}"


RANKS, POSITIONS = ("一级科员", "二级科员"), ("局长", "科长", "办事员")
FILTERED = {
    "rank": ({"rank": "一级科员"}, "只统计职级为“一级科员”的人员"),
    "position": ({"position": "科长"}, "只统计职务为“科长”的人员"),
    "since": ({"since": "2026-11-24"}, "只计 2026-11-24 起交卷的"),
    "until": ({"until": "2026-11-22"}, "只计 2026-11-22 止交卷的"),
    "all": (
        {"rank": "二级科员", "position": "局长", "since": "2026-11-22", "until": "2026-11-23"},
        "只统计职级为“二级科员”、职务为“局长”的人员；只计 2026-11-22 起 2026-11-23 止交卷的",
    ),
}


@pytest.fixture
def mixed(county):
    """The county's people with ranks, positions and hand-ins on several days."""
    county.fill_with_every_odd_case()
    for number, person in enumerate(county.people.values()):
        person.rank, person.position = RANKS[number % 2], POSITIONS[number % 3]
    for number, attempt in enumerate(_handed_in(county)):
        attempt.submitted_at -= timedelta(hours=12 * (number % 4))
    county.world.session.flush()
    return county


def _handed_in(county):
    attempts = county.world.session.query(Attempt).filter(Attempt.submitted_at.is_not(None))
    return attempts.order_by(Attempt.id)


def naive_of(session, county, query):
    """The figures under an address's filters, from raw rows; the days are the county's."""
    keeps = partial(_is_kept, query)
    since, until = (local_midnight(query[name]) if name in query else None for name in ("since", "until"))
    until = until and until + timedelta(days=1)
    return naive_figures(session, [county.exam.id], keeps=keeps, since=since, until=until)


def _is_kept(query, row):
    return all(getattr(row, name) == query[name] for name in ("rank", "position") if name in query)


def local_midnight(day):
    return datetime.fromisoformat(f"{day}T00:00:00+08:00")


@pytest.mark.parametrize(
    "name",
    [
        "all",
        *(
            pytest.param(name, marks=pytest.mark.long if name == "until" else pytest.mark.slow)
            for name in FILTERED
            if name != "all"
        ),
    ],
)
def test_figures_that_are_filtered_are_those_of_raw_rows_on_the_screen_and_in_every_file(mixed, world, session, name):
    query, wording = FILTERED[name]
    naive, whole = naive_of(session, mixed, query), naive_figures(session, [mixed.exam.id])
    assert naive[mixed.top.id] != whole[mixed.top.id] and naive[mixed.top.id].participated > 0
    client = world.api(world.admin())
    address = place(mixed, depth=5, **query)
    page = client.get(address).text
    assert wording in page
    by_api = client.get(f"/api/v1/exams/{mixed.exam.id}/participation", query_string={"depth": 5, **query}).get_json()
    assert by_api["definitions"]["narrowed"].startswith(wording)
    for row in by_api["rows"]:
        assert {field: row[field] for field in FIELDS} == naive[row["unit_id"]].as_api(), row["code"]
    units = {unit.code: unit.id for unit in (mixed.bureau, mixed.office, mixed.town, mixed.school, mixed.empty)}
    units["合计：绥安县"] = units["000"] = mixed.top.id
    screen = screen_rows(page)
    assert len(screen) == 6
    for code, figures in screen.items():
        assert figures == naive[units[code]].as_api(), code
    for kind, read in (("xlsx", xlsx_rows), ("csv", csv_rows), ("ods", ods_rows), ("docx", docx_rows)):
        file, shown = from_page(client, address, "participation", kind)
        rows = {row["单位编码"]: row for row in read(file)}
        assert len(rows) == 6 and wording in shown
        for code, row in rows.items():
            assert {field: as_api(field, row[HEADS[field]]) for field in FIELDS} == naive[units[code]].as_api(), kind
        if kind == "csv":
            assert {row["范围"].startswith(wording) for row in rows.values()} == {True}
        else:
            assert wording in all_text(file)
    for content in ("participation", "score_sheet", "absent", "circular"):
        on_paper = pdf_text(from_page(client, address, content, "pdf")[0])
        assert "".join(wording.split()) in on_paper, content
        assert f"应考{naive[mixed.top.id].eligible}人" in on_paper or content == "participation"
    assert wording in client.get(place(mixed, "/score-sheet", **query)).text
    assert wording in client.get("/admin/reports/exports").text


def all_text(file):
    """All text of an xlsx or docx, its heads and feet too."""
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        xml = "".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))
    return html.unescape(re.sub(r"<[^>]+>", "", xml))


def names_on(page):
    return sorted(html.unescape(name) for name in re.findall(r'/people/\d+[^"]*">([^<]+)</a>', page))


@pytest.mark.parametrize(
    "query",
    [
        {},
        pytest.param(FILTERED["rank"][0], marks=pytest.mark.slow),
        pytest.param(FILTERED["since"][0], marks=pytest.mark.slow),
    ],
    ids=["all", "rank", "since"],
)
def test_the_list_that_is_shown_is_the_list_that_is_exported(mixed, world, session, query):
    client = world.api(world.admin())
    lists = set()
    for group, label in GROUP_NAMES.items():
        address = place(mixed, "/people", group=group, **query)
        page = client.get(address).text
        for content in ("scores", "absent") if group in ("absent", "not_started", "in_progress") else ("scores",):
            file, _ = from_page(client, address, content, "csv")
            assert sorted(row["姓名"] for row in csv_rows(file)) == names_on(page), (group, content)
        assert f"共 <strong>{len(names_on(page))}</strong> 人" in page and "导出这份名单" in page
        file, shown = from_page(client, address, "scores", "xlsx")
        assert len(xlsx_rows(file)) >= len(names_on(page))
        assert group == "roster" or (f"只列{label}" in all_text(file) and f"只列{label}" in shown)
        lists.add(tuple(names_on(page)))
    assert len(lists) > 8
    filter_sets = [export.filters for export in session.scalars(select(Export))]
    assert {"group": "failed", **query} in filter_sets and {"group": "absent", **query} in filter_sets


def test_the_same_list_is_one_file_and_another_group_another(mixed, world, session):
    client = world.api(world.admin())
    asked = [("failed", {}), ("failed", {}), ("passed", {}), ("passed", {"rank": "一级科员"}), ("roster", {})]
    for group, query in asked:
        from_page(client, place(mixed, "/people", group=group, **query), "scores", "xlsx")
    from_page(client, place(mixed, group="failed"), "scores", "xlsx")
    assert session.query(Export).count() == 4
    events = session.scalars(select(AuditEvent).where(AuditEvent.act == "reports.request_export")).all()
    assert [event.details.get("group") for event in events] == ["failed", "passed", "passed", None]
    assert detail_label(events[2].details).count("职级 一级科员；") == 1


def test_the_api_asks_for_the_very_file_that_the_page_does(mixed, world, session):
    client = world.api(world.admin())
    query = {"group": "failed", **FILTERED["all"][0]}
    file, _ = from_page(client, place(mixed, "/people", **query), "scores", "csv")
    body = {"unit": mixed.top.id, "content": "scores", "format": "csv", **query}
    answer = client.post(f"/api/v1/exams/{mixed.exam.id}/exports", json=body)
    (export,) = session.scalars(select(Export))
    assert answer.status_code == 202 and answer.get_json()["export"]["id"] == export.id
    assert client.get(f"/api/v1/exports/{export.id}/file").data == file


@pytest.mark.parametrize(
    "wording",
    [{"since": "昨天"}, {"until": "2026-13-01"}, {"since": "0001-01-01"}, {"rank": "科" * 51}, {"position": "a\0"}],
    ids=str,
)
def test_the_api_rejects_filters_that_make_no_sense(mixed, world, session, wording):
    client = world.api(world.admin())
    place = f"/api/v1/exams/{mixed.exam.id}"
    assert client.get(f"{place}/participation", query_string=wording).status_code == 400
    for odd in (wording, {"group": "all"}, {"rank": 7}, {"since": None}):
        body = {"unit": mixed.top.id, "content": "scores", "format": "csv", **odd}
        assert client.post(f"{place}/exports", json=body).status_code == 400
    assert session.query(Export).count() == 0


def test_a_name_that_is_searched_goes_into_no_file_and_the_page_says_so(mixed, world, session):
    client = world.api(world.admin())
    found = client.post(place(mixed, "/people"), data={"group": "roster", "q": "人zero"}).location
    page = client.get(found).text
    assert names_on(page) == ["人zero"]
    assert (
        "导出这份名单" not in page and "姓名、工号的查找不带入文件" in page and "文件含上述条件下的全部名册人员" in page
    )
    file, _ = from_page(client, found, "scores", "csv")
    assert len(csv_rows(file)) == 25
    rows = session.execute(
        text("SELECT to_jsonb(e) - 'file' FROM exports e UNION ALL SELECT details FROM audit_events e")
    )
    assert "人zero" not in str([row[0] for row in rows])


def test_whole_numbers_of_a_list_stay_those_of_the_list_through_the_second_persons_consent(mixed, world, session):
    office, security = world.api(world.admin()), world.api(world.admin("security_admin"))
    address = f"/admin/reports/exams/{mixed.exam.id}/units/{mixed.top.id}/exports?rank=一级科员&group=passed"
    form = {"content": "scores", "format": "csv", "tree": "region", "scope": "this", "numbers": "whole", "reason": "上级核对名册用"}  # fmt: skip
    assert office.post(address, data=form).status_code == 303
    approval = session.query(Approval).one()
    page = security.get("/admin/approvals/").text
    assert "只统计职级为“一级科员”的人员；只列合格人员" in page
    security.post(f"/admin/approvals/{approval.id}/approve")
    export = session.query(Export).one()
    session.refresh(export)
    assert export.filters == {"group": "passed", "rank": "一级科员"} and export.state == "done"
    listed = names_on(office.get(place(mixed, "/people", group="passed", rank="一级科员")).text)
    assert sorted(row["姓名"] for row in csv_rows(export.file)) == listed
