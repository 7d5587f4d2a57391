"""How many starts this machine takes on a second: a bucket in each web process's memory, lowered by itself when saves get slow.

A start costs many times what a save costs. So that a start wave harms nobody who is already sitting, each process lets in its share of
what the machine was measured to bear; who comes too many waits in the queue that the attempts room keeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from examapp.core import pace

_LEAST_BURST = 60
"""What a process takes on at once after a quiet while, so that a small exam never notices the queue."""
_BURST_S = 2.0
_LEAST_RATE = 0.5


class StartGate:
    """The share of starts that this process may let in."""

    def __init__(self, *, time_s: Callable[[], float] = time.monotonic) -> None:
        self._time_s = time_s
        self._lock = threading.Lock()
        self.set_up(per_second=40.0, processes=1)

    def set_up(self, *, per_second: float, processes: int) -> None:
        """Set what the machine bears and how many processes share it; begins with a full bucket."""
        with self._lock:
            self._per_second, self._processes = max(_LEAST_RATE, per_second), max(1, processes)
            self._tokens = self._burst = max(float(_LEAST_BURST), _BURST_S * self._per_second / self._processes)
            self._filled_at = self._time_s()

    def rate(self) -> float:
        """Give how many starts a second all processes of this machine let in now; fewer the slower saves are."""
        return max(_LEAST_RATE, self._per_second * pace.NEXT_SAVE_MS / max(pace.NEXT_SAVE_MS, pace.next_save_ms()))

    def take(self, *, ahead: int) -> float:
        """Let one in where those ahead in the queue leave a start over: 0; else give the seconds until there may be one."""
        with self._lock:
            rate = self.rate()
            moment = self._time_s()
            self._tokens = min(
                self._burst, self._tokens + (moment - self._filled_at) * min(rate, self._per_second) / self._processes
            )
            self._filled_at = moment
            everywhere = self._tokens * self._processes
            if self._tokens >= 1 and everywhere >= ahead + 1:
                self._tokens -= 1
                return 0.0
            return max(1 / rate, (ahead + 1 - everywhere) / rate)


gate = StartGate()
