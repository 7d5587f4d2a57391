"""The list of people to remind: whom it names, reminders once a day on the site and through the gateway, and a list to call by without ID numbers."""

from __future__ import annotations

import io
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import select

from examapp import clock
from examapp.delivery.exams.models import Exemption
from examapp.organisation.people.models import Approval, Person
from examapp.organisation.people.rules import id_number_binding, mobile_binding
from examapp.oversight.reminders import admin_views
from examapp.oversight.reminders.models import ExamReminder
from examapp.oversight.reminders.rules import group_chat_text
from examapp.platform.audit.models import AuditEvent
from examapp.platform.notices.models import OutgoingMessage
from tests.reports.county import DAY


@pytest.fixture
def people(county, world):
    """One of each: not started, in progress, failed, passed, exempt and not started."""
    names = {
        name: world.person(county.bureau, name=name) for name in ("未开始", "作答中", "不合格", "已合格", "已免考")
    }
    county.attempt(names["作答中"], submitted=False, hours_ago=1)
    county.attempt(names["不合格"], points=30)
    county.attempt(names["已合格"], points=90)
    world.save(
        Exemption(
            exam_id=county.exam.id,
            person_id=names["已免考"].id,
            kind="exemption",
            reason="退休",
            requested_at=clock.now(),
            approved_at=clock.now(),
        )
    )
    world.save(
        Exemption(
            exam_id=county.exam.id,
            person_id=names["已合格"].id,
            kind="deferral",
            reason="x",
            requested_at=clock.now(),
            withdrawn_at=clock.now(),
        )
    )
    return names


def page(county, unit=None, **query):
    extra = "&".join(f"{k}={v}" for k, v in query.items())
    return f"/admin/unit-book/exams/{county.exam.id}/units/{(unit or county.bureau).id}/chase?{extra}"


def act(county, what, unit=None):
    return f"/admin/unit-book/exams/{county.exam.id}/units/{(unit or county.bureau).id}/chase/{what}"


@pytest.fixture
def unit_admin(county, world):
    return world.client(world.admin("unit_admin", county.bureau))


def test_each_group_names_exactly_its_people(county, people, unit_admin):
    for group, name in (("not_started", "未开始"), ("in_progress", "作答中"), ("failed", "不合格")):
        body = unit_admin.get(page(county, group=group)).text.split("<tbody>")[1].split("</tbody>")[0]
        assert f">{name}</a>" in body
        assert not [other for other in people if other != name and f">{other}</a>" in body]


def test_a_text_for_the_group_chat_says_how_many_are_missing_and_where_to_go(county, people, world, unit_admin):
    text = unit_admin.get(page(county)).text
    chat = text.split('id="chat-text"')[1].split("</textarea>")[0]
    assert "1人还没有参加" in chat and f"/exams/{county.exam.id}" in chat and county.exam.title in chat
    assert 'id="chat-text"' not in unit_admin.get(page(county, group="failed")).text
    assert 'id="chat-text"' not in world.client(world.admin("leader", county.bureau)).get(page(county)).text


def test_the_text_for_the_group_chat_names_units_or_people_and_never_who_failed(county):
    fields = {"unit": "财政局", "address": "https://x/exams/1"}
    by_unit = group_chat_text(
        "not_started", county.exam, below=[("预算股", 2), ("办公室", 0)], names=[], count=2, **fields
    )
    assert "财政局有2人还没有参加，其中预算股2人。" in by_unit and "办公室" not in by_unit
    by_name = group_chat_text("in_progress", county.exam, below=[], names=["张三", "李四"], count=2, **fields)
    assert "财政局有2人已开始作答但还没有交卷：张三、李四。" in by_name
    assert "张三" not in group_chat_text("not_started", county.exam, below=[], names=["张三"], count=60, **fields)
    assert group_chat_text("failed", county.exam, below=[], names=["张三"], count=1, **fields) == ""
    assert group_chat_text("not_started", county.exam, below=[], names=[], count=0, **fields) == ""


def test_other_units_lists_are_missing_and_a_leader_may_look_but_not_act(county, people, world, unit_admin, post):
    assert unit_admin.get(page(county, county.town)).status_code == 404
    assert unit_admin.get(page(county, county.top)).status_code == 404
    leader = world.client(world.admin("leader", county.bureau))
    answer = leader.get(page(county))
    assert answer.status_code == 200 and "导出电话名单" not in answer.text
    assert post(leader, act(county, "remind"), page=page(county), group="not_started").status_code == 404
    candidate = world.client(people["未开始"])
    assert candidate.get(page(county)).status_code == 404


