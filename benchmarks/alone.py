"""An application with an empty PostgreSQL of its own, for measures that need no web server."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from examapp import create_app
from examapp.config import Mode, Settings
from examapp.db.schema import migration_config
from examapp.db.session import db
from examapp.ops.embedded_servers import make_run_folder, start_postgres

_INDEXES = text("""
SELECT i.indexrelid::regclass AS name, pg_get_indexdef(i.indexrelid) AS made, k.conname AS key, pg_get_constraintdef(k.oid) AS key_made
FROM pg_index AS i LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u')
WHERE i.indrelid = CAST(:table AS regclass)
""")
_ROOMY = {"max_wal_size": "8GB", "shared_buffers": "512MB"}


@contextmanager
def application_alone(server_settings: dict[str, str] | None = None) -> Iterator[Flask]:
    """Start a server, migrate it, and give an application before it; nothing is left afterwards. Without settings the server has room."""
    folder, run = Path(tempfile.mkdtemp(prefix="bench-alone-")), make_run_folder()
    server = start_postgres(folder, run, extra=_ROOMY if server_settings is None else server_settings)
    try:
        settings = Settings(
            app_mode=Mode.TESTING, database_url=server.url, redis_url="unix:///nowhere", secret_key="x" * 40, data_keys="k1:" + "11" * 32,
            data_dir=str(folder), log_level="ERROR",
        )  # fmt: skip
        app = create_app(settings)
        with app.app_context():
            command.upgrade(migration_config(), "head")
        yield app
        with app.app_context():
            db.engine.dispose()
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(run, ignore_errors=True)


@contextmanager
def without_indexes(database: Session | Connection, table: str, *, keeps_keys: bool = False) -> Iterator[None]:
    """Let a table be filled while it has no index, and build them all at once afterwards, which takes a fraction of the time.

    Where the fill itself looks rows up by a key of the table, that one is kept.
    """
    dropped = [row for row in database.execute(_INDEXES, {"table": table}) if not (row.key and keeps_keys)]
    for row in dropped:
        gone = f"ALTER TABLE {table} DROP CONSTRAINT {row.key}" if row.key else f"DROP INDEX {row.name}"
        database.execute(text(gone))
    yield
    database.execute(text("SET maintenance_work_mem = '256MB'"))
    for row in dropped:
        built = f"ALTER TABLE {table} ADD CONSTRAINT {row.key} {row.key_made}" if row.key else row.made
        database.execute(text(built))
