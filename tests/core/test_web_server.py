"""The web server: a dead process is replaced from a loaded program, a new version comes in beside the old one, and all end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from examapp.ops.start_checks import listening
from tests.helpers.processes import free_port, has_ended, wait_until

ROOT = Path(__file__).parents[2]


class Served:
    """A running server of tests.core.served."""

    def __init__(self, folder):
        self.version = folder / "version"
        self.version.write_text("first")
        self.port = free_port()
        environment = {
            "PORT": str(self.port),
            "SERVED_VERSION_FILE": str(self.version),
            "WEB_WORKERS": "2",
            "DATA_DIR": str(folder),
        }
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self.keeper = psutil.Popen(
                [sys.executable, "-m", "examapp.ops.web_server", "tests.core.served:app"],
                cwd=ROOT,
                env=dict(os.environ) | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        assert wait_until(lambda: len(listening(self.port)) == 2, within_s=60), self.log.read_text()

    def ask(self):
        """Give the version that answers, and its process."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=20) as reply:
            version, pid = reply.read().decode().split()
        return version, int(pid)

    def workers(self):
        return {worker.pid for server in self.keeper.children() for worker in server.children()}

    def stop(self):
        with_all = [self.keeper, *self.keeper.children(recursive=True)] if self.keeper.poll() is None else []
        for process in with_all:
            try:
                process.kill()
            except psutil.Error:
                continue
        self.keeper.wait()


@pytest.fixture
def served(tmp_path):
    running = Served(tmp_path)
    yield running
    running.stop()


def test_a_killed_process_is_replaced_without_loading_the_program_again(served):
    served.version.write_text("broken")  # whoever loads it now fails
    for _ in range(4):
        _, pid = served.ask()
        os.kill(pid, signal.SIGKILL)
        assert has_ended(pid)
        assert wait_until(
            lambda dead=pid: dead not in served.workers() and len(listening(served.port)) == 2,  # type: ignore[misc]
            within_s=30,
        )
    assert served.ask()[0] == "first"
    assert served.keeper.poll() is None


def test_a_new_version_comes_in_while_every_request_is_answered(served):
    old = served.workers()
    served.version.write_text("second")
    served.keeper.send_signal(signal.SIGHUP)
    seen = [served.ask()[0]]
    while served.workers() & old:
        seen.append(served.ask()[0])
    assert served.ask()[0] == "second"
    assert len(served.workers()) == 2
    assert seen[0] == "first" and set(seen) <= {"first", "second"}


def test_a_new_version_that_does_not_start_leaves_the_old_one_serving(served):
    old = served.workers()
    served.version.write_text("broken")
    served.keeper.send_signal(signal.SIGHUP)
    assert wait_until(lambda: "did not begin to serve" in served.log.read_text(), within_s=60)
    assert served.ask()[0] == "first"
    assert served.workers() == old


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_however_the_keeper_ends_all_end_with_it(served, number):
    below = [process.pid for process in served.keeper.children(recursive=True)]
    assert len(below) >= 3
    served.keeper.send_signal(number)
    assert all(has_ended(pid) for pid in below)
    with pytest.raises(urllib.error.URLError):
        served.ask()
    assert subprocess.Popen.wait(served.keeper, 30) in {0, -signal.SIGKILL}
