"""The lobby before the password: who waits there, for how long, and whom it lets in (decision 0074)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp.organisation.lobby.rules import promised_wait_s
from examapp.organisation.lobby.session import Turn
from tests.conftest import NOON
from tests.helpers.forms import token_of
from tests.people.conftest import PASSWORD, sign_in


@pytest.fixture
def official(world, give_password):
    person = world.person(name="李四", staff_number="A10001")
    give_password(person)
    return person


@pytest.fixture
def hasher(app, no_line):
    return app.extensions["hasher"]


@pytest.fixture
def taken(hasher, monkeypatch):
    """Sets how many passwords are compared or wait for it now."""
    return lambda number: monkeypatch.setattr(hasher.queue, "taken", number)


def turn_of(client):
    return client.get("/login/turn").get_json()


def post(client, page):
    form = {"login_name": "A10001", "password": PASSWORD, "csrf_token": token_of(page)}
    return client.post("/login", data=form)


def test_who_finds_no_place_waits_in_the_lobby_and_signs_in_when_the_turn_has_come(
    app, world, official, hasher, taken, fixed_clock, statements
):
    assert "正在为您排队" not in world.client().get("/login").text
    taken(hasher.queue.capacity)
    client, workers = world.client(), app.config["SETTINGS"].web_workers
    with statements() as seen:
        page = client.get("/login?next=/exams")
        turn = turn_of(client)
    assert len(seen) == 0, "waiting costs the database nothing"
    assert page.status_code == 200
    assert "正在为您排队" in page.text and turn["text"] in page.text
    assert f"您排在第 {workers * hasher.queue.capacity + 1} 位左右" in turn["text"] and "最迟 12:00:22" in turn["text"]
    assert "<fieldset disabled>" in page.text and '<noscript><meta http-equiv="refresh" content="2">' in page.text
    assert (turn["wait_s"], turn["look_s"]) == (2, 2)
    fixed_clock.at(NOON + timedelta(seconds=2))
    assert turn_of(client)["wait_s"] == 2, "there is still no place: two seconds more"
    assert "最迟 12:00:22" in turn_of(client)["text"], "and what was promised stays"
    fixed_clock.at(NOON + timedelta(seconds=4))
    taken(hasher.queue.capacity // 2 - 1)
    assert turn_of(client) == {"wait_s": 0}
    page = client.get("/login?next=/exams")
    assert "正在为您排队" not in page.text and "<fieldset>" in page.text
    assert post(client, page).status_code == 303
    with client.session_transaction() as session:
        assert not {"come_at", "promised_at"} & set(session), "the turn was for one sign-in"


def test_a_client_that_does_not_know_the_lobby_posts_as_ever(world, official, hasher, taken):
    taken(hasher.queue.capacity)
    client = world.client()
    page = client.get("/login")
    full = post(client, page)
    assert (full.status_code, full.headers["Retry-After"]) == (503, "2")
    taken(hasher.max_concurrent)
    assert post(client, page).status_code == 303


def test_no_client_is_told_to_come_again_after_more_than_a_minute(world, official, hasher, taken):
    for _ in range(11_000):
        hasher.retries.next_retry_s("127.0.0.1 lobby", max_wait_s=500)
    taken(hasher.queue.capacity)
    client = world.client()
    page = client.get("/login")
    assert turn_of(client)["wait_s"] > 400
    assert post(client, page).headers["Retry-After"] == "60"


def test_nobody_goes_before_the_line_while_all_threads_are_busy(world, official, hasher, taken, fixed_clock):
    taken(hasher.queue.capacity)
    for _ in range(200):
        world.client().get("/login")
    first, last = world.client(), world.client()
    taken(hasher.max_concurrent)
    wait_s = turn_of(first)["wait_s"]
    assert wait_s > 5 and turn_of(last)["wait_s"] >= wait_s, "there is room, and a line"
    taken(hasher.max_concurrent - 1)
    assert [turn_of(one)["wait_s"] for one in (first, last, world.client())] == [0, 0, 0], "a thread has nothing to do"
    taken(hasher.max_concurrent)
    assert turn_of(first)["wait_s"] == wait_s
    fixed_clock.at(NOON + timedelta(seconds=wait_s))
    assert turn_of(first)["wait_s"] == 0
    fixed_clock.at(NOON + timedelta(seconds=wait_s + 121))
    taken(hasher.queue.capacity)
    assert "最迟 12:0" in turn_of(first)["text"], "who did not come when it was time takes a new place"


def test_newcomers_do_not_lengthen_the_line_of_known_devices(world, official, hasher, taken):
    known = world.client()
    assert sign_in(known, "A10001").status_code == 303
    token = known.get("/api/v1/session").get_json()["csrf_token"]
    known.post("/logout", data={"csrf_token": token})
    taken(hasher.queue.capacity)
    for _ in range(200):
        world.client().get("/login")
    assert turn_of(known)["wait_s"] == 2
    taken(hasher.max_concurrent)
    assert turn_of(world.client())["wait_s"] > 5


@pytest.mark.parametrize(("wait_s", "text"), [(1, "1 秒"), (90, "90 秒"), (91, "2 分钟"), (600, "10 分钟")])
def test_a_wait_is_said_in_seconds_or_minutes_and_looked_at_every_half_minute(wait_s, text):
    turn = Turn(place=7, wait_s=wait_s, promised_at=NOON)
    assert turn.text == f"您排在第 7 位左右，大约 {text}后轮到您，最迟 12:00:00。"
    assert turn.look_s == min(wait_s, 30)
    assert promised_wait_s(wait_s) > wait_s
