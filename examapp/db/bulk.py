"""Rows by the thousand: copied in PostgreSQL's text form, with numbers that were taken from a table's sequence before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, LiteralString, Self, cast

import msgspec
import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

NULL = r"\N"
_MAX_PENDING = 16


def copy_rows(session: Session, target: str, lines: Iterable[str]) -> None:
    """Copy lines of PostgreSQL's text form, each with its line break, into a table's columns."""
    _copy(_driver_of(session), target, lines)


def _copy(driver: psycopg.Connection[Any], target: str, lines: Iterable[str]) -> None:
    with driver.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        copy.write("".join(lines))


def _driver_of(session: Session) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)


def reserve_ids(session: Session, table: str, count: int) -> list[int]:
    """Take so many numbers from a table's sequence, for rows that are copied with those that refer to them."""
    numbers = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
    return list(session.scalars(numbers, {"table": table, "count": count}))


def json_of(value: object) -> str:
    """Write a value as JSON for a parameter of a statement."""
    return msgspec.json.encode(value).decode()


def copied(value: object) -> str:
    """Write a value as JSON in the text that COPY reads."""
    return json_of(value).replace("\\", "\\\\")


class RowCopier:
    """Copies rows over a session's own connection, in a thread of its own, while the next ones are made; nothing else may use the session meanwhile."""

    def __init__(self, session: Session) -> None:
        self._driver = _driver_of(session)
        self._pool = ThreadPoolExecutor(1)
        self._pending: deque[Future[object]] = deque()
        self._is_superuser = session.scalar(text("SELECT current_setting('is_superuser') = 'on'"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the last row; raises what a copy raised."""
        with self._pool:
            while self._pending:
                self._pending.popleft().result()

    def copy(self, target: str, lines: list[str]) -> None:
        """Copy lines soon."""
        self._submit(partial(_copy, self._driver, target, lines))

    def execute(self, statement: LiteralString, value: str, *, is_sound: bool = False) -> None:
        """Execute a statement with a parameter soon. `is_sound`: the references of its rows hold by how these were made, and are not looked up where the role may leave that out."""
        if is_sound and self._is_superuser:
            self._submit(partial(self._driver.execute, "SET LOCAL session_replication_role = replica"))
        self._submit(partial(self._driver.execute, statement, (value,)))
        if is_sound and self._is_superuser:
            self._submit(partial(self._driver.execute, "SET LOCAL session_replication_role = origin"))

    def _submit(self, act: Callable[[], object]) -> None:
        if len(self._pending) >= _MAX_PENDING:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(act))
