"""Continuous archiving, base backups and restores of the PostgreSQL that a deployment runs on: our own, or one on the same machine.

A backup holds the database's files and its WAL, and nothing else: SECRET_KEY and DATA_KEYS are kept apart from it (docs/operations.md).
The layout of the folder: `base/<time>/` whole data directories, `wal/` archived segments.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from examapp import clock
from examapp.db.addresses import connect_arguments, database_address
from examapp.ops.ordinary_user import EmbeddedServerError, as_ordinary_user, give_to_ordinary_user, postgres_program

ARCHIVE_TIMEOUT_S = 30
"""A segment is archived at the latest this long after its first write: what a destroyed disk can cost, with the copying."""
KEEP_DAYS = 14
HEAD_FILE = "audit-head.json"
"""The file of the data folder that holds the audit chain's head (audit.operations.heads)."""
_ARCHIVED_WITHIN_S = 90
_STARTED_WITHIN_S = 1800


class BackupError(Exception):
    """A backup or restore did not work; the message says why and what to do, in Chinese."""


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """Where base backups and archived WAL lie."""

    path: Path

    @property
    def base(self) -> Path:
        """The folder of base backups."""
        return self.path / "base"

    @property
    def wal(self) -> Path:
        """The folder of archived segments."""
        return self.path / "wal"

    @property
    def heads(self) -> Path:
        """The folder of the audit chain's heads, a file a base backup under its name."""
        return self.path / "heads"

    @property
    def failure(self) -> Path:
        """A file that is there, and young, where the last backup failed."""
        return self.path / "failed"

    def make(self) -> None:
        """Make the folders, written to by the database's own user."""
        for folder in (self.path, self.base, self.wal, self.heads):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            give_to_ordinary_user(folder)

    def bases(self) -> list[Path]:
        """List the complete base backups, oldest first."""
        return sorted(path for path in self.base.glob("2*") if path.suffix != ".part")

    def list_readable_bases(self) -> list[Path]:
        """List the complete base backups; none where this account may not look into the folder."""
        try:
            return self.bases()
        except OSError:
            return []

    def head_of(self, base: Path) -> Path | None:
        """Give the audit chain's head that was kept with a base backup; None for a base of before such were kept."""
        path = self.heads / f"{base.name}.json"
        return path if path.exists() else None

    def note_failure(self) -> None:
        """Note that a backup failed, as far as the folder can be written to."""
        with contextlib.suppress(OSError):
            self.failure.touch()


def start_archiving(database_url: str, folder: BackupFolder) -> float:
    """Begin to archive WAL into the folder, without a restart; gives after how many seconds the first segment lay there."""
    wording = str(folder.wal)
    if any(character in wording for character in "'\"%\\\n"):
        raise BackupError(f"备份目录的路径中不能有引号、百分号和反斜杠：{wording}")
    folder.make()
    with _server(database_url) as connection:
        if is_run_by_patroni(connection):
            raise BackupError(
                "这个数据库由 Patroni 管理：这里的设置只会留在一台机器上，切换主机后就不再归档，没有改动。"
                "请在 Patroni 的集群配置（patronictl edit-config）里设 archive_mode 和 archive_command，"
                "用 pgBackRest 备份（docker/county 中有现成的，见运维手册“两台机器和一台见证机”）。"
            )
        if connection.execute(text("SHOW archive_mode")).scalar_one() == "off":
            raise BackupError(
                "数据库的 archive_mode 是 off。请在 postgresql.conf 中设 archive_mode = on，重启数据库后再执行。"
            )
        # Copied beside its place, flushed, then moved: a segment in the archive is whole, whatever happens meanwhile.
        copy = f'test -f "{wording}/%f" || (cp "%p" "{wording}/%f.part" && sync "{wording}/%f.part" && mv "{wording}/%f.part" "{wording}/%f")'
        connection.exec_driver_sql(f"ALTER SYSTEM SET archive_command = '{copy}'".replace("%", "%%"))
        # meant: a constant; this command binds nothing
        connection.execute(text(f"ALTER SYSTEM SET archive_timeout = '{ARCHIVE_TIMEOUT_S}s'"))
        connection.execute(text("SELECT pg_reload_conf()"))
        time.sleep(1)
        name = _mark(connection)
        connection.execute(text("SELECT pg_switch_wal()"))
        return wait_until_archived(connection, folder, name)


def is_run_by_patroni(connection: Connection) -> bool:
    """Tell whether Patroni started this server: it gives these two settings on the command line, which nobody else does."""
    given = text(
        "SELECT count(*) FROM pg_settings WHERE name IN ('cluster_name', 'wal_log_hints') AND source = 'command line'"
    )
    return bool(connection.execute(given).scalar_one() == 2)


def _mark(connection: Connection) -> str:
    """Commit something that changes no row; gives the segment that holds it."""
    connection.execute(text("SELECT pg_logical_emit_message(true, 'examapp', 'backup')"))
    return str(connection.execute(text("SELECT pg_walfile_name(pg_current_wal_lsn())")).scalar_one())


