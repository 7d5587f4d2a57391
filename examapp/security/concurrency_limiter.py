"""Limit how many requests of a process run at the same time: Python runs one thread at a time, and many threads spend it on switching.

Threads are for waiting, slots for running. A request that waits for something long releases its slot meanwhile (`release_slot`), so a queue
of sign-ins holds threads but no slot. A save that would wait too long for a slot is shed at once: the page keeps it and sends it again.
"""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from examapp import clock
from examapp.security.slow_bodies import Bodies, Body
from examapp.web.params import read_whole

WSGIApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
_MAX_READ_AHEAD = 256 * 1024
_LOWEST_EVERY = 4
_CHECK_EVERY_S = 0.25
RECEIVED_AT_MONOTONIC = "examapp.received_at_monotonic"
"""In a request's environment: when its body was there, before it had a slot (`time.perf_counter`)."""
ARRIVED_AT = "examapp.arrived_at"
"""The same as an instant of the one clock: what counts for a deadline."""
REJECTED_QUEUE_DEPTH = "examapp.rejected_queue_depth"
"""In the environment of a request that was shed and is to be rejected: how many waited before it."""
Classify = Callable[[dict[str, Any]], "PriorityClass"]
ShouldShed = Callable[[int, float], bool]
"""Whether to shed a request that has so many before it and has waited so many seconds."""

_held = threading.local()


class PriorityClass(IntEnum):
    """What a request is for; a lower number goes first."""

    EXAM = 0
    """Answers and submissions of candidates in an exam."""
    CANDIDATE = 1
    """All else that candidates do: sign in, start, look up."""
    OFFICE = 2
    """What the office and the units ask for: it can wait a moment."""


class _PriorityQueue:
    """So many slots, handed over to who has waited longest in the highest class, so that no newcomer takes one first (a semaphore lets him).

    One slot is for exams only, if there are more than one; the office has a quarter at most. Every fourth one goes to the lowest class that waits.
    """

    def __init__(self, slots: int) -> None:
        self._free = [slots, max(1, slots - 1), max(1, slots // 4)]
        """Slots left for each class and those below it together."""
        self._handed_over = 1
        self._waiting: tuple[deque[threading.Lock], ...] = tuple(deque() for _ in PriorityClass)
        self._lock = threading.Lock()

    def acquire(self, priority: PriorityClass, *, should_shed: ShouldShed | None = None) -> int | None:
        """Acquire a slot. Return None when acquired, or the queue depth if the request was shed."""
        waiting, began = self._waiting[priority], time.perf_counter()
        with self._lock:
            if self._has_free(priority):
                self._use(priority, 1)
                return None
            mine = threading.Lock()
            mine.acquire()
            waiting.append(mine)
        timeout_s = 0.0 if should_shed else -1.0
        while not mine.acquire(timeout=timeout_s):
            timeout_s = _CHECK_EVERY_S
            with self._lock:
                ahead = waiting.index(mine) if mine in waiting else None
                if ahead is not None and should_shed and should_shed(ahead, time.perf_counter() - began):
                    del waiting[ahead]
                    return ahead
        return None

    def release(self, priority: PriorityClass) -> None:
        """Release a slot, and hand it over to a request that waits."""
        with self._lock:
            self._use(priority, -1)
            waiting = [one for one in PriorityClass if self._waiting[one] and self._has_free(one)]
            if waiting:
                following = waiting[-1 if self._handed_over % _LOWEST_EVERY == 0 else 0]
                self._handed_over += 1
                self._use(following, 1)
                self._waiting[following].popleft().release()

    def _has_free(self, priority: PriorityClass) -> bool:
        return min(self._free[: priority + 1]) > 0

    def _use(self, priority: PriorityClass, slots: int) -> None:
        for number in range(priority + 1):
            self._free[number] -= slots


@dataclass
class ConcurrencyLimiter:
    """A WSGI application that lets so many requests run at a time, by the class that `classify` gives each; `bodies` watches their senders."""

    app: WSGIApp
    slots: int
    classify: Classify
    should_shed: ShouldShed | None = None
    bodies: Bodies | None = None

    def __post_init__(self) -> None:
        """Make the queue before the slots."""
        self._queue = _PriorityQueue(self.slots)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Run a request in a slot. A small body is read before, so that a slow sender holds none; a large upload runs without a slot."""
        is_whole = self._read_ahead(environ)
        environ[ARRIVED_AT] = clock.now()  # with its body: the head of a request before a deadline is no answer yet
        environ[RECEIVED_AT_MONOTONIC] = time.perf_counter()
        if not is_whole:
            return self.app(environ, start_response)
        priority = self.classify(environ)
        is_save = priority is PriorityClass.EXAM and environ.get("REQUEST_METHOD") == "PUT"
        depth = self._queue.acquire(priority, should_shed=self.should_shed if is_save else None)
        if depth is not None:
            environ[REJECTED_QUEUE_DEPTH] = depth
            return self.app(environ, start_response)
        _held.queue, _held.priority = self._queue, priority
        try:
            return self.app(environ, start_response)
        finally:
            _held.queue = None
            self._queue.release(priority)

    def _read_ahead(self, environ: dict[str, Any]) -> bool:
        stated = str(environ.get("CONTENT_LENGTH") or "0")
        if self.bodies is not None and stated != "0":
            environ["wsgi.input"] = Body(self.bodies, environ["wsgi.input"], str(environ.get("REMOTE_ADDR", "")))
        length = read_whole(stated, limit=_MAX_READ_AHEAD)
        if environ.get("HTTP_TRANSFER_ENCODING") or length is None:
            return False
        if length:
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        return True


@contextmanager
def release_slot() -> Iterator[None]:
    """Release this request's slot while it waits for something long, and acquire one again afterwards."""
    queue: _PriorityQueue | None = getattr(_held, "queue", None)
    if queue is None:
        yield
        return
    queue.release(_held.priority)
    try:
        yield
    finally:
        queue.acquire(_held.priority)
