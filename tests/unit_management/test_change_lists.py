"""A unit's list of changes: drafted, submitted, decided line by line or whole; the roster follows on its day, and nothing is lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from examapp import clock
from examapp.organisation.people.models import Account, Person, RosterMove
from examapp.organisation.roster_change_requests.models import RosterChangeItem, RosterChangeRequest
from examapp.platform.audit.models import AuditEvent

CHANGES = "/admin/unit-book/changes"
TODAY = "2026-11-24"


@pytest.fixture
def unit_admin(county, world):
    return world.client(world.admin("unit_admin", county.bureau))


@pytest.fixture
def office(world):
    return world.client(world.admin())


@pytest.fixture
def send(post):
    """Posts below the lists, with a token of the lists' page."""

    def send(client, path="", **data):
        return post(client, f"{CHANGES}{path}", page=CHANGES, **data)

    return send


@pytest.fixture
def draft(county, unit_admin, send):
    """A draft of the bureau; `add(kind, **fields)` puts a line into it."""

    class Draft:
        def __init__(self):
            answer = send(unit_admin, unit_id=county.bureau.id)
            self.id = int(re.search(r"/changes/(\d+)", answer.location)[1])

        def add(self, kind, **fields):
            data = {"effective_on": TODAY} | fields
            return send(unit_admin, f"/{self.id}/lines/new?kind={kind}", **data)

        def submit(self):
            return send(unit_admin, f"/{self.id}/submit")

    return Draft()


def lines(session):
    return session.query(RosterChangeItem).order_by(RosterChangeItem.id).all()


def page_after(client, answer):
    return client.get(answer.location).text


def test_every_kind_of_change_moves_the_roster_once_approved(county, world, session, draft, unit_admin, office, send):
    people = {
        name: world.person(county.office, name=name)
        for name in ("调出者", "借调者", "退休者", "离职者", "更正者", "离县者")
    }
    coming = world.person(county.town, name="调入者", staff_number="T100")
    added = [
        draft.add("join", staff_number="NEW1", name="新同志", position="科员", own_unit_id=county.office.id),
        draft.add("transfer_in", staff_number="T100", name="调入者", own_unit_id=county.bureau.id),
        draft.add("transfer_out", staff_number=people["调出者"].staff_number, to_unit=county.town.name),
        draft.add("secondment", staff_number=people["借调者"].staff_number, to_unit=county.school.code),
        draft.add("retire", staff_number=people["退休者"].staff_number),
        draft.add("leave", staff_number=people["离职者"].staff_number),
        draft.add("correction", staff_number=people["更正者"].staff_number, name="更正名", rank="二级主任科员"),
        draft.add("transfer_out", staff_number=people["离县者"].staff_number, note="调市局"),
    ]
    assert [answer.status_code for answer in added] == [303] * 8
    assert session.query(RosterMove).count() == 0
    assert "等待普法办审批" in page_after(unit_admin, draft.submit())
    assert "人员变动名单待审批" in office.get("/").text
    assert "人员变动名单等普法办审批" in unit_admin.get("/").text
    printed = unit_admin.get(f"{CHANGES}/{draft.id}/form").text
    for text in (
        "调往“青山乡”",
        "借调到“青山乡中心学校”",
        "姓名改为“更正名”",
        "调出本县",
        "单位负责人（签字、盖章）",
    ):
        assert text in printed
    assert "已同意 8 项" in page_after(office, send(office, f"/{draft.id}/approve"))
    assert {line.state for line in lines(session)} == {"applied"}
    assert session.get(RosterChangeRequest, draft.id).state == "approved"
    new = session.query(Person).filter_by(staff_number="NEW1").one()
    assert (new.unit_id, new.position) == (county.office.id, "科员")
    assert session.query(Account).filter_by(person_id=new.id).one().must_change_password
    where = {name: (person.unit_id, person.state) for name, person in people.items()}
    assert coming.unit_id == county.bureau.id
    assert where["调出者"] == (county.town.id, "on_roster")
    assert where["借调者"] == (county.school.id, "on_roster")
    assert {where[name][1] for name in ("退休者", "离职者", "离县者")} == {"left"}
    assert (people["更正者"].name, people["更正者"].rank, people["更正者"].position) == (
        "更正名",
        "二级主任科员",
        "科员",
    )
    kinds = {move.person_id: move.kind for move in session.query(RosterMove)}
    assert kinds[people["借调者"].id] == "secondment"
    assert kinds[people["退休者"].id] == "retire"
    acts = {event.act for event in session.query(AuditEvent).filter_by(object_type="change_list")}
    assert acts == {"roster_changes.draft", "roster_changes.submit", "roster_changes.approve"}
    assert "人员变动名单待审批" not in office.get("/").text


