"""A write of one statement, on its own connection of the pool: committed when it returns, and no line is left in a bad state."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from examapp.clock import Clock
from examapp.db.session import db, execute_autocommit, execute_autocommit_on
from examapp.db.watchdog import ConnectionWatchdog

_WRITE = text(
    "INSERT INTO alone AS a (n) VALUES (:n) ON CONFLICT (n) DO UPDATE SET reply = a.reply + 1 RETURNING n, reply"
)
_BACKEND = text("SELECT pg_backend_pid()")
_PREPARED = text("SELECT count(*) AS count FROM pg_prepared_statements WHERE statement = :statement")
_END_OWN_LINE = text("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.fixture
def table(race_app):
    with race_app.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alone (n int PRIMARY KEY, reply int NOT NULL DEFAULT 0)"))
    with race_app.app_context():
        yield
        with db.engine.begin() as connection:
            connection.execute(text("DROP TABLE alone"))


def _reported() -> list[tuple[int, int]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT n, reply FROM alone ORDER BY n"))]


def test_what_it_gives_back_is_committed(table):
    for reply in range(5):  # prepared by the driver from the third on
        (row,) = execute_autocommit(_WRITE, {"n": 7})
        assert (row.n, row.reply) == (7, reply)
        assert _reported() == [(7, reply)]


def test_the_connection_goes_back_as_it_came(table):
    execute_autocommit(_WRITE, {"n": 1})
    with db.engine.connect() as connection:  # the pool gives the last one first
        connection.execute(text("INSERT INTO alone (n) VALUES (2)"))
        connection.rollback()
    assert _reported() == [(1, 0)]


def test_an_error_is_sqlalchemys_and_the_line_is_given_up(table):
    with pytest.raises(DBAPIError) as caught:
        execute_autocommit(text("INSERT INTO alone (n) VALUES (:n) RETURNING n / 0"), {"n": 3})
    assert cast("Any", caught.value.orig).sqlstate == "22012"
    assert "3" not in str(caught.value).split("[SQL")[0], "no value of a parameter in an error's words"
    assert _reported() == []
    assert execute_autocommit(_WRITE, {"n": 3})


def test_a_line_that_ends_is_an_operational_error_and_the_next_call_works(table):
    for _ in range(3):
        with pytest.raises(OperationalError):
            execute_autocommit(_END_OWN_LINE, {})
        assert execute_autocommit(_WRITE, {"n": 4})
    assert _reported() == [(4, 2)]


def test_no_call_meets_a_line_that_the_database_ended_while_it_lay_idle(servers):
    url = servers.settings("postgres").database_url
    engine, other = create_engine(url, pool_size=4, max_overflow=0), create_engine(url)
    ConnectionWatchdog().install(engine)
    with ExitStack() as held:
        ours = {held.enter_context(engine.connect()).execute(_BACKEND).scalar_one() for _ in range(4)}
    with other.connect() as connection:
        for pid in ours:
            assert connection.execute(text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": pid}).scalar_one()
    assert not ours & {execute_autocommit_on(engine, _BACKEND, {})[0].pg_backend_pid for _ in range(8)}
    for each in (engine, other):
        each.dispose()


def test_the_clock_leaves_a_connection_the_statements_that_it_has_prepared(servers):
    engine = create_engine(servers.settings("postgres").database_url)
    execute_autocommit_on(engine, _BACKEND, {})
    Clock().measure(engine)
    assert execute_autocommit_on(engine, _PREPARED, {"statement": "SELECT pg_backend_pid()"})[0].count == 1
    engine.dispose()
