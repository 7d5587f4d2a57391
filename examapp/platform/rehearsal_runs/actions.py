"""A synthetic candidate: a client of the delivery protocol that remembers what the server acknowledged."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import structlog
from sqlalchemy import Engine, text

from examapp.platform.rehearsal_environment.actions import RehearsalError, Shadow, shadow_deployment
from examapp.platform.rehearsals.rules import SAVE_EVERY_S

_TIMEOUT_S = 20
_INSISTS_FOR_S = 30
_MAX_QUEUE_S = 60
_TOKEN = re.compile(rb'name="csrf_token"[^>]*value="([^"]+)"')


class CallFailedError(Exception):
    """A call was not answered as the protocol says."""


@dataclass(slots=True)
class Candidate:
    """One browser of one synthetic person."""

    port: int
    login_name: str
    password: str
    attempt_id: int = 0
    epoch: int = 1
    total: int = 0
    seq: int = 0
    acked: dict[int, int] = field(default_factory=dict)
    """The newest acknowledged counter by item: what must be in the database at the end."""
    _cookies: dict[str, str] = field(default_factory=dict)
    _csrf: str = ""
    _connection: http.client.HTTPConnection | None = None

    def sign_in(self) -> None:
        """Sign in with the form, as a browser does."""
        _, page = self._call("GET", "/login", expected={200})
        token = _TOKEN.search(page)
        if token is None:
            raise CallFailedError("/login: no token")
        form = {"login_name": self.login_name, "password": self.password, "csrf_token": token.group(1).decode()}
        self._call("POST", "/login", form=form, expected={303})
        self._csrf = self._json("GET", "/api/v1/session")["csrf_token"]

    def start(self, exam_id: int) -> None:
        """Start the exam, standing in the queue where there is one, and fetch the paper."""
        deadline = time.monotonic() + _MAX_QUEUE_S
        while True:
            status, body = self._call("POST", f"/api/v1/exams/{exam_id}/attempts", {}, expected={200, 201, 202})
            if status != 202:
                break
            if time.monotonic() > deadline:
                raise CallFailedError("queued too long")
            time.sleep(0.5)
        attempt = json.loads(body)
        self.attempt_id, self.epoch = attempt["id"], attempt["epoch"]

    def read_paper(self) -> None:
        """Fetch the paper."""
        paper = self._json("GET", f"/api/v1/attempts/{self.attempt_id}/paper")
        self.total = sum(len(section["items"]) for section in paper["sections"])

    def save(self) -> None:
        """Save one answer."""
        self.seq += 1
        change = self._change(1 + self.seq % self.total)
        path = f"/api/v1/attempts/{self.attempt_id}/answers"
        answer = self._json("PUT", path, {"epoch": self.epoch, "changes": [change]})
        self.acked.update({int(item): seq for item, seq in answer["acked"].items()})

    def hand_in(self) -> None:
        """Hand in."""
        path = f"/api/v1/attempts/{self.attempt_id}/submission"
        self._json("POST", path, {"epoch": self.epoch, "answers": []}, expected={200, 201})

    def _change(self, item: int) -> dict[str, Any]:
        return {"item": item, "seq": self.seq, "response": ["AB"[self.seq % 2]]}

    def _json(self, method: str, path: str, body: object = None, *, expected: set[int] | None = None) -> Any:
        return json.loads(self._call(method, path, body, expected=expected or {200})[1])

    def _call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        form: dict[str, str] | None = None,
        expected: set[int],
    ) -> tuple[int, bytes]:
        """Call, and repeat for a while where the server asks for that, as any client does."""
        deadline = time.monotonic() + _INSISTS_FOR_S
        while True:
            status, content = self._once(method, path, body, form=form)
            if status in expected:
                return status, content
            if status not in {429, 503} or time.monotonic() > deadline:
                raise CallFailedError(f"{path}: {status}")
            time.sleep(random.uniform(0.3, 0.9))  # noqa: S311 – spreads calls, keeps no secret

    def _once(self, method: str, path: str, body: object, *, form: dict[str, str] | None) -> tuple[int, bytes]:
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "X-CSRFToken": self._csrf,
            "Accept-Encoding": "gzip",
        }
        data = None
        if form is not None:
            data, headers["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        is_reused = self._connection is not None
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT_S)
            self._connection.request(method, path, data, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection = None
            if is_reused:  # the server ends a connection that was idle; a browser dials again without a word
                return self._once(method, path, body, form=form)
            raise CallFailedError(f"{path}: {type(error).__name__}") from error
        for cookie in answer.msg.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";", 1)[0].partition("=")
            self._cookies[name] = value
        return answer.status, gzip.decompress(content) if answer.getheader("Content-Encoding") == "gzip" else content


log = structlog.get_logger()
_DIGITS = re.compile(r"(?<=/)\d+")
_MIN, _MAX = 100, 240
_AT_ONCE = 24
_SAVING_S = 8.0
_GRADED_WITHIN_S = 90.0


@dataclass(slots=True)
class Timed:
    """What a phase came to: how long each call took, and how long the phase."""

    seconds: list[float] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.seconds) / self.wall_s if self.wall_s else 0.0

    @property
    def p95_ms(self) -> float:
        """The time within which 95 of 100 calls were answered."""
        return 1000 * statistics.quantiles(self.seconds, n=20)[18] if len(self.seconds) > 1 else float("inf")


class Sitting:
    """The synthetic candidates, and which of their calls failed how often."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.failures: Counter[str] = Counter()
        self._lock = threading.Lock()

    def once_each(self, act: Callable[[Candidate], None]) -> Timed:
        """Let every candidate do an act once, as many at once as keep the machine busy."""
        timed, began = Timed(), time.perf_counter()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            took = list(pool.map(lambda candidate: self._timed(act, candidate), self.candidates))
        timed.seconds, timed.wall_s = [seconds for seconds in took if seconds is not None], time.perf_counter() - began
        return timed

    def save_for(self, seconds: float, *, per_second: float | None = None) -> Timed:
        """Let candidates save for a while: as fast as they can, or at a rate, spread evenly."""
        timed, began = Timed(), time.perf_counter()
        shares = [self.candidates[n::_AT_ONCE] for n in range(_AT_ONCE)]
        pause = _AT_ONCE / per_second if per_second else 0.0

        def work(number: int) -> list[float]:
            took: list[float] = []
            turn = began + pause * number / _AT_ONCE
            while (moment := time.perf_counter()) < began + seconds:
                if pause and moment < turn:
                    time.sleep(min(turn - moment, began + seconds - moment))
                    continue
                turn += pause
                share = shares[number]
                one = self._timed(Candidate.save, share[len(took) % len(share)])
                took += [one] if one is not None else []
            return took

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            timed.seconds = [one for took in pool.map(work, range(_AT_ONCE)) for one in took]
        timed.wall_s = time.perf_counter() - began
        return timed

    def _timed(self, act: Callable[[Candidate], None], candidate: Candidate) -> float | None:
        began = time.perf_counter()
        try:
            act(candidate)
        except CallFailedError as error:
            with self._lock:
                self.failures[_DIGITS.sub("n", str(error))] += 1
            return None
        return time.perf_counter() - began


