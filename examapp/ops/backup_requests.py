"""Takes the requests for a base backup that the web page writes: `python -m examapp.ops.backup_requests`, one process on the database's machine.

It runs under an account that may copy the database, and knows no key (as ops.backup). A request's row tells it nothing but that it is there:
what is copied, and where to, is said by its own environment alone (decision 0083).
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, TextClause, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from examapp.config import Settings
from examapp.db.addresses import database_address
from examapp.ops.backup import HEAD_FILE, BackupError, BackupFolder, make_noted_backup, size_of

POLL_S = 5.0
BACKUP_PART = {"backup": ["nice", "-n", "10", sys.executable, "-m", "examapp.ops.backup_requests"]}
"""The part of a site that this is, as the supervisor starts it."""
_KEYS = frozenset({"SECRET_KEY", "DATA_KEYS", "SETUP_CODE"})
_BEAT = text(
    "INSERT INTO heartbeats (name, beat_at) VALUES ('backup', clock_timestamp())"
    " ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at"
)
_ABANDON = text(
    "UPDATE backup_requests SET state = 'failed', finished_at = clock_timestamp(),"
    " message = '备份进程中途停止，这次备份没有完成。' WHERE state = 'running'"
)
_TAKE = text(
    "UPDATE backup_requests SET state = 'running', taken_at = clock_timestamp() WHERE id ="
    " (SELECT id FROM backup_requests WHERE state = 'waiting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id"
)
_FINISH = text(
    "UPDATE backup_requests SET state = :state, finished_at = clock_timestamp(), size_bytes = :size_bytes,"
    " message = :message WHERE id = :id"
)
_MAY_COPY = text("SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user")


def variables_of(name: str, owner: dict[str, str], program: dict[str, str], settings: Settings) -> dict[str, str]:
    """Give a part's variables: this process is the database's owner and knows no key, the others have the program's role."""
    if name not in BACKUP_PART:
        return owner | program
    return {each: value for each, value in owner.items() if each not in _KEYS} | {
        "BACKUP_DIR": str(settings.backup_path)
    }


@dataclass(frozen=True, slots=True)
class RequestServer:
    """Serves the requests of one database into one folder; `poll_s` is how often it looks."""

    database_url: str
    folder: BackupFolder
    head: Path | None
    poll_s: float = POLL_S

    def serve(self, stop: threading.Event) -> None:
        """Look for requests until told to stop; a database that is away is waited for. Raises BackupError where this account may not copy it."""
        engine = create_engine(database_address(self.database_url), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        try:
            with _only_one(self.folder):
                if not self._insist(engine, _MAY_COPY, stop):
                    raise BackupError("这个数据库账号没有复制权限（REPLICATION），不能备份。")
                while not stop.is_set():
                    self._insist(engine, _BEAT, stop)
                    # What runs and is not ours was left by a process that ended in the midst of it.
                    self._insist(engine, _ABANDON, stop)
                    taken = self._insist(engine, _TAKE, stop)
                    if taken is not None:
                        self._make(engine, int(taken), stop)
                    stop.wait(self.poll_s)
        finally:
            engine.dispose()

    def _make(self, engine: Engine, request_id: int, stop: threading.Event) -> None:
        """Make the backup, beating meanwhile, and write what came of it."""
        with ThreadPoolExecutor(1) as pool:
            made = pool.submit(make_noted_backup, self.database_url, self.folder, head=self.head)
            while not wait([made], timeout=self.poll_s).done:
                self._insist(engine, _BEAT, stop)
        self._insist(engine, _FINISH, stop, {"id": request_id} | _outcome(made))

    def _insist(self, engine: Engine, statement: TextClause, stop: threading.Event, values: Any = None) -> Any:
        """Execute a statement, again until the database answers or it is told to stop; give its one value, if it has one."""
        while True:
            try:
                with engine.connect() as connection:
                    result = connection.execute(statement, values or {})
                    return result.scalar_one_or_none() if result.returns_rows else None
            except SQLAlchemyError as error:
                print(f"数据库没有应答，稍后再试：{str(error)[:300]}", file=sys.stderr)  # noqa: T201 – for the journal
                if stop.wait(self.poll_s):
                    return None


def _outcome(made: Future[Path]) -> dict[str, Any]:
    try:
        target = made.result()
    except (BackupError, SQLAlchemyError, OSError) as error:
        return {"state": "failed", "size_bytes": None, "message": str(error)[:600]}
    return {"state": "done", "size_bytes": size_of(target), "message": ""}


@contextmanager
def _only_one(folder: BackupFolder) -> Iterator[None]:
    """Hold the folder while the block runs; raises BackupError where another process serves requests into it."""
    folder.make()
    with (folder.path / "requests.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError("已有一个备份进程在运行。") from None
        yield


def main() -> int:
    """Serve until ended; exit with 1 and the reason where it cannot."""
    folder = BackupFolder(Path(os.environ["BACKUP_DIR"]))
    head = Path(os.environ["DATA_DIR"]) / HEAD_FILE
    try:
        RequestServer(os.environ["DATABASE_URL"], folder, head).serve(threading.Event())
    except (BackupError, OSError) as error:
        print(f"备份进程没有运行：{error}", file=sys.stderr)  # noqa: T201 – for the journal
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
