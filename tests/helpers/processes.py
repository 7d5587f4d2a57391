"""Processes that a test has started, and what they listen on."""

from __future__ import annotations

import os
import select
import socket
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(port: int, path: str = "/readyz") -> bool:
    """Tell whether a site on a port of this machine answers 200."""
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
        return reply.status == 200
    return False


def wait_until(condition: Callable[[], Any], *, within_s: float, every_s: float = 0.1) -> Any:
    """Wait for something; gives it, or a false value when the time is over."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(every_s)
    return condition()


def has_ended(pid):
    """Wait until a process has ended, half a minute at most."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)
