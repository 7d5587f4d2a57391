"""`python -m examapp.ops.web_keeper TARGET`: keeps the web server running, and brings a new version of the program in at SIGHUP.

The new server, with the new program, serves beside the old one on the same port before the old one is told to end: nobody is refused in
between, and where the new one does not come up the old one stays. This process itself loads nothing of the program.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from examapp.config import Settings, read_settings
from examapp.ops.child_processes import end_with_parent
from examapp.ops.serving import END_WITHIN_S
from examapp.ops.start_checks import listening

_POLL_S = 0.1
_UP_WITHIN_S = 60.0
_END_WITHIN_S = END_WITHIN_S + 5.0


class Keeper:
    """The server that runs, and what was asked of it meanwhile."""

    def __init__(self, settings: Settings, target: str) -> None:
        self._settings = settings
        self._command = [sys.executable, "-m", "examapp.ops.web_processes", target]
        self._woken = threading.Event()
        self._is_to_end = self._is_to_renew = False
        self._server = self._begin()

    def watch_signals(self) -> None:
        """Take SIGTERM and SIGINT as the word to end, SIGHUP as the word to renew."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda which, _frame: self._note(which))

    def run(self) -> int:
        """Watch the server until it ends or is told to; gives the exit code."""
        while not self._is_to_end and self._server.poll() is None:
            self._woken.wait(_POLL_S)
            self._woken.clear()
            if self._is_to_renew:
                self._is_to_renew = False
                self._renew()
        code = self._server.poll()
        _end(self._server)
        return 0 if self._is_to_end else code or 1

    def _note(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._is_to_renew = True
        else:
            self._is_to_end = True
        self._woken.set()

    def _begin(self) -> subprocess.Popen[bytes]:
        parent = os.getpid()
        return subprocess.Popen(
            self._command,
            preexec_fn=lambda: end_with_parent(parent),  # noqa: PLW1509 – two system calls, no lock is taken
        )

    def _renew(self) -> None:
        wanted = len(listening(int(self._settings.port))) + int(self._settings.web_workers)
        following = self._begin()
        deadline = time.monotonic() + _UP_WITHIN_S
        while time.monotonic() < deadline and following.poll() is None and not self._is_to_end:
            if len(listening(int(self._settings.port))) >= wanted:
                _end(self._server)
                self._server = following
                return
            time.sleep(_POLL_S)
        _end(following)
        sys.stderr.write("The new version did not begin to serve; the old one goes on.\n")


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main() -> int:
    """Serve until told to end."""
    keeper = Keeper(read_settings(), sys.argv[1])
    keeper.watch_signals()
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main())
