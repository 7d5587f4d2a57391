"""Reports of leaders and units: asked for, filled in from what is recorded, late after the due day, read; and one's own deeds."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from examapp import clock
from examapp.learning.study_events.models import StudyEvent
from examapp.oversight.duty_lists.models import DutyItem, DutyList, DutyRecord
from examapp.oversight.duty_reports.models import DutyReport
from examapp.oversight.duty_reports.rules import ReportStatus, is_late, missing_heads, report_status
from tests.conftest import NOON

DUE = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("state", "submitted_on", "is_closed", "today", "wanted"),
    [
        ("open", None, False, 20, ReportStatus.WAITING),
        ("open", None, False, 21, ReportStatus.OVERDUE),
        ("open", None, True, 21, ReportStatus.CLOSED),
        ("submitted", 20, False, 30, ReportStatus.SUBMITTED),
        ("submitted", 21, False, 30, ReportStatus.LATE),
        ("read", 21, False, 30, ReportStatus.READ),
    ],
)
def test_a_report_after_its_due_day_is_late_and_a_closed_unit_owes_none(state, submitted_on, is_closed, today, wanted):
    at = submitted_on and clock.from_local(datetime(2026, 11, submitted_on, 23, 59))  # noqa: DTZ001 – the county's
    today_on = date(2026, 11, today)
    assert report_status(state, due_on=DUE, submitted_at=at, is_closed=is_closed, today=today_on) == wanted
    assert is_late(state, due_on=DUE, submitted_at=at) is (submitted_on == 21)
    assert missing_heads("leader", {"study": "x", "problems": " "})[-2:] == ["存在的问题", "下一步打算"]


def test_a_leader_reports_late_is_read_and_who_has_not_is_listed(world):
    county = world.unit("云溪县", kind="county")
    justice, school = (world.unit(name, kind="department", parent=county) for name in ("县司法局", "县教育局"))
    chief, outsider = world.person(justice, name="局长"), world.person(school, name="外人")
    office, admin = world.api(world.admin("publicity_office")), world.api(world.admin("unit_admin", justice))
    own, other = world.api(chief), world.api(outsider)
    begins = NOON - timedelta(days=20)
    world.save(
        StudyEvent(
            unit_id=justice.id, kind="study_group", theme="学习宪法", laws="宪法", state="held", outside_count=1, starts_at=begins,
            ends_at=begins + timedelta(hours=1), code_seed=b"s", created_at=begins, updated_at=begins,
        )
    )  # fmt: skip
    assert admin.post("/admin/duties/reports/ask", data={"year": "2026", "due_on": "2026-11-20"}).status_code == 404
    assert office.post("/admin/duties/reports/ask", data={"year": "2026", "due_on": "2026-11-20"}).status_code == 302
    report = world.session.query(DutyReport).filter_by(unit_id=justice.id, kind="leader").one()
    page = f"/admin/duties/reports/{report.id}"
    assert "还没有填写第一责任人" in admin.post(f"{page}/submit", follow_redirects=True).get_data(as_text=True)
    assert admin.post(f"{page}/leader", data={"person": "局长"}).status_code == 302

    mine = f"/duties/reports/{report.id}"
    assert other.get(mine).status_code == 404
    shown = own.get(mine).get_data(as_text=True)
    assert "组织中心组学法 1 次" in shown
    assert "中心组学习宪法" in shown
    assert "还没有写" in own.post(f"{mine}/submit", follow_redirects=True).get_data(as_text=True)
    world.session.refresh(report)
    texts = {f"text-{key}": "已落实。" for key in ("decision", "enforcement", "problems", "plan")}
    assert own.post(f"{mine}/edit", data={"version": report.version, **texts}).status_code == 302
    stale = own.post(f"{mine}/edit", data={"version": 1, **texts})
    assert "已被他人修改" in stale.get_data(as_text=True)
    assert own.post(f"{mine}/submit").status_code == 302
    listed = office.get("/admin/duties/reports?year=2026").get_data(as_text=True)
    assert "逾期报送" in listed
    missing = office.get("/admin/duties/reports?year=2026&state=missing").get_data(as_text=True)
    assert "县教育局" in missing
    assert "县司法局" not in missing
    assert "不能再改" in own.post(f"{mine}/edit", data={"version": 4, **texts}).get_data(as_text=True)
    assert office.post(f"{page}/read", data={"act": "read", "remark": "写得实"}).status_code == 302
    assert "写得实" in own.get(mine).get_data(as_text=True)
    assert own.get(f"{mine}/edit").status_code == 302  # what was handed in is shown, not written
    late = office.get("/admin/duties/reports?year=2026&state=late").get_data(as_text=True)
    assert "已审阅" in late and "县司法局" in late and "县教育局" not in late
    assert "已述法 1 人，其中逾期 1 人" in office.get("/admin/duties/yearly?year=2026").get_data(as_text=True)
    assert own.get(f"{mine}/report.docx").data[:2] == b"PK"
    assert office.get("/admin/duties/reports/summary.docx?year=2026").data[:2] == b"PK"


def test_who_answers_for_an_item_records_what_was_done(world):
    unit = world.unit("县司法局", kind="department")
    chief, outsider = world.person(unit, name="责任人"), world.person(unit, name="别人")
    made = {"created_at": NOON, "updated_at": NOON}
    duty_list = world.save(DutyList(unit_id=unit.id, year=2026, state="published", published_at=NOON, **made))
    item = world.save(DutyItem(list_id=duty_list.id, position=1, kind="own", content="宪法", person="责任人", **made))
    path, deed = f"/duties/mine/items/{item.id}", {"done_on": "2026-11-01", "form": "学习", "reached": "3"}
    assert world.api(outsider).post(path, data=deed).status_code == 404
    client = world.api(chief)
    namesake = world.person(unit, name="责任人")
    assert "有同名的人" in client.get(path).text
    assert "有同名的人" in world.api(namesake).post(path, data=deed).text
    item.person = f"责任人（{chief.staff_number}）"
    world.session.flush()
    assert path in client.get("/duties/mine").get_data(as_text=True)
    assert client.post(path, data=deed | {"done_on": "2027-11-01"}).status_code == 422
    assert client.post(path, data=deed).status_code == 302
    row = world.session.query(DutyRecord).one()
    assert (row.item_id, row.recorded_by_id) == (item.id, chief.id)
