"""Starting processes that end when the one that started them does, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def begin(
    command: list[str], *, log: Path, environment: Mapping[str, str] | None = None, last_signal: int = signal.SIGTERM
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, its words appended to a log; the kernel sends it `last_signal` when this thread ends."""
    parent = os.getpid()
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=lambda: end_with_parent(parent, last_signal),  # noqa: PLW1509 – two system calls, no lock is taken
        )


def end_with_parent(parent: int, last_signal: int = signal.SIGTERM) -> None:
    """Let the kernel send this process a signal when its parent ends; end now where that has ended already."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, last_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
