"""Notice a database that no longer answers, and end the waits for it, so that no request hangs with it.

A database that is dead refuses at once. One that is frozen (a stopped machine, a hung disk, a cable pulled) says nothing, and a driver
waits for ever. So each connection notes when it begins to wait; where a wait grows long, a thread knocks on the database's door with a
new connection. Nobody opens: all waits are ended, and further calls fail at once, until somebody opens again. A long statement on a
database that is well is left alone. A database that died and came back left dead lines in the pool: each is looked at before it is given out.
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
from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import InvalidatePoolError

log = structlog.get_logger()
_LONG_WAIT_S = 0.8
_LOOK_EVERY_S = 0.2
_KNOCK_EVERY_S = 1.0
_KNOCK_TIMEOUT_S = 2
"""The least that libpq takes."""


class ConnectionWatchdog:
    """Whether one database answers, as this process knows it."""

    def __init__(self) -> None:
        self.is_away = False
        self._waits: dict[int, tuple[float, psycopg.Connection[Any]]] = {}
        self._address: dict[str, Any] = {}
        self._pid = 0
        self._lock = threading.Lock()

    def begin(self, connection: psycopg.Connection[Any]) -> None:
        """Note that a connection waits for the database; raises OperationalError where it is known to be away."""
        if self.is_away:
            raise psycopg.OperationalError("the database does not answer")
        self._waits[id(connection)] = (time.monotonic(), connection)

    def end(self, connection: psycopg.Connection[Any]) -> None:
        """Note that the wait is over."""
        self._waits.pop(id(connection), None)

    def watch(self, address: dict[str, Any]) -> None:
        """Look after the waits of this process, in a thread; once a process, whatever forked it."""
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid, self._address, self._waits = os.getpid(), address, {}
        threading.Thread(target=self._look_for_ever, name="pulse", daemon=True).start()

    def _look_for_ever(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_S)
            began = time.monotonic()
            is_late = any(began - since > _LONG_WAIT_S for since, _ in list(self._waits.values()))
            if self.is_away or is_late:
                self._judge(does_answer=self._knock())
                time.sleep(max(0.0, began + _KNOCK_EVERY_S - time.monotonic()))

    def _knock(self) -> bool:
        try:
            # autocommit and no statement: opening the door is the whole answer
            psycopg.connect(**(self._address | {"connect_timeout": _KNOCK_TIMEOUT_S})).close()
        except psycopg.OperationalError:
            return False
        return True

    def _judge(self, *, does_answer: bool) -> None:
        if self.is_away == does_answer:
            log.warning("database_answers" if does_answer else "database_silent", waits=len(self._waits))
        self.is_away = not does_answer
        if self.is_away:
            for since, connection in list(self._waits.values()):
                if time.monotonic() - since > _LONG_WAIT_S:
                    _hang_up(connection)


def _hang_up(connection: psycopg.Connection[Any]) -> None:
    """Close the line under a connection, so that whoever waits on it gets an error now."""
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


pulse = ConnectionWatchdog()


class WatchedConnection(psycopg.Connection[Any]):
    """A connection whose waits are looked after."""

    def wait(self, *arguments: Any, **fields: Any) -> Any:
        """Wait for the database; raises OperationalError where it does not answer."""
        pulse.begin(self)
        try:
            return super().wait(*arguments, **fields)
        finally:
            pulse.end(self)


def install_watchdog(engine: Engine) -> None:
    """Open the engine's connections as watched ones, and share none with processes that are forked from this one.

    Two processes on one line would end each other's transactions: Celery forks its workers while the clock's thread holds a connection.
    """
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _refuse_dead_line)
    os.register_at_fork(after_in_child=partial(engine.dispose, close=False))


def _connect(_dialect: Dialect, _record: object, arguments: list[Any], fields: dict[str, Any]) -> WatchedConnection:
    pulse.watch(fields)
    if pulse.is_away:
        raise psycopg.OperationalError("the database does not answer")
    return WatchedConnection.connect(*arguments, **fields)


def _refuse_dead_line(connection: psycopg.Connection[Any], *_pooled: object) -> None:
    """Raise InvalidatePoolError, whereupon the pool opens new lines, where the database hung up: an idle line on which something is to be read.

    It costs two microseconds, where `pool_pre_ping` costs a statement.
    """
    if connection.closed:
        raise InvalidatePoolError
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)
    if line.poll(0):
        raise InvalidatePoolError
