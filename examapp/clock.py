"""The one clock: aware UTC that follows the database's, since several machines must agree on a deadline.

The database's time is measured every ten seconds; in between the machine's monotonic clock carries it, so a jump of the wall clock
changes nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()

LOCAL = ZoneInfo("Asia/Shanghai")
_YEARS = range(2000, 2101)
_MEASURE_EVERY_S = 10.0
_FIRST_EVERY_S = 0.5
"""Until the database has been asked once: so long the host's own time stands in."""


class Clock:
    """A clock that follows a database's."""

    def __init__(self) -> None:
        self._measured: tuple[datetime, float] | None = None
        """The database's time and the monotonic one, of the same moment: one value, so that nobody reads half of a new one."""
        self._follower: threading.Thread | None = None
        self._source: Callable[[], datetime] | None = None
        self.readers: list[Callable[[Connection], None]] = []
        """What else is read each time the database is asked: what every process must know and no request should look up."""
        self.is_started_by_forks_only = False
        """True in a process that only loads the program for others to be forked from (ops.web_workers): it begins no thread."""

    def now(self) -> datetime:
        """Give the present instant, aware, in UTC."""
        if self._source is not None:
            return self._source()
        if (measured := self._measured) is None:
            return datetime.fromtimestamp(time.time(), UTC)
        return measured[0] + timedelta(seconds=time.monotonic() - measured[1])

    def measure(self, engine: Engine) -> None:
        """Measure the database's time, and let the readers read.

        Each read is a transaction of its own: at the end of one that only read, SQLAlchemy rolls back, and the driver then drops every statement
        that the connection had prepared, those of starts and saves too.
        """
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            before = time.monotonic()
            measured = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            after = time.monotonic()
            self._measured = measured, (before + after) / 2
            for read in self.readers:
                read(connection)

    def follow(self, engine: Engine) -> None:
        """Measure the database's time now and every ten seconds, in a thread of its own; keep the last offset while it is away.

        Threads do not outlive a fork: a process forked from this one begins its own.
        """
        if self._follower is None:
            os.register_at_fork(after_in_child=partial(self.begin_following, engine))
            if not self.is_started_by_forks_only:
                self.begin_following(engine)

    def begin_following(self, engine: Engine) -> None:
        """Begin the thread that measures, in this process."""
        self._follower = threading.Thread(target=self._follow_for_ever, args=(engine,), name="clock", daemon=True)
        self._follower.start()

    def _follow_for_ever(self, engine: Engine) -> None:
        while True:
            try:
                self.measure(engine)
            except SQLAlchemyError as error:
                log.warning("clock_not_measured", error=type(error).__name__)
            time.sleep(_MEASURE_EVERY_S if self._measured else _FIRST_EVERY_S)

    @contextmanager
    def set_to(self, instant: datetime | Callable[[], datetime]) -> Iterator[None]:
        """Hold the clock at an instant, or let it follow a function, for tests and for the demo county."""
        previous = self._source
        self._source = instant if callable(instant) else lambda: instant
        try:
            yield
        finally:
            self._source = previous


clock = Clock()


def now() -> datetime:
    """Give the present instant of the one clock, aware, in UTC."""
    return clock.now()


def local(instant: datetime) -> datetime:
    """Give the instant as the county's people read it."""
    return instant.astimezone(LOCAL)


def today() -> date:
    """Give the present day in the county."""
    return local(now()).date()


def day_of(instant: datetime) -> date:
    """Give the county's day of an instant."""
    return local(instant).date()


def start_of(day: date) -> datetime:
    """Give the instant at which a day of the county begins."""
    return datetime.combine(day, datetime.min.time(), LOCAL).astimezone(UTC)


def span_text(first: date, last: date) -> str:
    """Write days as people do: one day once, the year of the last only where it is another (`2026年5月1日至5月31日`)."""
    if first == last:
        return f"{first:%Y年%-m月%-d日}"
    return (
        f"{first:%Y年%-m月%-d日}至{last:%-m月%-d日}"
        if first.year == last.year
        else f"{first:%Y年%-m月%-d日}至{last:%Y年%-m月%-d日}"
    )


def find_day(text: str) -> date | None:
    """Find the day that somebody wrote, as ISO 8601 has it; None for what is none, or lies in no year of this program's."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def from_local(naive: datetime) -> datetime:
    """Read a time as it was typed in a form of the county, as an aware UTC instant."""
    return naive.replace(tzinfo=LOCAL).astimezone(UTC)
