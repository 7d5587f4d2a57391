"""Ends the transaction of a request that has only read by a commit.

psycopg drops every prepared statement of a connection at a rollback, so whoever gets the connection next has the database plan its statements again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from examapp.db.session import ONLY_READS, commit_reads, db


def end_reads_by_commit(app: Flask, engine: Engine) -> None:
    """Follow what each transaction of an engine does, and commit at the end of a request what has only read.

    All else is rolled back as before: what was written outside `transaction()`, what is changed and not yet written, and whatever ends in an error.
    Call it once `db` knows the application: functions at the end of a request run last registered first, and its own gives the connection back.
    """
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _note)
    app.teardown_appcontext(_end)


def _begin(connection: Connection) -> None:
    connection.info[ONLY_READS] = True


def _note(connection: Connection, _cursor: object, statement: str, *_: Any) -> None:
    """Take for a read what begins with SELECT alone: a WITH may hold a change, and all else is one."""
    if not statement.lstrip().startswith("SELECT"):
        connection.info[ONLY_READS] = False


def _end(error: BaseException | None) -> None:
    if error is not None or not db.session.registry.has():
        return
    with suppress(SQLAlchemyError):  # the answer stands; the connection is given back or thrown away right after
        commit_reads(db.session())
