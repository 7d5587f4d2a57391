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


def send_table(client, text, **fields):
    return client.post("/admin/people/roles/import", data={"text": text, **fields})


def test_roles_are_asked_for_by_a_table_and_approved_together(world, security):
    bureaus = [world.unit(f"第{n}局") for n in range(5)]
    people = [world.person(bureau, name=f"管理员{n}") for n, bureau in enumerate(bureaus)]
    world.person(bureaus[4], name="管理员4")
    lines = [f"第{n}局\t管理员{n}\t{'领导' if n == 1 else ''}" for n in range(5)]
    table = "\n".join(["单位\t姓名\t角色", *lines, "没有的局\t张三\t", "第0局\t管理员0\t安全管理员"])
    page = send_table(security, table, reason="年度调整").text
    assert "已提交 4 份申请" in page and "有 3 行没有提交" in page
    assert "第 6 行（第4局　管理员4）：有几个人同名" in page and "没有找到这个单位" in page and "三员请逐个办理" in page
    again = table.replace("第4局\t管理员4\t", f"第4局\t{people[4].name}\t").splitlines()[:5]
    assert send_table(security, "\n".join(again)).status_code == 303, "what waits already is passed over"
    rows = world.session.query(Approval).order_by(Approval.id).all()
    assert [(row.person_id, row.details["role"], row.details["unit_id"]) for row in rows] == [
        (person.id, "leader" if n == 1 else "unit_admin", person.unit_id) for n, person in enumerate(people[:4])
    ]
    other = world.api(world.admin("security_admin"))
    assert 'data-tick-all="ids"' in other.get("/admin/approvals/").text
    people[2].state = "left"
    world.session.flush()
    page = other.post("/admin/approvals/ticked", data={"ids": [row.id for row in rows]}, follow_redirects=True).text
    assert "已同意 3 份申请" in page and "（管理员2）没有办理" in page
    assert world.session.query(RoleGrant).filter(RoleGrant.person_id.in_([p.id for p in people])).count() == 3
    assert "请先勾选" in other.post("/admin/approvals/ticked", follow_redirects=True).text


def test_ones_own_request_is_not_approved_with_the_ticked_ones(security, ask_role):
    row = ask_role()
    assert "没有办理" in security.post("/admin/approvals/ticked", data={"ids": [row.id]}, follow_redirects=True).text


@pytest.mark.long
def test_of_300_ticked_requests_299_are_allowed_and_the_one_is_named(world, fixed_clock):
    requester, now = world.admin("security_admin"), fixed_clock.instant
    people = [world.person(name=f"管理员{n}") for n in range(300)]
    rows = [
        Approval(
            act="people.grant_role",
            request_key=f"{person.id}",
            person_id=person.id,
            details={
                "role": "unit_admin",
                "unit_id": person.unit_id,
                "tree": "region",
                "ends_at": None,
                "deputy_of_id": None,
            },
            reason="换届",
            requested_by_id=requester.id,
            requested_at=now,
            expires_at=now + timedelta(days=7),
        )
        for person in people
    ]
    world.session.add_all(rows)
    people[150].state = "left"
    world.session.flush()
    system = world.api(world.admin("system_admin"))
    page = system.post("/admin/approvals/ticked", data={"ids": [row.id for row in rows]}, follow_redirects=True).text
    assert "已同意 299 份申请" in page and "（管理员150）没有办理：" in page
    assert world.session.query(RoleGrant).filter(RoleGrant.person_id.in_([p.id for p in people])).count() == 299


def test_a_table_of_roles_without_a_head_is_rejected(security):
    answer = send_table(security, "第0局\t张三")
    assert answer.status_code == 422 and "表头要有单位" in answer.text
    assert "请选择文件" in send_table(security, "").text


def test_a_request_is_void_after_its_time_and_can_be_put_again(world, ask_role, fixed_clock):
    system_person = world.admin("system_admin")
    first = ask_role()
    assert "待我审批" in world.api(system_person).get("/").text
    fixed_clock.at(fixed_clock.instant + timedelta(days=30))
    system = world.api(system_person)
    assert "待我审批" not in system.get("/").text
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
