"""Password hashes: argon2id, few at a time and below everything else in priority, so that saves never wait behind sign-ins."""

from __future__ import annotations

import fcntl
import math
import os
import secrets
import threading
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import IO, TypeVar

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from examapp.config import Settings
from examapp.errors import TryAgainError
from examapp.security.concurrency_limiter import release_slot
from examapp.security.cpu_affinity import unpin_thread

NO_HASH = "!"
"""The value of an account without a hash: no password matches it."""
_MAX_CONCURRENT = 2
"""Hashes at a time on the machine."""
_NICENESS = 10
"""Added to the web server's own for the threads that hash."""
_WINDOW_S = 10.0
_MIN_RATE = 8.0
"""Passwords a second that a process is assumed to check at least: a quiet minute says nothing of what it can."""
_MIN_PAUSE_S, _MAX_PAUSE_S = 2.0, 60.0
_MAX_ADDRESSES = 1000
"""Addresses with a schedule of their own; any more share one."""
_PASSES, _MEMORY_KIB = 2, 19 * 1024
"""OWASP's second choice."""
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

    @property
    def key(self) -> tuple[str, bool]:
        """Return what is unique among those who wait: the owner's device never collides with others who type the same name."""
        return self.name, self.priority is Priority.KNOWN_DEVICE

    @property
    def share(self) -> str:
        """Return the address in whose share the caller counts; known devices count in none."""
        return "" if self.priority is Priority.KNOWN_DEVICE else self.address


class RetryAfterScheduler:
    """Schedule the retries of those who found the queue full: one after the other, as fast as passwords are checked, so that waiting makes no work.

    Each address has a schedule of its own and an equal part of the rate, so none delays the others.
    """

    def __init__(self, *, time_s: Callable[[], float] = time.monotonic) -> None:
        self._time_s = time_s
        self._lock = threading.Lock()
        self._done: deque[float] = deque()
        self._next_at: dict[str, float] = {}

    def record_done(self) -> None:
        """Record that a password has been checked."""
        with self._lock:
            self._done.append(self._time_s())
            self._drop_old(self._time_s())

    def next_retry_s(self, address: str) -> int:
        """Reserve the next time for this address; return the seconds until then."""
        with self._lock:
            now = self._time_s()
            self._drop_old(now)
            if address not in self._next_at and len(self._next_at) >= _MAX_ADDRESSES:
                address = ""
            addresses = len(self._next_at.keys() | {address})
            rate = max(len(self._done) / _WINDOW_S, _MIN_RATE) / addresses
            at = min(max(self._next_at.get(address, now), now + _MIN_PAUSE_S), now + _MAX_PAUSE_S)
            self._next_at[address] = at + 1 / rate
            return math.ceil(at - now)

    def _drop_old(self, now: float) -> None:
        while self._done and self._done[0] < now - _WINDOW_S:
            self._done.popleft()
        self._next_at = {address: at for address, at in self._next_at.items() if at > now}


class InterprocessSemaphore:
    """So many holders at a time on the machine, whichever processes they are in: each slot is the lock of a file, which ends with its process.

    A waiter holds the entry lock meanwhile, so that no process that has just released a slot is first again.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._entry, *self._paths = (folder / f"hash-{name}.lock" for name in ("entry", *range(count)))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for a slot and hold it."""
        self._entry.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as open_files:
            with _opened(self._entry) as entry:
                fcntl.flock(entry, fcntl.LOCK_EX)
                last = int.from_bytes(os.pread(entry.fileno(), 1, 0), "big")
                slots = [open_files.enter_context(_opened(path)) for path in self._paths]
                order = [(last + step) % len(slots) for step in range(1, len(slots) + 1)]
                number = next((number for number in order if _try_lock(slots[number])), None)
                if number is None:
                    number = order[0]  # held longest, so released first
                    fcntl.flock(slots[number], fcntl.LOCK_EX)
                os.pwrite(entry.fileno(), bytes([number]), 0)
            yield