def test_a_reminder_reaches_each_person_once_a_day_on_the_site_and_in_the_gateway(
    county, people, world, session, unit_admin, post, fixed_clock
):
    answer = post(unit_admin, act(county, "remind"), page=page(county), group="not_started")
    assert answer.status_code == 303
    assert "已提醒 1 人" in unit_admin.get(answer.location).text
    again = post(unit_admin, act(county, "remind"), page=page(county), group="not_started")
    assert "没有重复提醒" in unit_admin.get(again.location).text
    office = world.client(world.admin())
    post(office, act(county, "remind", county.top), page=page(county, county.top), group="not_started")
    messages = session.scalars(select(OutgoingMessage)).all()
    assert [(m.person_id, m.kind) for m in messages] == [(people["未开始"].id, "chase")]
    assert "您还没有开始作答" in messages[0].text and county.exam.title in messages[0].text
    assert "提醒您" in world.client(people["未开始"]).get("/").text
    assert "提醒您" not in world.client(people["已合格"]).get("/").text
    fixed_clock.at(fixed_clock.instant + timedelta(days=1))
    unit_admin = world.client(world.admin("unit_admin", county.bureau))
    post(unit_admin, act(county, "remind"), page=page(county), group="not_started")
    assert session.query(ExamReminder).count() == 2
    acts = session.scalars(select(AuditEvent.details).where(AuditEvent.act == "reminders.send")).all()
    assert [details["count"] for details in acts] == [1, 0, 0, 1]


def test_nobody_is_reminded_once_the_exam_has_closed_or_before_results_are_shown(
    county, people, world, session, unit_admin, post, fixed_clock
):
    county.exam.results_policy = "at_close"
    session.flush()
    answer = post(unit_admin, act(county, "remind"), page=page(county), group="failed")
    assert "成绩还没有公布" in unit_admin.get(answer.location).text
    fixed_clock.at(fixed_clock.instant + timedelta(days=10))
    unit_admin = world.client(world.admin("unit_admin", county.bureau))
    answer = post(unit_admin, act(county, "remind"), page=page(county), group="not_started")
    assert "考试已经结束" in unit_admin.get(answer.location).text
    assert session.query(ExamReminder).count() == 0


def test_who_left_after_the_snapshot_is_neither_reminded_nor_counted_nor_called(
    county, people, world, session, unit_admin, post, create_snapshot
):
    create_snapshot()
    people["未开始"].state = people["作答中"].state = "left"
    session.flush()
    body = unit_admin.get(page(county)).text
    assert "未开始</a>" in body and "已离开名册，不提醒" in body
    for group in ("not_started", "in_progress"):
        answer = post(unit_admin, act(county, "remind"), page=page(county), group=group)
        assert "已提醒" not in unit_admin.get(answer.location).text
    assert (session.query(ExamReminder).count(), session.query(OutgoingMessage).count()) == (0, 0)


def test_who_has_no_attempt_left_is_not_told_to_try_again_until_a_makeup_is_theirs(
    county, people, world, session, unit_admin, post, fixed_clock
):
    county.exam.attempts_allowed = 1
    again = world.person(county.bureau, name="补考过了")
    county.attempt(again, points=20)
    session.flush()
    remind = {"page": page(county), "group": "failed"}
    post(unit_admin, act(county, "remind"), **remind)
    assert session.query(ExamReminder).count() == 0
    makeup = world.exam(title="补考", kind="makeup", main_exam_id=county.exam.id, opens_in=4 * DAY, lasts=3 * DAY)
    fixed_clock.at(county.exam.closes_at + timedelta(days=2))
    county.eligible_for(makeup, people["不合格"], again)
    county.attempt(again, exam=makeup, points=80, hours_ago=1)
    unit_admin = world.client(world.admin("unit_admin", county.bureau))
    answer = post(unit_admin, act(county, "remind"), **remind)
    assert "已提醒 1 人" in unit_admin.get(answer.location).text
    assert session.query(ExamReminder).one().person_id == people["不合格"].id
    assert session.query(OutgoingMessage).one().expires_at == min(makeup.closes_at, clock.now() + timedelta(days=3))


@pytest.mark.parametrize("what", ["nothing", "sat", "excused", "left", "withdrawn"])
def test_a_reminder_put_down_in_quiet_hours_goes_out_in_the_morning_only_where_it_is_still_true(
    app, county, people, world, session, unit_admin, post, fixed_clock, letters, what
):
    person = people["未开始"]
    person.mobile_encrypted = app.extensions["cipher"].seal("13800000001", associated_data=mobile_binding(person.id))
    fixed_clock.at(fixed_clock.instant + timedelta(hours=10))  # ten in the evening
    unit_admin = world.client(world.admin("unit_admin", county.bureau))
    post(unit_admin, act(county, "remind"), page=page(county), group="not_started")
    sweep = app.extensions["celery"].tasks["messages.send_waiting"]
    sweep()
    assert letters() == []
    fixed_clock.at(fixed_clock.instant + timedelta(hours=11))
    if what == "sat":
        county.attempt(person, points=90, hours_ago=1)
    elif what == "excused":
        county.excuse(person)
    elif what == "left":
        person.state = "left"
    elif what == "withdrawn":
        county.exam.state = "withdrawn"
    session.flush()
    sweep()
    session.expire_all()
    message = session.query(OutgoingMessage).one()
    if what == "nothing":
        assert len(letters()) == 1 and message.state == "sent"
    else:
        assert letters() == []
        assert (message.state, message.sent_on, message.reason) == ("expired", None, "情况已变，不再发送")


