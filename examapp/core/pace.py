"""How fast one attempt may save, and how fast all are asked to: kept in this process's memory, lost without harm."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from examapp.core.errors import DomainError

NEXT_SAVE_MS = 2000
_SLOWEST_MS = 20_000
_EASY_S = 0.1
"""As long as a save takes less than this, the wait for its turn included, nobody is slowed."""
_MOST_WAIT_S = 1.2
_SOON_S = 0.3
_FILL = 0.7
"""How much of what the turns can carry is left to savers who are slowed: with more of it a queue that has formed does not go away."""
_WEIGHT = 0.05
"""What one save counts in the running means."""
_WINDOW_S = 5.0
_SAVING_S = 30.0
"""Who saved within this time is counted among those who save: longer than the longest pause."""
_MOST_IN_WINDOW = 100
"""20 saves a second over 5 s (delivery protocol, "Save")."""
_MOST_ATTEMPTS = 20_000


class SlowDownError(DomainError):
    """One attempt saves faster than any person answers; nothing is lost, the client repeats the call."""

    code = "slow_down"
    status = 429
    message = "保存过于频繁，请稍候，系统会自动重试。"


_lock = threading.Lock()
_served_s = _took_s = 0.0
"""Running means: a save from its turn on, and from its arrival on."""
_turns = 4
_recent: OrderedDict[Hashable, deque[float]] = OrderedDict()


def set_up(*, turns: int) -> None:
    """Set how many requests of this process run at the same time."""
    global _turns  # noqa: PLW0603 – a setting of the process, told once
    _turns = max(1, turns)


def check(saver: Hashable) -> None:
    """Count a save of a sitting on one device; raises SlowDownError above the limit."""
    moment = time.monotonic()
    with _lock:
        _forget_who_stopped(moment)
        times = _recent.setdefault(saver, deque(maxlen=_MOST_IN_WINDOW))
        _recent.move_to_end(saver)
        if len(_recent) > _MOST_ATTEMPTS:
            _recent.popitem(last=False)
        is_full = len(times) == _MOST_IN_WINDOW and moment - times[0] < _WINDOW_S
        if not is_full:
            times.append(moment)
    if is_full:
        raise slow_down()


def slow_down() -> SlowDownError:
    """Give the refusal of what comes faster, or brings more, than is taken."""
    return SlowDownError(next_save_ms=next_save_ms(), retry_after=2)


def forget(saver: Hashable) -> None:
    """Count no longer who has no such attempt: it slows down nobody else."""
    with _lock:
        _recent.pop(saver, None)


def _forget_who_stopped(moment: float) -> None:
    while _recent and moment - next(iter(_recent.values()))[-1] > _SAVING_S:
        _recent.popitem(last=False)


@contextmanager
def timed(came: float | None = None) -> Iterator[None]:
    """Measure a save, so that all are slowed before anything breaks; `came` is when it arrived, by `time.perf_counter`."""
    began = time.perf_counter()
    try:
        yield
    finally:
        ended = time.perf_counter()
        note(ended - began, took_s=ended - (began if came is None else came))


def note(served_s: float, *, took_s: float) -> None:
    """Count how long a save was served, and how long it took from its arrival on, in the running means of this process."""
    global _served_s, _took_s  # noqa: PLW0603 – figures of the process; a lost update is lost without harm
    _served_s += _WEIGHT * (served_s - _served_s)
    _took_s += _WEIGHT * (took_s - _took_s)


def wait_s(ahead: int) -> float:
    """Give how long who has so many before him will wait for a turn, in seconds."""
    return ahead * _served_s / _turns


def is_too_long(ahead: int, waited_s: float) -> bool:
    """Tell whether a save had better come again: its wait grows long, and not because the machine stood still for a moment."""
    return waited_s + wait_s(ahead) > _MOST_WAIT_S and wait_s(ahead) > _SOON_S


def next_save_ms() -> int:
    """Give how long clients should wait between two saves: once these get slow, so long that all who save find a turn at once.

    So many savers, each served so long, need so many turns: the pause is what spreads them over the turns there are.
    """
    if _took_s <= _EASY_S:
        return NEXT_SAVE_MS
    bearable = 1000 * len(_recent) * _served_s / (_turns * _FILL)
    share = min(1.0, _took_s / _EASY_S - 1)
    return min(round(NEXT_SAVE_MS + share * max(0.0, bearable - NEXT_SAVE_MS)), _SLOWEST_MS)
