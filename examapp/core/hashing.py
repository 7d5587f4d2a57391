"""Password hashes: argon2id at a cost that the machine can bear, few at once, so that saved answers never wait behind sign-ins."""

from __future__ import annotations

import secrets
import threading
from base64 import b64encode

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from examapp.config import Settings
from examapp.core.errors import TryAgainError
from examapp.core.turns import aside

NO_HASH = "!"
"""Stands where an account has no hash yet: no password matches it."""
_AT_ONCE_ON_THE_MACHINE = 2


class BusyHashingError(TryAgainError):
    """More people sign in at this moment than passwords can be checked."""

    message = "登录的人较多，请等几秒再点一次“登录”。"


class Hasher:
    """Makes and checks hashes, argon2id with t=2, 19 MiB, p=1 (OWASP's second choice); a turn at a time, a bounded queue before it."""

    def __init__(self, *, at_once: int, queue: int) -> None:
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
        self._turn = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + queue)
        self._decoy = _decoy(self._argon2)

    @classmethod
    def from_settings(cls, settings: Settings) -> Hasher:
        """Share the machine's two hashes among its web processes."""
        at_once = max(1, _AT_ONCE_ON_THE_MACHINE // int(settings.web_workers))
        # Who waits here holds a thread: half of them stay free for saves.
        places = max(at_once, int(settings.web_threads) // 2)
        return cls(at_once=at_once, queue=min(int(settings.hash_queue), places - at_once))

    def hash(self, password: str) -> str:
        """Make a salted hash; raises BusyHashingError when the queue is full."""
        with _Place(self._places), aside(), self._turn:
            return self._argon2.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether the password matches; costs the same where there is no hash. Raises BusyHashingError."""
        with _Place(self._places), aside(), self._turn:
            try:
                return self._argon2.verify(self._decoy if stored in {None, NO_HASH} else str(stored), password) and (
                    stored not in {None, NO_HASH}
                )
            except (VerificationError, InvalidHashError):
                return False


def _decoy(argon2: PasswordHasher) -> str:
    """Write a hash that no password has, to be checked at the full cost where there is no account: drawn, since making one would cost each process 19 MiB."""
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (argon2.salt_len, argon2.hash_len)
    )
    return f"$argon2id$v=19$m={argon2.memory_cost},t={argon2.time_cost},p={argon2.parallelism}${salt}${digest}"


class _Place:
    """A place in the queue, given back at the end."""

    def __init__(self, places: threading.BoundedSemaphore) -> None:
        self._places = places

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            raise BusyHashingError

    def __exit__(self, *_: object) -> None:
        self._places.release()
