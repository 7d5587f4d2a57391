"""Notices and feedback."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

from tests.helpers import forms


def post(client, path, **fields):
    """Post a form with the token of its page; publishing and withdrawing have theirs on the notice's page."""
    page = path.rsplit("/", 1)[0] if path.endswith(("/publish", "/withdraw")) else path
    return forms.post(client, path, fields, page=page)


def write(client, **fields):
    """Write a notice; gives the address of its page."""
    answer = post(
        client,
        "/admin/messages/notices/new",
        **{"title": "考试安排", "text": "十一月三十日前完成。\n请互相转告。"} | fields,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


@contextmanager
def gateway(app, **fields):
    """The application with these settings of the gateway, for a while."""
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, **fields)
    try:
        yield
    finally:
        app.config["SETTINGS"] = before
