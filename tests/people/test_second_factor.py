"""The one-time-password device of administrators: set up, asked for, never twice, counted, recovered, required."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest

from examapp.organisation.accounts.models import SecondFactor
from examapp.organisation.people.models import Account, RoleGrant, SignIn
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.helpers.accounts import setting
from tests.helpers.forms import token_of
from tests.people.conftest import PASSWORD, sign_in


@pytest.fixture
def officer(world, give_password):
    person = world.admin("publicity_office", name="办事员")
    give_password(person)
    return person


def code_of(secret, fixed_clock, later=0):
    return pyotp.TOTP(secret).at(fixed_clock.instant + timedelta(seconds=later))


def set_up(client, fixed_clock):
    """Set the device up; gives its secret and the recovery codes."""
    page = client.get("/second-factor").get_data(as_text=True)
    secret = re.search(r'class="code">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    answer = client.post(
        "/second-factor",
        data={"code": code_of(secret, fixed_clock), "csrf_token": token_of(client.get("/second-factor"))},
    )
    return secret, re.findall(r'first-password">([^<]+)<', answer.get_data(as_text=True))


def enter(client, code):
    token = token_of(client.get("/login/code"))
    return client.post("/login/code", data={"code": code, "csrf_token": token})


def test_the_right_password_opens_nothing_before_the_code_and_the_code_gives_a_new_session(world, officer, fixed_clock):
    secret, recovery = set_up(world.client(officer), fixed_clock)
    assert len(recovery) == 8
    account = world.session.query(Account).filter_by(person_id=officer.id).one()
    assert account.has_second_factor
    assert secret.encode() not in world.session.get(SecondFactor, account.id).secret_encrypted
    client = world.client()
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=2))
    assert sign_in(client, officer.staff_number).location == "/login/code"
    assert client.get("/exams").location.startswith("/login")
    half = world.session.query(SignIn).filter_by(awaits_code=True).one().token_digest
    answer = enter(client, code_of(secret, fixed_clock))
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/exams").status_code == 200
    assert world.session.query(SignIn).filter_by(token_digest=half).count() == 0


def test_a_code_is_good_once_and_none_before_it_afterwards(world, officer, fixed_clock):
    secret, _ = set_up(world.client(officer), fixed_clock)
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=2))
    first, second = world.client(), world.client()
    for client in (first, second):
        sign_in(client, officer.staff_number)
    code, older = code_of(secret, fixed_clock), code_of(secret, fixed_clock, -30)
    assert enter(first, code).status_code == 303
    for replayed in (code, older):
        assert "已用过" in enter(second, replayed).get_data(as_text=True)
    assert enter(second, code_of(secret, fixed_clock, 30)).status_code == 303


def test_wrong_codes_are_counted_and_wait_even_for_the_right_one(world, officer, fixed_clock):
    secret, _ = set_up(world.client(officer), fixed_clock)
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=2))
    client = world.client()
    sign_in(client, officer.staff_number)
    for _ in range(4):
        assert "不对" in enter(client, "000000").get_data(as_text=True)
    assert "请等 5 秒" in enter(client, "000000").get_data(as_text=True)
    assert "请等" in enter(client, code_of(secret, fixed_clock)).get_data(as_text=True)
    fixed_clock.at(fixed_clock.instant + timedelta(seconds=6))
    assert enter(client, code_of(secret, fixed_clock)).status_code == 303


def test_a_half_sign_in_is_over_after_ten_minutes(world, officer, fixed_clock):
    secret, _ = set_up(world.client(officer), fixed_clock)
    client = world.client()
    sign_in(client, officer.staff_number)
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=11))
    assert enter(client, code_of(secret, fixed_clock)).location == "/login"
    assert client.get("/login/code").location == "/login"


def test_a_recovery_code_stands_in_for_the_device_once(world, officer, fixed_clock):
    _, recovery = set_up(world.client(officer), fixed_clock)
    for status in (303, 422):
        client = world.client()
        sign_in(client, officer.staff_number)
        assert enter(client, recovery[0].lower()).status_code == status
    client = world.client()
    sign_in(client, officer.staff_number)
    enter(client, recovery[1])
    assert "还有 6 个恢复码" in client.get("/second-factor").get_data(as_text=True)


def test_the_protocols_sign_in_says_that_a_code_is_wanted(world, officer, fixed_clock):
    set_up(world.client(officer), fixed_clock)
    body = {"login_name": officer.staff_number, "password": PASSWORD}
    answer = world.client().post("/api/v1/session", json=body)
    assert (answer.status_code, answer.get_json()["error"]) == (403, "second_factor_required")


def test_the_holder_takes_the_device_off_with_a_code_and_not_without(world, officer, fixed_clock):
    client = world.client(officer)
    secret, _ = set_up(client, fixed_clock)
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=1))
    for code, left in (("123456", True), (code_of(secret, fixed_clock), False)):
        data = {"code": code, "csrf_token": token_of(client.get("/second-factor"))}
        client.post("/second-factor/off", data=data)
        assert world.session.query(Account).filter_by(person_id=officer.id).one().has_second_factor is left
    assert sign_in(world.client(), officer.staff_number).location == "/"


def test_a_lost_device_is_taken_off_by_the_system_administrator_and_ends_the_sign_ins(world, officer, fixed_clock):
    client = world.client(officer)
    set_up(client, fixed_clock)
    path = f"/admin/people/{officer.id}/second-factor/off"
    assert world.api(world.admin("unit_admin", officer.unit)).post(path).status_code == 403
    assert world.api(world.admin("system_admin")).post(path).status_code == 303
    assert client.get("/exams").location.startswith("/login")
    assert sign_in(world.client(), officer.staff_number).location == "/"


def test_candidates_have_no_such_page_and_a_deployment_can_do_without(app, world, officer, monkeypatch):
    assert world.client(world.person()).get("/second-factor").status_code == 404
    setting(app, monkeypatch, second_factor="off")
    assert world.client(officer).get("/second-factor").status_code == 404


def test_where_it_is_required_an_administrator_sets_it_up_before_anything_else(
    app, world, officer, fixed_clock, monkeypatch
):
    setting(app, monkeypatch, second_factor="required")
    client = world.client(officer)
    assert client.get("/admin/questions/").location == "/second-factor"
    assert client.get("/api/v1/exams").get_json()["error"] == "second_factor_set_up_required"
    set_up(client, fixed_clock)
    assert client.get("/admin/questions/").status_code == 200
    assert world.client(world.person()).get("/exams").status_code == 200


def test_no_requirement_cuts_a_running_exam(app, world, monkeypatch):
    candidate_client = make_exam_with_candidates(world)

    world.save(
        RoleGrant(
            person_id=candidate_client.person.id,
            role="unit_admin",
            unit_id=candidate_client.person.unit_id,
            tree="region",
            granted_at=candidate_client.person.created_at,
        )
    )
    setting(app, monkeypatch, second_factor="required")
    assert candidate_client.save((1, 1, ["A"])).status_code == 200
