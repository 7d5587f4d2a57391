"""Signing in through an identity provider, against a real provider over HTTP."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from examapp.organisation.people.models import Account, Person, SignIn
from examapp.organisation.sign_in.oidc import init_identity
from tests.people.provider import CLIENT_ID, CLIENT_SECRET, Provider


@pytest.fixture
def provider(app):
    """A provider, and the application that takes its word for the while."""
    running, before = Provider(), app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(
        before, oidc_issuer=running.issuer, oidc_client_id=CLIENT_ID, oidc_client_secret=CLIENT_SECRET
    )
    init_identity(app)
    yield running
    app.config["SETTINGS"] = before
    app.extensions.pop("identity")
    running.close()


@pytest.fixture
def official(world):
    return world.person(staff_number="D1")


def come_back(client, provider, *, next_path="/exams"):
    address = client.get(f"/login/identity?next={next_path}").location
    assert address.startswith(f"{provider.issuer}/authorize?")
    return client.get(provider.authorize(address))


def rejection_of(client, answer):
    assert (answer.status_code, answer.location) == (303, "/login")
    assert client.get("/exams").location.startswith("/login")
    return client.get("/login").get_data(as_text=True)


def test_who_the_provider_vouches_for_is_signed_in_under_a_new_session(world, provider, official):
    provider.claims = {"staff_number": "D1"}
    client = world.client()
    assert "用统一身份登录" in client.get("/login").get_data(as_text=True)
    answer = come_back(client, provider)
    assert (answer.status_code, answer.location) == (303, "/exams")
    assert client.get("/exams").status_code == 200
    account = world.session.query(Account).filter_by(person_id=official.id).one()
    assert world.session.query(SignIn).filter_by(account_id=account.id).count() == 1


def test_who_the_provider_vouches_for_passes_by_the_lobby_and_costs_no_hash(
    world, provider, official, no_place, no_hash
):
    provider.claims = {"staff_number": "D1"}
    client = world.client()
    page = client.get("/login").text
    assert "正在为您排队" in page and "用统一身份登录" in page
    assert come_back(client, provider).location == "/exams"
    assert client.get("/exams").status_code == 200


def test_nobody_unknown_gets_an_account(world, provider):
    provider.claims = {"staff_number": "STRANGER"}
    people, client = world.session.query(Person).count(), world.client()
    assert "名册上没有您的人员编号" in rejection_of(client, come_back(client, provider))
    assert world.session.query(Person).count() == people


def test_a_disabled_account_stays_closed(world, provider, official):
    world.session.query(Account).filter_by(person_id=official.id).one().disabled_at = official.created_at
    provider.claims = {"staff_number": "D1"}
    client = world.client()
    assert "已停用" in rejection_of(client, come_back(client, provider))


@pytest.mark.parametrize(
    "issues",
    [
        {"aud": "another-client"},
        {"iss": "https://elsewhere.test"},
        {"nonce": "another"},
        {"exp": int(time.time()) - 3600},
        {"staff_number": None},
        {"staff_number": 7},
    ],
)
def test_a_token_that_does_not_hold_signs_nobody_in(world, provider, official, issues):
    provider.claims, provider.issues = {"staff_number": "D1"}, issues
    client = world.client()
    assert "统一身份认证没有" in rejection_of(client, come_back(client, provider))


def test_a_token_signed_with_another_key_signs_nobody_in(world, provider, official):
    provider.claims, provider.signs_with_foreign_key = {"staff_number": "D1"}, True
    client = world.client()
    assert "没有通过" in rejection_of(client, come_back(client, provider))


def test_an_answer_that_another_browser_asked_for_or_a_replayed_one_is_rejected(world, provider, official):
    provider.claims = {"staff_number": "D1"}
    requester, thief = world.client(), world.client()
    path = provider.authorize(requester.get("/login/identity").location)
    assert "没有通过" in rejection_of(thief, thief.get(path))
    assert requester.get(path).location == "/"
    requester.get(path)
    assert world.session.query(SignIn).count() == 1


def test_the_second_factor_is_asked_for_all_the_same(world, provider, official):
    world.session.query(Account).filter_by(person_id=official.id).one().has_second_factor = True
    provider.claims = {"staff_number": "D1"}
    client = world.client()
    assert come_back(client, provider).location == "/login/code"
    assert client.get("/exams").location.startswith("/login")


def test_a_foreign_next_and_a_dead_provider_lead_nowhere_else(world, provider, official):
    provider.claims = {"staff_number": "D1"}
    assert come_back(world.client(), provider, next_path="https://evil.test/").location == "/"
    client = world.client()
    address = client.get("/login/identity").location
    path = provider.authorize(address)
    provider.server.server_close()
    provider.server.shutdown()
    assert "连不上" in rejection_of(client, client.get(path))


def test_without_settings_there_is_no_such_way_in(world):
    client = world.client()
    assert client.get("/login/identity").status_code == 404
    assert client.get("/login/identity/done?code=a&state=b").status_code == 404
    assert "用统一身份登录" not in client.get("/login").get_data(as_text=True)
