"""Hold a rehearsal with synthetic candidates: time each phase, and look for every acknowledged answer afterwards."""

from __future__ import annotations

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
from http import HTTPStatus

import structlog
from sqlalchemy import Engine, text

from examapp.ops import protocol_client
from examapp.ops.protocol_client import (
    Browser,
    Client,
    LostReplyError,
    ProtocolCall,
    Reply,
    UnexpectedReplyError,
    perform,
)
from examapp.platform.rehearsal_environment.actions import RehearsalError, Shadow, shadow_deployment
from examapp.platform.rehearsals.rules import SAVE_EVERY_S

_TIMEOUT_S = 20
_INSISTS_FOR_S = 30
_MAX_QUEUE_S = 60


@dataclass(slots=True)
class SimulatedCandidate:
    """One browser of one synthetic person, which remembers what the server acknowledged."""

    client: Client
    login_name: str
    password: str
    browser: Browser = field(default_factory=Browser)
    attempt_id: int = 0
    epoch: int = 1
    total: int = 0
    seq: int = 0
    acked: dict[int, int] = field(default_factory=dict)
    """The newest acknowledged counter by item: what must be in the database at the end."""

    def sign_in(self) -> None:
        """Sign in with the form, as a browser does."""
        perform(protocol_client.sign_in(self.browser, self.login_name, self.password), self._ask)

    def start(self, exam_id: int) -> None:
        """Start the exam, calling again while admission is full."""
        deadline = time.monotonic() + _MAX_QUEUE_S
        call = protocol_client.start_attempt(exam_id)
        while (reply := self._ask(call)).status == HTTPStatus.ACCEPTED:
            if time.monotonic() > deadline:
                raise UnexpectedReplyError(call, reply)
            time.sleep(0.5)
        attempt = reply.json()
        self.attempt_id, self.epoch = attempt["id"], attempt["epoch"]

    def read_paper(self) -> None:
        """Fetch the paper."""
        paper = self._ask(protocol_client.get_paper(self.attempt_id)).json()
        self.total = sum(len(section["items"]) for section in paper["sections"])

    def save(self) -> None:
        """Save one answer."""
        self.seq += 1
        change = protocol_client.next_choice(self.seq, self.total)
        answer = self._ask(protocol_client.save_answers(self.attempt_id, self.epoch, [change])).json()
        self.acked.update({int(item): seq for item, seq in answer["acked"].items()})

    def hand_in(self) -> None:
        """Hand in."""
        self._ask(protocol_client.submit(self.attempt_id, self.epoch))

    def _ask(self, call: ProtocolCall) -> Reply:
        """Call, and repeat for a while where the server asks for that, as any client does."""
        deadline = time.monotonic() + _INSISTS_FOR_S
        while True:
            reply = self.client.ask(call, self.browser)
            if reply.status < HTTPStatus.BAD_REQUEST:
                return reply
            if (
                reply.status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
                or time.monotonic() > deadline
            ):
                raise UnexpectedReplyError(call, reply)
            time.sleep(random.uniform(0.3, 0.9))  # noqa: S311 – spreads calls, keeps no secret


log = structlog.get_logger()
_DIGITS = re.compile(r"(?<=/)\d+")
_MIN, _MAX = 100, 240
_AT_ONCE = 24
_SAVING_S = 8.0
_GRADED_WITHIN_S = 90.0


@dataclass(slots=True)
class PhaseTimes:
    """Duration of each call of a phase, and of the phase, in seconds."""

    seconds: list[float] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def rate(self) -> float:
        """Give the calls a second."""
        return len(self.seconds) / self.wall_s if self.wall_s else 0.0

    @property
    def p95_ms(self) -> float:
        """Give the 95th percentile of the durations, infinite with fewer than two calls."""
        return 1000 * statistics.quantiles(self.seconds, n=20)[18] if len(self.seconds) > 1 else float("inf")


