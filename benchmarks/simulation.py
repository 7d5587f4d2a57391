"""Simulate the opening of an exam with SimPy: the gates are the program's own, what a call costs is measured (benchmarks.opening).

Queues and totals come out of it. Waits of single requests do not: disks, the network and the scheduler are not in it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import simpy

from benchmarks.openings import OpeningShape, Tally
from benchmarks.simulated_gates import Cookie, Gate, HashGate, SaveThrottle, StartQueue
from examapp.delivery.attempt_starts.actions import MAX_PAUSE_S
from examapp.organisation.sign_in.session import _DELAY_S
from examapp.security.concurrency_limiter import PriorityClass
from examapp.security.password_hashing import Caller

Steps = Generator[simpy.Event, Any, Any]
_FIRST, _LAST = 0, 1
"""Who has a processor first: everything but the hashes and what nobody waits for."""
_MAX_S = 7200.0
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
class SimulatedMachine:
    """What serves, and its settings. `has_generator`: the load generator runs on the same processors, as where the waves are measured."""

    cores: int
    web_processes: int
    hashes_at_once: int
    starts_per_second: float
    hash_queue: int = 30
    slots: int = 4
    has_lobby: bool = True
    has_generator: bool = False


class _Worker:
    """A web process: its slots, its interpreter, its hashing threads with the queue before them, and the throttle of its saves."""

    def __init__(self, env: simpy.Environment, machine: SimulatedMachine) -> None:
        threads = max(1, machine.hashes_at_once // machine.web_processes)
        self.slots = simpy.PriorityResource(env, machine.slots)
        self.interpreter = simpy.Resource(env, 1)
        self.hashing = simpy.Resource(env, threads)
        self.gate = HashGate(threads=threads, queue=machine.hash_queue, time_s=lambda: float(env.now))
        self.throttle = SaveThrottle(machine.slots)


class Opening:
    """One opening of an exam, as it is simulated."""

    def __init__(self, costs: Costs, machine: SimulatedMachine, shape: OpeningShape, *, seed: int = 1) -> None:
        self.costs, self.machine, self.shape = costs, machine, shape
        self.tally, self.busy_s = Tally(), 0.0
        self._env = simpy.Environment()
        self._rng = random.Random(seed)
        self._processors = simpy.PriorityResource(self._env, machine.cores)
        self._generator = simpy.Resource(self._env, 1)
        self._workers = [_Worker(self._env, machine) for _ in range(machine.web_processes)]
        self._queue, self._has_ended = StartQueue(), self._env.event()
        self._gate = Gate(time_s=self._now_s)
        self._gate.set_up(per_second=machine.starts_per_second)

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

    def _now_s(self) -> float:
        return float(self._env.now)

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
        if not self.shape.is_signed_in(number):
            self.tally.wants_to_sign_in()
            yield from self._sign_in(number, Cookie(self.shape.address(number)))
            self.tally.has_signed_in(self._now_s())
        self.tally.wants_to_start()
        yield from self._start()
        self.tally.has_started(self._now_s())
        if self.tally.started == self.shape.people:
            self._has_ended.succeed()
        yield from self._call("paper")
        pause_s = self.shape.pause_s
        while True:
            yield self._env.timeout(pause_s)
            pause_s = max(self.shape.pause_s, (yield from self._save(number)))

    def _sign_in(self, number: int, cookie: Cookie) -> Steps:
        """Open the page, wait in the lobby where there is one, and send the password until it is taken."""
        look_s = yield from self._look("page", cookie)
        while look_s:
            yield self._env.timeout(look_s)
            look_s = yield from self._look("turn", cookie)
        while (pause_s := (yield from self._send_password(number, cookie))) is not None:
            self.tally.turned_away += 1
            yield self._env.timeout(pause_s)

    def _look(self, name: str, cookie: Cookie) -> Steps:
        """Open the page or ask for the turn; give the seconds after which to look again, 0 where the password may be sent."""
        cost, worker = self.costs.calls[name], self._rng.choice(self._workers)
        yield from self._send(cost)
        with worker.slots.request(PriorityClass.CANDIDATE) as slot:
            yield slot
            look_s = worker.gate.look_s(cookie) if self.machine.has_lobby else 0.0
            yield from self._serve(worker, cost)
        self.tally.looks += name == "turn"
        return look_s

    def _send_password(self, number: int, cookie: Cookie) -> Steps:
        """Send the password; give None where it was taken, or the seconds after which to come again, those included by which that reply is held back."""
        cost, worker = self.costs.calls["sign_in"], self._rng.choice(self._workers)
        yield from self._send(cost)
        with worker.slots.request(PriorityClass.CANDIDATE) as slot:
            yield slot
            caller = Caller(
                name=str(number), address=cookie.address, priority=cookie.visitor_at(self._now_s()).priority
            )
            if not worker.gate.queue.has_room(caller.address, caller.priority):
                yield from self._serve(worker, self.costs.calls["turned_away"])
                return worker.gate.turn_away(cookie) + _DELAY_S
            yield from self._serve(worker, cost, share=0.5)
            if not worker.gate.queue.try_enter(caller):
                return worker.gate.turn_away(cookie) + _DELAY_S
        yield from self._hash(worker)
        worker.gate.queue.leave(caller)
        with worker.slots.request(PriorityClass.CANDIDATE) as slot:
            yield slot
            yield from self._serve(worker, cost, share=0.5)
        return None

    def _hash(self, worker: _Worker) -> Steps:
        """Wait for a hashing thread, and hash on what the others leave, a little at a time."""
        with worker.hashing.request() as thread:
            yield thread
            began_s = self._now_s()
            for _ in range(slices := max(1, math.ceil(self.costs.hash_s / _SLICE_S))):
                yield from self._work(self.costs.hash_s / slices, _LAST)
            worker.gate.note_hash(self._now_s() - began_s)

    def _start(self) -> Steps:
        """Call for the start until let in."""
        ticket: int | None = None
        while True:
            calls, worker = self.costs.calls, self._rng.choice(self._workers)
            yield from self._send(calls["start"])
            with worker.slots.request(PriorityClass.CANDIDATE) as slot:
                yield slot
                self._gate.throttle = worker.throttle
                wait_s = self._gate.try_admit(ahead=self._queue.ahead_of(ticket))
                if wait_s <= 0:
                    self._queue.leave(ticket)
                    yield from self._serve(worker, calls["start"])
                    return
                ticket = ticket or self._queue.enter()
                yield from self._serve(worker, calls["queued"])
            self.tally.queued += 1
            yield self._env.timeout(min(math.ceil(wait_s), MAX_PAUSE_S))

    def _save(self, number: int) -> Steps:
        """Save, and give the seconds that the program asks for until the next time."""
        cost, worker = self.costs.calls["save"], self._rng.choice(self._workers)
        yield from self._send(cost)
        arrived = self._now_s()
        with worker.slots.request(PriorityClass.EXAM) as slot:
            yield slot
            began = self._now_s()
            yield from self._serve(worker, cost)
        now = self._now_s()
        worker.throttle.observe(number, now=now, served_s=now - began, took_s=now - arrived)
        self.tally.saves += 1
        return worker.throttle.next_save_ms(now) / 1000
