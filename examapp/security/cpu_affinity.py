"""Which processor a web process runs on: where there is one for each, each keeps to its own.

Left to the system, the threads of a process wander between processors many times a second, and wait behind those of the other one while a
processor stands idle: kept in place, two processes on two processors do a tenth more saves a second (decision 0002).
"""

from __future__ import annotations

import multiprocessing
import os
import socket
from contextlib import suppress

from examapp.config import Settings

_WEB_PROCESS = "granian-worker"
_MAX_PLACES = 64
_taken: list[socket.socket] = []
"""The name that holds this process's place; it is free again when the process ends, however it ends."""
_everywhere: set[int] = set()
"""The processors that this process might have run on."""


def pin_process(settings: Settings) -> None:
    """Keep this web process, and each thread it begins from now on, to one processor; what is no web process goes where it likes."""
    if multiprocessing.current_process().name == _WEB_PROCESS and hasattr(os, "sched_setaffinity"):
        workers, processors = int(settings.web_workers), sorted(os.sched_getaffinity(0))
        place = _first_free(settings.port) if workers >= len(processors) > 1 else None
        if place is not None:
            _everywhere.update(processors)
            with suppress(OSError):  # where that may not be chosen, it runs as before
                os.sched_setaffinity(0, {processor_of(place, workers, processors)})


def processor_of(place: int, workers: int, processors: list[int]) -> int:
    """Give the processor of a place. At a reload the successors stand in the places behind, and go where those stood whom they follow."""
    return processors[place % workers * len(processors) // workers]


def unpin_thread() -> None:
    """Let the calling thread run wherever it likes: for long work that holds nothing up."""
    if _everywhere:
        with suppress(OSError):
            os.sched_setaffinity(0, _everywhere)


def _first_free(port: str) -> int | None:
    for place in range(_MAX_PLACES):
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0examapp-web-{port}-{place}")
        except OSError:
            name.close()
        else:
            _taken.append(name)
            return place
    return None
