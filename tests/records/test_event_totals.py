"""Events that count: recorded once, counted by one filter, in the ledger without a second entry; the same one twice is asked about."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from examapp import clock
from examapp.learning.study_events.models import StudyEvent
from examapp.learning.study_events.rules import is_like, laws_in
from examapp.oversight.assessments.rules import share_of_events
from examapp.oversight.duty_lists.models import DutyItem, DutyList, DutyRecord
from examapp.oversight.duty_lists.rules import names_only
from examapp.oversight.duty_records.actions import follow_events
from tests.conftest import NOON

OUTREACH = {
    "kind": "outreach",
    "theme": "民法典进万家",
    "laws": "《中华人民共和国民法典》、宪法",
    "place": "中心广场",
    "starts_at": "2026-11-20T09:00",
    "ends_at": "2026-11-20T11:00",
    "outside_count": "120",
}


@pytest.mark.parametrize(
    ("other_theme", "place", "other_place", "is_same"),
    [
        ("民法典，进万家！", "广场", "县城广场", True),
        ("民法典进万家", "", "", True),
        ("民法典进万家", "本单位会议室", "本局三楼", False),
        ("宪法宣传", "中心广场", "中心广场", True),
        ("宪法宣传", "本单位会议室", "本单位会议室", False),
        ("宪法宣传", "", "", False),
    ],
)
def test_two_events_of_a_day_are_alike_by_theme_or_place(other_theme, place, other_place, is_same):
    assert is_like("民法典进万家", place, other_theme=other_theme, other_place=other_place) is is_same


def test_laws_are_read_without_marks_shares_end_at_all_and_names_stand_without_numbers():
    assert laws_in("《中华人民共和国民法典》、宪法，宪法") == ["民法典", "宪法"]
    assert [share_of_events(n, 4) for n in (0, 1, 9)] == [0, 25, 100]
    assert names_only("张三（P0102）、李四") == "张三、李四"


def test_events_are_recorded_once_and_found_by_one_filter_and_in_the_ledger(world):
    county = world.unit("云溪县", kind="county")
    justice, school = (world.unit(name, kind="department", parent=county) for name in ("县司法局", "县教育局"))
    office, other = world.api(world.admin("publicity_office")), world.api(world.admin("unit_admin", school))
    leader = world.api(world.admin("leader", justice))

    def plan(client, unit, **fields):
        return client.post("/admin/records/events/new", data={"unit_id": unit.id, **OUTREACH, **fields})

    assert plan(office, justice).status_code == 302
    event = world.session.query(StudyEvent).one()
    again = plan(other, school)
    assert again.status_code == 422
    assert "县司法局已登记同一天的宣讲“民法典进万家”" in again.get_data(as_text=True)
    assert plan(other, school, is_distinct="y").status_code == 302
    assert world.session.query(StudyEvent).count() == 2

    totals = "/admin/records/events/totals?year=2026&kind=outreach&law=民法典"
    assert "没有符合条件的已办结活动" in office.get(totals).get_data(as_text=True)
    office.post(f"/admin/records/events/{event.id}/settle")
    page = office.get(totals).get_data(as_text=True)
    assert '<div class="figure-label">群众（人次）</div><div class="figure-value">120</div>' in page
    assert "<li>县教育局</li>" in page
    assert "<li>县司法局</li>" not in page
    assert "120" in leader.get(totals).get_data(as_text=True)
    assert ">120<" not in other.get(totals).get_data(as_text=True)
    assert other.get(f"{totals}&unit={justice.id}").status_code == 404
    assert office.get(totals.replace("totals", "totals.xlsx")).data[:2] == b"PK"
    assert "民法典进万家" in office.get("/admin/records/events?law=宪法&state=held").get_data(as_text=True)
    assert "民法典进万家" not in office.get("/admin/records/events?law=刑法").get_data(as_text=True)

    made = {"created_at": NOON - timedelta(days=200), "updated_at": NOON, "published_at": NOON, "state": "published"}
    duty_list = world.save(DutyList(unit_id=justice.id, year=2026, **made))
    ledger = office.get(f"/admin/duties/lists/{duty_list.id}/ledger").get_data(as_text=True)
    assert "民法典进万家" in ledger
    assert '<div class="figure-label">受众人次</div><div class="figure-value">120</div>' in ledger
    assert "宣讲" in office.get(f"/admin/duties/units/{justice.id}?year=2026").get_data(as_text=True)


def test_one_event_that_two_units_recorded_at_the_same_moment_is_named_until_one_of_them_decides(world):
    county = world.unit("云溪县", kind="county")
    justice, school = (world.unit(name, kind="department", parent=county) for name in ("县司法局", "县教育局"))
    office = world.api(world.admin("publicity_office"))
    begins = clock.from_local(datetime(2026, 11, 20, 9))  # noqa: DTZ001 – the county's
    own = {
        "kind": "outreach",
        "theme": OUTREACH["theme"],
        "place": OUTREACH["place"],
        "state": "held",
        "code_seed": b"s",
    }
    when = {"ends_at": begins + timedelta(hours=2), "created_at": NOON, "updated_at": NOON, "outside_count": 120}
    _, second = (world.save(StudyEvent(unit_id=unit.id, starts_at=begins, **own, **when)) for unit in (justice, school))
    totals, page = "/admin/records/events/totals?year=2026", f"/admin/records/events/{second.id}"

    def people(client):
        text = client.get(totals).text
        [count] = re.findall(r'群众（人次）</div><div class="figure-value">(\d+)<', text)
        return int(count), "可能重复登记 1 处" in text

    assert people(office) == (240, True)
    assert office.post(f"{page}/reopen").status_code == 302
    assert "县司法局已登记同一天的宣讲" in office.post(f"{page}/edit", data={"unit_id": school.id, **OUTREACH}).text
    assert office.post(f"{page}/edit", data={"unit_id": school.id, **OUTREACH, "is_distinct": "y"}).status_code == 302
    again = office.post(f"{page}/edit", data={"unit_id": school.id, **OUTREACH, "outside_count": "130"})
    assert (again.status_code, second.is_distinct) == (302, True)  # the answer is kept
    assert office.post(f"{page}/settle").status_code == 302
    assert people(office) == (250, False)

    when |= {"ends_at": begins + timedelta(days=1, hours=2)}
    third = world.save(StudyEvent(unit_id=justice.id, starts_at=begins + timedelta(days=1), **own, **when))
    assert office.post(f"{page}/reopen").status_code == 302
    moved = {"unit_id": school.id, **OUTREACH, "starts_at": "2026-11-21T09:00", "ends_at": "2026-11-21T11:00"}
    assert "县司法局已登记同一天的宣讲" in office.post(f"{page}/edit", data=moved).text  # it moved: asked again
    assert office.post(f"{page}/cancel").status_code == 302
    assert people(office) == (120 + third.outside_count, False)


def test_the_record_of_an_event_follows_when_the_event_is_corrected_or_cancelled(world):
    unit, now = world.unit("县司法局", kind="department"), NOON
    made = {"created_at": now, "updated_at": now}
    event = world.save(
        StudyEvent(
            unit_id=unit.id, kind="outreach", theme="宣讲", state="held", outside_count=9, starts_at=now - timedelta(days=1),
            ends_at=now, code_seed=b"s", **made,
        )
    )  # fmt: skip
    duty_list = world.save(DutyList(unit_id=unit.id, year=2026, **made))
    item = world.save(DutyItem(list_id=duty_list.id, position=1, kind="own", content="民法典", **made))
    row = world.save(
        DutyRecord(item_id=item.id, done_on=now.date(), form="宣讲", reached=9, event_id=event.id, version=1, **made)
    )
    later = now + timedelta(minutes=5)
    assert follow_events(world.session, now=later) == 0
    event.outside_count, event.updated_at = 12, later
    assert follow_events(world.session, now=later) == 1
    assert (row.reached, follow_events(world.session, now=later)) == (12, 0)
    event.state, event.updated_at = "cancelled", later + timedelta(minutes=1)
    assert follow_events(world.session, now=later + timedelta(minutes=2)) == 1
    assert row.withdrawn_at is not None
