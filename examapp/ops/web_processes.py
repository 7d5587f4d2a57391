"""The web processes: the program is loaded once, and they are forked from it: `python -m examapp.ops.web_processes TARGET`, begun by ops.web_keeper.

A web process that died is followed by one that accepts connections after a tenth of a second, where loading the program takes seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from granian._internal import load_target
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from examapp.config import Settings, read_settings
from examapp.ops.child_processes import end_with_parent
from examapp.ops.serving import CONNECTIONS, END_WITHIN_S
from examapp.preload import become_template
from examapp.security.cpu_affinity import pin_process

_HEADER_BYTES = 64 * 1024
_RESPAWN_PAUSE_S = 0.5


class Web(MPServer):
    """granian's server, which replaces a dead process however often one dies: another one lives meanwhile."""

    _began_another_at = 0.0

    def _respawn_workers(self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        time.sleep(max(0.0, min(_RESPAWN_PAUSE_S, self._began_another_at + _RESPAWN_PAUSE_S - time.monotonic())))
        self._began_another_at = time.monotonic()
        super()._respawn_workers(workers, spawn_target, target_loader, delay)
        self.respawned_wrks.clear()  # else a second death within 5.5 s ends the whole server


def make_server(settings: Settings, target: str) -> Web:
    """Build the server; a header of more than 64 KB is refused, who takes half a minute over it is let go."""
    return Web(
        target,
        address=settings.host,
        port=int(settings.port),
        interface=Interfaces.WSGI,
        workers=int(settings.web_workers),
        blocking_threads=CONNECTIONS,
        backpressure=CONNECTIONS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=END_WITHIN_S,
        http1_settings=HTTP1Settings(max_buffer_size=_HEADER_BYTES),
        log_level=LogLevels.warning,
    )


def main() -> None:
    """Load the program, and serve it until told to end."""
    settings, target, template = read_settings(), sys.argv[1], os.getpid()
    multiprocessing.set_start_method("fork")
    become_template()
    app = load_target(target)
    server = make_server(settings, target)

    def begin_serving() -> Callable[..., Any]:
        end_with_parent(template)
        pin_process(settings)
        return app

    server.serve(target_loader=begin_serving, wrap_loader=False)


if __name__ == "__main__":
    main()
