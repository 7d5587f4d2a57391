"""The three administrators stay three: nobody alone gets into, closes or opens the account of one of them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from examapp.organisation.people.models import Account, Approval, LoginToken
from examapp.platform.audit.models import AuditEvent
from tests.conftest import NOON
from tests.helpers.forms import token_of


@pytest.fixture
def three(world):
    """The three administrators, and a second one of each kind that may be the second person."""

    class Three:
        system, security, audit = (world.admin(f"{kind}_admin") for kind in ("system", "security", "audit"))
        other_system, other_security = world.admin("system_admin"), world.admin("security_admin")

    return Three()


def account_of(world, person):
    return world.session.query(Account).filter_by(person_id=person.id).one()


def waiting(world):
    return world.session.query(Approval).filter_by(state="waiting").one()


@pytest.mark.parametrize("whose", ["system", "security", "audit"])
def test_a_system_administrator_alone_gets_no_ticket_for_one_of_the_three(world, three, whose):
    person = {"system": three.other_system, "security": three.security, "audit": three.audit}[whose]
    system, path = world.api(three.system), f"/admin/people/{person.id}"
    account_of(world, person).first_password_encrypted, account_of(world, person).must_change_password = b"x", True
    asked = system.post(f"{path}/password", data={"reason": "忘了密码"}, follow_redirects=True).text
    assert "须两人办理" in asked
    assert "等待审批" in asked
    assert "不需要重复提交" in system.post(f"{path}/password", follow_redirects=True).text
    rejected = system.post("/admin/people/tickets", data={"person": str(person.id)})
    assert (rejected.status_code, "须两人办理" in rejected.text) == (422, True)
    sheet = system.post(f"/admin/people/passwords/{person.unit_id}/sheet", data={"as": "page"}).text
    assert person.staff_number not in sheet
    number = system.post(f"{path}/edit", data={"name": "改", "staff_number": "TAKEN", "is_on_roster": ""})
    assert (number.status_code, "收回角色" in number.text) == (422, True)
    assert world.session.query(LoginToken).count() == 0
    assert account_of(world, person).first_password_encrypted == b"x"


def test_with_the_consent_of_another_security_administrator_it_is_done_once(world, three, fixed_clock):
    system, path = world.api(three.system), f"/admin/people/{three.security.id}/password"
    theirs = world.client(three.security)
    system.post(path, data={"reason": "忘了密码"})
    row = waiting(world)
    assert (row.act, row.reason) == ("people.reset_password", "忘了密码")
    for nobody in (three.other_system, three.audit, three.system):
        assert world.api(nobody).post(f"/admin/approvals/{row.id}/approve").status_code == 404, "another kind"
    for same in (three.security,):
        assert "不能审批" in world.api(same).post(f"/admin/approvals/{row.id}/approve", follow_redirects=True).text
    page = world.api(three.other_security).get("/admin/approvals/").text
    assert "重置三员的密码" in page
    assert world.api(three.other_security).post(f"/admin/approvals/{row.id}/approve").status_code == 303
    assert theirs.get("/admin/people/").status_code == 200, "not yet"
    assert "已同意" in system.get(f"/admin/people/{three.security.id}").text
    assert world.api(three.other_system).post(path).status_code == 303, "who did not ask has to ask"
    done = system.post(path)
    code = re.search(r'first-password">([0-9A-Z ]{14})<', done.text)[1]
    assert theirs.get("/admin/people/").location.startswith("/login")
    client = world.client()
    used = client.post("/login/ticket", data={"code": code, "csrf_token": token_of(client.get("/login/ticket"))})
    assert used.location == "/password"
    again = system.post(path)
    assert (again.status_code, world.session.query(LoginToken).count()) == (303, 1), "asked anew"
    acts = [act for (act,) in world.session.query(AuditEvent.act).order_by(AuditEvent.id)]
    order = ["people.request_approval", "people.approve", "people.reset_password", "people.issue_login_token"]
    assert [act for act in acts if act in order][:2] + [act for act in acts if act in order[2:]] == order


def test_consent_ends_after_a_day(world, three, fixed_clock):
    path = f"/admin/people/{three.audit.id}/password"
    world.api(three.system).post(path)
    world.api(three.other_security).post(f"/admin/approvals/{waiting(world).id}/approve")
    fixed_clock.at(NOON + timedelta(hours=25))
    assert world.api(three.system).post(path).status_code == 303
    assert world.session.query(LoginToken).count() == 0


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        ("second-factor/off", {"has_second_factor": True}, {"has_second_factor": False}),
        ("disable", {"disabled_at": None}, {"disabled_at": NOON}),
        ("enable", {"disabled_at": NOON}, {"disabled_at": None}),
    ],
)
def test_device_and_account_of_one_of_the_three_need_two_persons(world, three, act, before, after):
    def stands(values):
        account = account_of(world, three.audit)
        return {name: getattr(account, name) for name in values} == values

    for name, value in before.items():
        setattr(account_of(world, three.audit), name, value)
    world.session.flush()
    system, path = world.api(three.system), f"/admin/people/{three.audit.id}/{act}"
    assert "须两人办理" in system.post(path, data={"reason": "x"}, follow_redirects=True).text
    assert stands(before)
    world.api(three.security).post(f"/admin/approvals/{waiting(world).id}/approve")
    assert stands(before)
    assert system.post(path).status_code == 303
    assert stands(after)


def test_rejected_means_not_done_and_others_are_helped_by_one_person_as_before(world, three):
    path = f"/admin/people/{three.audit.id}/disable"
    world.api(three.system).post(path)
    world.api(three.security).post(f"/admin/approvals/{waiting(world).id}/refuse")
    world.api(three.system).post(path)
    assert account_of(world, three.audit).disabled_at is None
    office = world.admin("publicity_office")
    assert world.api(three.system).post(f"/admin/people/{office.id}/password").status_code == 200
    assert world.api(three.system).post(f"/admin/people/{office.id}/disable").status_code == 303
    assert account_of(world, office).disabled_at == NOON
