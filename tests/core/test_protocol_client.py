"""The client of the delivery protocol: replies of either length, cookies, connections that the server closes, and replies that are lost."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from types import SimpleNamespace

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from examapp.delivery.attempts.models import Answer
from examapp.ops.protocol_client import (
    AsyncClient,
    Browser,
    Client,
    LostReplyError,
    ProtocolCall,
    UnexpectedReplyError,
    perform,
    sign_in,
)
from examapp.organisation.people.models import Account
from examapp.platform.rehearsal_runs.actions import SimulatedCandidate
from tests.attempts.candidate_clients import KINDS, make_bank
from tests.people.conftest import PASSWORD, hash_of

LOOK = ProtocolCall("GET", "/look")
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nSet-Cookie: a=1; Path=/\r\nRetry-After: 3\r\n\r\n[77]"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[7\r\n2;x=1\r\n7]\r\n0\r\n\r\n"
PACKED = gzip.compress(b'{"a": 1}')


@pytest.fixture
def serve():
    """Serve connections one after the other: `serve([reply, reply], [reply])` answers two requests, then closes; gives port and requests."""
    listener, received, kept = socket.create_server(("127.0.0.1", 0)), [], []

    def begin(*connections):
        def work():
            for replies in connections:
                line, _ = listener.accept()
                kept.append(line)
                for reply in replies:
                    received.append(line.recv(65536))
                    for byte in range(0, len(reply), 7):
                        line.sendall(reply[byte : byte + 7])
                if replies is not connections[-1]:
                    line.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=work, daemon=True).start()
        return listener.getsockname()[1], received

    yield begin
    for line in (listener, *kept):
        line.close()


def blocking(port, calls, browser, timeout_s=5):
    client = Client(port, timeout_s)
    try:
        return [client.ask(call, browser) for call in calls]
    finally:
        client.close()


def on_a_loop(port, calls, browser, timeout_s=5):
    async def work():
        client = AsyncClient(port, timeout_s=timeout_s)
        try:
            return [await client.ask(call, browser) for call in calls]
        finally:
            client.close()

    return asyncio.run(work())


both = pytest.mark.parametrize("ask", [blocking, on_a_loop])


@both
def test_replies_are_read_whole_over_one_connection_and_cookies_are_sent_back(serve, ask):
    packed = b"HTTP/1.1 503 Busy\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED
    port, received = serve([WHOLE, CHUNKED, packed])
    browser = Browser(csrf="token")
    first, second, third = ask(port, [LOOK, ProtocolCall.with_json("POST", "/do", {"名": 1}), LOOK], browser)
    assert (first.status, first.json(), first.retry_after_s, second.status, second.json()) == (200, [77], 3, 201, [77])
    assert (third.status, third.json(), third.retry_after_s) == (503, {"a": 1}, 0)
    assert browser.cookies == {"a": "1"} and b"Cookie" not in received[0]
    assert b"\r\nCookie: a=1\r\nX-CSRFToken: token\r\n" in received[1] and received[1].endswith('{"名": 1}'.encode())


@both
def test_a_kept_connection_that_was_closed_is_replaced_and_the_call_repeated(serve, ask):
    port, received = serve([WHOLE], [WHOLE])
    assert [reply.status for reply in ask(port, [LOOK, LOOK], Browser())] == [200, 200]
    assert len(received) == 2


@both
def test_a_reply_that_breaks_off_is_lost_and_nothing_is_repeated(serve, ask):
    port, received = serve([WHOLE, WHOLE[:30]], [WHOLE])
    with pytest.raises(LostReplyError):
        ask(port, [LOOK, LOOK], Browser())
    assert len(received) == 2


@both
def test_a_reply_that_never_comes_is_lost_when_the_time_is_over(serve, ask):
    port, _ = serve([b""])
    with pytest.raises(LostReplyError):
        ask(port, [LOOK], Browser(), timeout_s=0.2)


def test_signing_in_posts_the_token_of_the_page_and_learns_that_of_the_session(serve):
    page = b'HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\n<input name="csrf_token" value="of-page">'
    seen = b"HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n\r\n"
    session = b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"csrf_token":"session"}'
    port, received = serve([page, seen, session, page, page])
    browser, client = Browser(), Client(port)
    perform(sign_in(browser, "A1", "words"), lambda call: client.ask(call, browser))
    assert browser.csrf == "session" and received[1].endswith(b"login_name=A1&password=words&csrf_token=of-page")
    with pytest.raises(UnexpectedReplyError, match="/login: 200"):
        perform(sign_in(browser, "A1", "wrong"), lambda call: client.ask(call, browser))
    client.close()


class _OneCallAConnection(WSGIRequestHandler):
    """Werkzeug swallows a request that follows the reply before it at once on a kept connection."""

    def setup(self) -> None:
        super().setup()
        self.protocol_version = "HTTP/1.0"


@pytest.fixture
def exam(race_world, race_app):
    """An open exam on the application behind a port; gives port, exam and a person's login name."""
    make_bank(race_world)
    person, exam = race_world.person(), race_world.exam(race_world.blueprint(KINDS))
    race_world.session.query(Account).filter_by(person_id=person.id).one().password_hash = hash_of(
        race_app.extensions["hasher"], PASSWORD
    )
    race_world.commit()
    server = make_server("127.0.0.1", 0, race_app, threaded=True, request_handler=_OneCallAConnection)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield SimpleNamespace(port=server.server_port, id=exam.id, login_name=person.staff_number)
    server.shutdown()
    server.server_close()


def test_a_rehearsals_candidate_takes_a_whole_exam(exam, race_world):
    candidate = SimulatedCandidate(Client(exam.port), exam.login_name, PASSWORD)
    candidate.sign_in()
    candidate.start(exam.id)
    candidate.read_paper()
    for _ in range(3):
        candidate.save()
    candidate.hand_in()
    candidate.client.close()
    race_world.session.rollback()
    stored = {answer.item: answer.seq for answer in race_world.session.query(Answer)}
    assert candidate.total > 3 and candidate.acked and stored == candidate.acked