def test_a_reminder_is_over_when_the_exam_closes(county, people, session, unit_admin, post):
    county.exam.closes_at = clock.now() + timedelta(hours=5)
    session.flush()
    post(unit_admin, act(county, "remind"), page=page(county), group="not_started")
    assert session.query(OutgoingMessage).one().expires_at == county.exam.closes_at


def test_the_offices_list_to_call_by_is_allowed_by_a_second_person_and_holds_mobiles_but_no_id_number(
    app, county, people, world, session, post, fixed_clock
):
    office = world.client(world.admin("publicity_office"))
    person, cipher = people["未开始"], app.extensions["cipher"]
    person.mobile_encrypted = cipher.seal("13800000001", associated_data=mobile_binding(person.id))
    person.id_number_encrypted = cipher.seal("11010519491231002X", associated_data=id_number_binding(person.id))
    session.flush()
    rejected = post(office, act(county, "calls"), page=page(county), group="not_started", reason="")
    assert rejected.status_code == 200 and "请填写用途" in rejected.text
    calls = {"page": page(county), "group": "not_started", "reason": "电话通知"}
    assert post(office, act(county, "calls"), **calls).status_code == 303
    assert "不需要重复提交" in post(office, act(county, "calls"), **calls).text
    request = session.query(Approval).one()
    security = world.api(world.admin("security_admin"))
    assert "已同意" in security.post(f"/admin/approvals/{request.id}/approve", follow_redirects=True).text
    assert "下载电话名单" in office.get(page(county)).text
    colleague = world.client(world.admin("publicity_office"))
    assert "下载电话名单" not in colleague.get(page(county)).text
    answer = post(office, act(county, "calls"), **calls)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    cells = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value]
    assert "13800000001" in cells and "未开始" in cells
    assert not [cell for cell in cells if "11010519491231002X" in cell]
    event = session.scalars(select(AuditEvent).where(AuditEvent.act == "reminders.export_call_list")).one()
    assert (event.details["reason"], event.details["count"]) == ("电话通知", 1)
    fixed_clock.at(fixed_clock.instant + timedelta(days=1, seconds=1))
    later = world.client(session.get(Person, request.requested_by_id))
    assert "下载电话名单" not in later.get(page(county)).text
    assert post(later, act(county, "calls"), **calls).status_code == 303


def test_a_unit_takes_the_numbers_of_its_own_people_with_a_purpose_and_long_lists_by_consent(
    app, county, people, session, unit_admin, post, monkeypatch
):
    person, cipher = people["未开始"], app.extensions["cipher"]
    person.mobile_encrypted = cipher.seal("13800000001", associated_data=mobile_binding(person.id))
    session.flush()
    calls = {"page": page(county), "group": "not_started"}
    assert "13800000001" not in unit_admin.get(page(county)).text
    assert "请填写用途" in post(unit_admin, act(county, "calls"), **calls, reason="").text
    answer = post(unit_admin, act(county, "calls"), **calls, reason="电话通知")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert "13800000001" in {str(cell.value) for row in sheet.iter_rows() for cell in row}
    event = session.scalars(select(AuditEvent).where(AuditEvent.act == "reminders.export_call_list")).one()
    assert (event.details["reason"], event.details["count"]) == ("电话通知", 1)
    assert session.query(Approval).count() == 0
    assert post(unit_admin, act(county, "calls", county.town), **calls, reason="x").status_code == 404
    monkeypatch.setattr(admin_views, "MAX_CALLED_ALONE", 0)
    assert post(unit_admin, act(county, "calls"), **calls, reason="电话通知").status_code == 303
    assert session.query(Approval).one().state == "waiting"


def test_the_number_of_who_was_transferred_to_another_unit_is_not_the_old_units_to_take(
    app, county, people, session, unit_admin, post, create_snapshot
):
    person, cipher = people["未开始"], app.extensions["cipher"]
    person.mobile_encrypted = cipher.seal("13800000001", associated_data=mobile_binding(person.id))
    session.flush()
    create_snapshot()
    person.unit_id = county.town.id
    session.flush()
    answer = post(unit_admin, act(county, "calls"), page=page(county), group="not_started", reason="电话通知")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    cells = {str(cell.value) for row in sheet.iter_rows() for cell in row}
    assert "已调离，请联系现单位" in cells and "13800000001" not in cells


def test_a_foreign_group_or_unit_in_the_form_is_rejected(county, people, unit_admin, post):
    assert post(unit_admin, act(county, "remind"), page=page(county), group="passed").status_code == 400
    assert post(unit_admin, act(county, "remind", county.town), page=page(county), group="failed").status_code == 404


def test_the_page_costs_the_same_for_many_people(county, people, world, unit_admin, statements):
    unit_admin.get(page(county))
    with statements() as few:
        unit_admin.get(page(county))
    for _ in range(30):
        world.person(county.office)
    with statements() as many:
        unit_admin.get(page(county))
    assert len(many) == len(few) <= 15  # the access scope of the exam and the bar of a live attempt among them
