"""The program's gates in simulated time: the lobby and the queue before the hashes, the queue before the start, and the throttle of saves on which its rate hangs."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from examapp.delivery.attempt_starts.actions import MAX_COUNTED
from examapp.organisation.lobby.session import (
    _APPOINTMENT_LIFE_S,
    _EARLY_S,
    _LONGEST_LOBBY_S,
    _LONGEST_RETRY_S,
    _MAX_LOOK_S,
    _SOON_S,
)
from examapp.security.password_hashing import Priority, RetryAfterScheduler, _BoundedQueue
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


class SaveThrottle:
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
    """The program's gate, one for all processes, at the rate that the simulated saves of the process which asks allow."""

    throttle: SaveThrottle | None = None

    def rate(self) -> float:
        pause_ms = self.throttle.next_save_ms(self._time_s()) if self.throttle else NEXT_SAVE_MS
        return self._per_second * NEXT_SAVE_MS / pause_ms


class HashGate:
    """The queue before one process's hashing threads, with the program's own schedule of those who are to come again."""

    def __init__(self, *, threads: int, queue: int, time_s: Callable[[], float]) -> None:
        self._now_s, self._shift_s, self._threads = time_s, 0.0, threads
        self.queue = _BoundedQueue(threads + queue)
        self._retries = RetryAfterScheduler(threads=threads, time_s=lambda: time_s() + self._shift_s)

    def note_hash(self, took_s: float) -> None:
        """Note how long a hash has run that ends now."""
        self._shift_s = -took_s
        self._retries.timed(self._end_shift)

    def _end_shift(self) -> None:
        self._shift_s = 0.0

    def turn_away(self, cookie: Cookie) -> float:
        """Give the seconds after which a browser whose password found no place is to come again (lobby.make_appointment)."""
        left_s = cookie.left_s(self._now_s())
        if left_s > _EARLY_S:
            return min(math.ceil(left_s), _LONGEST_RETRY_S)
        wait_s = _SOON_S if cookie.has_come(self._now_s()) else self._retries.next_retry_s(cookie.address)
        cookie.come_at = self._now_s() + wait_s
        return wait_s

    def look_s(self, cookie: Cookie) -> float:
        """Give the seconds after which a browser in the lobby is to look again, 0 where its password may be sent (lobby.find_turn)."""
        now_s, line = self._now_s(), f"{cookie.address} lobby"
        left_s, has_come = cookie.left_s(now_s), cookie.has_come(now_s)
        is_waiting = left_s > _EARLY_S
        is_next = has_come or not (is_waiting or self._retries.has_line(line))
        has_room = self.queue.has_room(cookie.address, cookie.priority_at(now_s))
        if self.queue.taken < self._threads or (has_room and is_next):
            return 0.0
        if not is_waiting:
            left_s = _SOON_S if has_come else self._retries.next_retry_s(line, max_wait_s=_LONGEST_LOBBY_S)
            cookie.come_at = now_s + left_s
        return min(math.ceil(left_s), _MAX_LOOK_S)


@dataclass(slots=True)
class Cookie:
    """What a browser's cookie says: when to come again."""

    address: str
    come_at: float = -math.inf

    def left_s(self, now_s: float) -> float:
        return self.come_at - now_s

    def has_come(self, now_s: float) -> bool:
        return -_APPOINTMENT_LIFE_S <= self.left_s(now_s) <= _EARLY_S

    def priority_at(self, now_s: float) -> Priority:
        return Priority.RETURNING if self.has_come(now_s) else Priority.NEWCOMER
