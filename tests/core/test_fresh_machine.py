"""The commonest first try: cloned by root, into a folder that only root may enter; `make run` serves and a test runs, in every surrounding."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.helpers.processes import free_port, is_ready, wait_until

ROOT = Path(__file__).parents[2]
_NOT_OURS = {"DATABASE_URL", "REDIS_URL", "DATA_DIR", "PORT", "HOST"}
_A_TEST = "tests/architecture/test_start.py::test_a_world_can_be_made"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a folder that only root may enter: run as root")


class Clone:
    """A clone with a virtual environment of its own, and what `make` says in it."""

    def __init__(self, folder, *, before=""):
        self.folder, self.before = folder, before
        self.port = free_port()

    def make(self, *text, **popen):
        """Begin `make` with these words, after what the surroundings ask for."""
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        own = {"PORT": str(self.port), "DEMO": "0", "LOG_LEVEL": "WARNING"}
        command = " && ".join([*filter(None, [self.before]), f"exec {shlex.join(text)}"])
        return subprocess.Popen(
            ["/bin/sh", "-c", command], cwd=self.folder, env=kept | own, start_new_session=True, **popen
        )

    def is_ready(self):
        return is_ready(self.port)

    @contextmanager
    def running(self, is_ready, *, is_killed=False):
        """`make run`, until it serves; ended by Ctrl-C, as a person does, where it is not killed before."""
        log = self.folder.parent / f"{self.folder.name}.log"
        with log.open("wb") as output:
            make = self.make("make", "run", stdout=output, stderr=output)
        try:
            assert wait_until(lambda: make.poll() is not None or is_ready(), within_s=180), log.read_text()
            assert make.poll() is None, log.read_text()
            yield make
        finally:
            with suppress(ProcessLookupError):
                os.killpg(make.pid, signal.SIGINT)
            make.wait(60)
        assert is_killed or "已全部结束" in log.read_text()
        assert "Traceback" not in log.read_text()


def clone_into(folder):
    """Clone the work tree as it stands, with a copy of the virtual environment (by hard links where the file system is the same)."""
    folder.mkdir(mode=0o700, parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("no git repository here to clone from")
    for name in listed.stdout.decode().strip("\0").split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    environment = Path(sys.prefix).resolve()
    for way in ("-al", "-a"):
        if (
            subprocess.run(["/bin/cp", way, environment, folder / ".venv"], capture_output=True, check=False).returncode
            == 0
        ):
            break
        shutil.rmtree(folder / ".venv", ignore_errors=True)
    for mark in (".installed", ".installed-dev"):
        (folder / ".venv" / mark).unlink(missing_ok=True)  # a file of its own, newer than requirements.txt
    for mark in (".installed", ".installed-dev"):
        (folder / ".venv" / mark).touch()
    return folder


@pytest.fixture
def private(tmp_path):
    """A folder below one that only root may enter, as `/root` is; no right of it has changed at the end."""
    tmp_path.chmod(0o700)
    yield tmp_path
    assert tmp_path.stat().st_mode & 0o777 == 0o700 and tmp_path.stat().st_uid == 0


@pytest.mark.slow
@pytest.mark.begins
def test_make_run_serves_and_a_test_runs_where_only_root_may_enter(private):
    clone = Clone(clone_into(private / "clone"))
    with clone.running(clone.is_ready):
        second = clone.make("make", "run", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said, complaint = second.communicate(timeout=60)
        assert second.returncode != 0
        assert "已经在运行" in said and "Traceback" not in said + complaint
        assert (clone.folder / ".data" / "site.env").exists()
    tested = clone.make(".venv/bin/python", "-m", "pytest", _A_TEST, stdout=subprocess.PIPE, text=True)
    said, _ = tested.communicate(timeout=180)
    assert tested.returncode == 0, said


@pytest.mark.long
def test_after_the_supervisor_was_killed_make_run_works_again(private):
    clone = Clone(clone_into(private / "clone"))
    with clone.running(clone.is_ready, is_killed=True) as make:
        [supervisor] = psutil.Process(make.pid).children()
        parts = supervisor.children(recursive=True)
        beat = next(part for part in parts if "beat" in part.cmdline())
        beat.suspend()  # it hears of nothing: the next start has to end it
        supervisor.kill()
        supervisor.wait(30)
    with clone.running(clone.is_ready):
        assert not [p for p in parts if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("学法 考试 (副本)", ""),
        ("strict", "umask 077"),
        ("frugal", 'export TMPDIR="$PWD/临时 目录" && mkdir -p "$TMPDIR"'),
        ("proxied", "export http_proxy=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 && unset LANG LC_ALL"),
    ],
)  # fmt: skip
def test_make_run_serves_in_strange_surroundings(private, name, before):
    clone = Clone(clone_into(private / name), before=before)
    with clone.running(clone.is_ready):
        assert clone.is_ready()
    assert clone.make("make", "-s", "-n", "run", stdout=subprocess.DEVNULL).wait(60) == 0


@pytest.mark.long
def test_make_run_serves_on_another_file_system(private):
    place = private / "other"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3g,mode=700", "tmpfs", place], check=False).returncode != 0:
        pytest.skip("no file system may be mounted here")
    try:
        clone = Clone(clone_into(place / "clone"))
        with clone.running(clone.is_ready):
            assert clone.is_ready()
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.long
def test_make_run_serves_without_ipv6(private):
    alone = ["unshare", "--net", "--", "/bin/sh", "-c"]
    net = "ip link set lo up && sysctl -qw net.ipv6.conf.all.disable_ipv6=1"
    if subprocess.run([*alone, net], capture_output=True, check=False).returncode != 0:
        pytest.skip("no network namespace without IPv6 may be made here")
    clone = Clone(clone_into(private / "clone"))
    clone.before = f"exec unshare --net -- /bin/sh -c {shlex.quote(net + ' && exec make run')}"

    def is_ready_inside():
        for process in psutil.process_iter(["cmdline"]):
            if "examapp.ops.web_server" in (process.info["cmdline"] or []) and process.cwd() == str(clone.folder):
                asked = ["nsenter", "-t", str(process.pid), "-n", "curl", "-sf", "--noproxy", "*"]
                return (
                    subprocess.run(
                        [*asked, f"http://127.0.0.1:{clone.port}/readyz"], capture_output=True, check=False
                    ).returncode
                    == 0
                )
        return False

    with clone.running(is_ready_inside):
        assert is_ready_inside()
