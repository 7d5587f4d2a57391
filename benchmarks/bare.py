"""The bare measure of a save: a WSGI function that does the same statement through the same pool and server, and nothing else."""

from __future__ import annotations

import json
import time

from sqlalchemy import create_engine

from examapp import clock
from examapp.config import read_settings
from examapp.db.session import engine_options, execute_autocommit_on
from examapp.delivery.attempts.actions import SAVE
from examapp.delivery.attempts.rules import Change, describe

settings = read_settings()
plain_engine = create_engine(settings.database_url, **engine_options(settings.db_pool_size))
engine = plain_engine.execution_options(isolation_level="AUTOCOMMIT")


def app(environ, start_response):
    """`/way/attempt/digest/epoch`: save one answer of that attempt, for the sign-in of that digest.

    The way is `sql` (SQLAlchemy's execution, as anybody would write it) or `driver` (past it, as our own save goes).
    """
    _, way, attempt_id, token_digest, epoch = environ["PATH_INFO"].split("/")
    environ["wsgi.input"].read()
    seq = time.time_ns() // 1000  # newer than what either worker has stored, so that each call stores an answer
    changes = json.dumps([describe(Change(1 + seq % 65, seq, ["A" if seq % 2 else "B"]))])
    values = {
        "attempt_id": int(attempt_id),
        "token_digest": bytes.fromhex(token_digest),
        "person_id": None,
        "epoch": int(epoch),
        "now": clock.now(),
        "changes": changes,
    }
    if way == "driver":
        rows = execute_autocommit_on(plain_engine, SAVE, values)
    else:
        with engine.connect() as connection:
            rows = connection.execute(SAVE, values).all()
    body = b'{"ok":true}' if rows else b'{"ok":false}'
    start_response(
        "200 OK" if rows else "409 Conflict", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    )
    return [body]
