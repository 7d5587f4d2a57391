"""What a new password must be under the two profiles, the five former ones, and the administrators' ninety days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp.config import PasswordProfile
from examapp.organisation.accounts.models import FormerPassword
from examapp.organisation.accounts.rules import find_password_issue, is_common
from examapp.organisation.passwords.actions import new_first_password
from examapp.organisation.people.models import RoleGrant
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.helpers.accounts import setting
from tests.helpers.forms import token_of
from tests.people.conftest import PASSWORD

COMMON = [
    "Password123",
    "P@ssw0rd2024",
    "Admin@12345",
    "qwertyuiop",
    "1qaz2wsx3edc",
    "Aa12345678",
    "woaini1314520",
    "zhangwei1990",
    "Wang19850312",
    "1234567890",
    "abc123456789",
    "19900101abc",
    "13812345678a",
    "qazwsx123456",
    "iloveyou520",
    "asdf1234asdf",
    "xuefa2026kaoshi",
    "China@2026",
    "zhongguo1949",
    "5201314520",
    "Huawei@123",
    "welcome2025!",
    "a123456789",
    "zhangsan123",
    "Lisi@20260101",
    "wangwei888888",
    "20261124abcd",
    "abcd1234abcd",
    "1q2w3e4r5t",
]
FINE = (
    "Right-horse-7", "a good password", "清晨六点跑步去看河边的桥", "correct horse battery", "Tulip9-canal-Brick", "gR7#kq2Lmz",
    "Trio#violin42quartz", "Qinghe-2026-xuefa",
)  # fmt: skip


@pytest.mark.parametrize("password", COMMON)
def test_what_everybody_tries_is_rejected(password):
    assert "过于简单" in find_password_issue(password, login_name="N00001")


@pytest.mark.parametrize("password", FINE)
def test_a_phrase_of_ones_own_passes_without_any_classes(password):
    assert find_password_issue(password, login_name="N00001") is None


def test_random_first_passwords_are_never_taken_for_common_ones():
    assert not [password for password in (new_first_password() for _ in range(300)) if is_common(password)]


@given(st.text(max_size=140))
def test_any_text_gets_an_answer_and_four_classes_are_held_where_they_are_asked_for(text):
    issue = find_password_issue(text, login_name="N00001", profile=PasswordProfile.DENGBAO)
    if issue is None:
        assert len(text) >= 10
        assert any(map(str.isupper, text)) and any(map(str.islower, text)) and any(map(str.isdigit, text))
        assert any(not character.isalnum() for character in text)


def test_the_missing_classes_and_ones_own_name_are_said():
    issue = find_password_issue("correct horse battery", login_name="N1", profile=PasswordProfile.DENGBAO)
    assert issue == "新密码还要有：大写字母、数字。"
    assert "姓名" in find_password_issue("张三三的Tulip9-canal", login_name="N1", name="张三三")


def change(client, current, new):
    data = {"csrf_token": token_of(client.get("/password")), "current_password": current}
    return client.post("/password", data=data | {"new_password": new, "repeated": new})


def test_the_last_five_passwords_do_not_come_back(app, world, give_password, monkeypatch):
    setting(app, monkeypatch, password_profile=PasswordProfile.DENGBAO)
    person = world.person()
    give_password(person)
    client, current = world.client(person), PASSWORD
    for number in range(6):
        new = f"Tulip{number}-canal-Brick"
        assert change(client, current, new).status_code == 303
        current = new
    assert "前 5 次" in change(client, current, "Tulip1-canal-Brick").get_data(as_text=True)
    assert change(client, current, "Tulip0-canal-Brick").status_code == 303
    assert world.session.query(FormerPassword).count() == 5


def test_a_password_from_before_the_profile_was_chosen_does_not_come_back_either(
    app, world, give_password, monkeypatch
):
    setting(app, monkeypatch, password_profile=PasswordProfile.DENGBAO)
    person = world.person()
    give_password(person, "Original9-canal-Brick")
    client = world.client(person)
    assert change(client, "Original9-canal-Brick", "Tulip9-canal-Brick").status_code == 303
    assert "前 5 次" in change(client, "Tulip9-canal-Brick", "Original9-canal-Brick").text


def test_an_administrators_password_of_which_nobody_knows_its_age_is_renewed(app, world, give_password, monkeypatch):
    officer = world.admin("publicity_office")
    give_password(officer, password_changed_at=None)
    client = world.client(officer)
    assert client.get("/admin/questions/").status_code == 200, "no profile, no term"
    setting(app, monkeypatch, password_profile=PasswordProfile.DENGBAO)
    assert client.get("/admin/questions/").location == "/password"


def test_an_administrators_password_is_renewed_after_ninety_days_and_a_candidates_is_not(
    app, world, give_password, fixed_clock, monkeypatch
):
    officer, candidate = world.admin("publicity_office"), world.person()
    old = fixed_clock.instant - timedelta(days=91)
    for person in (officer, candidate):
        give_password(person, password_changed_at=old)
    client = world.client(officer)
    assert client.get("/admin/questions/").status_code == 200
    setting(app, monkeypatch, password_profile=PasswordProfile.DENGBAO)
    assert client.get("/admin/questions/").location == "/password"
    assert "90 天" in client.get("/password").get_data(as_text=True)
    assert change(client, "wrong one", "Tulip9-canal-Brick").status_code == 422
    assert change(client, PASSWORD, "Tulip9-canal-Brick").status_code == 303
    assert client.get("/admin/questions/").status_code == 200
    assert world.client(candidate).get("/exams").status_code == 200


def test_ninety_days_do_not_cut_a_running_exam(app, world, give_password, fixed_clock, monkeypatch):
    candidate_client = make_exam_with_candidates(world)
    person = candidate_client.person
    give_password(person, password_changed_at=fixed_clock.instant - timedelta(days=91))
    grant = RoleGrant(
        person_id=person.id, role="unit_admin", unit_id=person.unit_id, tree="region", granted_at=fixed_clock.instant
    )
    world.save(grant)
    setting(app, monkeypatch, password_profile=PasswordProfile.DENGBAO)
    assert candidate_client.save((1, 1, ["A"])).status_code == 200
