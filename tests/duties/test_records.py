"""What was done: recorded once, shown in ledger and calendar, kept when its item goes; and what the public reads."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from examapp.oversight.duty_lists.models import DutyRecord

DEED = {
    "done_on": "2026-11-20",
    "form": "集中学习",
    "place": "三楼会议室",
    "reached": "42",
    "law": "行政处罚法",
    "text": "学习新修订内容",
}


@pytest.fixture
def own(duties):
    return duties.published()


@pytest.fixture
def item(duties, own):
    return duties.items(own)[0]


def send(duties, item, client=None, **fields):
    answer = (client or duties.admin).post(f"/admin/duties/items/{item.id}/records/new", data=DEED | fields)
    duties.session.expire_all()
    return answer


def record_of(duties, item):
    return duties.session.scalars(select(DutyRecord).where(DutyRecord.item_id == item.id)).one()


def test_a_record_makes_the_item_done_and_stands_in_the_ledger(duties, own, item):
    assert "未到期" in duties.admin.get(f"/admin/duties/lists/{own.id}").text
    assert send(duties, item).status_code == 302
    assert "已完成" in duties.admin.get(f"/admin/duties/lists/{own.id}").text
    page = duties.admin.get(f"/admin/duties/lists/{own.id}/ledger").text
    assert all(word in page for word in ("集中学习", "三楼会议室", "42", "学习新修订内容"))
    sheet = load_workbook(io.BytesIO(duties.admin.get(f"/admin/duties/lists/{own.id}/ledger.xlsx").data)).active
    assert [cell.value for cell in sheet[3]][:8] == [
        1,
        "行政处罚法",
        "张三",
        "2026-12-31",
        "2026-11-20",
        "集中学习",
        "三楼会议室",
        42,
    ]


def test_the_same_deed_is_recorded_once(duties, item):
    assert send(duties, item).status_code == 302
    again = send(duties, item)
    assert again.status_code == 422
    assert "已经登记过了" in again.text
    assert send(duties, item, place="乡镇").status_code == 302


def test_a_record_needs_a_past_day_a_form_and_a_number(duties, item):
    assert "日期还没有到" in send(duties, item, done_on="2026-11-25").text
    assert "请登记到相应年度" in send(duties, item, done_on="2025-12-31").text
    assert send(duties, item, form="").status_code == 422
    assert send(duties, item, reached="-1").status_code == 422
    assert send(duties, item, reached="").status_code == 422
    assert duties.session.scalars(select(DutyRecord)).all() == []


def test_two_who_correct_a_record_at_once_do_not_overwrite_each_other(duties, item):
    send(duties, item)
    record = record_of(duties, item)
    url = f"/admin/duties/records/{record.id}/edit"
    assert duties.admin.post(url, data=DEED | {"version": "1", "reached": "50"}).status_code == 302
    late = duties.office.post(url, data=DEED | {"version": "1", "reached": "60"})
    assert late.status_code == 422
    assert "已被他人修改" in late.text
    assert record_of(duties, item).reached == 50
    withdraw = f"/admin/duties/records/{record.id}/withdraw"
    assert duties.admin.post(withdraw, data={"version": "1"}).status_code == 409
    assert duties.admin.post(withdraw, data={"version": "2"}).status_code == 302
    assert duties.admin.post(withdraw, data={"version": "3"}).status_code == 404
    assert duties.admin.get(url).status_code == 404


def test_an_item_taken_off_after_records_exist_stays_in_the_ledger_and_nowhere_else(duties, own, item):
    send(duties, item)
    duties.press(own, "send-back", client=duties.office, remark="去掉")
    answer = duties.admin.post(f"/admin/duties/items/{item.id}/remove")
    assert answer.status_code == 302
    assert "台账中仍保留" in duties.admin.get(answer.location).text
    ledger = duties.admin.get(f"/admin/duties/lists/{own.id}/ledger").text
    assert "已撤下" in ledger
    assert "集中学习" in ledger
    assert "行政处罚法" not in duties.admin.get("/admin/duties/calendar").text
    assert "行政处罚法" not in duties.admin.get(f"/admin/duties/lists/{own.id}").text
    rejected = send(duties, item, place="别处")
    assert rejected.status_code == 422
    assert "已从清单撤下" in rejected.text
    assert duties.admin.post(f"/admin/duties/items/{item.id}/remove").status_code == 404


def test_a_common_item_taken_off_stays_only_where_something_was_recorded(duties):
    duties.open(None, client=duties.office)
    common = duties.list_of(None)
    duties.add(common, client=duties.office, content="宪法")
    duties.open(duties.other, client=duties.office)
    duties.open(duties.unit)
    mine = duties.list_of(duties.unit)
    copy = duties.items(mine)[0]
    duties.admin.post(f"/admin/duties/items/{copy.id}/edit", data={"version": "1", "person": "张三"})
    duties.press(mine, "propose")
    duties.press(mine, "publish", client=duties.office)
    assert send(duties, copy).status_code == 302
    source = duties.items(common)[0]
    assert duties.office.post(f"/admin/duties/items/{source.id}/remove").status_code == 302
    assert duties.items(duties.list_of(duties.other)) == []
    assert [i.withdrawn_at is not None for i in duties.items(mine)] == [True]


def test_nothing_is_recorded_before_publication(duties):
    duties.open(duties.unit)
    own = duties.list_of(duties.unit)
    duties.add(own)
    rejected = send(duties, duties.items(own)[0])
    assert rejected.status_code == 422
    assert "还没有公布" in rejected.text


def test_records_and_ledgers_out_of_reach_are_not_found(duties):
    foreign = duties.published(duties.other)
    item = duties.items(foreign)[0]
    assert send(duties, item, client=duties.office).status_code == 302
    record = record_of(duties, item)
    for path in (
        f"items/{item.id}",
        f"items/{item.id}/records/new",
        f"records/{record.id}/edit",
        f"lists/{foreign.id}/ledger",
        f"lists/{foreign.id}/ledger.xlsx",
    ):
        assert duties.admin.get(f"/admin/duties/{path}").status_code == 404, path
    assert send(duties, item).status_code == 404
    assert duties.admin.post(f"/admin/duties/records/{record.id}/withdraw", data={"version": "1"}).status_code == 404
    assert "财政局" not in duties.admin.get(f"/admin/duties/calendar?unit={duties.other.id}").text


def test_the_calendar_tells_due_overdue_and_done_apart(duties, own):
    duties.press(own, "send-back", client=duties.office, remark="补充")
    for content, due in (
        ("甲法", "2026-03-01"),
        ("乙法", "2026-11-24"),
        ("丙法", "2026-12-30"),
        ("丁法", "2026-02-01"),
    ):
        duties.add(own, content=content, due_on=due)
    duties.press(own, "propose")
    duties.press(own, "publish", client=duties.office)
    by_content = {item.content: item for item in duties.items(own)}
    send(duties, by_content["丁法"], done_on="2026-03-02")

    def shown(progress):
        page = duties.admin.get(f"/admin/duties/calendar?year=2026&progress={progress}").text
        return {content for content in by_content if content in page}

    assert shown("overdue") == {"甲法"}
    assert shown("soon") == {"乙法"}
    assert shown("later") == {"丙法", "行政处罚法"}
    assert shown("done_late") == {"丁法"}
    assert len(shown("")) == 5
    assert shown("nonsense") == shown("")


def test_the_calendar_takes_few_statements(duties, own, statements):
    duties.admin.get("/admin/duties/calendar")
    with statements() as seen:
        assert duties.office.get("/admin/duties/calendar").status_code == 200
    assert len(seen) <= 8


def test_the_public_reads_a_published_list_and_nothing_else(duties, own, item):
    send(duties, item)
    visitor = duties.world.client()
    page = visitor.get("/duties/D001")
    assert page.status_code == 200
    assert "行政处罚法" in page.text
    assert "九五" in page.text
    assert "三楼会议室" not in page.text  # records are the application's own
    assert "/admin/" not in page.text
    assert visitor.get("/duties/D001?year=2026").status_code == 200
    for path in ("/duties/D001?year=2025", "/duties/D002", "/duties/nowhere", "/duties/%00"):
        assert visitor.get(path).status_code == 404, path
    assert visitor.post("/duties/D001").status_code in {403, 404, 405}
    duties.press(own, "send-back", client=duties.office, remark="改")
    assert visitor.get("/duties/D001").status_code == 404


def test_nobody_without_the_right_comes_in(duties, own):
    candidate = duties.world.client(duties.world.person(duties.unit))
    assert candidate.get("/admin/duties/").status_code == 404
    assert candidate.get(f"/admin/duties/lists/{own.id}").status_code == 404
    assert duties.world.client().get("/admin/duties/").status_code == 302
