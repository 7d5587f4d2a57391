"""Names that a request asks for: what cannot be read is refused before the program, what can be is let through."""

from __future__ import annotations

import json

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from examapp.core.hosts import find_name

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
def test_h17_a_host_that_is_none_is_refused_in_plain_words_on_every_path(app, session, host):
    """Before the program, whose pages of refusal could not be written under such a name."""
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
