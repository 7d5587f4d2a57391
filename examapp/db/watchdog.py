"""Notice a database that no longer answers, and end the waits for it, so that no request hangs with it.

A dead database rejects at once. A frozen one (a stopped machine, a hung disk, a cable pulled) says nothing, and a driver waits for ever: over
a Unix socket there is no TCP timeout, and the server's own `statement_timeout` is frozen with it. So a thread samples the connections that
are checked out of the pool; where a statement takes long, it probes the database by a new connection. If that fails, the waits are ended,
and further calls fail at once, until a probe succeeds. A long statement on a healthy database is left alone.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from functools import partial
from typing import Any

import psycopg
import structlog
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import InvalidatePoolError

log = structlog.get_logger()
_LONG_STATEMENT_S = 0.8
_SAMPLE_EVERY_S = 0.2
_PROBE_EVERY_S = 1.0
_PROBE_TIMEOUT_S = 2
"""The least that libpq takes."""


class ConnectionWatchdog:
    """Whether the database of one engine answers, as this process knows it."""

    def __init__(self) -> None:
        self.is_away = False
        self._checked_out: dict[int, psycopg.Connection[Any]] = {}
        self._pid = 0
        self._lock = threading.Lock()

    def install(self, engine: Engine) -> None:
        """Watch an engine's pool, and share none of its connections with processes that are forked from this one.

        Two processes on one connection would end each other's transactions: Celery forks its workers while the clock's thread holds one.
        """
        event.listen(engine, "do_connect", self._on_connect)
        event.listen(engine, "checkout", self._on_checkout)
        event.listen(engine, "checkin", lambda _connection, record: self._checked_out.pop(id(record), None))
        os.register_at_fork(after_in_child=partial(engine.dispose, close=False))

    def _on_connect(self, _dialect: Dialect, _record: object, _arguments: list[Any], fields: dict[str, Any]) -> None:
        if self.is_away:
            raise psycopg.OperationalError("the database does not answer")
        with self._lock:
            if self._pid != os.getpid():  # once a process, whatever forked it
                self._pid, self._checked_out = os.getpid(), {}
                threading.Thread(target=self._watch, args=(fields,), name="database watchdog", daemon=True).start()

    def _on_checkout(self, connection: psycopg.Connection[Any], record: object, _proxy: object) -> None:
        """Raise InvalidatePoolError, whereupon the pool opens new connections, if the database closed this one while it lay idle.

        Then something is to be read from it. To look costs two microseconds, where `pool_pre_ping` costs a statement.
        """
        if self.is_away:
            raise psycopg.OperationalError("the database does not answer")
        poll = select.poll()
        if not connection.closed:
            poll.register(connection.fileno(), select.POLLIN)
        if connection.closed or poll.poll(0):
            raise InvalidatePoolError
        self._checked_out[id(record)] = connection

    def _watch(self, address: dict[str, Any]) -> None:
        since: dict[int, float] = {}
        while True:
            time.sleep(_SAMPLE_EVERY_S)
            now = time.monotonic()
            since = {key: since.get(key, now) for key, one in list(self._checked_out.items()) if _is_active(one)}
            if self.is_away or now - min(since.values(), default=now) > _LONG_STATEMENT_S:
                self._judge(does_answer=_probe(address), waits=len(since))
                time.sleep(max(0.0, now + _PROBE_EVERY_S - time.monotonic()))

    def _judge(self, *, does_answer: bool, waits: int) -> None:
        if self.is_away == does_answer:
            log.warning("database_answers" if does_answer else "database_silent", waits=waits)
        self.is_away = not does_answer
        for connection in list(self._checked_out.values()) if self.is_away else []:
            if _is_active(connection):  # shut the socket under it, so that whoever waits on it gets an error now
                with (
                    contextlib.suppress(OSError, psycopg.Error),
                    socket.socket(fileno=os.dup(connection.fileno())) as one,
                ):
                    one.shutdown(socket.SHUT_RDWR)


def _probe(address: dict[str, Any]) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(**(address | {"connect_timeout": _PROBE_TIMEOUT_S})).close()  # to be let in is the whole answer
        return True
    return False


def _is_active(connection: psycopg.Connection[Any]) -> bool:
    return connection.info.transaction_status == TransactionStatus.ACTIVE
