"""A forgotten password, without an administrator: a code to the phone on the roster, the same answer for every name."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from examapp.organisation.accounts.models import ResetRequest
from examapp.organisation.captcha import actions as captcha_actions
from examapp.organisation.people.models import Account
from examapp.organisation.people.rules import MOBILE_PURPOSE, mobile_binding
from examapp.platform.notices.models import OutgoingMessage
from tests.conftest import NOON
from tests.helpers.accounts import captcha_of, setting
from tests.helpers.forms import token_of
from tests.people.conftest import sign_in

MOBILE = "13800000009"


@pytest.fixture
def official(app, world, give_password, monkeypatch):
    """Somebody with a phone on the roster, in a deployment with a gateway that takes nothing yet."""
    setting(app, monkeypatch, message_gateway="file:/tmp/unused")
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)
    person = world.person(staff_number="F1")
    cipher = app.extensions["cipher"]
    person.mobile_encrypted = cipher.seal(MOBILE, associated_data=mobile_binding(person.id))
    person.mobile_index = cipher.blind_index(MOBILE, purpose=MOBILE_PURPOSE)
    give_password(person)
    return person


def ask(client, name, **fields):
    token = token_of(client.get("/login/forgotten"))
    return client.post("/login/forgotten", data={"login_name": name, "csrf_token": token, **fields})


def let_many_ask(world, count):
    """Write as many requests for a name that nobody has, from the address of the clients of tests."""
    world.session.add_all([ResetRequest(address="127.0.0.1", requested_at=NOON) for _ in range(count)])
    world.session.flush()


def send_codes(app):
    app.extensions["celery"].tasks["people.send_reset_codes"].apply()


def newest_code(world):
    message = world.session.query(OutgoingMessage).order_by(OutgoingMessage.id.desc()).first()
    return re.search(r"验证码 (\d{8})", message.text)[1]


def enter(client, name, code):
    token = token_of(client.get("/login/forgotten/code"))
    return client.post("/login/forgotten/code", data={"login_name": name, "code": code, "csrf_token": token})


def test_a_code_comes_to_the_phone_signs_in_once_and_leads_to_a_new_password(app, world, official):
    client = world.client()
    assert ask(client, MOBILE).status_code == 200
    send_codes(app)
    code = newest_code(world)
    answer = enter(client, "F1", code)
    assert (answer.status_code, answer.location) == (303, "/password")
    page = client.get("/password")
    assert "current_password" not in page.get_data(as_text=True)
    data = {"csrf_token": token_of(page), "new_password": "fresh words 2026", "repeated": "fresh words 2026"}
    assert client.post("/password", data=data).status_code == 303
    assert sign_in(world.client(), "F1", "fresh words 2026").status_code == 303
    assert enter(world.client(), "F1", code).status_code == 422


def test_the_answer_and_its_statements_are_the_same_whether_the_account_exists(app, world, official, statements):
    answers = []
    for name in ("F1", "NOBODY"):
        client = world.client()
        token = token_of(client.get("/login/forgotten"))
        with statements() as seen:
            answer = client.post("/login/forgotten", data={"login_name": name, "csrf_token": token})
        text = re.sub(r"csrf_token.{0,60}?value=\"[^\"]+\"|nonce=\"[^\"]+\"", "", answer.get_data(as_text=True))
        answers.append((answer.status_code, text.replace(name, ""), list(seen)))
    assert answers[0] == answers[1]
    send_codes(app)
    assert world.session.query(OutgoingMessage).count() == 1
    wrong = [enter(world.client(), name, "00000000") for name in ("F1", "NOBODY")]
    assert [answer.status_code for answer in wrong] == [422, 422]
    assert all("验证码不对，或已过期" in answer.get_data(as_text=True) for answer in wrong)


def test_wrong_codes_count_as_wrong_passwords_and_another_ones_code_opens_nothing(app, world, official, give_password):
    other = world.person(staff_number="F2")
    give_password(other)
    ask(world.client(), "F1")
    send_codes(app)
    code = newest_code(world)
    client = world.client()
    assert enter(client, "F2", code).status_code == 422
    for _ in range(5):
        answer = enter(client, "F1", "11111111")
    assert "请等" in answer.get_data(as_text=True)
    assert "请等" in enter(client, "F1", code).get_data(as_text=True)


def test_an_old_code_is_void_after_ten_minutes_and_after_a_newer_one(app, world, official, fixed_clock):
    ask(world.client(), "F1")
    send_codes(app)
    first = newest_code(world)
    ask(world.client(), "F1")
    send_codes(app)
    second = newest_code(world)
    assert enter(world.client(), "F1", first).status_code == 422
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=11))
    assert enter(world.client(), "F1", second).status_code == 422


def test_a_phone_gets_three_codes_a_quarter_hour_and_sixty_requests_of_an_address_bring_a_captcha(
    app, world, official, monkeypatch
):
    """Never a block: a county may be one address."""
    monkeypatch.setattr(captcha_actions, "new_captcha_answer", lambda: "48105")
    client = world.client()
    for _ in range(5):
        ask(client, "F1")
    send_codes(app)
    send_codes(app)
    assert world.session.query(OutgoingMessage).count() == 3
    let_many_ask(world, 55)
    for name in ("F1", "NOBODY"):
        rejected = ask(world.client(), name)
        assert (rejected.status_code, "申请验证码的人较多" in rejected.text) == (422, True)
    assert world.session.query(ResetRequest).count() == 60
    let_many_ask(world, 60)
    for number in range(3):
        token = captcha_of(world.client().get("/login/forgotten"))
        assert ask(client, f"NOBODY{number}", captcha="48105", captcha_id=token).status_code == 200
    assert 'name="captcha"' not in world.client().get("/login").text, "who signs in is not asked for it"


def test_the_owners_device_asks_for_a_code_without_a_captcha(world, official):
    owner = world.client()
    sign_in(owner, "F1")
    owner.post("/logout", data={"csrf_token": owner.get("/api/v1/session").get_json()["csrf_token"]})
    let_many_ask(world, 60)
    assert 'name="captcha"' not in owner.get("/login/forgotten").text
    assert ask(owner, "F1").status_code == 200
    assert ask(owner, "NOBODY").status_code == 422


def test_administrators_disabled_accounts_and_people_without_a_phone_get_none(app, world, official, give_password):
    boss = world.admin("publicity_office", staff_number="F3")
    boss.mobile_encrypted = official.mobile_encrypted
    world.person(staff_number="F4")
    world.session.query(Account).filter_by(person_id=official.id).one().disabled_at = official.created_at
    for name in ("F1", "F3", "F4"):
        assert ask(world.client(), name).status_code == 200
    send_codes(app)
    assert world.session.query(OutgoingMessage).count() == 0


def test_without_a_gateway_there_is_no_such_page(world):
    assert world.client().get("/login/forgotten").status_code == 404
    assert "/login/forgotten" not in world.client().get("/login").get_data(as_text=True)