class CandidateGroup:
    """The synthetic candidates, and a count of failed calls by path and status."""

    def __init__(self, candidates: Sequence[SimulatedCandidate]) -> None:
        self.candidates = candidates
        self.failures: Counter[str] = Counter()
        self._lock = threading.Lock()

    def once_each(self, act: Callable[[SimulatedCandidate], None]) -> PhaseTimes:
        """Let every candidate do an act once, _AT_ONCE at a time."""
        timed, began = PhaseTimes(), time.perf_counter()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            took = list(pool.map(lambda candidate: self._timed(act, candidate), self.candidates))
        timed.seconds, timed.wall_s = [seconds for seconds in took if seconds is not None], time.perf_counter() - began
        return timed

    def save_for(self, seconds: float, *, per_second: float | None = None) -> PhaseTimes:
        """Let candidates save for some seconds: without pauses, or evenly at a rate."""
        timed, began = PhaseTimes(), time.perf_counter()
        shares = [self.candidates[n::_AT_ONCE] for n in range(_AT_ONCE)]
        pause = _AT_ONCE / per_second if per_second else 0.0

        def work(number: int) -> list[float]:
            took: list[float] = []
            due_at = began + pause * number / _AT_ONCE
            while (moment := time.perf_counter()) < began + seconds:
                if pause and moment < due_at:
                    time.sleep(min(due_at - moment, began + seconds - moment))
                    continue
                due_at += pause
                share = shares[number]
                one = self._timed(SimulatedCandidate.save, share[len(took) % len(share)])
                took += [one] if one is not None else []
            return took

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            timed.seconds = [one for took in pool.map(work, range(_AT_ONCE)) for one in took]
        timed.wall_s = time.perf_counter() - began
        return timed

    def _timed(self, act: Callable[[SimulatedCandidate], None], candidate: SimulatedCandidate) -> float | None:
        began = time.perf_counter()
        try:
            act(candidate)
        except (LostReplyError, UnexpectedReplyError) as error:
            with self._lock:
                self.failures[_DIGITS.sub("n", str(error))] += 1
            return None
        return time.perf_counter() - began


def rehearse(database_url: str, *, roster: int, progress: Callable[[int], None]) -> dict[str, float]:
    """Hold a synthetic exam on a shadow of this deployment; return what `rehearsals.rules.judge` reads.

    `progress` is called with the number of the step that begins. Raises RehearsalError.
    """
    people = min(max(roster, _MIN), _MAX)
    progress(1)
    with shadow_deployment(database_url, dict(os.environ)) as shadow:
        progress(2)
        county = shadow.run("rehearsal-county", str(people))
        group = CandidateGroup(
            [
                SimulatedCandidate(Client(shadow.port, _TIMEOUT_S), name, county["password"])
                for name in county["login_names"]
            ]
        )
        return _run_phases(shadow, group, county["exam_id"], roster=roster, progress=progress)


def _run_phases(
    shadow: Shadow, group: CandidateGroup, exam_id: int, *, roster: int, progress: Callable[[int], None]
) -> dict[str, float]:
    progress(3)
    sign_ins = group.once_each(SimulatedCandidate.sign_in)
    progress(4)
    starts = group.once_each(lambda candidate: candidate.start(exam_id))
    group.once_each(SimulatedCandidate.read_paper)
    group.candidates = [candidate for candidate in group.candidates if candidate.total]
    if len(group.candidates) < _AT_ONCE:
        raise RehearsalError("演练中登录或开考大多没有成功，服务器现在不能开考。请看日志。")
    progress(5)
    saves = group.save_for(_SAVING_S)
    progress(6)
    paced = group.save_for(_SAVING_S, per_second=roster / SAVE_EVERY_S)
    progress(7)
    hand_ins = group.once_each(SimulatedCandidate.hand_in)
    progress(8)
    if group.failures:
        log.warning("rehearsal_calls_failed", calls=dict(group.failures.most_common(10)))
    gradings = _grade(shadow, expected=len(hand_ins.seconds))
    return {
        "sign_ins": sign_ins.rate, "starts": starts.rate, "saves": saves.rate, "hand_ins": hand_ins.rate, "gradings": gradings,
        "save_p95_ms": paced.p95_ms, "start_p95_ms": starts.p95_ms, "failed": group.failures.total(),
        "lost": count_lost(shadow.engine, group.candidates),
    }  # fmt: skip


def _grade(shadow: Shadow, *, expected: int) -> float:
    """Let a sweeper grade everything; return gradings a second, from the first batch to the last, 0 where it takes too long."""
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


def count_lost(engine: Engine, candidates: Sequence[SimulatedCandidate]) -> int:
    """Count acknowledged answers of which the database holds no version of that or a later counter."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT attempt_id, item, seq FROM answers")).all()
    stored = {(row.attempt_id, row.item): row.seq for row in rows}
    return sum(
        stored.get((candidate.attempt_id, item), 0) < seq
        for candidate in candidates
        for item, seq in candidate.acked.items()
    )
