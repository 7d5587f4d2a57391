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
from functools import partial
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_HEARTBEAT_VARIABLE = "HEARTBEAT_FILE"
_POLL_S = 1.0
MAX_SILENCE_S = 120
"""More than a round of the sweeper, an attempt of the schedule to reach an absent queue, or the time between two tasks takes."""


def start_process(
    command: list[str], *, log: Path, environment: Mapping[str, str] | None = None, death_signal: int = signal.SIGTERM
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, its output appended to a log; the kernel sends it `death_signal` when this thread ends."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=partial(end_with_parent, os.getpid(), death_signal),  # noqa: PLW1509 – two system calls, no lock is taken
        )


def end_with_parent(parent: int, death_signal: int = signal.SIGTERM) -> None:
    """Let the kernel send this process a signal when its parent ends; exit now if it has ended already."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


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
    child = subprocess.Popen(
        command,
        env=os.environ | {_HEARTBEAT_VARIABLE: str(path)},
        preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGKILL),  # noqa: PLW1509 – no thread runs here yet
    )

    def forward(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)
    seen, since = -1, time.monotonic()
    while True:
        try:
            code = child.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            touched = path.stat().st_mtime_ns if path.exists() else 0
            if touched != seen:  # compared only: the wall clock may jump
                seen, since = touched, time.monotonic()
            elif time.monotonic() - since > max_silence_s:
                words = f'{{"event": "process_hung", "level": "error", "silent_s": {max_silence_s:.0f}}}'
                print(words, file=sys.stderr, flush=True)  # noqa: T201 – a line of the log
                child.kill()  # a stopped process takes no other signal
                child.wait()
                return os.EX_TEMPFAIL
        else:
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(run_watched(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
