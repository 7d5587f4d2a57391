"""Messages go out once, at decent hours, one a day a person, through a file or a signed post; what fails is tried again and ends."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from datetime import time, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import select

from examapp import clock
from examapp.config import SettingsError, read_settings
from examapp.db.session import db
from examapp.organisation.people.rules import mobile_binding
from examapp.platform.notices.models import MessagePreference, OutgoingMessage
from examapp.platform.notices.rules import is_quiet
from examapp.platform.outgoing_messages.actions import claim_messages, send_out, send_out_many
from tests.helpers.messages import gateway

MOBILE = "13800000001"
SECRET = "a-secret-of-the-gateway"


@pytest.fixture
def send_waiting(app):
    """The sweep, in the application under test."""
    return app.extensions["celery"].tasks["messages.send_waiting"]


@pytest.fixture
def person(app, world):
    person = world.person()
    person.mobile_encrypted = app.extensions["cipher"].seal(MOBILE, associated_data=mobile_binding(person.id))
    world.session.flush()
    return person


def put(session, person, key, **fields):
    return send_out(
        session, person_id=person.id, kind="notice", text="请参加考试", once_key=key, now=clock.now(), **fields
    )


def state_of(session, key):
    session.expire_all()
    return session.scalars(select(OutgoingMessage).where(OutgoingMessage.once_key == key)).one()


def test_a_message_goes_out_once_however_often_it_is_put_down_and_swept(session, person, letters, send_waiting):
    assert put(session, person, "a") is True
    assert put(session, person, "a") is False
    send_waiting()
    send_waiting()
    assert [(line["id"], line["mobile"], line["text"]) for line in letters()] == [("a", MOBILE, "请参加考试")]
    assert state_of(session, "a").state == "sent"


def test_a_person_gets_one_message_a_day_and_the_next_one_tomorrow(session, person, letters, fixed_clock, send_waiting):
    put(session, person, "a")
    put(session, person, "b")
    send_waiting()
    assert [line["id"] for line in letters()] == ["a"]
    fixed_clock.at(fixed_clock.instant + timedelta(hours=23))
    send_waiting()
    assert [line["id"] for line in letters()] == ["a", "b"]


def test_the_last_call_goes_beside_the_days_message_but_not_to_who_wants_none_or_at_quiet_hours(
    world, session, person, letters, fixed_clock, send_waiting
):
    quiet_one = world.person()
    session.add(MessagePreference(person_id=quiet_one.id, unsubscribed_at=clock.now(), changed_at=clock.now()))
    put(session, person, "a")
    send_waiting()
    keys = [(person.id, "last"), (quiet_one.id, "not wanted")]
    send_out_many(session, keys, kind="notice", text="请", now=clock.now(), last_call=True)
    put(session, person, "b")
    evening = fixed_clock.instant + timedelta(hours=9)
    noon, _ = fixed_clock.instant, fixed_clock.at(evening)
    send_waiting()
    assert [line["id"] for line in letters()] == ["a"]
    fixed_clock.at(noon)
    send_waiting()
    assert [line["id"] for line in letters()] == ["a", "last"]
    assert state_of(session, "not wanted").state == "waiting"


def test_no_reminder_goes_at_quiet_hours_but_a_code_does_and_its_text_is_forgotten(
    session, person, letters, fixed_clock, send_waiting
):
    fixed_clock.at(fixed_clock.instant + timedelta(hours=9))  # nine in the evening
    put(session, person, "a")
    put(session, person, "code", urgent=True)
    send_waiting()
    assert [line["id"] for line in letters()] == ["code"]
    assert state_of(session, "code").text == ""
    fixed_clock.at(fixed_clock.instant + timedelta(hours=12))
    send_waiting()
    assert [line["id"] for line in letters()] == ["code", "a"]


def test_a_code_does_not_take_up_the_days_message(session, person, letters, send_waiting):
    put(session, person, "code", urgent=True)
    put(session, person, "code2", urgent=True)
    put(session, person, "a")
    send_waiting()
    assert sorted(line["id"] for line in letters()) == ["a", "code", "code2"]


def test_without_a_gateway_nothing_goes_out_and_old_messages_are_not_sent_later(
    app, session, person, tmp_path, fixed_clock, send_waiting
):
    put(session, person, "a")
    put(session, person, "code", urgent=True)
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=11))
    send_waiting()
    assert (state_of(session, "a").state, state_of(session, "code").state) == ("waiting", "expired")
    assert state_of(session, "code").text == ""
    fixed_clock.at(fixed_clock.instant + timedelta(days=3))
    with gateway(app, message_gateway=f"file:{tmp_path}/x"):
        send_waiting()
    assert state_of(session, "a").state == "expired"
    assert not (tmp_path / "x").exists()


def test_who_has_no_mobile_number_is_noted_and_frees_the_day(world, session, letters, send_waiting):
    without = world.person()
    put(session, without, "a")
    send_waiting()
    row = state_of(session, "a")
    assert (row.state, row.reason, row.sent_on) == ("failed", "没有登记手机号", None)
    assert letters() == []


def test_a_message_left_by_a_dead_worker_is_taken_again_after_its_lease(
    session, person, letters, fixed_clock, send_waiting
):
    put(session, person, "a")
    assert len(claim_messages(session, quiet=None, now=clock.now())) == 1
    send_waiting()
    assert letters() == []
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=6))
    send_waiting()
    assert [line["id"] for line in letters()] == ["a"]


def test_texts_are_forgotten_after_a_month_and_rows_after_a_year(session, person, letters, fixed_clock, send_waiting):
    put(session, person, "a")
    send_waiting()
    fixed_clock.at(fixed_clock.instant + timedelta(days=31))
    send_waiting()
    assert state_of(session, "a").text == ""
    fixed_clock.at(fixed_clock.instant + timedelta(days=400))
    send_waiting()
    assert session.query(OutgoingMessage).count() == 0


class Receiver(BaseHTTPRequestHandler):
    """A gateway of the test: answers what it is told, keeps what it was sent."""

    answers: list[int]
    seen: list[tuple[dict, bytes]]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((dict(self.headers), body))
        self.send_response(self.answers.pop(0) if self.answers else 200)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def receiver(app):
    handler = type("OneReceiver", (Receiver,), {"answers": [], "seen": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/sms"
    with gateway(app, message_gateway=url, message_gateway_secret=SECRET):
        yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_posted_message_is_signed_over_time_and_body(session, person, receiver, send_waiting):
    put(session, person, "a")
    send_waiting()
    [(headers, body)] = receiver.seen
    expected = hmac.new(SECRET.encode(), headers["X-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Signature"] == f"sha256={expected}"
    assert json.loads(body)["mobile"] == MOBILE
    assert state_of(session, "a").state == "sent"


def test_a_busy_gateway_is_asked_again_with_the_same_key_and_a_rejection_is_final(
    session, person, receiver, fixed_clock, send_waiting
):
    receiver.answers[:] = [503, 200]
    put(session, person, "a")
    send_waiting()
    assert (state_of(session, "a").state, state_of(session, "a").reason) == ("waiting", "网关答复 503")
    fixed_clock.at(fixed_clock.instant + timedelta(minutes=3))
    send_waiting()
    assert state_of(session, "a").state == "sent"
    keys = {headers["Idempotency-Key"] for headers, _ in receiver.seen}
    assert len(receiver.seen) == 2 and len(keys) == 1
    fixed_clock.at(fixed_clock.instant + timedelta(days=1))
    receiver.answers[:] = [400]
    put(session, person, "b")
    send_waiting()
    assert state_of(session, "b").state == "failed"


def test_a_redirect_is_not_followed_and_a_dead_gateway_ends_after_five_tries(
    app, session, person, receiver, fixed_clock, send_waiting
):
    receiver.answers[:] = [302]
    put(session, person, "a")
    send_waiting()
    assert state_of(session, "a").state == "failed"
    put(session, person, "b")
    with gateway(app, message_gateway="http://127.0.0.1:9/", message_gateway_secret=SECRET):
        for _ in range(6):
            send_waiting()
            fixed_clock.at(fixed_clock.instant + timedelta(minutes=15))
    row = state_of(session, "b")
    assert (row.state, row.delivery_count) == ("failed", 5)


@pytest.mark.parametrize(
    ("at", "quiet", "expected"),
    [
        (time(20, 0), (time(20), time(8)), True),
        (time(7, 59), (time(20), time(8)), True),
        (time(8, 0), (time(20), time(8)), False),
        (time(12, 30), (time(12), time(14)), True),
        (time(14, 0), (time(12), time(14)), False),
        (time(3, 0), None, False),
    ],
)
def test_quiet_hours_run_over_midnight_too(at, quiet, expected):
    assert is_quiet(at, quiet) is expected


@pytest.mark.parametrize(
    "fields",
    [
        {"MESSAGE_GATEWAY": "ftp://x"},
        {"MESSAGE_GATEWAY": "file:relative"},
        {"MESSAGE_GATEWAY": "https://sms.example", "MESSAGE_GATEWAY_SECRET": "short"},
        {"MESSAGE_QUIET_HOURS": "evening"},
    ],
)
def test_a_wrong_setting_of_the_gateway_is_rejected_at_the_start(fields):
    with pytest.raises(SettingsError):
        read_settings({"APP_MODE": "testing", "DATABASE_URL": "x", "REDIS_URL": "x"} | fields).check()


def test_many_people_are_written_to_in_one_statement(world, session, statements):
    people = [world.person() for _ in range(5)]
    with statements() as seen:
        new = send_out_many(session, [(p.id, f"k{p.id}") for p in people], kind="chase", text="请", now=clock.now())
    assert (new, len(seen)) == (5, 1)


def test_two_workers_at_once_do_not_send_a_person_two_messages(race_app, race_world):
    person = race_world.person()
    for key in ("a", "b"):
        put(race_world.session, person, key)
    race_world.commit()
    claimed, start = [], threading.Barrier(2)

    def claim():
        from sqlalchemy.orm import Session

        with race_app.app_context(), Session(db.engine) as own:
            start.wait()
            claimed.extend(claim_messages(own, quiet=None, now=clock.now()))
            own.commit()

    threads = [threading.Thread(target=claim) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 1
