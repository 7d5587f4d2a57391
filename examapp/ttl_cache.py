"""A value that may be some seconds old: read again by whoever asks first after that, once a process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()
T = TypeVar("T")


class TtlCache(Generic[T]):
    """Keeps what `read` gave, for so many seconds; while one reads again the others have the value of before."""

    def __init__(self, read: Callable[[], T], *, empty: T, seconds: float) -> None:
        self._read, self._empty, self._seconds = read, empty, seconds
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Read again at the next call."""
        self._value, self._due_at = self._empty, 0.0

    def get(self) -> T:
        """Give the value, read again where it is due; where the database is away just now, the value of before."""
        if time.monotonic() >= self._due_at and self._lock.acquire(blocking=False):
            try:
                self._due_at = time.monotonic() + self._seconds
                self._value = self._read()
            except SQLAlchemyError as error:
                log.warning("not_read_again", error=type(error).__name__)
            finally:
                self._lock.release()
        return self._value