def _opened(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _BoundedQueue:
    """Count those who are served or wait: in all, by address and by name.

    An address may hold as many as are still free, so a single one never has more than half, two a third each: there is always room for another.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity, self._taken, self._lock = capacity, 0, threading.Lock()
        self._by_address: Counter[str] = Counter()
        self._names: set[tuple[str, bool]] = set()

    def has_room(self, address: str, priority: Priority) -> bool:
        """Return True if a caller of this address and priority would be accepted."""
        limit = -(-self.capacity // 2) if priority is Priority.NEWCOMER else self.capacity
        held = 0 if priority is Priority.KNOWN_DEVICE else self._by_address[address]
        return held < limit - self._taken

    def try_enter(self, caller: Caller | None = None) -> bool:
        """Enter if there is room for this caller; raises BusyHashingError if another hash of the name waits."""
        with self._lock:
            if self._taken >= self.capacity:
                return False
            if caller is not None:
                if caller.key in self._names:
                    raise BusyHashingError(retry_after=int(_MIN_PAUSE_S))
                if not self.has_room(caller.address, caller.priority):
                    return False
                self._names.add(caller.key)
                self._by_address[caller.share] += 1
            self._taken += 1
            return True

    def leave(self, caller: Caller | None = None) -> None:
        """Leave, whether served or not."""
        with self._lock:
            self._taken -= 1
            if caller is not None:
                self._names.discard(caller.key)
                self._by_address[caller.share] -= 1
                self._by_address += Counter()  # drops the zeros


class _Argon2:
    """Argon2id with t=2, 19 MiB, p=1, by libsodium: it uses what the processor has, and takes half the time of the reference."""

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

    def __init__(self, *, max_concurrent: int, queue: int, slots: InterprocessSemaphore | None = None) -> None:
        self._argon2 = _Argon2()
        self._max_concurrent, self._slots = max_concurrent, slots
        self._queue = _BoundedQueue(max_concurrent + queue)
        self.retries = RetryAfterScheduler()
        self._dummy_hash = _make_dummy_hash()
        self._make_threads()
        os.register_at_fork(after_in_child=self._make_threads)

    @classmethod
    def from_settings(cls, settings: Settings) -> Hasher:
        """Share the machine's two slots among its web processes, by files of the data folder: any of them may need both."""
        folder, is_shared = settings.data_path / "locks", settings.web_workers > 1
        slots = InterprocessSemaphore(folder, _MAX_CONCURRENT) if is_shared else None
        return cls(max_concurrent=_MAX_CONCURRENT, queue=settings.hash_queue, slots=slots)

    def check_capacity(self, address: str, priority: Priority) -> None:
        """Raise BusyHashingError if a password could not be checked now: called before anything that costs."""
        if not self._queue.has_room(address, priority):
            raise BusyHashingError

    def hash(self, password: str, caller: Caller | None = None) -> str:
        """Make a salted hash; raises BusyHashingError if the queue is full."""
        return self._run(lambda: self._argon2.hash(password), caller)

    def verify(self, stored: str | None, password: str, caller: Caller | None = None) -> bool:
        """Return True if the password matches; costs the same if there is no hash.

        Raises BusyHashingError if the queue is full or the caller's share of it used up, with `retry_after` if another hash of the name waits.
        """
        return self._run(lambda: self._matches(stored, password), caller)

    def _matches(self, stored: str | None, password: str) -> bool:
        is_missing = stored is None or stored == NO_HASH
        return self._argon2.verify(self._dummy_hash if is_missing else str(stored), password) and not is_missing

    def _run(self, work: Callable[[], Result], caller: Caller | None = None) -> Result:
        if not self._queue.try_enter(caller):
            raise BusyHashingError
        try:
            with release_slot():
                return self._threads.submit(self._in_slot, work).result()
        finally:
            self._queue.leave(caller)
            self.retries.record_done()

    def _in_slot(self, work: Callable[[], Result]) -> Result:
        with self._slots.held() if self._slots else nullcontext():
            return work()

    def _make_threads(self) -> None:
        """Start threads of this process: a fork takes none along."""
        self._threads = ThreadPoolExecutor(self._max_concurrent, thread_name_prefix="hash", initializer=_lower_priority)


def _lower_priority() -> None:
    """Let this thread have the processor time that others leave, on any processor."""
    unpin_thread()
    own = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, own, min(19, os.getpriority(os.PRIO_PROCESS, own) + _NICENESS))


def _make_dummy_hash() -> str:
    """Draw a hash that no password has, to be checked at full cost if there is no account; computing one would cost each process 19 MiB."""
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (argon2id.SALTBYTES, _DIGEST_BYTES)
    )
    return f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p=1${salt}${digest}"
