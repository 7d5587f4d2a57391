"""The audit chain at a province's rate, on a PostgreSQL of its own: 2,000 lines a second for a minute, and one transaction of forty seconds among them."""

from __future__ import annotations

import threading
import time

import psycopg
from flask import Flask

from benchmarks.alone import application_alone
from benchmarks.figures import Figure, at_least, at_most
from examapp import clock
from examapp.db.addresses import connect_arguments
from examapp.db.session import transaction
from examapp.platform.audit.rules import ChainHead
from examapp.platform.audit_chain.actions import begin, verify

_LINES_S, _SECONDS, _LATER_S = 2000, 60.0, 60.0
_WRITERS, _LINES_A_TRANSACTION = 4, 10
_BEGINS_S, _LASTS_S = 5.0, 40.0
"""When the long transaction begins after the first line, and how long it holds its line back."""
_EVERY_S = 10.0
"""Between two sealings, as the schedule has them."""
_WRITE = (
    "INSERT INTO audit_events (at, act, object_type, details)"
    " SELECT clock_timestamp(), 'people.sign_in', 'account', '{}' FROM generate_series(1, %s)"
)
_LEFT = "SELECT (SELECT count(*) FROM audit_events) - (SELECT count(*) FROM audit_seals)"


class _Log:
    """The log under load: writers, the long transaction, and the task that seals, each in a thread of its own."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.arguments = connect_arguments(app.config["SETTINGS"].database_url)
        self.lines = 0
        self.sealed_s: list[float] = []
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._began = time.monotonic()

    def _write(self, writer: int) -> None:
        """Write this writer's share at its pace, however slow the server is: who is late does not wait."""
        pause_s = _WRITERS * _LINES_A_TRANSACTION / _LINES_S
        with psycopg.connect(**self.arguments, autocommit=True) as connection:
            for number in range(int(_SECONDS / pause_s)):
                due = self._began + number * pause_s + writer * pause_s / _WRITERS
                time.sleep(max(due - time.monotonic(), 0))
                if time.monotonic() - self._began > _SECONDS:
                    break
                connection.execute(_WRITE, [_LINES_A_TRANSACTION])
                with self._lock:
                    self.lines += _LINES_A_TRANSACTION

    def _hold_back(self) -> None:
        time.sleep(_BEGINS_S)
        with psycopg.connect(**self.arguments) as connection:
            connection.execute(_WRITE, [1])
            time.sleep(_LASTS_S)

    def _seal(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            self.app.extensions["celery"].tasks["audit.seal"].apply()
            self.sealed_s.append(time.monotonic() - began)
            self._ended.wait(max(_EVERY_S - self.sealed_s[-1], 0))

    def run(self) -> tuple[float, int]:
        """Write for a minute; give the seconds after the last line until all are linked, a minute at most, and how many are not then."""
        self._began = time.monotonic()
        sealing = threading.Thread(target=self._seal)
        threads = [threading.Thread(target=self._write, args=(number,)) for number in range(_WRITERS)]
        threads.append(threading.Thread(target=self._hold_back))
        for thread in (sealing, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        ended = time.monotonic()
        with psycopg.connect(**self.arguments, autocommit=True) as connection:
            while (left := _left(connection)) and time.monotonic() - ended < _LATER_S:
                time.sleep(0.5)
        took_s = time.monotonic() - ended
        self._ended.set()
        sealing.join()
        return took_s, left


def _left(connection: psycopg.Connection) -> int:
    row = connection.execute(_LEFT).fetchone()
    return int(row[0]) if row else 0


def measure() -> list[Figure]:
    """Write, seal as the schedule does, and verify the whole chain afterwards."""
    with application_alone() as app:
        settings = app.config["SETTINGS"]
        begin(settings.data_path, ChainHead(), cipher=app.extensions["cipher"])
        log = _Log(app)
        took_s, left = log.run()
        with app.app_context(), transaction() as session:
            found = verify(session, cipher=app.extensions["cipher"], folder=settings.data_path, now=clock.now())
    print(
        f"  {log.lines + 1:,} lines, {len(log.sealed_s)} sealings, the longest {max(log.sealed_s):.1f} s; {found.issues[:3]}"
    )
    return [
        at_least(f"audit log: lines a second for {_SECONDS:.0f} s", log.lines / _SECONDS, 0.99 * _LINES_S, "1/s"),
        at_most("audit log: lines without a link a minute after the last", left, 0, "lines"),
        at_most("audit log: seconds after the last line until all are linked", took_s, _LATER_S, "s"),
        at_most("audit log: faults that a walk along the chain finds, a transaction of 40 s among the lines", len(found.issues), 0, "faults"),
        at_least("audit log: links on the chain that was walked", found.count, log.lines + 1, "links"),
    ]  # fmt: skip
