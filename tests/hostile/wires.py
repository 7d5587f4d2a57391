"""The real web server over the tests' database, alone and behind the deployment's own nginx; and raw connections to either."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from examapp.config import Settings, setting_text
from examapp.ops.web_server import web_command
from tests.helpers.processes import free_port, is_ready, wait_until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
ROOT = Path(__file__).parents[2]
SYSTEMD, DOCKER = "docker/systemd/nginx.conf", "docker/nginx.conf"
_TRUSTING = ssl._create_unverified_context()
_READY_S = 60
SHORTER = {"client_header_timeout 10s": "client_header_timeout 2s", "client_body_timeout 15s": "client_body_timeout 3s"}
"""The deployment's patience, shortened for a test."""


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Where a server listens."""

    port: int
    is_tls: bool

    def connect(self, timeout_s: float = 10, *, source: str = "127.0.0.1") -> socket.socket:
        """Open a connection from an address of this machine, and shake hands where that is asked for."""
        line = socket.create_connection(("127.0.0.1", self.port), timeout_s, (source, 0))
        return _TRUSTING.wrap_socket(line, server_hostname="exam.test") if self.is_tls else line

    def answers(self) -> bool:
        """Tell whether a connection can be made."""
        with contextlib.suppress(OSError), self.connect():
            return True
        return False

    def http(self, *, source: str = "127.0.0.1") -> HTTPConnection:
        """A well-behaved client, by the site's name."""
        client = HTTPConnection("exam.test")
        client.sock = self.connect(60, source=source)
        return client


@contextlib.contextmanager
def web_server(settings: Settings, log: Path, **changes: int) -> Iterator[EntryPoint]:
    """Serve as every deployment does, by one process of few threads unless other settings are given."""
    few: dict[str, Any] = {"web_workers": 1, "hash_queue": 6, "trusted_proxies": 1}
    settings = replace(settings, port=free_port(), **few | changes)
    environment = {name.upper(): setting_text(getattr(settings, name)) for name in Settings.__dataclass_fields__} | {
        "APP_MODE": "tryout",
        "DEMO": "0",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            web_command(), env=environment | {"PATH": "/usr/bin:/bin"}, cwd=ROOT, stdout=output, stderr=output
        )
    try:
        assert wait_until(lambda: is_ready(settings.port), within_s=_READY_S), log.read_text()[-3000:]
        yield EntryPoint(settings.port, is_tls=False)
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def nginx_before(
    web: EntryPoint, folder: Path, file: str = SYSTEMD, changes: dict[str, str] | None = None
) -> Iterator[EntryPoint]:
    """A deployment's nginx.conf with other places and a certificate made here, and with changes of a test's own."""
    plain, tls = free_port(), free_port()
    key, certificate = folder / "site.key", folder / "site.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=exam.test", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    text = (ROOT / file).read_text()
    user = "user root;" if _is_root() else ""
    places = (
        SHORTER
        | (changes or {})
        | {
            "worker_processes auto;": "worker_processes 1; daemon off;",
            "pid /run/nginx.pid;": f"pid {folder}/nginx.pid;",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl default_server;": f"listen 127.0.0.1:{tls} ssl default_server;",
            "exam.example.gov.cn": "exam.test",
            "/etc/nginx/tls/site.crt": str(certificate),
            "/etc/nginx/tls/site.key": str(key),
            "http {": "http {\n"
            + "".join(
                f"    {part}_temp_path {folder}/{part};\n"
                for part in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            ),
        }
    )
    if file == SYSTEMD:
        places |= {
            "user www-data;": user,
            "/var/log/nginx/": f"{folder}/",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{tls} ssl;",
            "server 127.0.0.1:8000": f"server 127.0.0.1:{web.port}",
        }
    else:
        places |= {
            "worker_processes auto;": f"{user} worker_processes 1; daemon off;",
            "/dev/stdout": f"{folder}/access.log",
            "/dev/stderr": f"{folder}/error.log",
            "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
            "server 172.30.19.10:8000": f"server 127.0.0.1:{web.port}",
        }
    for place, other in places.items():
        assert place in text, f"nginx.conf has no {place!r} any more"
        text = text.replace(place, other)
    (folder / "nginx.conf").write_text(text)
    command = [NGINX, "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log")]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    process = subprocess.Popen(command)
    entry_point = EntryPoint(tls, is_tls=True)
    try:
        assert wait_until(lambda: process.poll() is not None or entry_point.answers(), within_s=10, every_s=0.05)
        assert process.poll() is None, (folder / "start.log").read_text()
        yield entry_point
    finally:
        process.terminate()
        process.wait(10)


def _is_root() -> bool:
    return Path("/proc/self").stat().st_uid == 0


def statuses(entry_point: EntryPoint, sent: bytes, *, patience_s: float = 6) -> list[int]:
    """Send bytes as they are; gives the status of every reply that comes until the server closes the line or says no more."""
    received = b""
    with contextlib.suppress(OSError), entry_point.connect() as line:
        line.settimeout(patience_s)
        line.sendall(sent)
        while part := line.recv(65_536):
            received += part
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", received)]


class Saver:
    """A candidate who goes on saving over the wire."""

    def __init__(self, entry_point: EntryPoint, cookie: dict[str, str], attempt_id: int) -> None:
        self._entry_point = entry_point
        self._path = f"/api/v1/attempts/{attempt_id}/answers"
        self._headers = {
            "Cookie": f"{cookie['name']}={cookie['value']}",
            "Content-Type": "application/json",
            "Host": "exam.test",
        }
        status, cookies, body = self._ask("GET", "/api/v1/session", None)
        assert status == 200
        if cookies:
            self._headers["Cookie"] = cookies[0].partition(";")[0]
        self._headers["X-CSRFToken"] = json.loads(body)["csrf_token"]
        self._seq = 0

    def save(self) -> int:
        """Save once more; gives the status."""
        self._seq += 1
        body = json.dumps({"epoch": 1, "changes": [{"item": 1, "seq": self._seq, "response": ["A"]}]})
        return self._ask("PUT", self._path, body)[0]

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, list[str], bytes]:
        client = self._entry_point.http()
        try:
            client.request(method, path, body, self._headers)
            answer = client.getresponse()
            return answer.status, answer.headers.get_all("Set-Cookie") or [], answer.read()
        finally:
            client.close()
