"""A load generator: candidates who sign in and save over kept-alive connections, in threads of one process."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode


class Candidate:
    """One browser of one person."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        self.seq = 0
        self.received = 0
        self.requests = 0
        self.line: Line | None = None

    def call(
        self, method: str, path: str, body: object = None, *, form: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        headers = {
            "Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items()),
            "X-CSRFToken": self.csrf,
            "Accept-Encoding": "gzip",
        }
        data = None
        if form is not None:
            data, headers["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        self.requests += 1
        self.received += len(content) + sum(len(n) + len(v) + 4 for n, v in answer.getheaders())
        for cookie in answer.msg.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return answer.status, gzip.decompress(content) if answer.getheader("Content-Encoding") == "gzip" else content

    def sign_in(self, login_name: str, password: str) -> None:
        self.name = login_name
        _, page = self.call("GET", "/login")
        token = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page)
        status, _ = self.call(
            "POST",
            "/login",
            form={"login_name": login_name, "password": password, "csrf_token": token.group(1).decode()},
        )
        assert status == 303, status
        self.csrf = json.loads(self.call("GET", "/api/v1/session")[1])["csrf_token"]

    def start(self, exam_id: int) -> dict:
        status, body = self.call("POST", f"/api/v1/exams/{exam_id}/attempts", {})
        for _ in range(300):
            if status != 202:  # admission is full: the place in the queue is kept
                break
            time.sleep(1)
            status, body = self.call("POST", f"/api/v1/exams/{exam_id}/attempts", {})
        assert status in {200, 201}, (status, body)
        self.attempt = json.loads(body)
        self.epoch, self.total = self.attempt["epoch"], 65
        return self.attempt

    def take_over(self) -> None:
        self.epoch = json.loads(self.call("POST", f"/api/v1/attempts/{self.attempt['id']}/epoch")[1])["epoch"]

    def save(self) -> float:
        """Save one answer; gives how long it took, in seconds."""
        self.seq += 1
        change = {"item": 1 + self.seq % self.total, "seq": self.seq, "response": ["A" if self.seq % 2 else "B"]}
        if self.line is None:
            cookies = "; ".join(f"{n}={v}" for n, v in self.cookies.items())
            head = f"Cookie: {cookies}\r\nX-CSRFToken: {self.csrf}\r\nAccept-Encoding: gzip\r\nContent-Type: application/json\r\n"
            self.line = Line(self.port, f"PUT /api/v1/attempts/{self.attempt['id']}/answers", head)
        return self.line.ask(json.dumps({"epoch": self.epoch, "changes": [change]}).encode())


class Line:
    """One request repeated over one kept connection, with as little work for the caller as can be: the load must not be the limit."""

    def __init__(self, port: int, request: str, head: str = "") -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = f"{request} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{head}".encode()

    def ask(self, body: bytes) -> float:
        """Send once more and read the whole reply, which must be a 200; gives how long it took, in seconds."""
        began = time.perf_counter()
        self.connection.sendall(b"%sContent-Length: %d\r\n\r\n%s" % (self.head, len(body), body))
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        lower = received[:end].lower() + b"\r\n"
        at = lower.index(b"content-length:") + 15
        missing = end + 4 + int(lower[at : lower.index(b"\r", at)]) - len(received)
        while missing > 0:
            more = self._more()
            missing -= len(more)
            received += more
        took = time.perf_counter() - began
        assert received.startswith(b"HTTP/1.1 200"), received[:600]
        return took

    def _more(self) -> bytes:
        more = self.connection.recv(65536)
        assert more, "the server has hung up"
        return more


def sign_in_many(port: int, accounts: dict, count: int, *, offset: int = 0) -> list[Candidate]:
    """Sign in candidates of the demo county and start the mock exam."""
    names = accounts["candidates"]["login_names"][offset : offset + count]

    def one(name: str) -> Candidate:
        candidate = Candidate(port)
        candidate.sign_in(name, accounts["candidates"]["password"])
        candidate.start(accounts["open_exam_id"])
        candidate.take_over()
        return candidate

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, names))


def hammer(workers: list, times: int, work) -> tuple[float, list[float]]:
    """Let each worker do `work(worker)` so many times, all at once; gives the wall time and each duration, in seconds."""
    durations: list[list[float]] = [[] for _ in workers]
    barrier = threading.Barrier(len(workers) + 1)

    def run(index: int) -> None:
        barrier.wait()
        durations[index] = [work(workers[index]) for _ in range(times)]

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(workers))]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, [duration for listed in durations for duration in listed]
