"""Password hashes: argon2id, few at a time and below everything else in priority, so that saves never wait behind sign-ins."""

from __future__ import annotations

import math
import os
import secrets
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from examapp.config import Settings
from examapp.errors import TryAgainError
from examapp.security.concurrency_limiter import release_slot

NO_HASH = "!"
"""The value of an account without a hash: no password matches it."""
_MIN_AT_ONCE = 2
"""Hashes at a time on the machine where nothing is set and it has few cores."""
_NICENESS = 10
"""Added to the web server's own for the threads that hash."""
_FIRST_GUESS_S, _WEIGHT, _MIN_RATE = 0.05, 0.05, 4.0
"""How long a hash is taken to run before the first has, the weight of one in the moving average, and the hashes a second assumed at least."""
_MIN_PAUSE_S, _MAX_PAUSE_S = 2.0, 60.0
_MAX_ADDRESSES = 1000
"""Addresses with a schedule of their own; any more share one."""
_PASSES, _MEMORY_KIB = 4, 9 * 1024
"""OWASP's fourth choice, which it calls as strong as 2 passes over 19 MiB (decision 0048)."""
_DIGEST_BYTES = 32
Result = TypeVar("Result")


class BusyHashingError(TryAgainError):
    """More people sign in now than passwords can be checked."""

    message = "登录的人较多，请等几秒再点一次“登录”。"


