"""The year's key dates are the office's data, and the calendar stands on them before any list does."""

from __future__ import annotations

import re
from datetime import date

from examapp.oversight.duty_lists.models import DutyItem, KeyDayRow
from examapp.oversight.duty_lists.rules import SHIPPED_KEY_DAYS
from examapp.platform.audit.models import AuditEvent
from tests.conftest import NOON

PAGE = "/admin/duties/key-days"


def save(client, month, day, name="", *, until=("", "")):
    last = {"last_month": str(until[0]), "last_day": str(until[1])}
    return client.post(PAGE, data={"month": str(month), "day": str(day), "name": name} | last)


def sections(client, **query):
    """The calendar's months: title to text."""
    page = client.get("/admin/duties/calendar", query_string={"year": 2026, **query}).text
    parts = re.split(r"<h2>([^<]+)</h2>", page)
    return {title: re.sub(r"<[^>]+>", "", body) for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def test_a_year_without_lists_shows_its_key_dates_by_month(duties):
    months = sections(duties.admin)
    assert len(SHIPPED_KEY_DAYS) == 28
    for (month, day), name in SHIPPED_KEY_DAYS.items():
        assert f"{month}月{day}日 {name}" in months[f"{month} 月"]
    assert list(months) == [f"{month} 月" for month in range(1, 13) if month not in (2, 7)]
    page = duties.admin.get("/admin/duties/calendar").text
    assert "没有符合条件的事项" in page and "设置重要时间节点" not in page


def test_an_item_stands_under_its_key_date_and_where_it_is_due(duties):
    duties.published(content="国家安全法", key_on="2026-04-15", due_on="2026-06-30")
    duties.published(duties.other, content="水法", key_on="2026-07-07", due_on="2026-07-31")
    months = sections(duties.office)
    assert "4月15日 全民国家安全教育日：国家安全法（司法局，已逾期）" in months["4 月"]
    assert "2026-06-30" in months["6 月"] and "国家安全法" in months["6 月"]
    assert "7月7日：水法（财政局，已逾期）" in months["7 月"], "a day without a name too"
    own = sections(duties.office, unit=duties.unit.id)
    assert "国家安全法" in own["4 月"] and "7 月" not in own
    assert "国家安全法" not in sections(duties.office, progress="done")["4 月"]


def test_a_long_calendar_is_folded_but_for_the_present_month(duties):
    own = duties.published(content="第0部法", due_on="2026-11-30")
    for number in range(1, 27):
        duties.session.add(
            DutyItem(
                list_id=own.id,
                position=number,
                content=f"第{number}部法",
                due_on=date(2026, 6, 30),
                kind="own",
                created_at=NOON,
                updated_at=NOON,
            )
        )
    duties.session.flush()
    page = duties.office.get("/admin/duties/calendar?year=2026").text
    assert re.findall(r'<details class="month"( open)?><summary>([^<]+)', page) == [
        ("", "26 项到期，逾期未完成 26 项"),
        (" open", "1 项到期"),
    ]
    assert "再看 1 项" in page and "第26部法" in page


def test_the_office_adds_renames_and_takes_off_key_dates(duties):
    assert save(duties.office, 7, 1, "普法宣传月启动日").status_code == 302
    assert save(duties.office, 7, 1, "宣传月启动日").status_code == 302
    assert save(duties.office, 1, 10).status_code == 302
    assert save(duties.office, 12, 4, "国家宪法日、宪法宣传周").status_code == 302
    months = sections(duties.office)
    assert "7月1日 宣传月启动日" in months["7 月"] and "1 月" not in months
    assert "12月4日 国家宪法日、宪法宣传周" in months["12 月"]
    page = duties.office.get(PAGE).text
    assert "共 31 个" in page and "中国人民警察节" not in page
    own = duties.published(key_on="2026-12-04")
    assert "12月4日 国家宪法日、宪法宣传周" in duties.admin.get(f"/admin/duties/lists/{own.id}").text
    assert duties.session.query(AuditEvent).filter_by(act="duties.set_key_day").count() == 4


def test_a_week_or_a_month_holds_what_is_meant_for_a_day_in_it(duties):
    assert save(duties.office, 6, 25, "集中宣传", until=(7, 5)).status_code == 302
    assert save(duties.office, 6, 1, until=("", 30)).status_code == 302, "taken off"
    own = duties.published(content="民法典", key_on="2026-05-20", due_on="2026-05-31")
    duties.published(duties.other, content="劳动法", key_on="2026-05-01", due_on="2026-05-31")
    months = sections(duties.office)
    assert "5月1日至31日 民法典宣传月：民法典（司法局" in months["5 月"]
    assert "5月1日 国际劳动节：劳动法（财政局" in months["5 月"], "a day of its own before the month around it"
    assert "5月20日 民法典宣传月" in months["5 月"]
    assert "6月25日至7月5日 集中宣传" in months["6 月"] and "安全生产月" not in months["6 月"]
    assert "不能早于" in save(duties.office, 6, 25, "集中宣传", until=(6, 5)).text
    assert "再填结束的日期" in save(duties.office, 6, 25, "集中宣传", until=(7, "")).text
    page = duties.office.get(f"/admin/duties/lists/{own.id}/items/new").text
    assert '<option value="2026-05-01" label="民法典宣传月">' in page


def test_days_that_no_year_has_are_rejected_and_others_do_not_set_them(duties):
    assert "没有2月30日" in save(duties.office, 2, 30, "某日").text
    assert save(duties.office, 2, 29, "某日").status_code == 302
    assert save(duties.office, 13, 1, "某日").status_code == 422
    assert save(duties.office, "三", 1, "某日").status_code == 422
    assert duties.admin.get(PAGE).status_code == 404
    assert save(duties.admin, 3, 3, "某日").status_code == 404
    assert duties.session.query(KeyDayRow).count() == 1
