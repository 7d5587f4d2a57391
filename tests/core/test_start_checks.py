"""What `make run` looks at before it starts: the data folder, the port, what an earlier run left; and that nothing outlives its supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from examapp.config import Settings
from examapp.ops import ordinary_user, supervisor
from examapp.ops.ordinary_user import EmbeddedServerError, as_ordinary_user, give_to_ordinary_user, way_to
from examapp.ops.start_checks import lock_data_folder
from tests.helpers.processes import has_ended

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else for PostgreSQL")


def supervise(folder, **settings):
    """Run the supervisor as `make run` does, until it gives up."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "PORT"}}
    own = {"DATA_DIR": str(folder), "APP_MODE": "tryout", "DEMO": "0", **settings}
    command = [sys.executable, "-m", "examapp.ops.supervisor"]
    return subprocess.run(command, cwd=ROOT, env=kept | own, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_second_site_on_a_data_folder_is_rejected_in_words_and_changes_nothing(tmp_path):
    for name in ("secret_key", "data_keys", "setup_code", "site.env"):
        (tmp_path / name).write_text("k1:" + "11" * 32)
    with lock_data_folder(tmp_path, "http://127.0.0.1:8123/"):
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*")}
        second = supervise(tmp_path)
        assert second.returncode == 1 and "Traceback" not in second.stderr
        assert f"进程号 {os.getpid()}" in second.stdout and "http://127.0.0.1:8123/" in second.stdout
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*")} == before


def test_a_port_that_is_taken_is_named_with_who_holds_it(tmp_path, port):
    rejected = supervise(tmp_path, PORT=str(port))
    assert rejected.returncode == 1 and "Traceback" not in rejected.stderr
    assert f"端口 {port} 已被占用：进程号 {os.getpid()}" in rejected.stdout
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"PORT": "eighty"}, "PORT 应为：1 至 65535 的整数；现在是“eighty”"),
        ({"HOST": "203.0.113.7"}, "没有这个地址"),
        ({"DATA_DIR": "/dev/null/x"}, "DATA_DIR"),
    ],
)
def test_a_setting_that_cannot_be_is_rejected_in_words(tmp_path, settings, text):
    rejected = supervise(tmp_path, **settings)
    assert rejected.returncode == 1 and "Traceback" not in rejected.stderr
    assert text in rejected.stdout


@pytest.mark.parametrize("prefix", [[], pytest.param(["unprivileged"], marks=as_root)])
def test_what_was_begun_ends_with_who_began_it(tmp_path, prefix):
    command = ["/bin/sleep", "300"]
    command = as_ordinary_user(command, death_signal=signal.SIGTERM) if prefix else command
    text = (
        "import os, signal, sys; from pathlib import Path; from examapp.ops.child_processes import start_process\n"
        f"print(start_process(sys.argv[1:], log=Path({str(tmp_path / 'log')!r})).pid, flush=True)\n"
        "sys.stdin.readline(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", text, *command], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        while Path(f"/proc/{child}/comm").read_text() != "sleep\n":  # until it has become the command
            assert parent.poll() is None
        parent.stdin.write("\n")
        parent.stdin.flush()
    assert has_ended(child)


@pytest.mark.slow
def test_a_failed_demo_load_leaves_the_site_running(tmp_path, capfd):
    site = supervisor.Site(Settings(data_dir=str(tmp_path)), dict(os.environ) | {"APP_MODE": "production"})
    supervisor._load_demo(site)
    assert "网站照常运行" in capfd.readouterr().out


@pytest.fixture
def private(tmp_path):
    """A folder below one that only its owner may enter."""
    tmp_path.chmod(0o700)
    folder = tmp_path / "内 部"
    folder.mkdir(mode=0o700)
    return folder


@as_root
def test_postgresql_finds_its_programs_where_only_root_may_enter(private):
    program = private / "initdb"
    program.write_text("#!/bin/sh\nid -u\n")
    program.chmod(0o700)
    looks = as_ordinary_user(["/usr/bin/test", "-x", str(program)], private)  # by access(2), as initdb does
    assert subprocess.run(looks, check=False).returncode == 0
    runs = subprocess.run(as_ordinary_user([str(program)], private), capture_output=True, text=True, check=True)
    assert runs.stdout.strip() != "0"


@as_root
def test_where_no_capability_may_be_kept_root_goes_by_another_number(private, monkeypatch):
    monkeypatch.setattr(ordinary_user, "WAYS", {"namespace": ordinary_user.WAYS["namespace"]})
    way_to.cache_clear()
    try:
        give_to_ordinary_user(private)
        command = ["/bin/sh", "-c", 'id -u; touch "$0/made"', str(private)]
        made = subprocess.run(as_ordinary_user(command, private), capture_output=True, text=True, check=True)
    except EmbeddedServerError as error:
        pytest.skip(f"no user namespaces here: {error}")
    finally:
        way_to.cache_clear()
    assert made.stdout.strip() != "0" and (private / "made").stat().st_uid == 0


@as_root
def test_where_nothing_helps_it_is_said_in_words(private, monkeypatch):
    monkeypatch.setattr(ordinary_user, "WAYS", {"plain": ordinary_user.WAYS["plain"]})
    way_to.cache_clear()
    try:
        with pytest.raises(EmbeddedServerError, match=r"不能以 root 身份运行.*普通用户"):
            as_ordinary_user(["/bin/true"], private)
    finally:
        way_to.cache_clear()
