"""The archive of the drill's cluster: pgBackRest with docker/county/pgbackrest.conf, its repository in a folder of neither machine."""

from __future__ import annotations

import configparser
import contextlib
import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from examapp.ops.ordinary_user import as_ordinary_user, give_to_ordinary_user, postgres_program
from tests.faults.deployment import ROOT, DeploymentError
from tests.faults.machines import on_machine, program_named
from tests.helpers.processes import wait_until

CONFIG_VARIABLE = "PGBACKREST_CONFIG"
_STANZA = "examapp"
_READY_S = 120.0
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence = 'p' AND relnamespace = 'public'::regnamespace ORDER BY relname"


class WalArchive:
    """The repository, and pgBackRest as each machine runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "archive"
        self.folder.mkdir()
        give_to_ordinary_user(self.folder)

    def configure(self, place: Path, data: Path) -> Path:
        """Write a machine's configuration: docker/county's, with the folders of this drill and without SSH to the witness."""
        config = configparser.ConfigParser(interpolation=None)
        config.read_string((ROOT / "docker" / "county" / "pgbackrest.conf").read_text("utf-8"))
        for name in ("repo1-host", "repo1-host-user"):
            del config["global"][name]
        config["global"].update({
            "repo1-path": str(self.folder), "repo1-cipher-pass": "drill", "spool-path": str(place / "spool"), "lock-path": str(place / "lock"),
            "log-path": str(place), "log-level-file": "off",
        })  # fmt: skip
        config[_STANZA].update({"pg1-path": str(data), "pg1-socket-path": str(place), "pg1-user": "postgres"})
        written, path = io.StringIO(), place / "pgbackrest.conf"
        config.write(written, space_around_delimiters=False)
        path.write_text(written.getvalue())
        return path

    def run(self, name: str, place: Path, *arguments: str) -> None:
        """Run a command of pgBackRest on a machine; raises DeploymentError with what it said."""
        command = as_ordinary_user([program_named("pgbackrest"), f"--stanza={_STANZA}", *arguments], place)
        environment = os.environ | {CONFIG_VARIABLE: str(place / "pgbackrest.conf")}
        done = subprocess.run(
            on_machine(name, command), env=environment, cwd=place, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise DeploymentError(f"pgbackrest {' '.join(arguments)} on {name}: {(done.stdout + done.stderr)[-1200:]}")

    @contextlib.contextmanager
    def restored(self, name: str) -> Iterator[psycopg.Connection[Any]]:
        """Restore from the archive alone to its end, on a machine that is no part of the cluster, and give a connection."""
        place = self.folder.parent / "restored"
        place.mkdir()
        give_to_ordinary_user(place)
        data = place / "data"
        self.configure(place, data)
        self.run(name, place, "restore")
        own = {
            "listen_addresses": "", "unix_socket_directories": str(place), "archive_mode": "off", "synchronous_standby_names": "", "shared_buffers": "64MB",
            "hba_file": str(data / "pg_hba.conf"), "ident_file": str(data / "pg_ident.conf"), "data_directory": str(data),
        }  # fmt: skip
        settings = [text for setting, value in own.items() for text in ("-c", f"{setting}={value}")]
        command = as_ordinary_user([str(postgres_program("postgres")), "-D", str(data), *settings], place)
        environment = os.environ | {CONFIG_VARIABLE: str(place / "pgbackrest.conf")}
        with (place / "postgres.log").open("ab") as log:
            process = subprocess.Popen(on_machine(name, command), stdout=log, stderr=log, env=environment, cwd=place)
        try:
            if not wait_until(lambda: _is_promoted(place), within_s=_READY_S, every_s=0.25):
                raise DeploymentError(f"the restored database: {(place / 'postgres.log').read_text()[-1500:]}")
            with _connect(place) as connection:
                yield connection
        finally:
            process.kill()
            process.wait()


def _connect(place: Path) -> psycopg.Connection[Any]:
    return psycopg.connect(host=str(place), user="postgres", dbname="examapp", autocommit=True, connect_timeout=3)


def _is_promoted(place: Path) -> bool:
    with contextlib.suppress(psycopg.Error), _connect(place) as connection:
        return connection.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,)
    return False


def fingerprints(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, str]]:
    """Count the rows of each table that is kept over a crash, and sum up their contents."""
    names = [name for (name,) in connection.execute(_TABLES)]
    query = "SELECT count(*), coalesce(sum(hashtextextended(one::text, 0)::numeric), 0)::text FROM {} AS one"
    return {name: connection.execute(query.format(name)).fetchone() or (0, "") for name in names}


def wait_until_archived(connection: psycopg.Connection[Any]) -> str:
    """End the WAL segment that is written and wait until the primary has archived it; gives its name."""
    row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
    name, last = str(row[0]) if row else "", "SELECT last_archived_wal >= %s FROM pg_stat_archiver"
    if not wait_until(lambda: connection.execute(last, [name]).fetchone() == (True,), within_s=60, every_s=0.5):
        found = connection.execute("SELECT last_archived_wal, last_failed_wal FROM pg_stat_archiver").fetchone()
        raise DeploymentError(f"{name} was not archived within a minute; last archived and last failed: {found}")
    return name
