"""Slow, endless and broken senders against the real web server, alone and behind the deployment's nginx (H21)."""

from __future__ import annotations

import contextlib
import select
import time

import pytest

from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.browser.conftest import LiveSite
from tests.hostile.wires import NGINX, Saver, nginx_before, statuses, web_server

pytestmark = pytest.mark.slow
HOST = b"Host: exam.test\r\n"
REJECTED = {400, 403, 404, 405, 408, 411, 413, 414, 417, 426, 431, 501, 505}
BROKEN = {
    "two lengths": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a length with a sign": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nabcde",
    "a length that is none": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: five\r\n\r\nabcde",
    "an unknown encoding": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a chunk of a size that is none": b"POST /login HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "an endless chunk size": b"POST /login HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"f" * 40
    + b"\r\nabc",
    "100 KB of headers": b"GET /login HTTP/1.1\r\n"
    + HOST
    + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 1000) for n in range(100))
    + b"\r\n",
    "a header of 100 KB": b"GET /login HTTP/1.1\r\n" + HOST + b"Cookie: " + b"x" * 100_000 + b"\r\n\r\n",
    "HTTP/0.9": b"GET /login\r\n\r\n",
    "HTTP/3.7": b"GET /login HTTP/3.7\r\n" + HOST + b"\r\n",
    "no method": b"\x00\x01\x02\x03\r\n\r\n",
    "ten thousand parameters": b"GET /login?"
    + b"&".join(b"p%d=1" % n for n in range(10_000))
    + b" HTTP/1.1\r\n"
    + HOST
    + b"\r\n",
    "a way out of the folder": b"GET /static/../../../../etc/passwd HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "an escaped way out": b"GET /static/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "a NUL in the way": b"GET /static/app.css%00.png HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "a folded header": b"GET /login HTTP/1.1\r\n" + HOST + b"X-A: b\r\n c\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
}
BROKEN |= {
    f"a host that is none: {host[:12]}": b"GET /login HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode()
    for host in ("a..b", ".", "a" * 64, "xn--", "xn--a", "[::1", "a b", "<script>")
}
SMUGGLED = {
    "a length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
}


@pytest.fixture(scope="module")
def web(servers, race_app, tmp_path_factory):
    with web_server(servers.settings("race"), tmp_path_factory.mktemp("web") / "web.log") as entry_point:
        yield entry_point


@pytest.fixture(scope="module")
def front(web, tmp_path_factory):
    if NGINX is None:
        pytest.skip("nginx is not installed")
    with nginx_before(web, tmp_path_factory.mktemp("nginx")) as entry_point:
        yield entry_point


@pytest.fixture(params=["web", "front"])
def entry_point(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def saver(race_world, entry_point):
    candidate_client = make_exam_with_candidates(race_world)
    race_world.commit()
    return Saver(entry_point, LiveSite(race_world).cookie(candidate_client.person), candidate_client.attempt["id"])


@contextlib.contextmanager
def lines_to(entry_point, count, begin):
    """Hold so many connections, each having sent no more than a beginning."""
    with contextlib.ExitStack() as kept:
        lines = []
        for _ in range(count):
            line = kept.enter_context(entry_point.connect(30))
            line.sendall(begin)
            lines.append(line)
        yield lines


def count_cut(lines, *, patience_s):
    """Count the lines that the server has closed, with or without a word, waiting as long as its own patience lasts."""
    waiting, deadline = {line.fileno(): line for line in lines}, time.monotonic() + patience_s
    while waiting and time.monotonic() < deadline:
        for number in poll(waiting):
            try:
                is_over = not waiting[number].recv(65_536)
            except OSError:
                is_over = True
            if is_over:
                del waiting[number]
    return len(lines) - len(waiting)


def poll(waiting):
    poller = select.poll()
    for number in waiting:
        poller.register(number, select.POLLIN | select.POLLHUP)
    return [number for number, _ in poller.poll(500)]


def test_h21_saves_go_on_while_hundreds_send_a_header_that_never_ends(entry_point, saver):
    """And nginx lets those senders go by itself (so does the web server, after half a minute)."""
    begin = b"POST /login HTTP/1.1\r\n" + HOST + b"X-Slow: "
    count = 600 if entry_point.is_tls else 300  # a web process alone takes 512 connections at a time, whatever they do
    with lines_to(entry_point, count, begin) as lines:
        for line in lines[::3]:
            with contextlib.suppress(OSError):  # on a busy machine nginx has let the first ones go by now
                line.sendall(b"x")
        assert [saver.save() for _ in range(20)] == [200] * 20
        assert not entry_point.is_tls or count_cut(lines, patience_s=15) == count


def test_h21_behind_nginx_saves_go_on_while_hundreds_send_a_body_that_never_ends(front, race_world):
    """More than the web server has threads: nginx takes a body whole before it passes it on."""
    candidate_client = make_exam_with_candidates(race_world)
    race_world.commit()
    saver = Saver(front, LiveSite(race_world).cookie(candidate_client.person), candidate_client.attempt["id"])
    begin = (
        b"POST /login HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nlogin_name="
    )
    with lines_to(front, 300, begin) as lines:
        assert [saver.save() for _ in range(20)] == [200] * 20
        assert count_cut(lines, patience_s=15) == 300


def test_h21_a_few_slow_bodies_hold_no_save_up_even_without_nginx(web, race_world):
    candidate_client = make_exam_with_candidates(race_world)
    race_world.commit()
    saver = Saver(web, LiveSite(race_world).cookie(candidate_client.person), candidate_client.attempt["id"])
    begin = (
        b"POST /login HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nlogin_name="
    )
    with lines_to(web, 8, begin):  # half the threads
        assert [saver.save() for _ in range(20)] == [200] * 20


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_h21_a_broken_request_is_rejected_and_breaks_nothing(entry_point, name):
    got = statuses(entry_point, BROKEN[name])
    assert len(got) <= 1
    assert set(got) <= REJECTED, got


@pytest.mark.parametrize("name", sorted(SMUGGLED))
def test_h21_a_request_within_a_request_is_not_answered(front, name):
    """Behind nginx: whatever the two would read differently is rejected, and nothing that follows on the line is looked at."""
    sent = b"POST /login HTTP/1.1\r\n" + HOST + SMUGGLED[name] + b"GET /readyz HTTP/1.1\r\n" + HOST + b"\r\n"
    assert statuses(front, sent) in ([], [400], [501])


def test_h21_the_server_is_as_well_as_before(entry_point, saver):
    assert saver.save() == 200
