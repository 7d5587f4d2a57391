"""Sites of a province side by side: each a PostgreSQL of its own from the wheels, with the program's own migrations and application."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import celery
import psycopg
from alembic import command
from flask import Flask

from examapp import create_app
from examapp.config import Mode, Settings
from examapp.db.schema import migration_config
from examapp.db.session import db
from examapp.ops.embedded_servers import Server, make_run_folder, start_postgres
from examapp.platform.province.actions import READER

_SERVER = {
    "wal_level": "logical",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_worker_processes": "40",
    "max_logical_replication_workers": "32",
    "max_replication_slots": "60",
    "max_active_replication_origins": "60",
    "max_wal_senders": "60",
    "max_wal_size": "1GB",
    "wal_retrieve_retry_interval": "1s",
    "synchronous_commit": "off",
}
"""Small, for twenty servers on one machine; answers are not measured here."""


class SiteOfProvince:
    """One site: its database server, which can be stopped and started again, and its application."""

    def __init__(self, folder: Path, *, cell: int, fsync: str = "off") -> None:
        self.cell, self.folder, self.run_folder = cell, folder, make_run_folder()
        self._extra = _SERVER | {"fsync": fsync}
        self.server = self._start()
        self.settings = Settings(
            app_mode=Mode.TESTING,
            database_url=self.server.url,
            redis_url="redis://127.0.0.1:1/0",
            secret_key="a-key-of-a-site-of-at-least-32-characters",
            data_keys="k1:" + "11" * 32,
            data_dir=str(folder),
            log_level="ERROR",
            cell=cell,
            province=cell == 0,
        )
        self.app: Flask = create_app(self.settings)

    def _start(self) -> Server:
        return start_postgres(self.folder, self.run_folder, extra=self._extra)

    def migrate(self) -> None:
        with self.app.app_context():
            command.upgrade(migration_config(), "head")
            db.engine.dispose()

    def flask(self, *arguments: str) -> tuple[int, str]:
        """Run a command of this site; give its exit code and what it said."""
        result = self.app.test_cli_runner().invoke(args=list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    def sql(self, statement: str, *values: Any, as_replica: bool = False) -> list[tuple[Any, ...]]:
        """Run statements as the owner; give the last one's rows. `as_replica` without the checks of keys, for large loads."""
        with psycopg.connect(self.server.url.replace("+psycopg", "")) as connection:
            if as_replica:
                connection.execute("SET session_replication_role = replica")
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    @property
    def address(self) -> str:
        """The address that the other side connects to, by the role that reads the listed columns alone."""
        return self.server.url.replace("//postgres@", f"//{READER}@")

    def run_task(self, name: str, *ids: int) -> None:
        """Run a Celery task as this site's worker would."""
        self.app.extensions["celery"].tasks[name](*ids)

    def kill(self) -> None:
        """Kill the database at once, as a power cut does."""
        with self.app.app_context():
            db.engine.dispose()
        self.server.stop(signal.SIGKILL)

    def start_again(self, **settings: str) -> None:
        """Start the database on the same folder and address, with other settings where they are given."""
        self._extra |= settings
        self.server = self._start()

    def stop(self) -> None:
        with self.app.app_context():
            db.engine.dispose()
        self.server.stop(signal.SIGQUIT)
        shutil.rmtree(self.run_folder, ignore_errors=True)


@contextmanager
def sites_of_province(folder: Path, cells: int) -> Iterator[list[SiteOfProvince]]:
    """Start the province (the first) and so many cells, each with a cluster of its own and its range; they are not linked yet.

    No cluster is copied: PostgreSQL names the slots of first copies by the subscriber's system identifier, which a copy shares.
    """
    default = celery.current_app._get_current_object()  # noqa: SLF001 – Celery's own way to the application
    sites: list[SiteOfProvince] = []
    try:
        for cell in range(cells + 1):
            sites.append(SiteOfProvince(folder / str(cell), cell=cell))
            sites[-1].migrate()
            if cell:
                _must(sites[-1].flask("cell", "begin", str(cell)))
        yield sites
    finally:
        for site in sites:
            site.stop()
        default.set_default()
        default.set_current()


def link(sites: Sequence[SiteOfProvince]) -> None:
    """Publish on every site, and subscribe each cell to the province and the province to each cell."""
    province, *cells = sites
    _must(*(site.flask("province", "publish") for site in sites))
    for cell in cells:
        _must(cell.flask("province", "subscribe", province.address), province.flask("province", "subscribe", cell.address))  # fmt: skip


def _must(*results: tuple[int, str]) -> None:
    for code, said in results:
        if code:
            raise RuntimeError(said)


def wait_until(is_met: Callable[[], bool], *, within_s: float = 60) -> float:
    """Wait for a condition; give the seconds it took. Raises TimeoutError."""
    began = time.monotonic()
    while not is_met():
        if time.monotonic() - began > within_s:
            raise TimeoutError
        time.sleep(0.05)
    return time.monotonic() - began