@pytest.mark.parametrize("kind", ["retire", "transfer_out"])
def test_a_change_of_a_seconded_person_ends_the_return(
    app, county, world, session, draft, office, send, fixed_clock, kind
):
    person = world.person(county.town, name="甲")
    data = {"unit_id": county.bureau.id, "on": TODAY, "kind": "secondment", "until": "2026-12-01"}
    world.api(world.admin()).post(f"/admin/people/{person.id}/transfer", data=data)
    more = {"to_unit": county.empty.name} if kind == "transfer_out" else {}
    assert draft.add(kind, staff_number=person.staff_number, **more).status_code == 303
    draft.submit()
    send(office, f"/{draft.id}/approve")
    stands = (person.state, person.unit_id)
    assert stands == (("on_roster", county.empty.id) if more else ("left", county.bureau.id))
    session.flush()
    fixed_clock.at(clock.now() + timedelta(days=10))
    app.extensions["celery"].tasks["people.apply_moves"]()
    session.expire_all()
    assert (person.state, person.unit_id) == stands


def test_a_list_is_decided_line_by_line_and_a_second_decision_is_rejected(
    county, world, session, draft, office, send, unit_admin
):
    people = [world.person(county.bureau) for _ in range(2)]
    for person in people:
        draft.add("retire", staff_number=person.staff_number)
    draft.submit()
    first, second = lines(session)
    send(office, f"/{draft.id}/lines/{first.id}/approve")
    again = send(office, f"/{draft.id}/lines/{first.id}/approve")
    assert "已经审批过" in page_after(office, again)
    assert session.query(RosterMove).count() == 1
    assert "请写明理由" in page_after(office, send(office, f"/{draft.id}/lines/{second.id}/refuse"))
    send(office, f"/{draft.id}/lines/{second.id}/refuse", answer="退休手续未到")
    assert (people[0].state, people[1].state) == ("left", "on_roster")
    assert session.get(RosterChangeRequest, draft.id).state == "approved"
    assert "退休手续未到" in unit_admin.get(f"{CHANGES}/{draft.id}").text
    assert "已经处理过" in page_after(office, send(office, f"/{draft.id}/approve"))


def test_a_returned_list_is_mended_and_submitted_again_and_decided_lines_stand(
    county, world, session, draft, unit_admin, office, send
):
    stays, goes = world.person(county.bureau, name="留任者"), world.person(county.bureau)
    draft.add("retire", staff_number=goes.staff_number)
    draft.add("retire", staff_number=stays.staff_number)
    draft.submit()
    first, second = lines(session)
    send(office, f"/{draft.id}/lines/{first.id}/approve")
    assert "请写明要改什么" in page_after(office, send(office, f"/{draft.id}/return"))
    send(office, f"/{draft.id}/return", answer="留任者未到退休年龄")
    assert "留任者未到退休年龄" in unit_admin.get(f"{CHANGES}/{draft.id}").text
    assert "被退回，请修改" in unit_admin.get("/").text
    assert "不能删除" in page_after(unit_admin, send(unit_admin, f"/{draft.id}/lines/{first.id}/remove"))
    send(unit_admin, f"/{draft.id}/lines/{second.id}/remove")
    assert "还没有要审批的变动" in page_after(unit_admin, draft.submit())
    draft.add("correction", staff_number=stays.staff_number, position="科长")
    draft.submit()
    send(office, f"/{draft.id}/approve")
    assert stays.position == "科长"
    assert [line.state for line in lines(session)] == ["applied", "applied"]


def test_a_change_ahead_moves_the_roster_on_its_day_and_waits_again_where_it_cannot(
    app, county, world, session, draft, office, send, fixed_clock
):
    going, lost = world.person(county.bureau), world.person(county.bureau)
    ahead = (clock.today() + timedelta(days=3)).isoformat()
    draft.add("transfer_out", staff_number=going.staff_number, to_unit=county.town.name, effective_on=ahead)
    draft.add("transfer_out", staff_number=lost.staff_number, to_unit=county.empty.name, effective_on=ahead)
    draft.submit()
    send(office, f"/{draft.id}/approve")
    assert {line.state for line in lines(session)} == {"approved"}
    apply = app.extensions["celery"].tasks["roster_changes.apply"]
    apply()
    assert going.unit_id == county.bureau.id
    county.empty.closed_at = clock.now()
    fixed_clock.at(fixed_clock.instant + timedelta(days=3))
    session.flush()
    apply()
    apply()
    session.expire_all()
    moved, stuck = lines(session)
    assert (moved.state, going.unit_id) == ("applied", county.town.id)
    assert (stuck.state, lost.unit_id) == ("waiting", county.bureau.id)
    assert "已撤销" in stuck.answer
    assert session.get(RosterChangeRequest, draft.id).state == "submitted"
    move = session.query(RosterMove).one()
    assert move.effective_on.isoformat() == ahead


