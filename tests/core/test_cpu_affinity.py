"""Web processes are pinned to a processor each; the threads that hash passwords are not."""

from __future__ import annotations

import multiprocessing
import os
import threading
from dataclasses import replace

import pytest

from examapp.config import Settings
from examapp.security.cpu_affinity import pin_process, processor_of, unpin_thread

TWO = set(sorted(os.sched_getaffinity(0))[:2])
two_processors = pytest.mark.skipif(len(TWO) < 2, reason="a machine of one processor")


def _stand(settings, told, may_end):
    """In a process of its own, on a machine of two processors: pin it; tell where it and a thread that was unpinned run."""
    os.sched_setaffinity(0, TWO)
    pin_process(settings)
    free = []
    thread = threading.Thread(target=lambda: (unpin_thread(), free.append(os.sched_getaffinity(0))))
    thread.start()
    thread.join()
    told.put((os.sched_getaffinity(0), free[0]))
    may_end.wait(30)


@pytest.fixture
def stand():
    """Start processes side by side; gives where each runs, and where its thread that was unpinned."""
    spawn = multiprocessing.get_context("spawn")
    started, may_end = [], spawn.Event()

    def begin(settings):
        told = spawn.Queue()
        process = spawn.Process(target=_stand, args=(settings, told, may_end))
        process.start()
        started.append(process)
        return told.get(timeout=30)

    yield begin
    may_end.set()
    for process in started:
        process.join(30)


def settings_of(workers):
    return replace(Settings(), web_workers=workers, port=os.getpid() % 60_000 + 1 + workers)


@two_processors
def test_each_web_process_has_a_processor_and_its_successor_the_same_one(stand):
    first, second, successor = (stand(settings_of(2)) for _ in range(3))
    assert first[0] | second[0] == TWO and len(first[0]) == len(second[0]) == 1
    assert successor[0] == first[0]
    assert first[1] == second[1] == TWO


@two_processors
def test_a_process_that_has_processors_to_spare_runs_anywhere(stand):
    assert stand(settings_of(1))[0] == TWO


@pytest.mark.parametrize(
    ("workers", "processors", "taken"),
    [(2, [0, 1], [0, 1, 0, 1]), (4, [2, 5], [2, 2, 5, 5, 2]), (3, [0, 1], [0, 0, 1, 0])],
)
def test_processes_are_spread_over_the_processors(workers, processors, taken):
    assert [processor_of(number, workers, processors) for number in range(len(taken))] == taken
