"""Password hashes: argon2id at a cost that the machine can bear, few at once and below everything else, so that saved answers never wait behind sign-ins."""

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
"""Stands where an account has no hash yet: no password matches it."""
_AT_ONCE_ON_THE_MACHINE = 2
_BELOW_SAVES = 10
"""How much nicer than the web server the threads are that hash."""
_WINDOW_S = 10.0
_MIN_RATE = 8.0
"""Passwords a second that a process is thought to check at least: a quiet minute says nothing of what it can."""
_SHORTEST_PAUSE_S, _MAX_PAUSE_S = 2.0, 60.0
_MAX_LINES = 1000
"""Addresses that have a line of appointments of their own; any more share one."""
_PASSES, _MEMORY_KIB = 2, 19 * 1024
"""OWASP's second choice."""
_DIGEST_BYTES = 32
Result = TypeVar("Result")


class BusyHashingError(TryAgainError):
    """More people sign in at this moment than passwords can be checked."""

    message = "登录的人较多，请等几秒再点一次“登录”。"


class Priority(IntEnum):
    """How many of the places a caller may use."""

    NEWCOMER = 0
    """A share of the first half."""
    RETURNING = 1
    """Was told when to come again, and that time has come: a share of all."""
    KNOWN_DEVICE = 2
    """Has signed in to this very account before: any that is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom a hash is computed for."""

    name: str
    """The login name or account; one hash of it waits at a time."""
    address: str
    priority: Priority

    @property
    def key(self) -> tuple[str, bool]:
        """Give what is unique among those who wait: the owner's device never collides with strangers who type the same name."""
        return self.name, self.priority is Priority.KNOWN_DEVICE

    @property
    def share(self) -> str:
        """Give the address in whose share the caller stands; known devices stand in none."""
        return "" if self.priority is Priority.KNOWN_DEVICE else self.address


class RetryAfterScheduler:
    """When those who found no place are to come again: one after the other, as fast as passwords are checked, so that waiting makes no work.

    Each address has a line of its own and an equal part of the rate, so none puts the others off.
    """

    def __init__(self, *, time_s: Callable[[], float] = time.monotonic) -> None:
        self._time_s = time_s
        self._lock = threading.Lock()
        self._done: deque[float] = deque()
        self._next_at: dict[str, float] = {}

    def note_done(self) -> None:
        """Note that a password has been checked."""
        with self._lock:
            self._done.append(self._time_s())
            self._forget(self._time_s())

    def give(self, address: str) -> int:
        """Give the seconds after which somebody at this address is to come again."""
        with self._lock:
            now = self._time_s()
            self._forget(now)
            if address not in self._next_at and len(self._next_at) >= _MAX_LINES:
                address = ""
            lines = len(self._next_at.keys() | {address})
            rate = max(len(self._done) / _WINDOW_S, _MIN_RATE) / lines
            at = min(max(self._next_at.get(address, now), now + _SHORTEST_PAUSE_S), now + _MAX_PAUSE_S)
            self._next_at[address] = at + 1 / rate
            return math.ceil(at - now)

    def _forget(self, now: float) -> None:
        while self._done and self._done[0] < now - _WINDOW_S:
            self._done.popleft()
        self._next_at = {address: at for address, at in self._next_at.items() if at > now}


class InterprocessSemaphore:
    """So many at once on the machine, whichever processes need them: each is the lock of a file, which ends with its process.

    Who waits for one holds the door meanwhile, so that nobody who has just given one back is first again.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._door, *self._paths = (folder / f"hash-{name}.lock" for name in ("door", *range(count)))

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for one and hold it."""
        self._door.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as kept:
            with _opened(self._door) as door:
                fcntl.flock(door, fcntl.LOCK_EX)
                last = int.from_bytes(os.pread(door.fileno(), 1, 0), "big")
                slots = [kept.enter_context(_opened(path)) for path in self._paths]
                order = [(last + step) % len(slots) for step in range(1, len(slots) + 1)]
                number = next((number for number in order if _is_locked_now(slots[number])), None)
                if number is None:
                    number = order[0]  # who has had it longest gives it back first
                    fcntl.flock(slots[number], fcntl.LOCK_EX)
                os.pwrite(door.fileno(), bytes([number]), 0)
            yield


