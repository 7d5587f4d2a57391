"""Archiving, a base backup, and a restore to a moment beside the running database (F30)."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from examapp.db.session import Base
from examapp.delivery.grading.models import Heartbeat
from examapp.ops import backup
from examapp.ops.backup import BackupError, BackupFolder
from examapp.ops.backup_requests import RequestServer
from examapp.ops.embedded_servers import make_run_folder, start_postgres
from examapp.platform.backups.cli import read_ledger
from examapp.platform.backups.models import BackupRequest

pytestmark = pytest.mark.slow
SECRET = "k1:" + "5e" * 32


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A PostgreSQL of its own with a ledger in it, and the site's keys beside it."""
    data = tmp_path_factory.mktemp("data")
    for folder in (data, *data.parents):
        if os.access(folder, os.W_OK) and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    (data / "data_keys").write_text(SECRET)
    server = start_postgres(data, make_run_folder(), extra={"shared_buffers": "32MB"})
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for table, columns in {
            "answer_history": "id int, attempt_id int, person_id int, item int, epoch int, seq int, response jsonb, saved_at timestamptz",
            "attempts": "id int, exam_id int, person_id int, number int, paper_id int, started_at timestamptz",
            "grades": "id int, attempt_id int, number int, points numeric, item_points jsonb, graded_at timestamptz",
            "audit_events": "id int, at timestamptz, actor_id int, act text, object_type text, object_id int, details jsonb",
            "persons": "id int, staff_number text, created_at timestamptz",
            "papers": "id int, sections jsonb, created_at timestamptz",
        }.items():
            connection.execute(text(f"CREATE TABLE {table} ({columns})"))
    yield server.url, engine, BackupFolder(data / "backup")
    engine.dispose()
    server.stop()


def save(engine, count):
    with engine.connect() as connection:
        connection.execute(
            text(
                "INSERT INTO answer_history SELECT n, 1, 1, 1, 1, n, '[\"A\"]', clock_timestamp() FROM generate_series(1, :count) AS n"
            ),
            {"count": count},
        )
        return connection.execute(text("SELECT clock_timestamp()")).scalar_one()


@pytest.mark.begins
def test_a_restore_gives_the_ledger_of_the_moment_and_nothing_later(database, tmp_path):
    url, engine, folder = database
    with pytest.raises(BackupError, match="没有早于这个时刻"):
        backup.restore(folder, tmp_path / "none", moment=save(engine, 1), programs=backup.find_programs(url))
    assert backup.start_archiving(url, folder) < 60
    with engine.connect() as connection:
        began = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    # Bases are named by the second: one that takes less than that must not share it with the moment.
    base = backup.base_backup(url, folder, now=began - timedelta(seconds=1))
    moment = save(engine, 500)
    save(engine, 700)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_switch_wal()"))
    _, lag_s = backup.settle(url, folder)
    assert lag_s < 60, "what a destroyed disk can cost"
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    target, programs = tmp_path / "restored", backup.find_programs(url)
    with backup.restored_server(folder, target, moment=moment, programs=programs) as (found, sockets):
        restored = read_ledger(f"postgresql+psycopg://postgres@/examapp?host={sockets}", moment)
        beside = create_engine(f"postgresql+psycopg://postgres@/examapp?host={sockets}")
        with beside.connect() as connection:
            everything = connection.execute(text("SELECT count(*) FROM answer_history")).scalar_one()
        beside.dispose()
    assert restored == read_ledger(url, moment)
    assert restored[0].rows == 501
    assert everything == 501, "nothing later than the moment"
    backup.check_files(programs, target)
    assert found.base == base
    end = backup.restore(folder, tmp_path / "end", moment=None, programs=programs)
    assert (end.target / "PG_VERSION").exists(), "without a moment: as late as the archive reaches"
    files = [path for path in folder.path.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert not any(SECRET.encode() in path.read_bytes() for path in files), "keys are not in the backup"
    with pytest.raises(BackupError, match="不是空的"):
        backup.restore(folder, target, moment=moment, programs=programs)


def wait_for(engine, request_id):
    """Wait until a request is over; gives its row."""
    while True:
        with engine.connect() as connection:
            row = connection.execute(
                text("SELECT state, size_bytes, message FROM backup_requests WHERE id = :id"), {"id": request_id}
            ).one()
        if row.state in {"done", "failed"}:
            return row
        threading.Event().wait(0.05)


def test_the_backup_process_takes_requests_and_writes_what_came_of_them(database, tmp_path):
    """The page's rows alone move it; an account without the right to replicate, and a second process, are refused."""
    url, engine, folder = database
    names = (BackupRequest.__tablename__, Heartbeat.__tablename__)
    Base.metadata.create_all(engine, tables=[Base.metadata.tables[name] for name in names])
    with engine.connect() as connection:
        connection.execute(
            text(
                "INSERT INTO backup_requests (requested_at, state) VALUES (now(), 'running'), (now(), 'waiting'), (now(), 'done')"
            )
        )
        connection.execute(text("CREATE ROLE powerless LOGIN"))
    powerless = RequestServer(url.replace("postgres@", "powerless@"), BackupFolder(tmp_path / "other"), None)
    with pytest.raises(BackupError, match="REPLICATION"):
        powerless.serve(threading.Event())
    folder.make()
    stop, server = threading.Event(), RequestServer(url, folder, None, poll_s=0.1)
    serving = threading.Thread(target=server.serve, args=(stop,))
    serving.start()
    try:
        made = wait_for(engine, 2)
        with pytest.raises(BackupError, match="已有一个"):
            server.serve(threading.Event())
        left = wait_for(engine, 1)
        shutil.rmtree(folder.base)
        folder.base.write_text("no folder any more")
        with engine.connect() as connection:
            connection.execute(text("INSERT INTO backup_requests (requested_at, state) VALUES (now(), 'waiting')"))
            beats = connection.execute(text("SELECT count(*) FROM heartbeats WHERE name = 'backup'")).scalar_one()
        failed = wait_for(engine, 4)
    finally:
        stop.set()
        serving.join()
    assert (made.state, left.state, beats) == ("done", "failed", 1)
    assert made.size_bytes > 10_000_000
    assert "中途停止" in left.message
    assert failed.state == "failed"
    assert failed.message
    assert folder.failure.exists(), "the checklist shows it"


def test_a_path_that_a_shell_would_read_is_rejected(database, tmp_path):
    url, _, _ = database
    with pytest.raises(BackupError, match="引号"):
        backup.start_archiving(url, BackupFolder(tmp_path / "a'b"))
