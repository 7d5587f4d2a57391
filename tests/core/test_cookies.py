"""What is remembered of signed cookies and tokens: what they say, never for longer than they hold, and never for somebody else."""

from __future__ import annotations

import time
import time as cookies
from datetime import timedelta

import pytest
from cachetools import LRUCache
from flask import Flask, flash, get_flashed_messages, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf

from examapp.web import cached_session


@pytest.fixture
def site() -> Flask:
    """A small application with nothing but the two."""
    app = Flask(__name__)
    app.session_interface = cached_session.CachedSessionInterface()
    app.config.update(SECRET_KEY="k" * 32, WTF_CSRF_TIME_LIMIT=None, PERMANENT_SESSION_LIFETIME=timedelta(hours=10))
    cached_session.init_csrf(app)

    @app.get("/begin/<name>")
    def begin(name: str) -> str:
        session["name"] = name
        return generate_csrf()

    @app.route("/name", methods=["GET", "PUT"])
    def name() -> str:
        return str(session.get("name", ""))

    @app.get("/flash")
    def send() -> str:
        flash("told once")
        return ""

    @app.get("/told")
    def reply() -> str:
        return "|".join(map(str, get_flashed_messages()))

    return app


def _put(client: FlaskClient, token: str) -> int:
    return client.put("/name", headers={"X-CSRFToken": token}, json={}).status_code


def test_a_remembered_token_is_still_of_its_session_alone(site: Flask) -> None:
    one, other = site.test_client(), site.test_client()
    mine, theirs = one.get("/begin/one").text, other.get("/begin/other").text
    assert [_put(one, mine), _put(one, mine), _put(other, theirs), _put(other, theirs)] == [200] * 4
    assert [_put(one, theirs), _put(other, mine), _put(one, ""), _put(one, mine[:-8] + "forged00")] == [400] * 4
    assert _put(site.test_client(), mine) == 400


def test_a_changed_or_outdated_cookie_is_empty_though_the_true_one_is_known(
    site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = site.test_client()
    client.get("/begin/one")
    assert [client.get("/name").text, client.get("/name").text] == ["one", "one"]
    signed = client.get_cookie("session").value
    for forged in (signed[:-2] + ("AA" if signed[-2:] != "AA" else "BB"), "." + signed, signed.replace(".", "", 1)):
        outsider = site.test_client()
        outsider.set_cookie("session", forged)
        assert outsider.get("/name").text == ""
    now = time.time()
    monkeypatch.setattr(cookies, "time", lambda: now + timedelta(hours=9).total_seconds())
    assert client.get("/name").text == "one"
    monkeypatch.setattr(cookies, "time", lambda: now + timedelta(hours=11).total_seconds())
    assert client.get("/name").text == ""


def test_what_one_request_takes_out_of_a_session_another_with_the_same_cookie_still_finds(site: Flask) -> None:
    client = site.test_client()
    client.get("/flash")
    signed = client.get_cookie("session").value
    for _ in range(3):
        again = site.test_client()
        again.set_cookie("session", signed)
        assert again.get("/told").text == "told once"


def test_memory_is_bounded_and_forgets_the_oldest(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.session_interface, "_known", LRUCache(3))
    clients = [site.test_client() for _ in range(6)]
    for place, client in enumerate(clients):
        client.get(f"/begin/{place}")
        assert client.get("/name").text == str(place)
    interface = site.session_interface
    assert isinstance(interface, cached_session.CachedSessionInterface)
    assert len(interface._known) == 3
    assert [client.get("/name").text for client in clients] == [str(place) for place in range(6)]
