"""Rate limit of one attempt's saves, the pause that all savers are asked to keep, each of a process alone; and the admission of starts, the machine's."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from mmap import mmap

from cachetools import TTLCache

from examapp.errors import DomainError

NEXT_SAVE_MS = 2000
_SLOWEST_MS = 20_000
_EASY_S = 0.1
"""While a save takes less than this, the wait for its slot included, nobody is slowed."""
_MAX_WAIT_S = 1.2
_SOON_S = 0.3
_FILL = 0.7
"""Share of the slots' capacity that slowed savers may use: with more, a queue that has formed does not go away."""
_WEIGHT = 0.05
"""Weight of one save in the moving averages."""
_WINDOW_S = 5.0
_SAVING_S = 30.0
"""An attempt that saved within this time counts as saving: longer than the longest pause."""
_MAX_IN_WINDOW = 100
"""20 saves a second over 5 s (delivery protocol, "Save")."""
_MAX_ATTEMPTS = 20_000


class SlowDownError(DomainError):
    """One attempt saves faster than any person answers; nothing is lost, the client repeats the request."""

    code = "slow_down"
    status = 429
    message = "保存过于频繁，请稍候，系统会自动重试。"


_lock = threading.Lock()
_served_s = _took_s = 0.0
"""Moving averages: a save from its slot on, and from its arrival on."""
_slots = 4
_recent: TTLCache[Hashable, deque[float]] = TTLCache(_MAX_ATTEMPTS, _SAVING_S, timer=time.monotonic)
"""When each saver saved last; not to be touched without the lock."""


def set_up(*, slots: int) -> None:
    """Set how many requests of this process run at the same time."""
    global _slots  # noqa: PLW0603 – a setting of the process, made once
    _slots = max(1, slots)


def check(saver: Hashable) -> None:
    """Count a save of an attempt on one device; raises SlowDownError above the limit."""
    with _lock:
        moment, times = time.monotonic(), _recent.get(saver) or deque(maxlen=_MAX_IN_WINDOW)
        is_full = len(times) == _MAX_IN_WINDOW and moment - times[0] < _WINDOW_S
        if not is_full:
            times.append(moment)
        _recent[saver] = times  # it counts as saving from now on
    if is_full:
        raise slow_down()


def slow_down() -> SlowDownError:
    """Build the rejection of what comes faster, or brings more, than is accepted."""
    return SlowDownError(next_save_ms=next_save_ms(), retry_after=2)


def forget(saver: Hashable) -> None:
    """Stop counting a saver who has no such attempt, so that he slows down nobody else."""
    with _lock:
        _recent.pop(saver, None)


@contextmanager
def timed(received_at: float | None = None) -> Iterator[None]:
    """Measure a save; `received_at` is when it arrived, by `time.perf_counter`."""
    began = time.perf_counter()
    try:
        yield
    finally:
        ended = time.perf_counter()
        observe(ended - began, took_s=ended - (began if received_at is None else received_at))


def observe(served_s: float, *, took_s: float) -> None:
    """Enter how long a save was served, and how long it took from its arrival on, into the moving averages."""
    global _served_s, _took_s  # noqa: PLW0603 – figures of the process; a lost update is lost without harm
    _served_s += _WEIGHT * (served_s - _served_s)
    _took_s += _WEIGHT * (took_s - _took_s)


def expected_wait_s(ahead: int) -> float:
    """Estimate how long a request with so many before it will wait for a slot, in seconds."""
    return ahead * _served_s / _slots


def should_shed(ahead: int, waited_s: float) -> bool:
    """Return True if a save should be shed (503): its expected wait exceeds 1.2 s, and not because the machine stood still for a moment."""
    return waited_s + expected_wait_s(ahead) > _MAX_WAIT_S and expected_wait_s(ahead) > _SOON_S


def next_save_ms() -> int:
    """Compute how long clients should wait between two saves now."""
    with _lock:
        return save_pause_ms(len(_recent), served_s=_served_s, took_s=_took_s, slots=_slots)


def save_pause_ms(savers: int, *, served_s: float, took_s: float, slots: int) -> int:
    """Compute the pause between two saves: once these get slow, so long that all savers find a slot at once.

    So many savers, each served so long, need so many slots: the pause spreads them over the slots there are.
    """
    bearable = 1000 * savers * served_s / (slots * _FILL)
    share = max(0.0, min(1.0, took_s / _EASY_S - 1))
    return min(round(NEXT_SAVE_MS + share * max(0.0, bearable - NEXT_SAVE_MS)), _SLOWEST_MS)


_MIN_BURST = 120
"""Tokens after a quiet while at least, so that a small exam never notices the queue."""
_BURST_S = 2.0
_MIN_RATE = 0.5
_ROUNDING = 1e-6


class StartGate:
    """A token bucket: the starts that this machine may admit. Its web processes are forked from one that has made it, and share it.

    It is one number in memory that they share, which none sees half written, so it needs no lock between them that a killed one would keep;
    two that admit at the very same moment may take one token together. The queue is one for all machines.
    """

    def __init__(self, *, time_s: Callable[[], float] = time.monotonic) -> None:
        self._time_s = time_s
        self._lock = threading.Lock()
        self._empty_at = memoryview(mmap(-1, 8)).cast("d")
        """When the bucket was empty, if it has filled at the rate of now since."""
        self._peers_per_second = 0.0
        self.set_up(per_second=40.0)

    def set_up(self, *, per_second: float, tokens: float | None = None) -> None:
        """Set how many starts a second the machine bears; the bucket is full, or holds so many tokens."""
        with self._lock:
            self._per_second = max(_MIN_RATE, per_second)
            self._burst = max(float(_MIN_BURST), _BURST_S * self._per_second)
            self._empty_at[0] = self._time_s() - (self._burst if tokens is None else tokens) / self._per_second

    def set_peers(self, *, per_second: float) -> None:
        """Set how many starts a second the other machines admit together now."""
        self._peers_per_second = per_second

    def rate(self) -> float:
        """Compute how many starts a second this machine admits now; fewer the slower saves are."""
        return max(_MIN_RATE, self._per_second * NEXT_SAVE_MS / max(NEXT_SAVE_MS, next_save_ms()))

    def try_admit(self, *, ahead: int) -> float:
        """Admit one start if those ahead in the queue leave a token: return 0, otherwise the seconds until there may be one."""
        with self._lock:
            rate, moment = self.rate(), self._time_s()
            tokens = min(self._burst, (moment - self._empty_at[0]) * rate) + _ROUNDING
            everywhere = tokens * (1 + self._peers_per_second / rate)
            if tokens >= 1 and everywhere >= ahead + 1:
                self._empty_at[0] = moment - (tokens - 1) / rate
                return 0.0
            rate += self._peers_per_second
            return max(1 / rate, (ahead + 1 - everywhere) / rate)


gate = StartGate()
