"""`python -m examapp.ops.web_server TARGET`: runs the web server, and replaces it by one of a new program version at SIGHUP.

The new server serves beside the old one on the same port before the old one is terminated: no connection is refused in between, and if the
new one does not start, the old one stays. This process itself loads nothing of the program.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from functools import partial

from examapp.config import Settings, read_settings
from examapp.ops.child_processes import end_with_parent
from examapp.ops.start_checks import listening

CONNECTIONS = 512
"""Connections, and so threads at most, of a web process: a thread that waits for the rest of a body blocks no other (security.concurrency_limiter)."""
GRACE_S = 10
"""Seconds that a web process has to finish its requests when it is to end."""
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_POLL_S = 0.1
_START_TIMEOUT_S = 60.0


def web_command(target: str = "wsgi:app") -> list[str]:
    """Return the command that serves the site, by HOST, PORT and WEB_WORKERS of its environment."""
    return [sys.executable, "-m", "examapp.ops.web_server", target]


class WebServer:
    """The running server process, and the signals received meanwhile."""

    def __init__(self, settings: Settings, target: str) -> None:
        self._settings = settings
        self._command = [sys.executable, "-m", "examapp.ops.web_workers", target]
        self._woken = threading.Event()
        self._is_stopping = self._is_reloading = False
        self._server = self._start()

    def install_signal_handlers(self) -> None:
        """Stop at SIGTERM and SIGINT, reload at SIGHUP."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda which, _frame: self._on_signal(which))

    def run(self) -> int:
        """Wait until the server exits or a signal says to stop; return the exit code."""
        while not self._is_stopping and self._server.poll() is None:
            self._woken.wait(_POLL_S)
            self._woken.clear()
            if self._is_reloading:
                self._is_reloading = False
                self._reload()
        code = self._server.poll()
        _stop(self._server)
        return 0 if self._is_stopping else code or 1

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._is_reloading = True
        else:
            self._is_stopping = True
        self._woken.set()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, preexec_fn=partial(end_with_parent, os.getpid()))  # noqa: PLW1509 – two system calls, no lock is taken

    def _reload(self) -> None:
        port = self._settings.port
        wanted = len(listening(port)) + self._settings.web_workers
        successor = self._start()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline and successor.poll() is None and not self._is_stopping:
            if len(listening(port)) >= wanted:
                _stop(self._server)
                self._server = successor
                return
            time.sleep(_POLL_S)
        _stop(successor)
        sys.stderr.write("The new version did not begin to serve; the old one goes on.\n")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(GRACE_S + 5.0)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main() -> int:
    """Serve until a signal says to stop; figures of web processes that ran before are dropped."""
    settings = read_settings()
    metrics = settings.data_path / f"metrics-{settings.port}"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    os.environ[METRICS_VARIABLE] = str(metrics)
    server = WebServer(settings, sys.argv[1])
    server.install_signal_handlers()
    return server.run()


if __name__ == "__main__":
    sys.exit(main())
