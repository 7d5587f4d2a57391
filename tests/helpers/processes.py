"""Processes that a test has started."""

from __future__ import annotations

import os
import select


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
