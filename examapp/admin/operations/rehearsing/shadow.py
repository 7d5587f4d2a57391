"""The shadow: a database of its own beside the county's, with web processes of its own, all gone at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from examapp.core.serving import web_command

_ROOT = Path(__file__).parents[4]
_MARK = "examapp rehearsal: made by a rehearsal, may be dropped"
_SUFFIX = "_rehearsal"
_READY_S = 60
_NO_QUEUE = "unix:///nowhere/rehearsal.sock"
"""No queue: nothing of a rehearsal may reach the county's workers; the sweeper grades by itself."""


class RehearsalError(Exception):
    """The rehearsal could not be held; the message says why and what to do, in Chinese."""


@dataclass(slots=True)
class Shadow:
    """The running shadow: where its web processes listen, and its database."""

    port: int
    environment: dict[str, str]
    engine: Engine

    def run(self, *arguments: str) -> dict[str, Any]:
        """Run a command of the program inside the shadow; gives the JSON that it prints last."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(command, cwd=_ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RehearsalError(f"演练的准备没有成功（{arguments[0]}）：{done.stderr.strip()[-400:]}")
        lines = done.stdout.strip().splitlines()
        return dict(json.loads(lines[-1])) if lines and lines[-1].startswith("{") else {}


@contextlib.contextmanager
def shadow_deployment(database_url: str, environment: dict[str, str]) -> Iterator[Shadow]:
    """Make the shadow database, serve it on a port of this machine only, and take both away at the end."""
    url = make_url(database_url)
    shadow_url = url.set(database=f"{url.database}{_SUFFIX}")
    with _database(database_url, str(shadow_url.database)), tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        port = _free_port()
        own = environment | {
            "DATABASE_URL": shadow_url.render_as_string(hide_password=False), "REDIS_URL": _NO_QUEUE, "DATA_DIR": folder, "DEMO": "0",
            "APP_MODE": "tryout", "SETUP_CODE": "", "HOST": "127.0.0.1", "PORT": str(port), "TRUSTED_PROXIES": "0", "HTTPS": "0", "STARTS_PER_SECOND": "100000",
            "LOG_LEVEL": "ERROR",
        }  # fmt: skip
        shadow = Shadow(port, own, create_engine(shadow_url, pool_size=1))
        try:
            shadow.run("db", "upgrade")
            with _web(shadow, Path(folder)):
                yield shadow
        finally:
            shadow.engine.dispose()
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _database(database_url: str, name: str) -> Iterator[None]:
    server = create_engine(database_url, isolation_level="AUTOCOMMIT", pool_size=1)
    try:
        with server.connect() as connection:
            _make_database(connection, name)
            try:
                yield
            finally:
                _drop_database(connection, name)
    except SQLAlchemyError as error:
        raise RehearsalError(
            "演练需要在同一台数据库上建立一个演练专用库，没有建成。请检查数据库是否正常、账号是否有建库权限"
            f"（ALTER ROLE … CREATEDB）。{str(getattr(error, 'orig', error)).strip()[:200]}"
        ) from error
    finally:
        server.dispose()


def _make_database(connection: Any, name: str) -> None:
    _drop_database(connection, name)
    quoted = connection.dialect.identifier_preparer.quote(name)  # meant: a name cannot be bound, so it is quoted
    connection.execute(text(f"CREATE DATABASE {quoted} ENCODING 'UTF8' TEMPLATE template0"))
    connection.execute(text(f"COMMENT ON DATABASE {quoted} IS '{_MARK}'"))  # meant: quoted above, and a constant


def _drop_database(connection: Any, name: str) -> None:
    """Drop the shadow where there is one; a database of that name that no rehearsal made is left alone."""
    found = connection.execute(
        text("SELECT shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = :name"),
        {"name": name},
    ).one_or_none()
    if found is None:
        return
    if found.mark != _MARK:
        raise RehearsalError(f"数据库 {name} 已存在，但不是演练建立的。请改名或删除后再演练。")
    quoted = connection.dialect.identifier_preparer.quote(name)
    connection.execute(text(f"DROP DATABASE {quoted} WITH (FORCE)"))  # meant: a name cannot be bound, so it is quoted


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _web(shadow: Shadow, folder: Path) -> Iterator[None]:
    with (folder / "web.log").open("ab") as log:
        process = subprocess.Popen(
            web_command(), cwd=_ROOT, env=shadow.environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_ready(shadow.port, process)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError, URLError),  # meant: an address of this machine, made here
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise RehearsalError("演练用的网页进程没有起来，请看日志后再试。")
