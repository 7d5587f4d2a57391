"""The bank's commands in a shell where nothing is set: files can be read, the database is asked for by name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AIKEN = "谁作出决定？\nA. 县政府\nB. 县公安局\nANSWER: B\n"


@pytest.fixture
def shell(tmp_path):
    (tmp_path / "a.txt").write_text(AIKEN, "utf-8")
    named = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_KEYS", "APP_MODE", "DATA_DIR"}
    environment = {name: value for name, value in os.environ.items() if name not in named}

    def run(*arguments):
        command = [sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi"), *map(str, arguments)]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.slow
def test_reading_needs_no_setting_prints_one_object_and_uses_answers_that_lie_beside(shell, tmp_path):
    (tmp_path / "x_questions.txt").write_text("1. 谁？\nA. 甲\nB. 乙\n", "utf-8")
    (tmp_path / "x_answers.txt").write_text("1.B\n", "utf-8")
    before = sorted(tmp_path.iterdir())
    done = shell("bank", "import", "a.txt", "x_questions.txt", "--dry-run", "--json")
    file, divided = json.loads(done.stdout)["files"]
    assert (done.returncode, file["format"], file["questions"][0]["key"]) == (0, "aiken", ["B"])
    assert divided["questions"][0]["key"] == ["B"]
    assert [note["where"] for note in divided["remarks"]] == ["x_answers.txt"]
    assert sorted(tmp_path.iterdir()) == before


def test_storing_without_a_database_names_the_missing_setting(shell):
    done = shell("bank", "import", "a.txt")
    assert done.returncode == 1 and "DATABASE_URL" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_server_without_settings_still_does_not_start(shell):
    done = shell("run", "--port", "1")
    assert done.returncode != 0 and "SettingsError" in done.stderr


@pytest.mark.slow
def test_files_that_cannot_be_read_are_entries_of_the_one_object(shell, tmp_path):
    with (tmp_path / "huge.txt").open("wb") as huge:
        huge.truncate(3 * 1024**3)
    (tmp_path / "laughs.xml").write_text('<!DOCTYPE q [<!ENTITY a "x">]><quiz>&a;</quiz>', "utf-8")
    os.mkfifo(tmp_path / "pipe.txt")
    done = shell("bank", "import", "huge.txt", "laughs.xml", "pipe.txt", "none.txt", "a.txt", "--dry-run", "--json")
    *bad, good = json.loads(done.stdout)["files"]
    assert done.returncode == 1 and "error" not in good and good["imported"] == 1
    assert [entry["error"][:6] for entry in bad] == ["文件超过 6", "不支持的 X", "这不是文件。", "文件打不开："]
    assert all((entry["found"], entry["imported"], entry["questions"]) == (0, 0, []) for entry in bad)
