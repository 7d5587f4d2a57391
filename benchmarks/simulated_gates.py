"""The program's gates in simulated time: the lobby and the queue before the hashes, the queue before the start, and the throttle of saves on which its rate hangs."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from examapp.delivery.attempt_starts.actions import MAX_COUNTED
from examapp.organisation.lobby import rules as lobby
from examapp.security.password_hashing import BoundedQueue, RetryAfterScheduler
from examapp.security.rate_limits import _SAVING_S, _WEIGHT, NEXT_SAVE_MS, StartGate, save_pause_ms


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


class SaveThrottle:
    """How slow saves are in one simulated process, and the pause that follows from it."""

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
        return save_pause_ms(len(self._saved_at), served_s=self._served_s, took_s=self._took_s, slots=self._slots)


class Gate(StartGate):
    """The program's gate, one for all processes, at the rate that the simulated saves of the process which asks allow."""

    throttle: SaveThrottle | None = None

    def rate(self) -> float:
        pause_ms = self.throttle.next_save_ms(self._time_s()) if self.throttle else NEXT_SAVE_MS
        return self._per_second * NEXT_SAVE_MS / pause_ms


class HashGate:
    """The queue before one process's hashing threads, with the program's own schedule of those who are to come again."""

    def __init__(self, *, threads: int, queue: int, time_s: Callable[[], float]) -> None:
        self._now_s, self._shift_s, self.max_concurrent = time_s, 0.0, threads
        self.queue = BoundedQueue(threads + queue)
        self.retries = RetryAfterScheduler(threads=threads, time_s=lambda: time_s() + self._shift_s)

    def note_hash(self, took_s: float) -> None:
        """Note how long a hash has run that ends now."""
        self._shift_s = -took_s
        self.retries.timed(self._end_shift)

    def _end_shift(self) -> None:
        self._shift_s = 0.0

    def turn_away(self, cookie: Cookie) -> float:
        """Give the seconds after which a browser whose password found no place is to come again."""
        wait_s = lobby.retry_wait_s(cookie.visitor_at(self._now_s()), self)
        cookie.come_at = self._now_s() + wait_s
        return min(math.ceil(wait_s), lobby.LONGEST_RETRY_S)

    def look_s(self, cookie: Cookie) -> float:
        """Give the seconds after which a browser in the lobby is to look again, 0 where its password may be sent."""
        wait_s = lobby.lobby_wait_s(cookie.visitor_at(self._now_s()), self)
        if wait_s is None:
            return 0.0
        cookie.come_at = self._now_s() + wait_s
        return min(math.ceil(wait_s), lobby.MAX_LOOK_S)


@dataclass(slots=True)
class Cookie:
    """What a browser's cookie says: when to come again."""

    address: str
    come_at: float = -math.inf

    def visitor_at(self, now_s: float) -> lobby.LobbyVisitor:
        return lobby.LobbyVisitor(address=self.address, left_s=self.come_at - now_s)
