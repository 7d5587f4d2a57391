"""`python -m examapp.ops.web_server TARGET`: runs the web server, and replaces it by one of a new program version at SIGHUP.

The new server serves beside the old one on the same port before the old one is terminated: no connection is rejected in between, and if the
new one does not start, the old one stays. This process itself loads nothing of the program.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

from examapp.config import Settings, read_settings
from examapp.ops.child_processes import end_processes, end_with_parent
from examapp.ops.start_checks import listening

CONNECTIONS = 512
"""Connections, and so threads at most, of a web process: a thread that waits for the rest of a body blocks no other."""
GRACE_S = 10
"""Seconds that a web process has to finish its requests when it is to end."""
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_POLL_S = 0.1
_STOP_TIMEOUT_S = GRACE_S + 5.0
_START_TIMEOUT_S = 60.0


def web_command(target: str = "wsgi:app") -> list[str]:
    """Return the command that serves the site, by HOST, PORT and WEB_WORKERS of its environment."""
    return [sys.executable, "-m", "examapp.ops.web_server", target]


def _start(target: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "examapp.ops.web_workers", target]
    return subprocess.Popen(command, preexec_fn=partial(end_with_parent, os.getpid()))  # noqa: PLW1509 – two system calls, no lock is taken


def _reload(
    server: subprocess.Popen[bytes], settings: Settings, target: str, signals: set[int]
) -> subprocess.Popen[bytes]:
    """Start a successor beside the server, and return it once it serves and the server has ended; the server itself if that fails."""
    wanted = len(listening(settings.port)) + settings.web_workers
    successor, deadline = _start(target), time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and successor.poll() is None and not signals - {signal.SIGHUP}:
        if len(listening(settings.port)) >= wanted:
            end_processes([server], timeout_s=_STOP_TIMEOUT_S)
            return successor
        time.sleep(_POLL_S)
    end_processes([successor], timeout_s=_STOP_TIMEOUT_S)
    sys.stderr.write("The new version did not begin to serve; the old one goes on.\n")
    return server


def main() -> int:
    """Serve until the server exits or a signal says to stop; figures of web processes that ran before are dropped."""
    settings, target, signals = read_settings(), sys.argv[1], set[int]()
    metrics = settings.data_path / f"metrics-{settings.port}"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    os.environ[METRICS_VARIABLE] = str(metrics)
    server = _start(target)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda which, _frame: signals.add(which))
    while server.poll() is None and not signals - {signal.SIGHUP}:
        if signals:
            signals.clear()
            server = _reload(server, settings, target, signals)
        time.sleep(_POLL_S)
    code = server.poll()
    end_processes([server], timeout_s=_STOP_TIMEOUT_S)
    return 0 if signals - {signal.SIGHUP} else code or 1


if __name__ == "__main__":
    sys.exit(main())
