"""Acts that need two persons: one page for who asks and who allows, nobody allows their own, requests lapse."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.organisation.people.models import Approval, RoleGrant
from examapp.platform.audit.models import AuditEvent


@pytest.fixture
def security(world):
    return world.api(world.admin("security_admin"))


@pytest.fixture
def ask_role(world, security):
    person = world.person()

    def ask():
        data = {"role": "unit_admin", "unit_id": person.unit_id, "tree": "region", "reason": "接任"}
        answer = security.post(f"/admin/people/{person.id}/roles", data=data)
        assert answer.status_code == 303, answer.text
        return world.session.query(Approval).order_by(Approval.id.desc()).first()

    return ask


def press(client, request, act):
    return client.post(f"/admin/approvals/{request.id}/{act}", follow_redirects=True).text


def test_a_request_is_void_after_its_time_and_can_be_put_again(world, ask_role, fixed_clock):
    system_person = world.admin("system_admin")
    first = ask_role()
    assert "申请等我审批" in world.api(system_person).get("/").text
    fixed_clock.at(fixed_clock.instant + timedelta(days=30))
    system = world.api(system_person)
    assert "申请等我审批" not in system.get("/").text
    assert "已作废" in system.get("/admin/approvals/").text
    assert "已经作废" in press(system, first, "approve")
    assert world.session.query(RoleGrant).filter_by(person_id=first.person_id).count() == 0


def test_a_lapsed_request_makes_room_for_a_new_one(world, ask_role, fixed_clock):
    first = ask_role()
    first.expires_at = fixed_clock.instant
    world.session.flush()
    second = ask_role()
    world.session.refresh(first)
    assert (first.state, second.state) == ("expired", "waiting")
    system = world.api(world.admin("system_admin"))
    assert "已经作废" in press(system, first, "refuse")
    assert "已同意" in press(system, second, "approve")


def test_who_may_not_decide_does_not_find_it_and_the_requester_sees_what_became_of_it(world, ask_role, security):
    request = ask_role()
    office = world.api(world.admin("publicity_office"))
    for act in ("approve", "refuse", "withdraw"):
        assert office.post(f"/admin/approvals/{request.id}/{act}").status_code == 404
    assert office.get(f"/admin/approvals/{request.id}").status_code == 404
    assert "接任" not in office.get("/admin/approvals/").text
    system = world.api(world.admin("system_admin"))
    assert "不能审批" in press(security, request, "approve")
    assert "没有办理" in press(system, request, "refuse")
    assert "已退回" in security.get("/admin/approvals/").text
    assert "已退回" in security.get(f"/admin/approvals/{request.id}").text
    acts = [
        act for (act,) in world.session.query(AuditEvent.act).filter_by(object_type="approval").order_by(AuditEvent.id)
    ]
    assert acts == ["people.request_approval", "people.reject_approval"]
