"""The two nginx files of a deployment, loaded by a real nginx: a county behind one address signs in, and rejections are pages people can read."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.helpers.processes import free_port
from tests.hostile.wires import DOCKER, NGINX, SYSTEMD, EntryPoint, nginx_before

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]
ENTRY_POINTS = ("/login", "/api/v1/session")


class _BackendHandler(BaseHTTPRequestHandler):
    """Answers everything with 200, so that each rejection seen is nginx's own."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT = do_GET  # noqa: N815 – the names that the base class looks for

    def log_message(self, *_text):
        pass


@pytest.fixture(scope="module")
def site():
    class UpstreamServer(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

    with UpstreamServer(("127.0.0.1", 0), _BackendHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield EntryPoint(server.server_address[1], is_tls=False)
        server.shutdown()


@pytest.fixture(scope="module", params=[DOCKER, SYSTEMD])
def front(request, site, tmp_path_factory):
    with nginx_before(site, tmp_path_factory.mktemp("nginx"), request.param) as entry_point:
        yield entry_point


@pytest.fixture(scope="module", params=[DOCKER, SYSTEMD])
def strict(request, site, tmp_path_factory):
    """The same with room for twenty in the zone, so that ten lines at once find it full."""
    less = {"burst=1000 delay=200": "burst=20 delay=18"}
    with nginx_before(site, tmp_path_factory.mktemp("strict"), request.param, less) as entry_point:
        yield entry_point


@pytest.fixture(scope="module", params=[DOCKER, SYSTEMD])
def lone(request, tmp_path_factory):
    """The web processes behind it are away."""
    with nginx_before(
        EntryPoint(free_port(), is_tls=False), tmp_path_factory.mktemp("lone"), request.param
    ) as entry_point:
        yield entry_point


def ask(entry_point, method, path, body=None, headers=None):
    with contextlib.closing(entry_point.http()) as client:
        client.request(method, path, body, headers or {})
        answer = client.getresponse()
        return answer, answer.read().decode()


def burst(entry_point, source, method, path, count, lines=10):
    """Send as fast as some lines of one address can; gives the statuses."""

    def send(_):
        with contextlib.closing(entry_point.http(source=source)) as client:
            for _ in range(count // lines):
                client.request(method, path, b"" if method == "POST" else None)
                answer = client.getresponse()
                answer.read()
                yield answer.status

    with ThreadPoolExecutor(lines) as pool:
        return [status for part in pool.map(lambda line: list(send(line)), range(lines)) for status in part]


@pytest.mark.parametrize("path", ENTRY_POINTS)
def test_sixty_sign_ins_a_second_of_one_address_are_not_rejected(front, path):
    """Ten seconds' worth of them at once, which is harder."""
    assert set(burst(front, f"127.0.0.{2 + ENTRY_POINTS.index(path)}", "POST", path, 600)) == {200}


@pytest.mark.parametrize("path", ENTRY_POINTS)
def test_who_floods_is_slowed_down_and_a_neighbour_at_the_same_address_still_gets_in(front, path):
    """Forty lines without a pause are paced, not rejected: each of the others waits in the same queue, behind forty at most."""
    source = f"127.0.0.{4 + ENTRY_POINTS.index(path)}"
    with ThreadPoolExecutor(1) as pool:
        flood = pool.submit(burst, front, source, "POST", path, 800, 40)
        assert set(burst(front, source, "POST", path, 20, 2)) == {200}
        assert set(flood.result()) == {200}


@pytest.mark.parametrize(("first", "second"), [ENTRY_POINTS, ENTRY_POINTS[::-1]])
def test_both_doors_are_one_zone_and_neither_looking_nor_another_address_is_in_it(strict, first, second):
    source = f"127.0.0.{10 + ENTRY_POINTS.index(first)}"
    with ThreadPoolExecutor(1) as pool:
        flood = pool.submit(burst, strict, source, "POST", first, 3000, 40)
        others = burst(strict, source, "POST", second, 100)
        looks = burst(strict, source, "GET", "/login", 100) + burst(strict, source, "GET", "/api/v1/session", 100)
        elsewhere = burst(strict, "127.0.0.20", "POST", second, 10, 1)
        assert not flood.done()
    assert 429 in flood.result()
    assert 429 in others
    assert set(looks) == set(elsewhere) == {200}


def test_anyone_rejected_gets_a_chinese_page_that_tries_again(strict):
    with ThreadPoolExecutor(1) as pool:
        flood = pool.submit(burst, strict, "127.0.0.30", "POST", "/login", 2000, 40)
        for path, word in (("/login", "回到登录页"), ("/login/ticket", "后退")):
            answer, page = until_rejected(strict, "127.0.0.30", path)
            assert answer.headers["Content-Type"].startswith("text/html")
            assert 5 <= int(answer.headers["Retry-After"]) <= 11
            assert "访问的人较多" in page and word in page
        answer, said = until_rejected(strict, "127.0.0.30", "/api/v1/session")
        assert (json.loads(said)["error"], answer.headers["Retry-After"]) == ("slow_down", "2")
        assert not flood.done()


def until_rejected(entry_point, source, path):
    with contextlib.closing(entry_point.http(source=source)) as client:
        while True:
            client.request("POST", path, b"")
            answer = client.getresponse()
            page = answer.read().decode()
            if answer.status == 429:
                return answer, page


def test_a_page_says_in_chinese_that_the_site_is_being_started_and_loads_again(lone):
    answer, page = ask(lone, "GET", "/exams")
    assert answer.status == 503
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "系统正在恢复" in page and "自动重试" in page
    assert re.search(r'http-equiv="refresh" content="(\d+)"', page)[1] == answer.headers["Retry-After"]
    assert "<script" not in page
    sent, page = ask(lone, "POST", "/feedback", b"text=x")
    assert sent.status == 503
    assert "后退" in page and "refresh" not in page, "nothing that was typed is thrown away"
    api, said = ask(lone, "GET", "/api/v1/session")
    assert (api.status, api.headers["Content-Type"]) == (503, "application/json")
    assert json.loads(said)["error"] == "try_again"


def test_what_is_too_large_or_unreadable_is_said_in_chinese(front):
    answer, page = ask(front, "POST", "/login", b"x" * 100_000)
    assert (answer.status, "提交的内容太大" in page) == (413, True)
    answer, page = ask(front, "GET", "/login", headers={"Cookie": "a=" + "x" * 20_000})
    assert (answer.status, "请求不完整" in page) == (400, True)
    answer, said = ask(front, "PUT", "/api/v1/attempts/1/answers", headers={"Content-Length": str(9 * 2**20)})
    assert (answer.status, json.loads(said)["error"]) == (413, "too_large")
    with front.connect() as line:
        line.sendall(b"\x00\x01\r\n\r\n")
        got = b"".join(iter(lambda: line.recv(65_536), b"")).decode()
    assert "400" in got.splitlines()[0] and "请求不完整" in got
