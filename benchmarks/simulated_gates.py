"""The program's gates in simulated time: the queue before the start, and the pace of saves on which its rate hangs."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from examapp.delivery.attempt_starts.actions import MAX_COUNTED
from examapp.security.rate_limits import (
    _EASY_S,
    _FILL,
    _SAVING_S,
    _SLOWEST_MS,
    _WEIGHT,
    NEXT_SAVE_MS,
    StartGate,
)


@dataclass(slots=True)
class StartQueue:
    """Tickets of those who wait before the start, of all processes (the table `admissions`)."""

    waiting: list[int] = field(default_factory=list)
    _next: int = 0

    def ahead_of(self, ticket: int | None) -> int:
        ahead = len(self.waiting) if ticket is None else bisect_left(self.waiting, ticket)
        return min(ahead, MAX_COUNTED)

    def enter(self) -> int:
        self._next += 1
        self.waiting.append(self._next)
        return self._next

    def leave(self, ticket: int | None) -> None:
        if ticket is not None:
            del self.waiting[bisect_left(self.waiting, ticket)]


class Pace:
    """How slow saves are in one process, and the pause that follows from it: the rule of `rate_limits`, whose figures are one process's own."""

    def __init__(self, slots: int) -> None:
        self._slots, self._served_s, self._took_s = slots, 0.0, 0.0
        self._saved_at: OrderedDict[int, float] = OrderedDict()

    def observe(self, number: int, *, now: float, served_s: float, took_s: float) -> None:
        self._saved_at[number] = now
        self._saved_at.move_to_end(number)
        self._served_s += _WEIGHT * (served_s - self._served_s)
        self._took_s += _WEIGHT * (took_s - self._took_s)

    def next_save_ms(self, now: float) -> float:
        while self._saved_at and next(iter(self._saved_at.values())) < now - _SAVING_S:
            self._saved_at.popitem(last=False)
        if self._took_s <= _EASY_S:
            return NEXT_SAVE_MS
        bearable = 1000 * len(self._saved_at) * self._served_s / (self._slots * _FILL)
        share = min(1.0, self._took_s / _EASY_S - 1)
        longer = NEXT_SAVE_MS + share * max(0.0, bearable - NEXT_SAVE_MS)
        return min(longer, _SLOWEST_MS)


class Gate(StartGate):
    """The program's gate, at the rate that the simulated saves allow."""

    def __init__(self, *, time_s: Callable[[], float], pace: Pace) -> None:
        self._pace = pace
        super().__init__(time_s=time_s)

    def rate(self) -> float:
        return self._per_second * NEXT_SAVE_MS / self._pace.next_save_ms(self._time_s())
