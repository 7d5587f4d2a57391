"""The router of a province: docker/province before two sites, by HAProxy itself."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import subprocess
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.sites import wait_until
from tests.helpers.processes import free_port

FILES = Path(__file__).parents[2] / "docker" / "province"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
HOSTS = {1: "nanshan.xuefa.example.gov.cn", 2: "beihe.xuefa.example.gov.cn"}
pytestmark = [pytest.mark.slow, pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")]


def site(name, hosts):
    """A site that answers with its name, and refuses a host that is not its own, as the program does."""

    class SiteHandler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = name.encode()
            self.send_response(200 if self.headers["Host"] in hosts else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), SiteHandler)
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def router(tmp_path):
    cells = {number: site(f"cell{number}", {host}) for number, host in HOSTS.items()}
    port = free_port()
    text = (FILES / "haproxy.cfg").read_text("utf-8").replace("/etc/haproxy/", f"{FILES}/")
    text = text.replace("maxconn 40000", "maxconn 2000")  # a shell may open fewer files than a service
    for number, server in cells.items():
        for machine in (1, 2):
            text = text.replace(f"10.{number}.0.{machine}:8080", f"127.0.0.1:{server.server_port}")
    text = re.sub(r"bind :443 .*", f"bind 127.0.0.1:{port}", text).replace("    bind :80\n", "")
    text = re.sub(r".*redirect scheme.*\n", "", text)
    (tmp_path / "haproxy.cfg").write_text(text)
    process = subprocess.Popen([HAPROXY, "-db", "-f", str(tmp_path / "haproxy.cfg")])
    yield port, cells
    process.terminate()
    process.wait(10)
    for server in cells.values():
        server.shutdown()
        server.server_close()


def ask(port, host, times=1):
    """Ask so many times over one connection; give the replies as status, body and headers."""
    replies = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for _ in range(times):
            connection.request("GET", "/", headers={"Host": host})
            reply = connection.getresponse()
            replies.append((reply.status, reply.read().decode(), reply.headers))
    return replies if times > 1 else replies[0]


def test_each_host_leads_to_its_cell_and_a_dead_one_harms_no_other(router):
    port, cells = router

    def is_up(host, status=200):
        try:
            return ask(port, host)[0] == status
        except OSError:
            return False

    for number, host in HOSTS.items():
        wait_until(partial(is_up, host), within_s=20)
        assert ask(port, host.upper())[1] == f"cell{number}"
        assert ask(port, host)[1] == f"cell{number}"
    status, body, _ = ask(port, "nobody.example.gov.cn")
    assert status == 200
    assert "请选择您所在的县" in body
    failed, ended = [], threading.Event()

    def ask_first():
        failed.extend(reply for reply in ask(port, HOSTS[1], times=1000) if reply[:2] != (200, "cell1"))
        ended.set()

    threading.Thread(target=ask_first, daemon=True).start()
    cells[2].shutdown()
    cells[2].server_close()
    wait_until(lambda: is_up(HOSTS[2], 503), within_s=20)
    status, body, headers = ask(port, HOSTS[2])
    assert headers["Retry-After"] == "5"
    assert "答案已存在您的电脑上" in body
    assert ended.wait(60)
    assert failed == [], "the other cell"
