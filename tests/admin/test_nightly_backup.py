"""The nightly backup of an ordinary set-up: the unit's own commands, by an account that may do nothing else; a failure is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from examapp import clock
from examapp.config import Settings
from examapp.ops.backup import BackupFolder
from examapp.ops.ordinary_user import as_ordinary_user
from examapp.platform.security_checklist import queries as security_checklist_queries

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "docker" / "systemd"


def unit(name):
    """Read a unit: every entry with all its values."""
    entries: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text("utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            entries.setdefault(key, []).append(value)
    return entries


def test_the_unit_makes_its_folders_as_root_and_knows_no_key():
    entries = unit("examapp-backup.service")
    made = entries["ExecStartPre"][0]
    assert made.startswith("+/usr/bin/install -d -o postgres -g examapp"), "as root: the account may make none there"
    folder = BackupFolder(Path("${BACKUP_DIR}"))
    assert {str(path) for path in (folder.path, folder.base, folder.wal, folder.heads)} <= set(made.split())
    assert entries["User"] == ["postgres"]
    assert "EnvironmentFile" not in entries, "whoever holds the database must not hold the keys"
    assert entries["OnFailure"] == ["examapp-backup-failed.service"]
    assert unit("examapp-backup.timer")["OnCalendar"] == ["*-*-* 02:30:00"]
    assert unit("examapp-backup-failed.service")["ExecStart"][1] == "/usr/bin/touch ${BACKUP_DIR}/failed"
    assert "# BACKUP_DIR=/var/backups/examapp" in (ROOT / "docker" / "env.example").read_text()
    assert "BACKUP_DIR=/var/backups/examapp" in " ".join(entries["Environment"])


def run(command, environment, *, is_root):
    """Run a command of a unit with its variables, as root or as an ordinary account."""
    text = command.removeprefix("+").replace("/srv/examapp/.venv/bin/python", sys.executable)
    text = re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], text)
    text = re.sub(r"-o postgres -g examapp", "-o nobody -g nogroup" if os.geteuid() == 0 else "", text)
    parts = text.split()
    return subprocess.run(
        parts if is_root else as_ordinary_user(parts),
        env={"PATH": os.environ["PATH"]} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def place(tmp_path, servers):
    """A machine's folders: of backups, where only root may make anything, and of data, which the account may read."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    data = tmp_path / "data"
    data.mkdir()
    (data / "audit-head.json").write_text("{}")
    url = servers.postgres.url
    return {"DATABASE_URL": url, "BACKUP_DIR": str(tmp_path / "backups" / "examapp"), "DATA_DIR": str(data)}


@pytest.mark.slow
def test_the_units_commands_make_a_backup_that_the_checklist_sees(place):
    entries = unit("examapp-backup.service")
    Path(place["BACKUP_DIR"]).parent.mkdir(mode=0o755)
    made = run(entries["ExecStartPre"][0], place, is_root=True)
    assert made.returncode == 0, made.stderr
    done = run(entries["ExecStart"][0], place, is_root=False)
    assert done.returncode == 0, done.stderr
    assert "基础备份完成" in done.stdout
    settings = Settings(backup_dir=place["BACKUP_DIR"])
    age = clock.now() - security_checklist_queries.backup_at(settings)
    assert age.total_seconds() < 3600
    folder = security_checklist_queries.backup_folder(settings)
    assert folder.head_of(folder.bases()[0]).read_text() == "{}"
    assert not folder.failure.exists()


@pytest.mark.slow
def test_a_backup_that_fails_is_told_by_the_command_and_by_the_unit(place):
    entries = unit("examapp-backup.service")
    Path(place["BACKUP_DIR"]).parent.mkdir(mode=0o755)
    run(entries["ExecStartPre"][0], place, is_root=True)
    broken = place | {"DATABASE_URL": "postgresql+psycopg://postgres@/examapp?host=/nowhere"}
    done = run(entries["ExecStart"][0], broken, is_root=False)
    assert (done.returncode, "备份没有成功" in done.stderr) == (1, True)
    folder = BackupFolder(Path(place["BACKUP_DIR"]))
    assert folder.failure.exists()
    shutil.rmtree(folder.path)
    for command in unit("examapp-backup-failed.service")["ExecStart"]:
        assert run(command, place, is_root=True).returncode == 0
    assert folder.failure.exists()