def rehearse(database_url: str, *, roster: int, progress: Callable[[int], None]) -> dict[str, float]:
    """Hold a whole synthetic sitting against a shadow of this deployment; gives what admin.rules.rehearsal.judge reads.

    `progress` is told the number of the step that begins. Raises RehearsalError.
    """
    people = min(max(roster, _MIN), _MAX)
    progress(1)
    with shadow_deployment(database_url, dict(os.environ)) as shadow:
        progress(2)
        county = shadow.run("rehearsal-county", str(people))
        sitting = Sitting([Candidate(shadow.port, name, county["password"]) for name in county["login_names"]])
        return _sit(shadow, sitting, county["exam_id"], roster=roster, progress=progress)


def _sit(
    shadow: Shadow, sitting: Sitting, exam_id: int, *, roster: int, progress: Callable[[int], None]
) -> dict[str, float]:
    progress(3)
    sign_ins = sitting.once_each(Candidate.sign_in)
    progress(4)
    starts = sitting.once_each(lambda candidate: candidate.start(exam_id))
    sitting.once_each(Candidate.read_paper)
    sitting.candidates = [candidate for candidate in sitting.candidates if candidate.total]
    if len(sitting.candidates) < _AT_ONCE:
        raise RehearsalError("演练中登录或开考大多没有成功，服务器现在不能开考。请看日志。")
    progress(5)
    saves = sitting.save_for(_SAVING_S)
    progress(6)
    paced = sitting.save_for(_SAVING_S, per_second=roster / SAVE_EVERY_S)
    progress(7)
    hand_ins = sitting.once_each(Candidate.hand_in)
    progress(8)
    if sitting.failures:
        log.warning("rehearsal_calls_failed", calls=dict(sitting.failures.most_common(10)))
    gradings = _grade(shadow, expected=len(hand_ins.seconds))
    return {
        "sign_ins": sign_ins.rate, "starts": starts.rate, "saves": saves.rate, "hand_ins": hand_ins.rate, "gradings": gradings,
        "save_p95_ms": paced.p95_ms, "start_p95_ms": starts.p95_ms, "failed": sitting.failures.total(),
        "lost": count_lost(shadow.engine, sitting.candidates),
    }  # fmt: skip


def _grade(shadow: Shadow, *, expected: int) -> float:
    """Let a sweeper grade everything; gives gradings a second, from the first batch to the last."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "sweep", "--every", "1"]
    sweeper = subprocess.Popen(command, env=shadow.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    began: float | None = None
    first = graded = 0
    deadline = time.monotonic() + _GRADED_WITHIN_S
    try:
        while time.monotonic() < deadline:
            with shadow.engine.connect() as connection:
                graded = connection.execute(text("SELECT count(*) FROM grades")).scalar_one()
            if graded and began is None:
                began, first = time.perf_counter(), graded
            if graded >= expected:
                break
            time.sleep(0.02)
    finally:
        sweeper.terminate()
        sweeper.wait(20)
    if graded < expected or began is None:
        return 0.0
    return (graded - first) / (time.perf_counter() - began) if graded > first else float(graded)


def count_lost(engine: Engine, candidates: Sequence[Candidate]) -> int:
    """Count acknowledged answers that the database does not hold at their place or a later one."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT attempt_id, item, seq FROM answers")).all()
    stored = {(row.attempt_id, row.item): row.seq for row in rows}
    return sum(
        stored.get((candidate.attempt_id, item), 0) < seq
        for candidate in candidates
        for item, seq in candidate.acked.items()
    )
