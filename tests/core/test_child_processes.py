"""A process that hangs is ended by who watches it, and its schedule shows in the database that it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from celery import Celery
from sqlalchemy import create_engine, text

from examapp.config import Settings
from examapp.jobs.worker import _for_celery
from examapp.ops.child_processes import touch_heartbeat_file, watched
from examapp.ops.supervisor import part_commands
from tests.helpers.processes import wait_until

ROOT = Path(__file__).parents[2]
PAUSE = [
    sys.executable,
    "-c",
    # What the shell of the test run ignores (nohup, a job in the background) would be ignored here too.
    "import signal\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_DFL)\nprint(1, flush=True)\nsignal.pause()",
]
WAIT_S = 60


@pytest.fixture
def start():
    """Start a command watched; it and its pipes are gone at the end."""
    started = []

    def begin(path, silence_s, command, **environment):
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "examapp.ops.child_processes", str(path), str(silence_s), *command],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield begin
    for watcher in started:
        watcher.kill()
        with watcher:
            pass


def child_of(watcher):
    """Wait for the child's first line, and give the child."""
    assert watcher.stdout.readline() == "1\n"
    return psutil.Process(watcher.pid).children()[0]


def test_a_process_that_shows_no_life_is_ended_with_a_line_in_the_log(start, tmp_path):
    watcher = start(tmp_path / "alive", 1, PAUSE)
    child = child_of(watcher)
    child.send_signal(signal.SIGSTOP)  # as hung as can be: it takes no other signal
    _, errors = watcher.communicate(timeout=WAIT_S)
    assert watcher.returncode == os.EX_TEMPFAIL, errors
    assert "process_hung" in errors
    assert not child.is_running()


def test_a_process_that_shows_life_goes_on(start, tmp_path):
    busy = (
        "import threading\nfrom examapp.ops.child_processes import touch_heartbeat_file\n"
        "for _ in range(24):\n    touch_heartbeat_file()\n    threading.Event().wait(0.1)\n"
    )
    watcher = start(tmp_path / "alive", 2, [sys.executable, "-c", busy])
    assert watcher.wait(WAIT_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_reach_the_process_and_its_end_is_the_watchers(start, tmp_path, number):
    watcher = start(tmp_path / "alive", 60, PAUSE)
    child = child_of(watcher)
    watcher.send_signal(number)
    code = watcher.wait(WAIT_S)
    assert code != 0
    assert not child.is_running()


def test_a_killed_watcher_leaves_nothing_behind(start, tmp_path):
    watcher = start(tmp_path / "alive", 60, PAUSE)
    child = child_of(watcher)
    watcher.kill()
    watcher.wait(WAIT_S)
    psutil.wait_procs([child], timeout=WAIT_S)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_nothing_is_touched_where_nobody_watches(monkeypatch):
    monkeypatch.delenv("HEARTBEAT_FILE", raising=False)
    touch_heartbeat_file()


def test_schedule_sweeper_and_workers_are_watched_however_the_site_is_run():
    """`make run`, the image and the units: the supervisor's commands, and the entry that the other two share."""
    parts = part_commands(Settings())
    for name in ("beat", "sweeper", "grading", "reports", "imports", "messages"):
        assert parts[name][:3] == watched(Path("x"), [])[:3]
    entry = (ROOT / "docker" / "entrypoint.sh").read_text()
    assert "exec $watched $celery beat" in entry
    assert "exec $watched $celery worker" in entry
    assert "exec $watched flask --app wsgi sweep" in entry
    for name in ("beat", "sweeper"):
        assert f"entrypoint.sh {name}" in (ROOT / "docker" / "systemd" / f"examapp-{name}.service").read_text()


def environment_of(settings):
    names = ("database_url", "redis_url", "secret_key", "data_keys", "data_dir")
    return {name.upper(): str(getattr(settings, name)) for name in names} | {"APP_MODE": "tryout", "LOG_LEVEL": "ERROR"}


@pytest.mark.slow
@pytest.mark.begins
def test_a_worker_shows_life_with_each_task_and_is_ended_once_none_comes(
    start, servers, race_app, race_world, tmp_path
):
    """A worker whose connection to the broker is dead without saying so looks the same: no task comes."""
    settings, alive = servers.settings("race"), tmp_path / "alive"
    worker = [
        "worker",
        "--queues",
        "grading",
        "--concurrency",
        "1",
        "--loglevel",
        "ERROR",
        "--without-gossip",
        "--without-mingle",
    ]
    command = [sys.executable, "-m", "celery", "--app", "examapp.celery_app:celery", *worker]
    watcher = start(alive, 25, command, **environment_of(settings))
    celery = Celery(broker=_for_celery(settings.redis_url))
    celery.send_task("jobs.sweep", queue="grading")
    assert wait_until(alive.exists, within_s=30)
    began = alive.stat().st_mtime_ns
    assert wait_until(lambda: alive.stat().st_mtime_ns != began, within_s=24), watcher.stderr.read()
    assert watcher.wait(120) == os.EX_TEMPFAIL


@pytest.mark.parametrize(
    ("name", "command"),
    [
        pytest.param(
            "schedule",
            ["-m", "celery", "--app", "examapp.celery_app:celery", "beat", "--pidfile=", "--schedule"],
            marks=[pytest.mark.slow, pytest.mark.begins],
        ),
        pytest.param("sweeper", ["-m", "flask", "--app", "wsgi", "sweep", "--every", "1"], marks=pytest.mark.long),
    ],
)
def test_the_real_process_beats_in_the_database_and_is_ended_once_it_hangs(
    start, servers, race_app, race_world, tmp_path, name, command
):
    settings = servers.settings("race")
    arguments = [*command, str(tmp_path / "schedule")] if name == "schedule" else command
    watcher = start(tmp_path / "alive", 15, [sys.executable, *arguments], **environment_of(settings))
    engine = create_engine(settings.database_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            beats = iter(lambda: connection.execute(text("SELECT name FROM heartbeats")).scalar(), name)
            for _ in beats:
                assert watcher.poll() is None, watcher.stderr.read()
                connection.execute(text("SELECT pg_sleep(0.3)"))
        for child in psutil.Process(watcher.pid).children():
            child.send_signal(signal.SIGSTOP)
        assert watcher.wait(120) == os.EX_TEMPFAIL
    finally:
        engine.dispose()
