"""The bare measure of a save: a WSGI function that does the same statement through the same pool and server, and nothing else."""

from __future__ import annotations

import json
from itertools import count

from sqlalchemy import create_engine

from examapp.attempts.operations import SAVE
from examapp.attempts.rules import Change, describe
from examapp.config import read_settings
from examapp.core import clock
from examapp.core.db import engine_options

settings = read_settings()
engine = create_engine(settings.database_url, **engine_options(settings.database_url, int(settings.db_pool_size)))
_seq = count(1_000_000)


def app(environ, start_response):
    """`/attempt/person/epoch`: save one answer of that attempt."""
    _, attempt_id, person_id, epoch = environ["PATH_INFO"].split("/")
    environ["wsgi.input"].read()
    seq = next(_seq)
    changes = json.dumps([describe(Change(1 + seq % 65, seq, ["A" if seq % 2 else "B"]))])
    values = {
        "attempt_id": int(attempt_id),
        "person_id": int(person_id),
        "epoch": int(epoch),
        "now": clock.now(),
        "changes": changes,
    }
    with engine.begin() as connection:
        rows = connection.execute(SAVE, values).all()
    body = b'{"ok":true}' if rows else b'{"ok":false}'
    start_response(
        "200 OK" if rows else "409 Conflict", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    )
    return [body]
