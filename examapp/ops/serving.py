"""How the site is served; the same command in the try-out, in a real deployment and in a rehearsal."""

from __future__ import annotations

import sys

CONNECTIONS = 512
"""Connections, and so threads at most, of a web process: one that waits for the rest of a body takes no thread from others (security.concurrency_limiter)."""
END_WITHIN_S = 10
"""What a web process that is to end has left to finish what it began."""


def web_command(target: str = "wsgi:app") -> list[str]:
    """Give the command that serves the site, by HOST, PORT, WEB_WORKERS and WEB_THREADS of its environment."""
    return [sys.executable, "-m", "examapp.ops.web_keeper", target]
