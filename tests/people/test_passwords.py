"""First passwords and changing them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.organisation.people.models import Account, SignIn
from examapp.platform.audit.models import AuditEvent
from examapp.web.pages import SiteTexts
from tests.helpers.accounts import FIRST, encrypt_first_password
from tests.helpers.forms import token_of
from tests.people.conftest import PASSWORD, sign_in


@pytest.fixture
def newcomer(world):
    return encrypt_first_password(world, world.person(staff_number="N1"))


def change(client, new, repeated=None, **fields):
    token = token_of(client.get("/password"))
    return client.post(
        "/password", data={"csrf_token": token, "new_password": new, "repeated": repeated or new, **fields}
    )


def test_first_password_is_hashed_at_the_first_sign_in_and_must_be_changed(world, newcomer):
    client = world.client()
    assert sign_in(client, "N1", "wrong").status_code == 422
    assert newcomer.password_hash == "!"
    answer = sign_in(client, "N1", FIRST, path="/login?next=/exams")
    assert (answer.status_code, answer.location) == (303, "/password?next=/exams")
    world.session.refresh(newcomer)
    assert newcomer.password_hash.startswith("$argon2id$")
    rejected = client.get("/api/v1/session")
    assert (rejected.status_code, rejected.get_json()["error"]) == (403, "password_change_required")


def test_first_password_is_forgotten_once_changed(world, newcomer):
    client = world.client()
    sign_in(client, "N1", FIRST)
    assert "不能和原来的一样" in change(client, FIRST).get_data(as_text=True)
    assert change(client, "my own 2026 words").status_code == 303
    world.session.refresh(newcomer)
    assert newcomer.first_password_encrypted is None
    assert client.get("/api/v1/session").status_code == 200
    assert sign_in(world.client(), "N1", FIRST).status_code == 422
    assert sign_in(world.client(), "N1", "my own 2026 words").status_code == 303


def test_protocol_sign_in_with_a_first_password_says_that_it_must_be_changed(world, newcomer):
    answer = world.client().post("/api/v1/session", json={"login_name": "N1", "password": FIRST})
    assert (answer.status_code, answer.get_json()["error"]) == (403, "password_change_required")


def test_an_account_without_hash_and_first_password_lets_nobody_in(world):
    person = world.person()
    for password in ("!", "", "x"):
        assert sign_in(world.client(), person.staff_number, password).status_code == 422


def test_a_moved_seal_lets_nobody_in(world, newcomer):
    other = world.person()
    account = world.session.query(Account).filter_by(person_id=other.id).one()
    account.first_password_encrypted = newcomer.first_password_encrypted
    world.session.flush()
    assert sign_in(world.client(), other.staff_number, FIRST).status_code == 422


def test_changing_the_password_ends_all_other_sign_ins(world, give_password):
    person = world.person()
    give_password(person)
    here, there = world.client(), world.client(person)
    sign_in(here, person.staff_number)
    wrong = change(here, "a new one of mine", current_password="wrong")
    assert wrong.status_code == 422
    assert there.get("/api/v1/session").status_code == 200
    assert change(here, "a new one of mine", current_password=PASSWORD).status_code == 303
    assert here.get("/api/v1/session").status_code == 200
    assert there.get("/api/v1/session").status_code == 401
    assert world.session.query(SignIn).filter(SignIn.ended_at.is_(None)).count() == 1


def test_h14_wrong_current_passwords_are_counted_delayed_and_noted_and_a_right_one_tells_nothing_meanwhile(
    app, world, give_password, fixed_clock, monkeypatch
):
    """Anyone who sits before another's open page has no more tries than at the sign-in."""
    person = world.person()
    account = give_password(person)
    client = world.client(person)
    reply = [change(client, "a new one of mine", current_password=f"guess {n}") for n in range(5)]
    assert [answer.status_code for answer in reply] == [422] * 4 + [429]
    assert "密码输错次数较多" in reply[-1].text and reply[-1].headers["Retry-After"] == "5"
    with monkeypatch.context() as watched:
        watched.setattr(app.extensions["hasher"], "verify", lambda *_: pytest.fail("hashed while a wait is due"))
        assert change(client, "a new one of mine", current_password=PASSWORD).status_code == 429
    acts = [event.act for event in world.session.query(AuditEvent).filter_by(object_type="account")]
    assert acts.count("people.fail_own_password") == 5
    assert "people.delay_sign_in" in acts
    for n in range(10):
        fixed_clock.at(fixed_clock.instant + timedelta(seconds=61))
        last = change(client, "a new one of mine", current_password=f"later {n}")
    assert last.status_code == 429
    world.session.refresh(account)
    assert account.failures == 10
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=16))
    assert change(client, "a new one of mine", current_password=PASSWORD).status_code == 303
    world.session.refresh(account)
    assert (account.failures, account.locked_until) == (0, None)


@pytest.mark.parametrize(
    ("new", "repeated", "text"),
    [
        ("short", None, "至少 10 位"), ("x" * 129, None, "最多 128 位"), ("N1-password", None, "不能包含登录名"),
        ("aaaaaaaaaaaa", None, "重复的字符太多"), ("a good password", "another one here", "不一样"),
    ],
)  # fmt: skip
def test_weak_new_passwords_are_explained(world, newcomer, new, repeated, text):
    client = world.client()
    sign_in(client, "N1", FIRST)
    answer = change(client, new, repeated)
    assert answer.status_code == 422
    assert text in answer.get_data(as_text=True)


def test_the_rules_stand_before_the_typing_and_a_script_is_told_where_to_go(world, newcomer):
    client = world.client()
    sign_in(client, "N1", FIRST)
    page = client.get("/password").get_data(as_text=True)
    assert page.index("至少 10 位") < page.index('name="new_password"')
    assert "不只是常用词" in page
    token = token_of(client.get("/password"))
    new = "my own 2026 words"
    answer = client.post(
        "/password?next=/exams",
        data={"csrf_token": token, "new_password": new, "repeated": new},
        headers={"Accept": "application/json"},
    )
    assert answer.get_json() == {"to": "/exams"}


def test_the_help_line_stands_on_pages_of_sign_in_and_error(world, newcomer, monkeypatch):
    assert "请联系本单位管理员" in world.client().get("/login").get_data(as_text=True)
    monkeypatch.setitem(world.app.extensions, "site_texts", SiteTexts("学法考试平台", "县普法办公室", "0591-12345678"))
    client = world.client()
    sign_in(client, "N1", FIRST)
    for path in ("/login?next=/", "/password", "/nowhere"):
        answer = (world.client() if path.startswith("/login") else client).get(path)
        assert "0591-12345678" in answer.get_data(as_text=True), path
