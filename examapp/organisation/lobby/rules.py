"""When a browser may send its password (decision 0074); the simulation of an opening (benchmarks.simulation) waits by the same functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from examapp.security.password_hashing import BoundedQueue, Priority, RetryAfterScheduler

_EARLY_S, _APPOINTMENT_LIFE_S = 1, 120
SOON_S = 2
MAX_LOOK_S = 30
_LONGEST_LOBBY_S = 600.0
LONGEST_RETRY_S = 60
"""What a client that does not know the lobby is told to wait at most."""


class HashingGate(Protocol):
    """What stands before the threads of a process that hash passwords."""

    queue: BoundedQueue
    retries: RetryAfterScheduler
    max_concurrent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyVisitor:
    """A browser that wants to sign in."""

    address: str
    left_s: float
    """Seconds until the time at which it was told to come again, minus infinity where it was not."""
    is_known_device: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether its time is still to come."""
        return self.left_s > _EARLY_S

    @property
    def has_come(self) -> bool:
        """Whether its time has come, not long ago: it goes before newcomers."""
        return -_APPOINTMENT_LIFE_S <= self.left_s <= _EARLY_S

    @property
    def priority(self) -> Priority:
        """How much of the queue it may use now."""
        if self.is_known_device:
            return Priority.KNOWN_DEVICE
        return Priority.RETURNING if self.has_come else Priority.NEWCOMER

    @property
    def line(self) -> str:
        """With whom it waits in the lobby. Known devices have a line of their own, which no newcomer lengthens."""
        return f"{self.address} {'known' if self.is_known_device else 'lobby'}"


def retry_wait_s(visitor: LobbyVisitor, gate: HashingGate) -> float:
    """Give the seconds after which a browser whose password found no place is to come again; reserve the time.

    Who comes too early is told the same time again; whose time has come, or whose device is known, does not go to the end of the line.
    """
    if visitor.is_waiting:
        return visitor.left_s
    has_waited = visitor.priority is not Priority.NEWCOMER
    return SOON_S if has_waited else gate.retries.next_retry_s(visitor.address)


def lobby_wait_s(visitor: LobbyVisitor, gate: HashingGate) -> float | None:
    """Give the seconds until a browser's turn, None where its password may be sent now; a first look reserves the time.

    A thread that has no hash to compute takes anybody, so what others reserve and do not use is not lost.
    """
    has_room = gate.queue.has_room(visitor.address, visitor.priority)
    is_next = visitor.has_come or not (visitor.is_waiting or gate.retries.has_line(visitor.line))
    has_free_thread = gate.queue.taken < gate.max_concurrent
    if has_free_thread or (has_room and is_next):
        return None
    if visitor.is_waiting:
        return visitor.left_s
    return SOON_S if visitor.has_come else gate.retries.next_retry_s(visitor.line, max_wait_s=_LONGEST_LOBBY_S)


def promised_wait_s(wait_s: float) -> float:
    """Give within how many seconds a turn is promised: a quarter more than expected, since saves go before, and twenty seconds."""
    return 1.25 * wait_s + 20
