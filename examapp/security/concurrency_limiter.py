"""How many requests of a process run at the same time: few, for Python runs one thread at a time and wastes what many spend on taking it from one another.

Threads are for waiting, turns for running. Who waits for something long gives the turn away meanwhile (`aside`), so a queue of sign-ins
holds threads but no turn. Answers of those who sit go first, then what else candidates do, then what the office and the units ask for.
A save for which there would be no turn for long is refused at once: the page keeps it and comes again.
"""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

from examapp import clock
from examapp.security.slow_bodies import Bodies
from examapp.web.numbers import read_whole

WSGIApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
_MAX_READ_AHEAD = 256 * 1024
_KEPT_FOR_LATER = 4
_LOOK_EVERY_S = 0.25
RECEIVED_AT_MONOTONIC = "examapp.came"
"""In a request's environment: when it arrived, before it had its turn (`time.perf_counter`)."""
ARRIVED_AT = "examapp.arrived_at"
"""The same as an instant of the one clock: what counts for a deadline."""
REJECTED_QUEUE_DEPTH = "examapp.no_turn"
"""In the environment of a request that got no turn and is to be refused: how many stood before it."""
GivesUp = Callable[[int, float], bool]
"""Whether who has so many before him, and has waited so many seconds, had better come again."""

_held = threading.local()


class Lane(IntEnum):
    """What a request is for; who stands in an earlier lane goes first."""

    ANSWERS = 0
    """Answers of those who sit, and their hand-ins."""
    PEOPLE = 1
    """Whatever else candidates do: sign in, start, look up."""
    ORGANISERS = 2
    """What the office and the units ask for: it can wait a moment."""


class _Queue:
    """So many turns; in each lane who waits longest has the next one. It is handed over, so that no newcomer takes it first (a semaphore lets him).

    One turn is never used but for answers, where there are more than one; organisers have a quarter at most. Every fourth hand-over is
    kept for the last lane in which somebody waits.
    """

    def __init__(self, turns: int) -> None:
        self._left = [turns, max(1, turns - 1), max(1, turns // 4)]
        """Of the turns of each lane and of those behind it together."""
        self._handed_over = 1
        self._waiting: tuple[deque[threading.Lock], ...] = tuple(deque() for _ in Lane)
        self._lock = threading.Lock()

    def acquire(self, lane: Lane, *, gives_up: GivesUp | None = None) -> int | None:
        """Take a turn when it comes: None. Who gives up before gets how many stood before him."""
        with self._lock:
            if self._may(lane):
                self._use(lane, 1)
                return None
            waiting = self._waiting[lane]
            if gives_up is not None and gives_up(len(waiting), 0.0):
                return len(waiting)
            mine = threading.Lock()
            mine.acquire()
            waiting.append(mine)
        if gives_up is None:
            mine.acquire()
            return None
        began = time.perf_counter()
        while not mine.acquire(timeout=_LOOK_EVERY_S):
            with self._lock:
                if mine not in waiting:
                    continue  # it has been handed over just now
                ahead = waiting.index(mine)
                if gives_up(ahead, time.perf_counter() - began):
                    del waiting[ahead]
                    return ahead
        return None

    def release(self, lane: Lane) -> None:
        with self._lock:
            self._use(lane, -1)
            waiting = [lane for lane in Lane if self._waiting[lane] and self._may(lane)]
            if waiting:
                following = waiting[-1 if self._handed_over % _KEPT_FOR_LATER == 0 else 0]
                self._handed_over += 1
                self._use(following, 1)
                self._waiting[following].popleft().release()

    def _may(self, lane: Lane) -> bool:
        return min(self._left[: lane + 1]) > 0

    def _use(self, lane: Lane, turns: int) -> None:
        for wider in range(lane + 1):
            self._left[wider] -= turns


class _Room:
    """So many places for requests that are there whole and are served or wait for a turn; who came first is let in first."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class ConcurrencyLimiter:
    """A WSGI application that lets so many requests run at a time, by the lane that `lane_of` gives each.

    `room` is how many may be served or wait for a turn: threads beyond it wait for bodies only. `bodies` notes them, where no proxy buffers them.
    """

    def __init__(
        self,
        app: WSGIApp,
        at_once: int,
        lane_of: Callable[[dict[str, Any]], Lane],
        *,
        gives_up: GivesUp | None = None,
        room: int = 64,
        bodies: Bodies | None = None,
    ) -> None:
        self._room = _Room(room)
        self._bodies = bodies
        self._app = app
        self._turns = _Queue(at_once)
        self._lane_of = lane_of
        self._gives_up = gives_up

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Run a request in its turn. A small body is read before, so that a slow sender holds none; a large upload runs beside the turns."""
        is_whole = self._read_ahead(environ)
        environ[ARRIVED_AT] = clock.now()  # with its body: who sends the head before a deadline has not sent the answer
        if not is_whole:
            environ[RECEIVED_AT_MONOTONIC] = time.perf_counter()
            return self._app(environ, start_response)
        with self._room:
            return self._serve(environ, start_response)

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[RECEIVED_AT_MONOTONIC] = time.perf_counter()
        lane = self._lane_of(environ)
        is_save = lane is Lane.ANSWERS and environ.get("REQUEST_METHOD") == "PUT"
        ahead = self._turns.acquire(lane, gives_up=self._gives_up if is_save else None)
        if ahead is not None:
            environ[REJECTED_QUEUE_DEPTH] = ahead
            return self._app(environ, start_response)
        _held.turns, _held.lane = self._turns, lane
        try:
            return self._app(environ, start_response)
        finally:
            _held.turns = None
            self._turns.release(lane)

    def _read_ahead(self, environ: dict[str, Any]) -> bool:
        stated = str(environ.get("CONTENT_LENGTH") or "0")
        if self._bodies is not None and stated != "0":
            environ["wsgi.input"] = self._bodies.reader(environ["wsgi.input"], str(environ.get("REMOTE_ADDR", "")))
        length = read_whole(stated, most=_MAX_READ_AHEAD)
        if environ.get("HTTP_TRANSFER_ENCODING") or length is None:
            return False
        if length:
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        return True


@contextmanager
def release_slot() -> Iterator[None]:
    """Give this request's turn away while it waits for something long, and take one again afterwards."""
    turns: _Queue | None = getattr(_held, "turns", None)
    if turns is None:
        yield
        return
    turns.release(_held.lane)
    try:
        yield
    finally:
        turns.acquire(_held.lane)
