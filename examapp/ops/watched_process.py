"""Run a process that works by itself, and end it where it no longer shows that it works: whoever started this starts it again.

`python -m examapp.ops.watched_process FILE SECONDS COMMAND…`: the command touches FILE (`HEARTBEAT_FILE` in its environment) at least that often.
A crash is seen by whoever waits for a process; one that hangs would be seen by nobody.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from examapp.ops.child_processes import end_with_parent

_VARIABLE = "HEARTBEAT_FILE"
_LOOK_EVERY_S = 1.0
MAX_SILENCE_S = 120
"""More than a round of the sweeper, or a try of the schedule at a queue that is away, takes."""


def show_life() -> None:
    """Touch the file by which this process is watched; nothing where nobody watches."""
    if path := os.environ.get(_VARIABLE):
        Path(path).touch()


def watched(path: Path, command: list[str]) -> list[str]:
    """Give the command that runs another one watched."""
    return [sys.executable, "-m", "examapp.ops.watched_process", str(path), str(MAX_SILENCE_S), *command]


def run(path: Path, silence_s: float, command: list[str]) -> int:
    """Run the command and hand signals on to it; gives its exit code, or EX_TEMPFAIL where it was ended for its silence."""
    path.touch()
    parent = os.getpid()
    child = subprocess.Popen(
        command,
        env=os.environ | {_VARIABLE: str(path)},
        preexec_fn=lambda: end_with_parent(parent, signal.SIGKILL),  # noqa: PLW1509 – no thread runs here yet
    )

    def hand_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, hand_on)
    seen, since = -1, time.monotonic()
    while True:
        try:
            code = child.wait(_LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            if (now := _touched(path)) != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > silence_s:
                _end(child, silence_s)
                return os.EX_TEMPFAIL
        else:
            return code if code >= 0 else 128 - code


def _touched(path: Path) -> int:
    """Give when the file was touched, as a number to be compared: the wall clock may jump."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _end(child: subprocess.Popen[bytes], silence_s: float) -> None:
    """Kill it: one that is stopped or waits for ever takes no other signal."""
    print(f'{{"event": "process_hung", "level": "error", "silent_s": {silence_s:.0f}}}', file=sys.stderr, flush=True)  # noqa: T201 – a line of the log
    child.kill()
    child.wait()


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
