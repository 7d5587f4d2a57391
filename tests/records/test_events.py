"""A unit holds study in the room: planned, attended by code or list, settled, counted in the record and once in the ledger."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from fpdf import FPDF
from sqlalchemy import select

from examapp import clock
from examapp.learning.study_events.models import Attendance, StudyEvent
from examapp.learning.study_events.rules import CODE_LIFE, MAX_WRONG_CODES, room_code
from examapp.oversight.duty_lists.models import DutyRecord
from tests.conftest import NOON
from tests.duties.making import Duties

EVENT = {
    "kind": "lecture",
    "theme": "行政处罚法专题讲座",
    "laws": "行政处罚法",
    "speaker": "李律师",
    "place": "三楼会议室",
    "audience": "全体执法人员",
    "summary": "结合三起案例讲听证。",
    "starts_at": "2026-11-24T12:00",
    "ends_at": "2026-11-24T14:00",
}


@pytest.fixture
def hall(world):
    """A unit with its admin, a learner, and an event that begins now."""

    class Hall:
        unit = world.unit("司法局")
        below = world.unit("法律援助中心", parent=unit)
        admin = world.api(world.admin("unit_admin", unit))
        person = world.person(below, name="王五")
        learner = world.api(person)

        def plan(self, **fields):
            answer = self.admin.post("/admin/records/events/new", data={"unit_id": self.unit.id, **EVENT, **fields})
            assert answer.status_code == 302, answer.get_data(as_text=True)
            return world.session.scalars(select(StudyEvent).order_by(StudyEvent.id.desc())).first()

        def act(self, event, what, client=None, **data):
            return (
                (client or self.admin)
                .post(f"/admin/records/events/{event.id}/{what}", data=data, follow_redirects=True)
                .get_data(as_text=True)
            )

        def check_in(self, event, code, client=None):
            return (
                (client or self.learner)
                .post(f"/study/events/{event.id}/check-in", data={"code": code}, follow_redirects=True)
                .get_data(as_text=True)
            )

    return Hall()


def code_of(world, event, now):
    world.session.refresh(event)
    return room_code(event.code_seed, now)


def test_who_is_in_the_room_types_the_code_and_it_counts_once_the_event_is_settled(world, hall):
    event = hall.plan()
    assert "签到没有打开" in hall.learner.get(f"/study/events/{event.id}").get_data(as_text=True)
    hall.act(event, "open")
    room = hall.admin.get(f"/admin/records/events/{event.id}/room").get_data(as_text=True)
    code = code_of(world, event, NOON)
    assert code in room
    link = f'href="/study/events/{event.id}">今天的学法活动：{EVENT["theme"]}'
    assert link in hall.learner.get("/").get_data(as_text=True)
    reply = hall.admin.get(f"/admin/records/events/{event.id}/room/code").get_json()
    assert (reply["code"], reply["present"]) == (code, 0)
    assert "签到成功" in hall.check_in(event, f" {code[:3]} {code[3:]} ")
    assert "签到成功" in hall.check_in(event, code)
    row = world.session.scalars(select(Attendance)).one()
    assert link not in hall.learner.get("/").get_data(as_text=True), "who is put down is not called again"
    assert (row.person_id, row.way, row.unit_id) == (hall.person.id, "code", hall.below.id)
    assert EVENT["theme"] not in hall.learner.get("/study/record").get_data(as_text=True)
    assert "已办结" in hall.act(event, "settle")
    assert EVENT["theme"] in hall.learner.get("/study/record").get_data(as_text=True)
    assert "学法活动" in hall.admin.get(f"/admin/records/people/{hall.person.id}").get_data(as_text=True)
    assert (
        world.client(world.admin("unit_admin", world.unit())).get(f"/admin/records/people/{hall.person.id}").status_code
        == 404
    )


def test_a_code_passed_on_is_worth_nothing_after_two_minutes_and_nothing_once_the_check_in_is_over(
    world, hall, fixed_clock
):
    event = hall.plan()
    hall.act(event, "open")
    code = code_of(world, event, NOON)
    fixed_clock.at(NOON + CODE_LIFE)
    assert "签到成功" in hall.check_in(event, code), "the code before is still taken"
    late = world.api(world.person(hall.unit))
    fixed_clock.at(NOON + 2 * CODE_LIFE)
    assert "签到码不对" in hall.check_in(event, code, late)
    fresh = code_of(world, event, NOON + 2 * CODE_LIFE)
    hall.act(event, "close")
    assert "现在不能签到" in hall.check_in(event, fresh, late)
    hall.act(event, "open")
    fixed_clock.at(NOON + timedelta(hours=2, minutes=31))
    world.session.refresh(event)
    assert "现在不能签到" in hall.check_in(event, code_of(world, event, clock.now()), late)


def test_the_check_in_is_offered_from_an_hour_before_and_the_page_says_so(world, hall):
    soon = hall.plan()
    later = hall.plan(starts_at="2026-11-26T12:00", ends_at="2026-11-26T14:00")
    page = hall.admin.get(f"/admin/records/events/{soon.id}").get_data(as_text=True)
    assert "打开签到码</button>" in page
    page = hall.admin.get(f"/admin/records/events/{later.id}").get_data(as_text=True)
    assert "打开签到码</button>" not in page
    assert "活动开始前一小时可以打开签到码" in page
    assert "离活动开始还早" in hall.act(later, "open")


def test_codes_cannot_be_tried_through(world, hall, fixed_clock):
    event = hall.plan()
    hall.act(event, "open")
    right = code_of(world, event, NOON)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(MAX_WRONG_CODES):
        assert "签到码不对" in hall.check_in(event, wrong)
    assert "输错次数太多" in hall.check_in(event, right)
    fixed_clock.at(NOON + timedelta(minutes=10))
    assert "签到成功" in hall.check_in(event, code_of(world, event, clock.now()))


def test_an_event_of_another_unit_is_not_there(world, hall):
    event = hall.plan()
    outsider = world.api(world.person())
    assert outsider.get(f"/study/events/{event.id}").status_code == 404
    assert outsider.post(f"/study/events/{event.id}/check-in", data={"code": "123456"}).status_code == 404
    other = world.api(world.admin("unit_admin", world.unit()))
    for path in ("", "/room", "/edit"):
        assert other.get(f"/admin/records/events/{event.id}{path}").status_code == 404
    assert other.post(f"/admin/records/events/{event.id}/settle").status_code == 404
    assert other.post("/admin/records/events/new", data={"unit_id": hall.unit.id, **EVENT}).status_code == 422
    assert hall.learner.get("/admin/records/events").status_code == 404


def test_a_list_puts_people_down_and_says_which_lines_it_did_not_take(world, hall):
    event = hall.plan()
    twin_a, twin_b = (world.person(hall.unit, name="赵六") for _ in range(2))
    page = hall.act(event, "people", people=[twin_a.staff_number], lines="王五\n赵六\n不认识的人")
    assert "登记 2 人" in page
    assert "有 2 人同名，请改填工号" in page
    assert "不认识的人：本单位在册人员中没有找到" in page
    assert {row.person_id for row in world.session.scalars(select(Attendance))} == {twin_a.id, hall.person.id}
    hall.act(event, f"people/{twin_a.id}/take-back")
    assert [row.person_id for row in world.session.scalars(select(Attendance))] == [hall.person.id]
    assert twin_b.id not in {row.person_id for row in world.session.scalars(select(Attendance))}


def test_an_event_is_settled_only_when_it_was_held_and_then_its_list_stands_still(world, hall):
    early = hall.plan(starts_at="2026-11-25T09:00", ends_at="2026-11-25T10:00")
    assert "开始前一小时内" in hall.act(early, "open")
    assert "还没有开始" in hall.act(early, "settle")
    event = hall.plan()
    assert "还没有登记到场人员" in hall.act(event, "settle")
    hall.act(event, "people", lines="王五")
    hall.act(event, "settle")
    assert "名单不能再改" in hall.act(event, f"people/{hall.person.id}/take-back")
    assert "不能再改" in hall.act(event, "cancel")
    assert "签到码不再显示" in hall.admin.get(f"/admin/records/events/{event.id}/room", follow_redirects=True).text
    assert "没有您的到场登记" in world.api(world.person(hall.unit)).get(f"/study/events/{event.id}?code=123456").text
    assert "已重新打开" in hall.act(event, "reopen")
    assert "活动已取消" in hall.act(early, "cancel")
    assert "不用签到" in hall.learner.get(f"/study/events/{early.id}?code=123456").text
    assert "结束时间要晚于开始时间" in hall.admin.post(
        "/admin/records/events/new", data={"unit_id": hall.unit.id, **EVENT, "ends_at": "2026-11-24T11:00"}
    ).get_data(as_text=True)


def test_material_is_for_those_whom_the_event_is_for(world, hall):
    event = hall.plan()
    paper = FPDF()
    paper.add_page()
    pdf = bytes(paper.output())
    page = hall.act(event, "files", file=(io.BytesIO(pdf), "讲义.pdf"))
    assert "讲义.pdf" in page, page
    path = re.search(r'href="(/admin/records/events/\d+/files/\d+)"', page)[1]
    mine = path.replace("/admin/records", "/study")
    with hall.learner.get(mine) as answer:
        assert answer.get_data() == pdf
    assert world.client(world.person()).get(mine).status_code == 404
    rejected = hall.act(event, "files", file=(io.BytesIO(b"MZ\x90"), "讲义.exe"))
    assert "不能上传这种文件" in rejected
    hall.act(event, f"{path.split('/', 5)[5]}/delete")
    assert hall.learner.get(mine).status_code == 404


def test_a_settled_event_stands_in_the_ledger_once_and_follows_its_correction(world):
    duties = Duties(world)
    duty_list = duties.published()
    item = duties.items(duty_list)[0]
    person = world.person(duties.unit, name="王五")
    made = duties.admin.post("/admin/records/events/new", data={"unit_id": duties.unit.id, **EVENT})
    event = world.session.scalars(select(StudyEvent)).one()
    assert made.location.endswith(f"/events/{event.id}")
    book = f"/admin/duties/events/{event.id}"

    def press(what, **data):
        return duties.admin.post(what, data=data, follow_redirects=True).get_data(as_text=True)

    assert "还没有办结" in press(book, item_id=item.id)
    press(f"/admin/records/events/{event.id}/people", lines=person.staff_number)
    press(f"/admin/records/events/{event.id}/settle")
    assert "已记入台账" in press(book, item_id=item.id)
    row = world.session.scalars(select(DutyRecord)).one()
    assert (row.event_id, row.reached, row.form, row.law, row.place) == (
        event.id,
        1,
        "法治讲座",
        "行政处罚法",
        "三楼会议室",
    )
    press(f"/admin/records/events/{event.id}/reopen")
    press(f"/admin/records/events/{event.id}/people", lines=world.person(duties.unit).staff_number)
    press(f"/admin/records/events/{event.id}/settle")
    press(book, item_id=item.id)
    row = world.session.scalars(select(DutyRecord)).one()
    assert row.reached == 2
    assert duties.admin.post(book, data={"item_id": 0}).status_code == 404
    assert world.api(world.admin("unit_admin", duties.other)).get(book).status_code == 404
    assert "已记在" in duties.admin.get(book).get_data(as_text=True)


def test_the_code_of_the_room_comes_by_a_qr_code_too(world, hall, fixed_clock):
    event = hall.plan()
    hall.act(event, "open")
    code = code_of(world, event, fixed_clock.instant)
    room = hall.admin.get(f"/admin/records/events/{event.id}/room").get_data(as_text=True)
    assert 'class="room-picture" src="data:image/svg+xml' in room
    assert (
        hall.admin.get(f"/admin/records/events/{event.id}/room/code")
        .get_json()["picture"]
        .startswith("data:image/svg+xml")
    )
    page = hall.learner.get(f"/study/events/{event.id}?code={code}").get_data(as_text=True)
    assert f'value="{code}"' in page and "已由二维码填好" in page
    assert 'value=""' in hall.learner.get(f"/study/events/{event.id}?code=<x>").get_data(as_text=True)
    assert "已登记到场" in hall.check_in(event, code)
