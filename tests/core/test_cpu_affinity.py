"""Web processes are pinned to a processor each; the threads that hash passwords are not."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from examapp.ops.web_workers import pin_process
from examapp.security.password_hashing import Hasher

TWO = set(sorted(os.sched_getaffinity(0))[:2])
pytestmark = pytest.mark.skipif(len(TWO) < 2, reason="a machine of one processor")


def _stand(number, workers, reply):
    """In a process of its own, on a machine of two processors: pin it; tell where it and a thread that hashes run."""
    os.sched_setaffinity(0, TWO)
    pin_process(number, workers)
    hashing = Hasher(max_concurrent=1, queue=1)._run(lambda: os.sched_getaffinity(0))
    reply.put((os.sched_getaffinity(0), hashing))


def stand(number, workers):
    """Give where the web process of this number runs, and where its thread that hashes."""
    spawn = multiprocessing.get_context("spawn")
    reply = spawn.Queue()
    process = spawn.Process(target=_stand, args=(number, workers, reply))
    process.start()
    found = reply.get(timeout=60)
    process.join(30)
    return found


def test_each_web_process_has_a_processor_and_hashes_where_there_is_time():
    first, second = stand(0, 2), stand(1, 2)
    assert first[0] | second[0] == TWO and len(first[0]) == len(second[0]) == 1
    assert first[1] == second[1] == os.sched_getaffinity(0)


def test_a_process_that_has_processors_to_spare_runs_anywhere():
    assert stand(0, 1)[0] == TWO


@pytest.mark.parametrize(("workers", "taken"), [(2, [0, 1]), (4, [0, 0, 1, 1]), (3, [0, 0, 1])])
def test_processes_are_spread_over_the_processors(monkeypatch, workers, taken):
    pinned = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {2, 5})
    monkeypatch.setattr(os, "sched_setaffinity", lambda _pid, processors: pinned.extend(processors))
    for number in range(workers):
        pin_process(number, workers)
    assert pinned == [[2, 5][which] for which in taken]
