"""`python -m examapp.ops.web_workers TARGET`: loads the program once and forks the web processes from it; started by ops.web_server.

A web process that died is replaced by one that accepts connections after a tenth of a second, where loading the program takes seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from examapp.clock import clock
from examapp.config import Settings, read_settings
from examapp.ops.child_processes import end_with_parent
from examapp.ops.web_server import CONNECTIONS, GRACE_S
from examapp.security.cpu_affinity import pin_process

_HEADER_BYTES = 64 * 1024
_RESPAWN_PAUSE_S = 0.5


class WebWorkers(MPServer):
    """granian's server, but it replaces a dead process however often one dies (decision 0038)."""

    _respawned_at = 0.0

    def _respawn_workers(self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        time.sleep(max(0.0, min(_RESPAWN_PAUSE_S, self._respawned_at + _RESPAWN_PAUSE_S - time.monotonic())))
        self._respawned_at = time.monotonic()
        super()._respawn_workers(workers, spawn_target, target_loader, delay)
        self.respawned_wrks.clear()  # otherwise a second death within 5.5 s ends the whole server


def make_server(settings: Settings, target: str) -> WebWorkers:
    """Build the server: a header of more than 64 KB is rejected, and one that takes half a minute is cut off."""
    return WebWorkers(
        target,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=CONNECTIONS,
        backpressure=CONNECTIONS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_S,
        http1_settings=HTTP1Settings(max_buffer_size=_HEADER_BYTES),
        log_level=LogLevels.warning,
    )


def main() -> None:
    """Load the program, and serve it until told to stop."""
    settings, target, parent = read_settings(), sys.argv[1], os.getpid()
    multiprocessing.set_start_method("fork")
    clock.is_started_by_forks_only = True
    module, _, name = target.partition(":")
    app = getattr(import_module(module), name)
    server = make_server(settings, target)

    def begin_serving() -> Callable[..., Any]:
        end_with_parent(parent)
        pin_process(settings)
        return app  # type: ignore[no-any-return]

    server.serve(target_loader=begin_serving, wrap_loader=False)


if __name__ == "__main__":
    main()
