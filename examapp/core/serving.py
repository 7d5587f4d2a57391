"""How the site is served; the same command in the try-out, in a real deployment and in a rehearsal."""

from __future__ import annotations

import sys
from pathlib import Path

from examapp.config import Settings

_BIN = Path(sys.executable).parent


def web_command(settings: Settings) -> list[str]:
    """Give the command that serves the site.

    Headers of more than 64 KB are refused; who takes half a minute over them is let go; slow bodies are nginx's matter.
    At a reload (SIGHUP) an old worker goes fifteen seconds after its successor was begun: time to import the program on a busy machine.
    """
    return [
        str(_BIN / "granian"), "--interface", "wsgi", "--host", settings.host, "--port", settings.port, "--workers", settings.web_workers,
        "--blocking-threads", settings.web_threads, "--backpressure", "512", "--no-ws", "--respawn-failed-workers", "--respawn-interval", "15", "--workers-kill-timeout", "10",
        "--http1-buffer-size", "65536",
        "--log-level", "warning", "wsgi:app",
    ]  # fmt: skip