def wait_until_archived(connection: Connection, folder: BackupFolder, name: str) -> float:
    """Wait until a segment lies in the archive; gives the seconds. Raises BackupError where it does not come."""
    began = time.monotonic()
    while time.monotonic() - began < _ARCHIVED_WITHIN_S:
        if (folder.wal / name).exists():
            return time.monotonic() - began
        time.sleep(0.2)
    row = connection.execute(
        text(
            "SELECT last_failed_wal, archive_command FROM pg_stat_archiver, (SELECT current_setting('archive_command') AS archive_command) AS s"
        )
    ).one()
    if str(folder.wal) not in row.archive_command:
        raise BackupError("还没有开始连续归档。请先执行 backup start。")
    raise BackupError(f"归档没有成功（{row.last_failed_wal or name}）。请检查备份目录 {folder.wal} 的空间和权限。")


def base_backup(database_url: str, folder: BackupFolder, *, now: datetime, head: Path | None = None) -> Path:
    """Copy the whole database into the folder, checked against its manifest, and drop what is older than a fortnight.

    `head` is the file of the audit chain's head, kept beside: it is copied first, so that it is on the chain of what is restored.
    """
    folder.make()
    target = folder.base / f"{now.astimezone(UTC):%Y%m%d-%H%M%S}"
    part = target.with_suffix(".part")
    programs = _programs(database_url)
    if head is not None and head.exists():
        shutil.copyfile(head, folder.heads / f"{target.name}.json")
    _run(
        folder.base,
        [
            str(programs / "pg_basebackup"), "--pgdata", str(part), "--format", "plain", "--wal-method", "stream", "--checkpoint", "fast",
            "--no-password", *_connection_arguments(database_url),
        ],
        password=connect_arguments(database_url).get("password"),
    )  # fmt: skip
    _run(folder.base, [str(programs / "pg_verifybackup"), "--quiet", "--no-parse-wal", str(part)])
    part.rename(target)
    _drop_old(folder, programs, now=now)
    return target


def _drop_old(folder: BackupFolder, programs: Path, *, now: datetime) -> None:
    limit = f"{now - timedelta(days=KEEP_DAYS):%Y%m%d-%H%M%S}"
    bases = folder.bases()
    for old in bases[:-1]:
        if old.name < limit:
            shutil.rmtree(old)
            (folder.heads / f"{old.name}.json").unlink(missing_ok=True)
    oldest = folder.bases()[0]
    label = (oldest / "backup_label").read_text().split("(file ", 1)[1].split(")", 1)[0]
    _run(folder.wal, [str(programs / "pg_archivecleanup"), str(folder.wal), label])


def _connection_arguments(database_url: str) -> list[str]:
    """Build the connection string of pg_basebackup, which reads the database's name nowhere and the password from its environment."""
    fields = connect_arguments(database_url)
    return ["--dbname", make_conninfo("", **{k: v for k, v in fields.items() if k not in {"dbname", "password"}})]


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored database: which base it came from, and how long it took."""

    base: Path
    target: Path
    seconds: float


def restore(folder: BackupFolder, target: Path, *, moment: datetime | None, programs: Path) -> Restored:
    """Restore into a new directory as everything stood at a moment, or as late as the archive reaches; the server is stopped again, ready to be started from there.

    Raises BackupError where no base is old enough or the archive ends before the moment.
    """
    with restored_server(folder, target, moment=moment, programs=programs) as (found, _):
        pass
    return found


@contextlib.contextmanager
def restored_server(
    folder: BackupFolder, target: Path, *, moment: datetime | None, programs: Path
) -> Iterator[tuple[Restored, str]]:
    """Restore and serve on a socket of its own while the block runs; gives what was restored and the socket's folder."""
    began = time.monotonic()
    until = f"{moment.astimezone(UTC):%Y%m%d-%H%M%S}" if moment else "9"
    bases = [base for base in folder.bases() if base.name < until]
    if not bases:
        raise BackupError("没有早于这个时刻的基础备份，不能恢复到这个时刻。请选晚一些的时刻。")
    if target.exists() and any(target.iterdir()):
        raise BackupError(f"目录 {target} 不是空的。请换一个空目录，或先把旧数据改名保留。")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.chmod(0o700)
    give_to_ordinary_user(target)
    _run(target, ["/bin/cp", "-a", f"{bases[-1]}/.", str(target)])
    _prepare(target)
    sockets = target.parent / f".{target.name}-socket"
    sockets.mkdir(mode=0o700, exist_ok=True)
    give_to_ordinary_user(sockets, like=target)
    server = _start(folder, target, sockets, moment=moment, programs=programs)
    try:
        _wait_until_promoted(server, sockets, target.parent / f"{target.name}.log")
        yield Restored(bases[-1], target, time.monotonic() - began), str(sockets)
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
            server.wait(120)
        shutil.rmtree(sockets, ignore_errors=True)


