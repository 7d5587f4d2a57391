"""The vote that keeps no one's opinion, and reminders to who answers for an item."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select

from examapp import clock
from examapp.oversight.assessment_indicators.queries import count_votes
from examapp.oversight.assessments.models import DutyReminder, VoteTaken, VoteTally
from examapp.oversight.duty_lists.rules import names_in
from examapp.oversight.own_duties.actions import remind_due
from examapp.platform.notices.models import OutgoingMessage
from tests.helpers.forms import value_of


def test_a_person_votes_once_a_unit_and_not_on_the_own_one(assessed):
    voter = assessed.world.person(assessed.justice, name="选民")
    client = assessed.world.api(voter)
    assert client.get("/duties/vote").status_code == 404
    assessed.open_it(items=(("评议", "10", "vote"),), vote_until="2026-12-01")
    assert "社会评议" in client.get("/").text
    page = client.get("/duties/vote").text
    assert f"unit-{assessed.unit.id}-good" in page
    assert f"unit-{assessed.justice.id}-good" not in page
    votes = {
        f"unit-{assessed.unit.id}": "good",
        f"unit-{assessed.justice.id}": "good",
        f"unit-{assessed.other.id}": "bad",
    }
    assert (
        client.post("/duties/vote", data=votes | {"unit-99999999999999999999": "good", "unit-1": "wild"}).status_code
        == 302
    )
    assert client.post("/duties/vote", data={f"unit-{assessed.unit.id}": "bad"}).status_code == 302
    taken = assessed.session.scalars(select(VoteTaken.unit_id).where(VoteTaken.person_id == voter.id)).all()
    assert sorted(taken) == sorted([assessed.unit.id, assessed.other.id])
    counted = count_votes(assessed.session, assessed.row().id, [assessed.unit.id, assessed.justice.id])
    assert counted == {assessed.unit.id: {"good": 1}}
    assert {c.name for c in VoteTaken.__table__.columns} == {"assessment_id", "unit_id", "person_id"}
    assert "person_id" not in VoteTally.__table__.columns


def test_a_closed_vote_is_gone(assessed, fixed_clock):
    assessed.open_it(items=(("评议", "10", "vote"),), vote_until="2026-11-24")
    client = assessed.world.api(assessed.world.person(assessed.justice))
    assert client.get("/duties/vote").status_code == 200
    fixed_clock.at(clock.now() + timedelta(days=1))
    assert client.post("/duties/vote", data={f"unit-{assessed.unit.id}": "good"}).status_code == 404
    assert assessed.session.query(VoteTally).count() == 0


def test_names_are_read_as_lists_write_them():
    assert names_in("张三、李四（P0102） 王五,赵六(7)") == [
        ("张三", ""),
        ("李四", "P0102"),
        ("王五", ""),
        ("赵六", "7"),
    ]
    assert names_in("") == []


def test_who_answers_is_reminded_once_a_stage_and_sees_it(duties, fixed_clock):
    person = duties.world.person(duties.unit, name="张三")
    elsewhere = duties.world.person(duties.other, name="张三")
    duties.published(due_on="2026-11-30")
    assert remind_due(duties.session, now=clock.now()) == 1
    assert remind_due(duties.session, now=clock.now()) == 0
    assert [r.person_id for r in duties.session.query(DutyReminder)] == [person.id]
    [message] = duties.session.query(OutgoingMessage).all()
    assert (message.person_id, message.kind) == (person.id, "duties.remind")
    client = duties.world.client(person)
    assert "我负责的普法事项" in client.get("/").text
    mine = client.get("/duties/mine").text
    assert "行政处罚法" in mine
    assert "已提醒" in mine
    assert "行政处罚法" not in duties.world.client(elsewhere).get("/duties/mine").text
    fixed_clock.at(clock.now() + timedelta(days=8))
    assert remind_due(duties.session, now=clock.now()) == 1  # overdue now
    assert [r.stage for r in duties.session.query(DutyReminder).order_by(DutyReminder.id)] == ["soon", "overdue"]


def test_items_of_a_merged_unit_stay_with_the_people_who_answer_for_them(duties):
    person = duties.world.person(duties.unit, name="张三")
    duties.published(due_on="2026-11-30")
    third = duties.world.unit("大局", code="D003")
    for source, target in ((duties.unit, duties.other), (duties.other, third)):
        path = f"/admin/unit-book/units/{source.id}/merge"
        seen = value_of(duties.office.get(path), "seen")
        assert (
            duties.office.post(path, data={"target": target.id, "seen": seen, "reason": "县编〔2026〕1 号"}).status_code
            == 303
        )
    duties.session.expire_all()
    assert person.unit_id == third.id
    assert remind_due(duties.session, now=clock.now()) == 1
    assert duties.session.query(DutyReminder).one().person_id == person.id
    client = duties.world.client(person)
    assert "我负责的普法事项" in client.get("/").text
    assert "行政处罚法" in client.get("/duties/mine").text
    page = duties.office.get("/admin/duties/?year=2026").text
    rows = re.findall(r"<td[^>]*>(D00\d)</td>\s*<td>(.*?)</td>\s*<td>(?:<a[^>]*>|<span[^>]*>)(.*?)<", page)
    shown = {code: (re.sub(r"<[^>]+>", "", name), state) for code, name, state in rows}
    assert shown == {"D001": ("司法局（已并入财政局）", "已公布"), "D003": ("大局", "未建")}, (
        "the one between had no list"
    )
    assert "司法局" not in duties.office.get("/admin/duties/?year=2025").text


def test_what_is_done_is_not_reminded_of(duties):
    person = duties.world.person(duties.unit, name="张三")
    own = duties.published(due_on="2026-11-30")
    item = duties.items(own)[0]
    url = f"/admin/duties/items/{item.id}/remind"
    assert duties.admin.post(url).status_code == 302
    again = duties.admin.post(url)
    assert again.status_code == 409
    assert "今天已经提醒过" in again.text
    deed = {"done_on": "2026-11-01", "form": "学习", "reached": "3"}
    assert duties.admin.post(f"/admin/duties/items/{item.id}/records/new", data=deed).status_code == 302
    assert "已经完成" in duties.admin.post(url).text
    assert remind_due(duties.session, now=clock.now()) == 0
    assert "我负责的普法事项即将" not in duties.world.client(person).get("/").text


def test_nobody_is_guessed_among_people_of_one_name(duties):
    twins = [duties.world.person(duties.unit, name="张三", staff_number=number) for number in ("T1", "T2")]
    own = duties.published(due_on="2026-11-30")
    item = duties.items(own)[0]
    unclear = duties.admin.post(f"/admin/duties/items/{item.id}/remind")
    assert unclear.status_code == 409
    assert "姓名（工号）" in unclear.text
    assert remind_due(duties.session, now=clock.now()) == 0
    duties.press(own, "send-back", client=duties.office, remark="写明工号")
    data = {"version": str(item.version), "person": "张三（T2）"}
    full = duties.admin.get(f"/admin/duties/items/{item.id}/edit")
    assert full.status_code == 200
    item.person = data["person"]
    duties.session.flush()
    duties.press(own, "propose")
    duties.press(own, "publish", client=duties.office)
    assert remind_due(duties.session, now=clock.now()) == 1
    assert duties.session.query(DutyReminder).one().person_id == twins[1].id


def test_an_item_out_of_reach_is_not_reminded_of(duties):
    foreign = duties.items(duties.published(duties.other))[0]
    assert duties.admin.post(f"/admin/duties/items/{foreign.id}/remind").status_code == 404


def test_an_item_with_reminders_alone_can_be_deleted(duties):
    duties.world.person(duties.unit, name="张三")
    own = duties.published(due_on="2026-11-30")
    assert remind_due(duties.session, now=clock.now()) == 1
    duties.press(own, "send-back", client=duties.office, remark="不需要这一项")
    item = duties.items(own)[0]
    assert duties.admin.post(f"/admin/duties/items/{item.id}/remove").status_code == 302
    assert duties.items(own) == []
    assert duties.session.query(DutyReminder).count() == 0
