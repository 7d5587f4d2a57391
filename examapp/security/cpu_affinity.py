"""Pin each web process to a processor of its own, if there are at least as many processes as processors.

Unpinned, the threads of two processes move between processors many times a second, and wait behind those of the other one while a processor
is idle: pinned, two processes on two processors do a tenth more saves a second (decision 0002).
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from examapp.config import Settings

_MAX_PROCESSES = 64
_names: list[socket.socket] = []
"""The abstract socket that holds this process's number; the kernel frees it when the process ends, however it ends."""
_all_processors: set[int] = set()


def pin_process(settings: Settings) -> None:
    """Pin this web process, and each thread it begins from now on, to one processor; called once, by ops.web_workers."""
    if not hasattr(os, "sched_setaffinity"):
        return
    workers, processors = settings.web_workers, sorted(os.sched_getaffinity(0))
    number = _first_free_number(settings.port) if workers >= len(processors) > 1 else None
    if number is not None:
        _all_processors.update(processors)
        with suppress(OSError):  # if that is not allowed, it runs unpinned
            os.sched_setaffinity(0, {processor_of(number, workers, processors)})


def processor_of(number: int, workers: int, processors: list[int]) -> int:
    """Compute the processor of a process by its number. During a reload the successors have higher numbers, and their predecessors' processors."""
    return processors[number % workers * len(processors) // workers]


def unpin_thread() -> None:
    """Let the calling thread run on any processor: for long work that others do not wait for."""
    if _all_processors:
        with suppress(OSError):
            os.sched_setaffinity(0, _all_processors)


def _first_free_number(port: int) -> int | None:
    for number in range(_MAX_PROCESSES):
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0examapp-web-{port}-{number}")
        except OSError:
            name.close()
        else:
            _names.append(name)
            return number
    return None
