"""`python -m examapp.ops.web_workers TARGET`: loads the program once and forks the web processes from it; started by ops.web_server.

A web process that died is replaced by one that accepts connections after a tenth of a second, where loading the program takes seconds. Each
process is pinned to a processor of its own if there are at least as many processes as processors: unpinned, their threads move between
processors many times a second; pinned, two processes on two processors do a tenth more saves a second (decision 0002).
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer, WorkerProcess

from examapp.clock import clock
from examapp.config import Settings, read_settings
from examapp.ops.child_processes import end_with_parent
from examapp.ops.web_server import CONNECTIONS, GRACE_S

_HEADER_BYTES = 64 * 1024
_RESPAWN_PAUSE_S = 0.5


class WebWorkers(MPServer):
    """granian's server, but it replaces a dead process however often one dies, and tells each process its number (decision 0043)."""

    _spawned_at = 0.0

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Callable[[int], Any]) -> WorkerProcess:  # type: ignore[override]  # as MPServer itself has it
        if self.respawned_wrks:
            time.sleep(max(0.0, self._spawned_at + _RESPAWN_PAUSE_S - time.monotonic()))
            self.respawned_wrks.clear()  # otherwise a second death within 5.5 s ends the whole server
        self._spawned_at = time.monotonic()
        return super()._spawn_worker(idx, target, partial(callback_loader, idx))


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


def pin_process(number: int, workers: int) -> None:
    """Pin the web process of this number, and each thread it begins from now on, to one processor, unless there are processors to spare."""
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if workers >= len(processors) > 1:
        with suppress(OSError):  # if that is not allowed, it runs unpinned
            os.sched_setaffinity(0, {processors[number * len(processors) // workers]})


def main() -> None:
    """Load the program, and serve it until told to stop."""
    settings, target, parent = read_settings(), sys.argv[1], os.getpid()
    multiprocessing.set_start_method("fork")
    clock.is_started_by_forks_only = True
    module, _, name = target.partition(":")
    app = getattr(import_module(module), name)

    def begin_serving(number: int) -> Callable[..., Any]:
        end_with_parent(parent)
        pin_process(number, settings.web_workers)
        return app  # type: ignore[no-any-return]

    make_server(settings, target).serve(target_loader=begin_serving, wrap_loader=False)


if __name__ == "__main__":
    main()
