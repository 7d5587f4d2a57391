"""How many requests of a process run at the same time: few, for Python runs one thread at a time and wastes what many spend on taking it from one another.

Threads are for waiting, turns for running. Who waits for something long gives the turn away meanwhile (`aside`), so a queue of sign-ins
holds threads but no turn, and answers go on being saved.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

WSGIApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
_MOST_READ_AHEAD = 256 * 1024

_held = threading.local()


class _Queue:
    """So many turns; who waits longest has the next one. It is handed over, so that no newcomer takes it first (a semaphore lets him)."""

    def __init__(self, turns: int) -> None:
        self._free = turns
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def acquire(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def release(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class Turns:
    """A WSGI application that lets so many requests run at a time."""

    def __init__(self, app: WSGIApp, at_once: int) -> None:
        self._app = app
        self._turns = _Queue(at_once)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Run a request in its turn. A small body is read before, so that a slow sender holds none; a large upload runs beside the turns."""
        if not _read_ahead(environ):
            return self._app(environ, start_response)
        self._turns.acquire()
        _held.turns = self._turns
        try:
            return self._app(environ, start_response)
        finally:
            _held.turns = None
            self._turns.release()


def _read_ahead(environ: dict[str, Any]) -> bool:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if environ.get("HTTP_TRANSFER_ENCODING") or not length.isdigit() or int(length) > _MOST_READ_AHEAD:
        return False
    if int(length):
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))
    return True


@contextmanager
def aside() -> Iterator[None]:
    """Give this request's turn away while it waits for something long, and take one again afterwards."""
    turns: _Queue | None = getattr(_held, "turns", None)
    if turns is None:
        yield
        return
    turns.release()
    try:
        yield
    finally:
        turns.acquire()
