"""Names that a request asks for: what cannot be read is rejected before the program, what can be is let through."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from examapp.config import SettingsError, read_settings
from examapp.web.trusted_hosts import find_name
from tests.conftest import opened

NONE_AT_ALL = [
    "a..b", ".", "a" * 64, "a" * 64 + ".example", "xn--", "xn--a", "..", "host:99999999", "host:abc", "[::1", "é.example", "a b", "a/b", "a@b", "", "<script>", "a\x00b", ":80",
]  # fmt: skip
NAMES = {
    "Exam.Example:8000": "exam.example",
    "exam.example.": "exam.example",
    "127.0.0.1:8000": "127.0.0.1",
    "[::1]:8000": "::1",
    "xn--fiq228c.example": "中文.example",
    "web_1": "web_1",
}


def ask(app, path, host):
    """Ask as the web server does: the test's client itself cannot read some names."""
    environ = EnvironBuilder(path).get_environ() | {"HTTP_HOST": host}
    body, status, headers = run_wsgi_app(app, environ)
    return Response(body, status, headers)


@pytest.mark.parametrize("host", NONE_AT_ALL)
def test_h17_a_host_that_is_none_is_rejected_in_plain_words_on_every_path(app, session, host):
    """Before the program, whose pages of rejection could not be written under such a name."""
    for path in ("/login", "/nowhere", "/healthz", "/static/x.css"):
        answer = ask(app, path, host)
        assert (answer.status_code, answer.mimetype) == (400, "text/plain")
        assert "格式不对" in answer.get_data(as_text=True)
    for path in ("/api/v1/session", "/api/v1/nowhere"):
        answer = ask(app, path, host)
        assert (answer.status_code, json.loads(answer.get_data())["error"]) == (400, "bad_request")


@pytest.mark.parametrize("host", sorted(NAMES))
def test_a_host_that_can_be_read_is_asked_for(app, session, host):
    assert find_name(host) == NAMES[host]
    assert ask(app, "/login", host).status_code == 200


SITE = "https://xuefa.example.gov.cn"


@pytest.fixture(scope="module")
def named_site(servers):
    with opened(replace(servers.settings(), site_url=f"{SITE}/")) as app:
        yield app


def test_h17_a_site_that_knows_its_name_answers_to_no_other(named_site):
    for path in ("/login", "/admin/people", "/nowhere", "/static/x.css"):
        answer = ask(named_site, path, "evil.example")
        assert (answer.status_code, answer.mimetype) == (400, "text/plain")
        assert "xuefa.example.gov.cn" in answer.get_data(as_text=True)
    reply = json.loads(ask(named_site, "/api/v1/session", "evil.example").get_data())
    assert reply["error"] == "bad_request"


@pytest.mark.parametrize(
    "host", ["xuefa.example.gov.cn", "XUEFA.example.gov.cn:443", "127.0.0.1:8000", "localhost", "[::1]:8000"]
)
def test_a_site_that_knows_its_name_answers_to_it_and_to_its_own_machine(named_site, host):
    assert ask(named_site, "/api/v1/session", host).status_code == 401


def test_probes_may_ask_under_whatever_name_they_have_for_the_machine(named_site):
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(named_site, path, "web:8000").status_code != 400


@pytest.mark.parametrize(
    "address", ["xuefa.example.gov.cn", "https://", "ftp://x", "https://x/login", "https://[x", "https://x:y"]
)
def test_an_address_of_the_site_that_is_none_is_rejected_at_the_start(address):
    with pytest.raises(SettingsError, match="SITE_URL"):
        read_settings({"SITE_URL": address})


@pytest.mark.parametrize("path", ["/admin/people", "/admin/audit?x=1", "/laws", "/practice", "/laws//"])
def test_h17_no_redirect_of_the_router_names_a_host(app, session, path):
    answer = ask(app, path, "evil.example")
    assert answer.status_code == 308
    assert re.match(r"/\w", answer.headers["Location"])
    assert "evil.example" not in answer.get_data(as_text=True) + answer.headers["Location"]
