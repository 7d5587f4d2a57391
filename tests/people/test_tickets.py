"""One-use sign-in tickets: issued on paper within the access scope, good for one sign-in within a day."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from examapp.organisation.accounts.rules import clean_ticket_code
from examapp.organisation.people.models import LoginToken, SignIn
from examapp.platform.audit.models import AuditEvent
from tests.conftest import NOON
from tests.helpers.forms import token_of
from tests.people.conftest import sign_in


@pytest.fixture
def unit(world):
    return world.unit("司法局")


@pytest.fixture
def official(world, unit, give_password):
    person = world.person(unit, name="李四", staff_number="A10001")
    give_password(person, "a forgotten one")
    return person


def issue(world, admin, *people):
    client = world.client(admin)
    token = token_of(client.get("/login/ticket"))
    return client.post(
        "/admin/people/tickets", data={"csrf_token": token, "person": [str(person.id) for person in people]}
    )


def code_of(page) -> str:
    return re.search(r"<td class=\"first-password\">([0-9A-Z ]+)<", page.text)[1]


def use(client, code):
    return client.post("/login/ticket", data={"csrf_token": token_of(client.get("/login/ticket")), "code": code})


def test_a_ticket_signs_in_once_and_lets_a_new_password_be_set(world, unit, official):
    sheet = issue(world, world.admin("unit_admin", unit), official)
    assert sheet.status_code == 200
    assert "<svg" in sheet.text
    code = code_of(sheet)
    client = world.client()
    answer = use(client, code.lower().replace(" ", "-"))
    assert (answer.status_code, answer.location) == (303, "/password")
    page = client.get("/password")
    assert "一次性登录码" in page.text
    assert "current_password" not in page.text
    changed = client.post(
        "/password",
        data={"csrf_token": token_of(page), "new_password": "fresh words 2026", "repeated": "fresh words 2026"},
    )
    assert changed.status_code == 303
    assert sign_in(world.client(), "A10001", "fresh words 2026").status_code == 303
    again = use(world.client(), code)
    assert (again.status_code, "已用过" in again.text) == (422, True)


def test_only_a_fresh_sign_in_by_ticket_may_set_a_password_without_the_old_one(world, unit, official, fixed_clock):
    client = world.client()
    use(client, code_of(issue(world, world.admin("unit_admin", unit), official)))
    assert "current_password" in world.client(official).get("/password").text
    fixed_clock.at(NOON + timedelta(minutes=31))
    assert "current_password" in client.get("/password").text


def test_a_ticket_ends_after_a_day_and_with_the_next_one(world, unit, official, fixed_clock):
    admin = world.admin("unit_admin", unit)
    first = code_of(issue(world, admin, official))
    second = code_of(issue(world, admin, official))
    assert use(world.client(), first).status_code == 422
    fixed_clock.at(NOON + timedelta(hours=24))
    assert use(world.client(), second).status_code == 422
    assert world.session.query(SignIn).filter(SignIn.ticket_id.is_not(None)).count() == 0


def test_tickets_are_issued_within_reach_only_and_not_for_administrators(world, unit, official):
    admin = world.admin("unit_admin", unit)
    outsider = world.person(world.unit("财政局"))
    assert issue(world, admin, official, outsider).status_code == 404
    office = world.admin("publicity_office", unit)
    assert issue(world, admin, office).status_code == 403
    assert issue(world, world.admin("leader", unit), official).status_code == 404
    assert issue(world, world.person(unit), official).status_code == 404
    assert world.session.query(LoginToken).count() == 0


def test_nobody_chosen_and_closed_accounts_are_explained(world, unit, official, give_password):
    admin = world.admin("unit_admin", unit)
    empty = issue(world, admin)
    assert (empty.status_code, "请先勾选" in empty.text) == (422, True)
    give_password(official, disabled_at=NOON)
    closed = issue(world, admin, official)
    assert (closed.status_code, "没有可用的账号" in closed.text) == (422, True)
    page = world.client(admin).get(f"/admin/people/tickets?unit={unit.id}")
    assert "李四" not in page.text
    give_password(official, disabled_at=None)
    assert "李四" in world.client(admin).get("/admin/people/tickets?q=李四").text


def test_a_ticket_of_an_account_closed_since_is_rejected(world, unit, official, give_password):
    code = code_of(issue(world, world.admin("unit_admin", unit), official))
    give_password(official, disabled_at=NOON)
    assert use(world.client(), code).status_code == 422


def test_issue_and_use_are_in_the_log_and_the_code_is_nowhere(world, unit, official):
    admin = world.admin("unit_admin", unit)
    code = code_of(issue(world, admin, official))
    use(world.client(), code)
    issued, used = world.session.query(AuditEvent).order_by(AuditEvent.id).all()
    assert (issued.act, issued.actor_id, issued.person_id) == ("people.issue_login_token", admin.id, official.id)
    assert (used.act, used.details) == ("people.sign_in", {"ticket_id": issued.object_id})
    plain = code.replace(" ", "")
    assert plain.encode() not in world.session.query(LoginToken).one().code_index


def test_a_ticket_passes_by_the_lobby_and_costs_no_hash(world, unit, official, no_place, no_hash):
    code = code_of(issue(world, world.admin("unit_admin", unit), official))
    assert "正在为您排队" in world.client().get("/login").text
    client = world.client()
    assert use(client, code).status_code == 303
    assert client.get("/api/v1/session").status_code == 200


@pytest.mark.parametrize("code", ["", "x", "0" * 12, "ABCDEFGHJKM\x00", "A" * 500, "２３４５６７８９ＡＢＣＤ"])
def test_wrong_codes_are_wrong(world, official, code):
    page = use(world.client(), code)
    assert page.status_code == 422
    assert "一次性登录码" in page.text


def test_codes_are_read_as_people_type_them():
    assert clean_ticket_code(" abcd-efgh 2345 ") == "ABCDEFGH2345"
    assert clean_ticket_code("ＡＢＣＤＥＦＧＨ２３４５") == "ABCDEFGH2345"
    assert clean_ticket_code("ABCDEFGH234O") is None


def test_a_browser_that_keeps_no_cookie_is_told_so_where_a_ticket_is_typed(world):
    rejected = world.client().post("/login/ticket", data={"code": "ABCDEFGHJKLM", "csrf_token": "x"})
    assert (rejected.status_code, "允许 Cookie" in rejected.text, "help-line" in rejected.text) == (403, True, True)
