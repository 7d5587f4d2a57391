"""A limit of time around work that must not go on for ever."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TookTooLongError(Exception):
    """The work was ended because its time was over."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End the block by TookTooLongError after so many seconds; only in a process's main thread, where workers and sweeper work."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise TookTooLongError
