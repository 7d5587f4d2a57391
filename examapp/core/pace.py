"""How fast one attempt may save, and how fast all are asked to: kept in this process's memory, lost without harm."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from examapp.core.errors import DomainError

NEXT_SAVE_MS = 2000
_SLOWEST_MS = 20_000
_EASY_S = 0.1
"""As long as a save takes less than this, nobody is slowed; from there on the pause grows as the save does."""
_WEIGHT = 0.1
"""What one save counts in the running mean."""
_WINDOW_S = 5.0
_MOST_IN_WINDOW = 100
"""20 saves a second over 5 s (delivery protocol, "Save")."""
_MOST_ATTEMPTS = 20_000


class SlowDownError(DomainError):
    """One attempt saves faster than any person answers; nothing is lost, the client repeats the call."""

    code = "slow_down"
    status = 429
    message = "保存过于频繁，请稍候，系统会自动重试。"


_lock = threading.Lock()
_mean_s = 0.0
_recent: OrderedDict[int, deque[float]] = OrderedDict()


def check(attempt_id: int) -> None:
    """Count a save of an attempt; raises SlowDownError above the limit."""
    moment = time.monotonic()
    with _lock:
        times = _recent.setdefault(attempt_id, deque(maxlen=_MOST_IN_WINDOW))
        _recent.move_to_end(attempt_id)
        if len(_recent) > _MOST_ATTEMPTS:
            _recent.popitem(last=False)
        is_full = len(times) == _MOST_IN_WINDOW and moment - times[0] < _WINDOW_S
        if not is_full:
            times.append(moment)
    if is_full:
        raise SlowDownError(next_save_ms=next_save_ms(), retry_after=2)


@contextmanager
def timed() -> Iterator[None]:
    """Measure a save, so that all are slowed before anything breaks."""
    began = time.perf_counter()
    try:
        yield
    finally:
        note(time.perf_counter() - began)


def note(seconds: float) -> None:
    """Count how long a save took in the running mean of this process."""
    global _mean_s  # noqa: PLW0603 – one figure of the process; a lost update is lost without harm
    _mean_s += _WEIGHT * (seconds - _mean_s)


def next_save_ms() -> int:
    """Give how long clients should wait between two saves: longer when recent saves took long."""
    return min(max(NEXT_SAVE_MS, round(NEXT_SAVE_MS * _mean_s / _EASY_S)), _SLOWEST_MS)
