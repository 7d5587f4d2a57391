"""Simulate the opening of an exam with SimPy: the gates are the program's own, what a call costs is measured (benchmarks.opening).

Queues and totals come out of it. Waits of single requests do not: disks, the network and the scheduler are not in it.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import simpy

from benchmarks.openings import Shape, Tally
from benchmarks.simulated_gates import Gate, Pace, StartQueue
from examapp.delivery.attempt_starts.actions import MAX_PAUSE_S
from examapp.organisation.sign_in.session import _APPOINTMENT_LIFE_S, _DELAY_S, _EARLY_S, _SOON_S
from examapp.security.concurrency_limiter import PriorityClass
from examapp.security.password_hashing import (
    _MIN_RATE,
    _WINDOW_S,
    Caller,
    Priority,
    RetryAfterScheduler,
    _BoundedQueue,
)

Steps = Generator[simpy.Event, Any, Any]
_FIRST, _LAST = 0, 1
"""Who has a processor first: everything but the hashes and what nobody waits for."""
_MAX_S = 7200.0
_MAX_LOBBY_PAUSE_S = 10.0
_SLICE_S = 0.002
"""How long a hash keeps a processor before others may have it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of one call: in the web process, in the database, behind the reply (grading), and of the load generator on the same machine."""

    web_s: float = 0.0
    database_s: float = 0.0
    behind_s: float = 0.0
    client_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What a measured wave says: of each call, of a hash, and of the site when nobody calls (processors)."""

    calls: Mapping[str, Cost]
    hash_s: float
    idle: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What serves, and its settings. Before a county's machine the load generator runs on the same processors (`is_own_generator`)."""

    cores: int
    web_processes: int
    hashes_at_once: int
    starts_per_second: float
    hash_queue: int = 30
    slots: int = 4
    has_lobby: bool = False
    has_generator: bool = False