def _prepare(target: Path) -> None:
    """Say that this is a recovery, and give it what some systems keep outside the data directory."""
    for name, wording in (
        ("recovery.signal", ""),
        ("postgresql.conf", ""),
        ("pg_hba.conf", "local all all trust\n"),
        ("pg_ident.conf", ""),
    ):
        if not (target / name).exists():
            (target / name).write_text(wording)
            give_to_ordinary_user(target / name, like=target)


def _start(
    folder: BackupFolder, target: Path, sockets: Path, *, moment: datetime | None, programs: Path
) -> subprocess.Popen[bytes]:
    settings = {
        "restore_command": f'cp "{folder.wal}/%f" "%p"', "recovery_target_action": "promote",
        "recovery_target_timeline": "latest", "archive_mode": "off", "hot_standby": "off", "listen_addresses": "",
        "unix_socket_directories": str(sockets),
    }  # fmt: skip
    if moment is not None:
        settings["recovery_target_time"] = moment.isoformat()
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (target.parent / f"{target.name}.log").open("ab") as log:
        return subprocess.Popen(
            as_ordinary_user([str(programs / "postgres"), "-D", str(target), *arguments], target),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_promoted(server: subprocess.Popen[bytes], sockets: Path, log: Path) -> None:
    engine = create_engine(f"postgresql+psycopg://postgres@/postgres?host={sockets}", pool_size=1)
    deadline = time.monotonic() + _STARTED_WITHIN_S
    try:
        while time.monotonic() < deadline and server.poll() is None:
            with contextlib.suppress(SQLAlchemyError), engine.connect() as connection:
                if not connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one():
                    return
            time.sleep(0.2)
    finally:
        engine.dispose()
    raise BackupError(f"恢复没有成功。数据库日志的最后几行：\n{log.read_text('utf-8', 'replace')[-1200:]}")


def check_files(programs: Path, target: Path) -> None:
    """Check every page's checksum of a stopped database; raises BackupError."""
    _run(target, [str(programs / "pg_checksums"), "--check", "--pgdata", str(target)])


def settle(database_url: str, folder: BackupFolder) -> tuple[datetime, float]:
    """Note this moment, and wait until everything up to it lies in the archive: gives the moment and the seconds (what could be lost)."""
    with _server(database_url) as connection:
        moment = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return moment, wait_until_archived(connection, folder, _mark(connection))


def find_programs(database_url: str) -> Path:
    """Find the folder of PostgreSQL's programs that fit the database."""
    return _programs(database_url)


def _programs(database_url: str) -> Path:
    with contextlib.suppress(SQLAlchemyError), _server(database_url) as connection:
        named = connection.execute(text("SELECT setting FROM pg_config WHERE name = 'BINDIR'")).scalar_one()
        if (Path(named) / "pg_basebackup").exists():
            return Path(named)
    with contextlib.suppress(EmbeddedServerError):
        return postgres_program("postgres").parent
    found = shutil.which("pg_basebackup")
    if found is None:
        raise BackupError("本机没有 pg_basebackup。请在数据库所在的机器上执行，或安装 PostgreSQL 客户端程序。")
    return Path(found).resolve().parent


@contextlib.contextmanager
def _server(database_url: str) -> Iterator[Connection]:
    engine: Engine = create_engine(database_address(database_url), isolation_level="AUTOCOMMIT", pool_size=1)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _run(folder: Path, command: list[str], *, password: str | None = None) -> None:
    environment = dict(os.environ) | ({"PGPASSWORD": password} if password else {})
    done = subprocess.run(
        as_ordinary_user(command, folder), env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BackupError(f"{Path(command[0]).name} 没有成功：{(done.stderr or done.stdout).strip()[-600:]}")


def make_noted_backup(database_url: str, folder: BackupFolder, *, head: Path | None) -> Path:
    """Make a base backup, and note for the checklist where it fails; raises what `base_backup` raises."""
    try:
        target = base_backup(database_url, folder, now=clock.now(), head=head)
    except (BackupError, SQLAlchemyError, OSError):
        folder.note_failure()
        raise
    folder.failure.unlink(missing_ok=True)
    return target


def size_of(target: Path) -> int:
    """Give the bytes of all files of a base backup."""
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


def main() -> int:
    """Make the nightly base backup with what the unit sets, without the program's settings: the database's account is to know no key."""
    folder = BackupFolder(Path(os.environ["BACKUP_DIR"]))
    try:
        target = make_noted_backup(os.environ["DATABASE_URL"], folder, head=Path(os.environ["DATA_DIR"]) / HEAD_FILE)
    except (BackupError, SQLAlchemyError, OSError) as error:
        print(f"备份没有成功：{error}", file=sys.stderr)  # noqa: T201 – for the journal
        return 1
    missing = "" if folder.head_of(target) else "；没有读到审计链首文件"
    print(f"基础备份完成：{target}{missing}")  # noqa: T201 – for the journal
    return 0


if __name__ == "__main__":
    sys.exit(main())