def _opened(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


def _is_locked_now(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _BoundedQueue:
    """Who is served and who waits for it, counted: in all, by address and by name.

    An address may hold as many as are still free, so a single one never has more than half, two a third each: there is always room for another.
    """

    def __init__(self, most: int) -> None:
        self.most, self._taken, self._lock = most, 0, threading.Lock()
        self._by_address: Counter[str] = Counter()
        self._names: set[tuple[str, bool]] = set()

    def has_room(self, address: str, priority: Priority) -> bool:
        """Tell whether a caller of this address and priority would find one."""
        limit = -(-self.most // 2) if priority is Priority.NEWCOMER else self.most
        held = 0 if priority is Priority.KNOWN_DEVICE else self._by_address[address]
        return held < limit - self._taken

    def take(self, caller: Caller | None = None) -> bool:
        """Take one, where one is free for this caller; raises BusyHashingError where another hash of the name waits."""
        with self._lock:
            if self._taken >= self.most:
                return False
            if caller is not None:
                if caller.key in self._names:
                    raise BusyHashingError(retry_after=int(_SHORTEST_PAUSE_S))
                if not self.has_room(caller.address, caller.priority):
                    return False
                self._names.add(caller.key)
                self._by_address[caller.share] += 1
            self._taken += 1
            return True

    def give_back(self, caller: Caller | None = None) -> None:
        """Give one back."""
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
        """Tell whether they match; a hash of whatever cost is read, one that is none matches nothing."""
        try:
            return argon2id.verify(stored.encode(), password.encode())
        except CryptoError:
            return False


class Hasher:
    """Makes and checks hashes; a turn at a time, a bounded queue before it."""

    def __init__(self, *, at_once: int, queue: int, slots: InterprocessSemaphore | None = None) -> None:
        self._argon2 = _Argon2()
        self._at_once, self._slots = at_once, slots
        self._places = _BoundedQueue(at_once + queue)
        self.appointments = RetryAfterScheduler()
        self._decoy = _decoy()
        self._make_threads()
        os.register_at_fork(after_in_child=self._make_threads)

    @classmethod
    def from_settings(cls, settings: Settings) -> Hasher:
        """Share the machine's two hashes among its web processes, by files of the data folder: any of them may need both."""
        at_once = _AT_ONCE_ON_THE_MACHINE
        # Who waits here holds a thread: half of them stay free for saves.
        places = max(at_once, int(settings.web_threads) // 2)
        slots = InterprocessSemaphore(settings.data_path / "locks", at_once) if int(settings.web_workers) > 1 else None
        return cls(at_once=at_once, queue=min(int(settings.hash_queue), places - at_once), slots=slots)

    def look_for_place(self, address: str, priority: Priority) -> None:
        """Raise BusyHashingError where a password could not be checked now: asked before anything that costs."""
        if not self._places.has_room(address, priority):
            raise BusyHashingError

    def hash(self, password: str, caller: Caller | None = None) -> str:
        """Make a salted hash; raises BusyHashingError when the queue is full."""
        return self._in_turn(lambda: self._argon2.hash(password), caller)

    def verify(self, stored: str | None, password: str, caller: Caller | None = None) -> bool:
        """Tell whether the password matches; costs the same where there is no hash.

        Raises BusyHashingError where the queue is full or the caller's share of it used up, with `retry_after` where another hash of the name waits.
        """
        return self._in_turn(lambda: self._matches(stored, password), caller)

    def _matches(self, stored: str | None, password: str) -> bool:
        is_decoy = stored is None or stored == NO_HASH
        return self._argon2.verify(self._decoy if is_decoy else str(stored), password) and not is_decoy

    def _in_turn(self, work: Callable[[], Result], caller: Caller | None = None) -> Result:
        if not self._places.take(caller):
            raise BusyHashingError
        try:
            with release_slot():
                return self._threads.submit(self._in_slot, work).result()
        finally:
            self._places.give_back(caller)
            self.appointments.note_done()

    def _in_slot(self, work: Callable[[], Result]) -> Result:
        with self._slots.taken() if self._slots else nullcontext():
            return work()

    def _make_threads(self) -> None:
        """Begin with threads of this very process: a fork takes none along."""
        self._threads = ThreadPoolExecutor(self._at_once, thread_name_prefix="hash", initializer=_step_back)


def _step_back() -> None:
    """Let this thread of ours have what processor time the others leave over, wherever that is."""
    unpin_thread()
    own = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, own, min(19, os.getpriority(os.PRIO_PROCESS, own) + _BELOW_SAVES))


def _decoy() -> str:
    """Write a hash that no password has, to be checked at the full cost where there is no account: drawn, since making one would cost each process 19 MiB."""
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (argon2id.SALTBYTES, _DIGEST_BYTES)
    )
    return f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p=1${salt}${digest}"