class _Worker:
    """A web process: its slots, its interpreter, its hashing threads with the queue before them, and its gate."""

    def __init__(self, env: simpy.Environment, machine: Machine) -> None:
        def now() -> float:
            return float(env.now)

        at_once = max(1, machine.hashes_at_once // machine.web_processes)
        self.slots = simpy.PriorityResource(env, machine.slots)
        self.interpreter = simpy.Resource(env, 1)
        self.hashing = simpy.Resource(env, at_once)
        self.hash_queue = _BoundedQueue(at_once + machine.hash_queue)
        self.retries = RetryAfterScheduler(time_s=now)
        self.pace = Pace(machine.slots)
        self.gate = Gate(time_s=now, pace=self.pace)
        self.gate.set_up(per_second=machine.starts_per_second, processes=machine.web_processes)


@dataclass(slots=True)
class _Visitor:
    """One who comes, with what his browser's cookie says: when to come again."""

    number: int
    address: str
    come_at: float = math.inf
    ticket: int | None = None
    """The place in the queue before the start."""
    lobby_ticket: int | None = None
    """The place in the lobby before the password."""

    def priority_at(self, now: float) -> Priority:
        late_s = now - self.come_at
        is_due = -_EARLY_S <= late_s <= _APPOINTMENT_LIFE_S
        return Priority.RETURNING if is_due else Priority.NEWCOMER


class Opening:
    """One opening of an exam, as it is simulated."""

    def __init__(self, costs: Costs, machine: Machine, shape: Shape, *, seed: int = 1) -> None:
        self.costs, self.machine, self.shape = costs, machine, shape
        self.tally, self.busy_s = Tally(), 0.0
        self._env = simpy.Environment()
        self._rng = random.Random(seed)
        self._processors = simpy.PriorityResource(self._env, machine.cores)
        self._generator = simpy.Resource(self._env, 1)
        self._workers = [_Worker(self._env, machine) for _ in range(machine.web_processes)]
        self._hashed: deque[float] = deque()
        self._queue, self._lobby, self._has_ended = StartQueue(), StartQueue(), self._env.event()

    def run(self) -> Tally:
        """Let all come, until the last has started; who has not after two hours never will."""
        for number, at_s in enumerate(self.shape.arrivals(self._rng)):
            self._env.process(self._visit(number, at_s))
        if self.costs.idle:
            self._env.process(self._idle())
        self._env.run(until=self._has_ended | self._env.timeout(_MAX_S))
        return self.tally

    def busy_share(self) -> float:
        """Give how full the processors were from the first arrival to the last start."""
        return self.busy_s / (self.machine.cores * float(self._env.now)) if self._env.now else 0.0

    # What takes time

    def _work(self, seconds: float, priority: int = _FIRST) -> Steps:
        """Hold a processor."""
        if seconds > 0:
            with self._processors.request(priority) as processor:
                yield processor
                yield self._env.timeout(seconds)
            self.busy_s += seconds

    def _idle(self) -> Steps:
        """Take what the site takes when nobody calls."""
        while True:
            yield self._env.timeout(0.1)
            yield from self._work(0.1 * self.costs.idle)

    def _send(self, cost: Cost) -> Steps:
        """Take what the load generator takes, which is one thread on the same processors."""
        if self.machine.has_generator and cost.client_s:
            with self._generator.request() as turn:
                yield turn
                yield from self._work(cost.client_s)

    def _serve(self, worker: _Worker, cost: Cost, *, share: float = 1.0) -> Steps:
        """Take an interpreter and a processor, and then a processor for the database."""
        if cost.web_s:
            with worker.interpreter.request() as interpreter:
                yield interpreter
                yield from self._work(share * cost.web_s)
        yield from self._work(share * cost.database_s)
        if cost.behind_s and share == 1.0:
            self._env.process(self._work(cost.behind_s, _LAST))

    def _call(self, name: str) -> Steps:
        """Send a call to any process, and wait for the reply."""
        cost, worker = self.costs.calls[name], self._rng.choice(self._workers)
        yield from self._send(cost)
        with worker.slots.request(PriorityClass.CANDIDATE) as slot:
            yield slot
            yield from self._serve(worker, cost)

    # What a person does

    def _visit(self, number: int, at_s: float) -> Steps:
        yield self._env.timeout(at_s)
        visitor = _Visitor(number, self.shape.address(number))
        if not self.shape.is_signed_in(number):
            self.tally.wants_to_sign_in()
            yield from self._call("page")
            while (pause_s := (yield from self._try_to_sign_in(visitor))) is not None:
                yield self._env.timeout(pause_s)
            self.tally.has_signed_in(float(self._env.now))
        self.tally.wants_to_start()
        while (pause_s := (yield from self._try_to_start(visitor))) is not None:
            yield self._env.timeout(pause_s)
        self.tally.has_started(float(self._env.now))
        if self.tally.started == self.shape.people:
            self._has_ended.succeed()
        yield from self._call("paper")
        pause_s = self.shape.pause_s
        while True:
            yield self._env.timeout(pause_s)
            pause_s = max(self.shape.pause_s, (yield from self._save(number)))

    def _try_to_sign_in(self, visitor: _Visitor) -> Steps:
        """Sign in; give None, or the seconds after which to come again."""
        cost, worker = self.costs.calls["sign_in"], self._rng.choice(self._workers)
        yield from self._send(cost)
        with worker.slots.request(PriorityClass.CANDIDATE) as slot:
            yield slot
            caller = Caller(
                name=str(visitor.number), address=visitor.address, priority=visitor.priority_at(float(self._env.now))
            )
            if self.machine.has_lobby and (pause_s := self._wait_in_lobby(worker, visitor)):
                yield from self._serve(worker, self.costs.calls["turned_away"])
                return pause_s
            if not worker.hash_queue.has_room(caller.address, caller.priority):
                yield from self._serve(worker, self.costs.calls["turned_away"])
                return self._turn_away(worker, visitor)
            yield from self._serve(worker, cost, share=0.5)
            if not worker.hash_queue.try_enter(caller):
                return self._turn_away(worker, visitor)
        yield from self._hash(worker, caller)
        with worker.slots.request(PriorityClass.CANDIDATE) as slot:
            yield slot
            yield from self._serve(worker, cost, share=0.5)
        return None

    def _wait_in_lobby(self, worker: _Worker, visitor: _Visitor) -> float:
        """Keep a place in the lobby, and give the seconds after which to look again; 0 for one of the first, as many as may hash at once."""
        ahead = self._lobby.ahead_of(visitor.lobby_ticket)
        places = sum(one.hash_queue.capacity - one.hashing.count - len(one.hashing.queue) for one in self._workers)
        if ahead < places and worker.hash_queue.has_room(visitor.address, Priority.KNOWN_DEVICE):
            self._lobby.leave(visitor.lobby_ticket)
            visitor.lobby_ticket = None
            return 0.0
        visitor.lobby_ticket = visitor.lobby_ticket or self._lobby.enter()
        self.tally.turned_away += 1
        return min(max(1.0, math.ceil((ahead + 1 - places) / self._hashes_per_second())), _MAX_LOBBY_PAUSE_S)

    def _hash(self, worker: _Worker, caller: Caller) -> Steps:
        """Wait for a hashing thread, and hash on what the others leave, a little at a time."""
        with worker.hashing.request() as thread:
            yield thread
            for _ in range(slices := max(1, math.ceil(self.costs.hash_s / _SLICE_S))):
                yield from self._work(self.costs.hash_s / slices, _LAST)
        worker.hash_queue.leave(caller)
        worker.retries.record_done()
        self._hashed.append(float(self._env.now))

    def _hashes_per_second(self) -> float:
        """Give how many passwords were checked a second lately, or what is assumed of a quiet machine."""
        while self._hashed and self._hashed[0] < self._env.now - _WINDOW_S:
            self._hashed.popleft()
        return max(len(self._hashed) / _WINDOW_S, _MIN_RATE * self.machine.web_processes)

    def _turn_away(self, worker: _Worker, visitor: _Visitor) -> float:
        """Make an appointment as the program does, and give the seconds until then, with those by which the reply is held back."""
        self.tally.turned_away += 1
        now = float(self._env.now)
        left = visitor.come_at - now if visitor.come_at < math.inf else 0.0
        if left > _EARLY_S:
            return math.ceil(left)
        is_new = visitor.priority_at(now) is Priority.NEWCOMER
        wait_s = worker.retries.next_retry_s(visitor.address) if is_new else _SOON_S
        visitor.come_at = now + wait_s
        return wait_s + _DELAY_S

    def _try_to_start(self, visitor: _Visitor) -> Steps:
        """Call for the start; give None when let in, or the seconds after which to call again."""
        calls, worker = self.costs.calls, self._rng.choice(self._workers)
        yield from self._send(calls["start"])
        with worker.slots.request(PriorityClass.CANDIDATE) as slot:
            yield slot
            wait_s = worker.gate.try_admit(ahead=self._queue.ahead_of(visitor.ticket))
            if wait_s <= 0:
                self._queue.leave(visitor.ticket)
                yield from self._serve(worker, calls["start"])
                return None
            visitor.ticket = visitor.ticket or self._queue.enter()
            yield from self._serve(worker, calls["queued"])
        self.tally.queued += 1
        return min(math.ceil(wait_s), MAX_PAUSE_S)

    def _save(self, number: int) -> Steps:
        """Save, and give the seconds that the program asks for until the next time."""
        cost, worker = self.costs.calls["save"], self._rng.choice(self._workers)
        yield from self._send(cost)
        arrived = float(self._env.now)
        with worker.slots.request(PriorityClass.EXAM) as slot:
            yield slot
            began = float(self._env.now)
            yield from self._serve(worker, cost)
        now = float(self._env.now)
        worker.pace.observe(number, now=now, served_s=now - began, took_s=now - arrived)
        self.tally.saves += 1
        return worker.pace.next_save_ms(now) / 1000