class Priority(IntEnum):
    """How much of the queue a caller may use."""

    NEWCOMER = 0
    """A share of half of it."""
    RETURNING = 1
    """Comes again at the time of its Retry-After: a share of all of it."""
    KNOWN_DEVICE = 2
    """Has signed in to this very account before: whatever is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """For whom a hash is computed."""

    name: str
    """The login name or account; one hash of it waits at a time."""
    address: str
    priority: Priority


class RetryAfterScheduler:
    """Schedule the retries of those who found the queue full: one after the other, as fast as passwords are checked, so that waiting makes no work.

    Each line (an address, or those of it who wait in the lobby) has a schedule of its own and an equal part of the rate, so none delays the others.
    """

    def __init__(self, *, threads: int = 1, time_s: Callable[[], float] = time.monotonic) -> None:
        self._time_s, self._threads, self._took_s = time_s, threads, _FIRST_GUESS_S
        self._lock = threading.Lock()
        self._next_at: dict[str, float] = {}

    def timed(self, work: Callable[[], Result]) -> Result:
        """Compute a hash, and note how long it ran, the time that its thread had to leave to others included."""
        began = self._time_s()
        result = work()
        self._took_s += _WEIGHT * (self._time_s() - began - self._took_s)
        return result

    def rate(self) -> float:
        """Compute how many passwords a second this process checks while some wait for it."""
        return max(_MIN_RATE, self._threads / self._took_s)

    def has_line(self, line: str) -> bool:
        """Return True if times of this line are reserved that have not come yet."""
        return self._next_at.get(line, 0.0) > self._time_s() + _MIN_PAUSE_S

    def next_retry_s(self, address: str, *, max_wait_s: float = _MAX_PAUSE_S) -> int:
        """Reserve the next time for this address; return the seconds until then."""
        with self._lock:
            now = self._time_s()
            self._next_at = {address: at for address, at in self._next_at.items() if at > now}
            if address not in self._next_at and len(self._next_at) >= _MAX_ADDRESSES:
                address = ""
            rate = self.rate() / len(self._next_at.keys() | {address})
            at = min(max(self._next_at.get(address, now), now + _MIN_PAUSE_S), now + max_wait_s)
            self._next_at[address] = at + 1 / rate
            return math.ceil(at - now)


class BoundedQueue:
    """Count those who are served or wait: in all, by address and by name; known devices count for no address.

    An address may hold as many as are still free, so a single one never has more than half, two a third each: there is always room for another.
    The owner's device never collides with others who type the same name.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity, self.taken, self._lock = capacity, 0, threading.Lock()
        self._by_address: Counter[str] = Counter()
        self._names: set[tuple[str, bool]] = set()

    def has_room(self, address: str, priority: Priority) -> bool:
        """Return True if a caller of this address and priority would be accepted."""
        limit = -(-self.capacity // 2) if priority is Priority.NEWCOMER else self.capacity
        held = 0 if priority is Priority.KNOWN_DEVICE else self._by_address[address]
        return held < limit - self.taken

    def try_enter(self, caller: Caller | None = None) -> bool:
        """Enter if there is room for this caller; raises BusyHashingError if another hash of the name waits."""
        with self._lock:
            if caller is not None and (caller.name, caller.priority is Priority.KNOWN_DEVICE) in self._names:
                raise BusyHashingError(retry_after=int(_MIN_PAUSE_S))
            has_room = self.has_room(caller.address, caller.priority) if caller else self.taken < self.capacity
            if has_room:
                self._count(caller, 1)
            return has_room

    def leave(self, caller: Caller | None = None) -> None:
        """Leave, whether served or not."""
        with self._lock:
            self._count(caller, -1)

    def _count(self, caller: Caller | None, change: int) -> None:
        self.taken += change
        if caller is not None:
            is_known = caller.priority is Priority.KNOWN_DEVICE
            self._names ^= {(caller.name, is_known)}
            self._by_address[caller.address] += 0 if is_known else change
            self._by_address += Counter()  # drops the zeros


class _Argon2:
    """Argon2id with t=4, 9 MiB, p=1, by libsodium: it uses what the processor has, and takes half the time of the reference."""

    def hash(self, password: str) -> str:
        return argon2id.str(password.encode(), opslimit=_PASSES, memlimit=_MEMORY_KIB * 1024).decode()

    def verify(self, stored: str, password: str) -> bool:
        """Return True if they match; a hash of any cost is read, and a malformed one matches nothing."""
        try:
            return argon2id.verify(stored.encode(), password.encode())
        except CryptoError:
            return False


class Hasher:
    """Makes and checks hashes in threads of its own, behind a bounded queue."""

    def __init__(self, *, max_concurrent: int, queue: int) -> None:
        self._argon2, self.max_concurrent = _Argon2(), max_concurrent
        self.queue = BoundedQueue(max_concurrent + queue)
        self.retries = RetryAfterScheduler(threads=max_concurrent)
        self._dummy_hash = _make_dummy_hash()
        self._make_threads()
        os.register_at_fork(after_in_child=self._make_threads)

    @classmethod
    def from_settings(cls, settings: Settings) -> Hasher:
        """Share what the machine hashes at a time among its web processes, one in each at least."""
        at_once = settings.hashes_at_once or max(_MIN_AT_ONCE, len(os.sched_getaffinity(0)) // 2)
        return cls(max_concurrent=max(1, at_once // settings.web_workers), queue=settings.hash_queue)

    def check_capacity(self, address: str, priority: Priority) -> None:
        """Raise BusyHashingError if a password could not be checked now: called before anything that costs."""
        if not self.queue.has_room(address, priority):
            raise BusyHashingError

    def hash(self, password: str, caller: Caller | None = None) -> str:
        """Make a salted hash; raises BusyHashingError if the queue is full."""
        return self._run(lambda: self._argon2.hash(password), caller)

    def verify(self, stored: str | None, password: str, caller: Caller | None = None) -> bool:
        """Return True if the password matches; costs the same if there is no hash.

        Raises BusyHashingError if the queue is full or the caller's share of it used up, with `retry_after` if another hash of the name waits.
        """
        is_missing = stored is None or stored == NO_HASH
        known = self._dummy_hash if is_missing else str(stored)
        return self._run(lambda: self._argon2.verify(known, password), caller) and not is_missing

    def _run(self, work: Callable[[], Result], caller: Caller | None = None) -> Result:
        if not self.queue.try_enter(caller):
            raise BusyHashingError
        try:
            with release_slot():
                return self._threads.submit(self.retries.timed, work).result()
        finally:
            self.queue.leave(caller)

    def _make_threads(self) -> None:
        """Start threads of this process: a fork takes none along."""
        self._threads = ThreadPoolExecutor(self.max_concurrent, thread_name_prefix="hash", initializer=_lower_priority)


def _lower_priority() -> None:
    """Let this thread have the processor time that others leave, on any processor: its process may be pinned to one, the parent is not."""
    own = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, own, min(19, os.getpriority(os.PRIO_PROCESS, own) + _NICENESS))
    with suppress(OSError, AttributeError):  # where that is not allowed, or not known
        os.sched_setaffinity(own, os.sched_getaffinity(os.getppid()))


def _make_dummy_hash() -> str:
    """Draw a hash that no password has, to be checked at full cost if there is no account; computing one would cost each process 9 MiB."""
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (argon2id.SALTBYTES, _DIGEST_BYTES)
    )
    return f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p=1${salt}${digest}"