def test_what_cannot_be_carried_out_waits_with_its_reason_and_holds_up_nothing_else(
    county, world, session, draft, office, send
):
    fine, moved = world.person(county.bureau), world.person(county.bureau)
    world.person(county.town, staff_number="T7", name="另一人")
    draft.add("retire", staff_number=moved.staff_number)
    draft.add("transfer_in", staff_number="T7", name="写错名", own_unit_id=county.bureau.id)
    draft.add("join", staff_number=fine.staff_number, name="重复的人", own_unit_id=county.bureau.id)
    draft.add("retire", staff_number=fine.staff_number)
    draft.submit()
    moved.unit_id = county.town.id
    answer = send(office, f"/{draft.id}/approve")
    assert "已同意 1 项。有 3 项不能办理" in page_after(office, answer)
    states = [(line.state, line.answer[:6]) for line in lines(session)]
    assert [state for state, _ in states] == ["waiting", "waiting", "waiting", "applied"]
    assert "现在已在“青山乡”" in lines(session)[0].answer
    assert "都相符" in lines(session)[1].answer
    assert "已经用过" in lines(session)[2].answer
    assert (fine.state, moved.state) == ("left", "on_roster")
    assert session.get(RosterChangeRequest, draft.id).state == "submitted"


def test_a_wrong_line_is_rejected_with_what_to_do(county, world, session, draft, unit_admin):
    own, other = world.person(county.bureau), world.person(county.town)
    world.unit("同名单位", parent=county.top)
    world.unit("同名单位", parent=county.top)
    for kind, fields, text in (
        ("retire", {"staff_number": other.staff_number}, "没有这个工号"),
        ("retire", {"staff_number": own.staff_number, "effective_on": "2199-01-01"}, "生效日期不对"),
        ("retire", {"staff_number": own.staff_number, "effective_on": ""}, "请填写生效日期"),
        ("secondment", {"staff_number": own.staff_number, "to_unit": ""}, "请填写借调到的单位"),
        ("transfer_out", {"staff_number": own.staff_number, "to_unit": "没有的局"}, "没有找到“没有的局”"),
        ("transfer_out", {"staff_number": own.staff_number, "to_unit": "同名单位"}, "请改填单位编码"),
        ("correction", {"staff_number": own.staff_number}, "至少填写一项"),
        ("join", {"staff_number": "N1", "name": "某人", "own_unit_id": county.town.id}, "到哪个单位"),
    ):
        answer = draft.add(kind, **fields)
        assert answer.status_code == 422, (kind, fields)
        assert text in answer.text
    assert draft.add("retire", staff_number=own.staff_number).status_code == 303
    assert "已有此人的同一项变动" in draft.add("retire", staff_number=own.staff_number).text
    assert len(lines(session)) == 1


def test_other_units_lists_are_missing_and_nobody_approves_their_own(
    county, world, session, draft, office, send, unit_admin
):
    person = world.person(county.bureau)
    draft.add("retire", staff_number=person.staff_number)
    outsider = world.client(world.admin("unit_admin", county.town))
    assert outsider.get(f"{CHANGES}/{draft.id}").status_code == 404
    assert send(outsider, f"/{draft.id}/submit").status_code == 404
    assert send(unit_admin, f"/{draft.id}/approve").status_code == 404
    send(office, f"/{draft.id}/submit")
    assert "请由其他同事审批" in page_after(office, send(office, f"/{draft.id}/approve"))
    assert person.state == "on_roster"
    other = world.client(world.admin())
    send(other, f"/{draft.id}/approve")
    assert person.state == "left"


def test_a_list_that_the_unit_took_back_or_gave_up_cannot_be_decided(
    county, world, session, draft, office, send, unit_admin
):
    person = world.person(county.bureau)
    draft.add("retire", staff_number=person.staff_number)
    draft.submit()
    send(unit_admin, f"/{draft.id}/take-back")
    assert "单位已收回" in page_after(office, send(office, f"/{draft.id}/approve"))
    send(unit_admin, f"/{draft.id}/discard")
    assert session.get(RosterChangeRequest, draft.id).state == "withdrawn"
    assert "不能再改" in page_after(unit_admin, draft.submit())
    assert person.state == "on_roster"


def test_an_empty_draft_is_gone_on_with_and_a_closed_unit_begins_none(county, session, draft, unit_admin, send):
    again = send(unit_admin, unit_id=county.bureau.id)
    assert again.location.endswith(f"/{draft.id}")
    county.office.closed_at = clock.now()
    assert send(unit_admin, unit_id=county.office.id).status_code == 409
    assert session.query(RosterChangeRequest).count() == 1


def test_the_office_is_told_of_namesakes_of_a_joiner_and_the_unit_is_not(county, world, draft, office, unit_admin):
    world.person(county.town, name="王重名", staff_number="W1")
    draft.add("join", staff_number="W2", name="王重名", own_unit_id=county.bureau.id)
    draft.submit()
    assert "青山乡（W1）" in office.get(f"{CHANGES}/{draft.id}").text
    assert "W1" not in unit_admin.get(f"{CHANGES}/{draft.id}").text
