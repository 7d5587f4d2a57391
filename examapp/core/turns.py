"""How many requests of a process run at the same time: few, for Python runs one thread at a time and wastes what many spend on taking it from one another.

Threads are for waiting, turns for running. Who waits for something long gives the turn away meanwhile (`aside`), so a queue of sign-ins
holds threads but no turn, and answers go on being saved. What the office and the units ask for waits behind what candidates do.
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
_PATIENT_SHARE, _KEPT_FOR_PATIENT = 4, 4

_held = threading.local()


class _Queue:
    """So many turns; who waits longest has the next one. It is handed over, so that no newcomer takes it first (a semaphore lets him).

    What is patient waits behind what is not, and never has more than a quarter of the turns; every fourth hand-over is kept for it.
    """

    def __init__(self, turns: int) -> None:
        self._free = turns
        self._patient_left = max(1, turns // _PATIENT_SHARE)
        self._handed_over = 1
        self._pressing: deque[threading.Lock] = deque()
        self._patient: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def acquire(self, is_patient: bool) -> None:
        with self._lock:
            if self._free and (self._patient_left or not is_patient):
                self._free -= 1
                self._patient_left -= is_patient
                return
            mine = threading.Lock()
            mine.acquire()
            (self._patient if is_patient else self._pressing).append(mine)
        mine.acquire()

    def release(self, was_patient: bool) -> None:
        with self._lock:
            self._patient_left += was_patient
            patient = self._patient if self._patient_left else None
            if patient and (not self._pressing or self._handed_over % _KEPT_FOR_PATIENT == 0):
                self._patient_left -= 1
                patient.popleft().release()
            elif self._pressing:
                self._pressing.popleft().release()
            else:
                self._free += 1
                return
            self._handed_over += 1


class Turns:
    """A WSGI application that lets so many requests run at a time, and those that `is_patient` names behind the others."""

    def __init__(self, app: WSGIApp, at_once: int, is_patient: Callable[[dict[str, Any]], bool]) -> None:
        self._app = app
        self._turns = _Queue(at_once)
        self._is_patient = is_patient

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Run a request in its turn. A small body is read before, so that a slow sender holds none; a large upload runs beside the turns."""
        if not _read_ahead(environ):
            return self._app(environ, start_response)
        is_patient = self._is_patient(environ)
        self._turns.acquire(is_patient)
        _held.turns, _held.is_patient = self._turns, is_patient
        try:
            return self._app(environ, start_response)
        finally:
            _held.turns = None
            self._turns.release(is_patient)


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
    turns.release(_held.is_patient)
    try:
        yield
    finally:
        turns.acquire(_held.is_patient)
