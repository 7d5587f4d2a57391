"""What every answer carries, and what a shared PC keeps (H15, H17, H19)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from examapp.web.pages import SecurityHeaders
from tests.conftest import opened
from tests.helpers.forms import token_of


@pytest.fixture
def https(servers):
    """An outsider's browser before a site that is served over https."""
    with opened(replace(servers.settings(), https=True)) as app:
        yield app.test_client()


PATHS = [
    "/login",
    "/login/ticket",
    "/",
    "/password",
    "/sign-ins",
    "/admin/people/",
    "/nowhere",
    "/api/v1/session",
    "/api/v1/nowhere",
]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers_and_is_not_kept(world, path):
    for client in (world.client(), world.client(world.admin("publicity_office"))):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert {"camera=()", "microphone=()", "geolocation=()"} <= set(headers["Permissions-Policy"].split(", "))
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in headers
        assert "Access-Control-Allow-Origin" not in headers


def test_a_head_is_a_get_without_its_body_to_every_page_with_a_form(world):
    for client, paths in (
        (world.client(), ("/login", "/login/ticket", "/privacy")),
        (world.client(world.person()), ("/", "/password", "/sign-ins", "/practice/")),
    ):
        for path in paths:
            asked, headed = client.get(path), client.head(path)
            assert (headed.status_code, headed.content_type) == (asked.status_code, asked.content_type)
            assert asked.data and not headed.data


def test_over_https_the_browser_is_told_to_stay_there(https):
    for path in PATHS:
        answer = https.get(path, base_url="https://localhost")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_an_answer_that_says_itself_how_to_be_treated_is_left_so_and_a_page_has_one_nonce():
    said = [("Cache-Control", "max-age=60"), ("X-FRAME-OPTIONS", "SAMEORIGIN")]
    seen = {}

    def program(environ, start_response):
        start_response("200 OK", list(said))
        return []

    def answered(environ):
        SecurityHeaders(program, is_https=False)(environ, lambda _status, headers: seen.update(listed=headers))
        return seen["listed"]

    headers = answered({})
    assert headers[:2] == said and len({name.lower() for name, _ in headers}) == len(headers) == 8
    policy = dict(answered({"examapp.csp_nonce": "abc"}))["Content-Security-Policy"]
    assert policy.count("'nonce-abc'") == 1 and "'nonce-" not in dict(headers)["Content-Security-Policy"]


def test_over_https_cookies_carry_their_prefix(servers):
    with opened(replace(servers.settings(), https=True)) as app:
        config = app.config
    assert (config["SESSION_COOKIE_NAME"], config["SESSION_COOKIE_SECURE"], config["SESSION_COOKIE_HTTPONLY"]) == (
        "__Host-session",
        True,
        True,
    )
    assert config["SESSION_COOKIE_SAMESITE"] == "Lax"


def sign_out(client):
    return client.post("/logout", data={"csrf_token": token_of(client.get("/sign-ins"))})


def test_signing_out_clears_what_the_browser_kept_but_not_the_device_cookie(app, world, monkeypatch):
    plain = sign_out(world.client(world.person()))
    assert plain.headers["Clear-Site-Data"] == '"storage"'
    client = world.client(world.person())
    page = token_of(client.get("/sign-ins"))
    monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", True)
    answer = client.post("/logout", data={"csrf_token": page})
    assert answer.headers.get("Clear-Site-Data") == '"cache", "storage"', "cookies stay: the device cookie is one"


def test_going_back_after_signing_out_shows_nothing(world):
    client = world.client(world.person())
    before = client.get("/sign-ins")
    assert before.headers["Cache-Control"] == "no-store"
    sign_out(client)
    after = client.get("/sign-ins")
    assert (after.status_code, after.location) == (302, "/login?next=/sign-ins")


def test_a_form_of_another_session_and_one_without_a_token_change_nothing(world):
    mine, theirs = world.client(world.person()), world.client(world.person())
    foreign = token_of(theirs.get("/sign-ins"))
    mine.get("/sign-ins")
    for data in ({"csrf_token": foreign}, {"csrf_token": "x"}, {}):
        assert mine.post("/logout", data=data).status_code == 403
    assert mine.get("/api/v1/session").status_code == 200


@pytest.mark.parametrize("forged", ["X-Forwarded-Host", "Host"])
def test_a_printed_ticket_address_takes_no_forged_host(app, world, forged, monkeypatch):
    """The address is the setting's; without one, where the administrator's own browser is."""
    if forged == "Host":
        monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], site_url="https://xuefa.example/"))
    unit = world.unit()
    person, client = world.person(unit), world.client(world.admin("unit_admin", unit))
    for cookie in list(client._cookies.values()):
        client.set_cookie(cookie.key, cookie.value, domain="evil.example")
    data = {"csrf_token": token_of(client.get("/sign-ins", headers={forged: "evil.example"})), "person": str(person.id)}
    for path in ("/admin/people/tickets", f"/admin/people/{person.id}/password"):
        page = client.post(path, data=data, headers={forged: "evil.example"})
        assert page.status_code == 200
        assert "evil.example" not in page.text
        assert "https://xuefa.example/login/ticket" in page.text or forged != "Host"
