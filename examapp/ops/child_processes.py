"""Start processes that end with their parent, and watch one by its heartbeat file.

`python -m examapp.ops.child_processes FILE SECONDS COMMAND…` runs a command that must touch FILE (`HEARTBEAT_FILE` in its environment) at
least that often, and kills it otherwise: an exit is seen by its parent, a hang is not.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_HEARTBEAT_VARIABLE = "HEARTBEAT_FILE"
_POLL_S = 1.0
_STOP_TIMEOUT_S = 20.0
MAX_SILENCE_S = 120
"""More than a round of the sweeper, an attempt of the schedule to reach an absent queue, or the time between two tasks takes."""


def start_process(
    command: list[str], *, log: Path, environment: Mapping[str, str] | None = None, death_signal: int = signal.SIGKILL
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, its output appended to a log; the kernel sends it `death_signal` when this thread ends."""
    end = partial(end_with_parent, os.getpid(), death_signal)
    with log.open("ab") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True, preexec_fn=end)  # noqa: PLW1509 – two system calls, no lock is taken  # fmt: skip


def end_with_parent(parent: int, death_signal: int = signal.SIGKILL) -> None:
    """Let the kernel send this process a signal when its parent ends, a stopped one too; exit now if it has ended already."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def end_processes(
    processes: list[subprocess.Popen[bytes]], number: int = signal.SIGTERM, *, timeout_s: float = _STOP_TIMEOUT_S
) -> None:
    """Signal processes and wait for them, so many seconds together; then kill them, and what they left behind in groups of their own."""
    deadline = time.monotonic() + timeout_s
    for process in processes:
        process.send_signal(number)
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


def touch_heartbeat_file() -> None:
    """Touch the file by which this process is watched, if it is."""
    if path := os.environ.get(_HEARTBEAT_VARIABLE):
        Path(path).touch()


def watched(path: Path, command: list[str]) -> list[str]:
    """Return the command that runs another one watched."""
    return [sys.executable, "-m", "examapp.ops.child_processes", str(path), str(MAX_SILENCE_S), *command]


def run_watched(path: Path, max_silence_s: float, command: list[str]) -> int:
    """Run the command and forward signals to it. Return its exit code, or EX_TEMPFAIL if it was killed for its silence."""
    path.touch()
    end = partial(end_with_parent, os.getpid())
    child = subprocess.Popen(command, env=os.environ | {_HEARTBEAT_VARIABLE: str(path)}, preexec_fn=end)  # noqa: PLW1509 – no thread runs here yet
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda which, _frame: child.send_signal(which))
    seen, since = -1, time.monotonic()
    while time.monotonic() - since <= max_silence_s:
        with suppress(subprocess.TimeoutExpired):
            code = child.wait(_POLL_S)
            return code if code >= 0 else 128 - code
        touched = path.stat().st_mtime_ns if path.exists() else 0
        if touched != seen:  # compared only: the wall clock may jump
            seen, since = touched, time.monotonic()
    sys.stderr.write(f'{{"event": "process_hung", "level": "error", "silent_s": {max_silence_s:.0f}}}\n')
    child.kill()  # a stopped process takes no other signal
    child.wait()
    return os.EX_TEMPFAIL


if __name__ == "__main__":
    sys.exit(run_watched(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
