"""A load generator: candidates who sign in and save over kept-alive connections, in threads of one process."""

from __future__ import annotations

import gzip
import http.client
import json
import re
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
        began = time.perf_counter()
        status, body = self.call(
            "PUT", f"/api/v1/attempts/{self.attempt['id']}/answers", {"epoch": self.epoch, "changes": [change]}
        )
        took = time.perf_counter() - began
        assert status == 200, (status, body)
        return took


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
