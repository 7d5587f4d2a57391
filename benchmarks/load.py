"""A load generator: candidates who sign in and save over kept-alive connections, in threads of one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from examapp.ops import protocol_client
from examapp.ops.protocol_client import Browser, Client, ProtocolCall, Reply, perform

Worker = TypeVar("Worker")


class LoadCandidate:
    """One browser of one person."""

    def __init__(self, port: int, browser: Browser | None = None) -> None:
        self.client, self.browser = Client(port), browser or Browser()
        self.name, self.attempt_id, self.epoch, self.seq, self.total = "", 0, 1, 0, 65
        self.received = self.requests = 0

    def ask(self, call: ProtocolCall) -> Reply:
        """Send a request and count what comes over the wire."""
        reply = self.client.ask(call, self.browser)
        self.requests += 1
        self.received += len(reply.head) + len(reply.body)
        return reply

    def sign_in(self, login_name: str, password: str) -> None:
        self.name = login_name
        perform(protocol_client.sign_in(self.browser, login_name, password), self.ask)

    def start(self, exam_id: int) -> None:
        reply = self.ask(protocol_client.start_attempt(exam_id))
        for _ in range(300):
            if reply.status != 202:  # admission is full: the place in the queue is kept
                break
            time.sleep(1)
            reply = self.ask(protocol_client.start_attempt(exam_id))
        assert reply.status in {200, 201}, (reply.status, reply.content)
        self.attempt_id, self.epoch = reply.json()["id"], reply.json()["epoch"]

    def take_over(self) -> None:
        self.epoch = self.ask(protocol_client.take_over(self.attempt_id)).json()["epoch"]

    def save(self) -> float:
        """Save one answer; gives how long it took, in seconds."""
        self.seq += 1
        change = protocol_client.next_choice(self.seq, self.total)
        reply = self.client.ask(protocol_client.save_answers(self.attempt_id, self.epoch, [change]), self.browser)
        assert reply.status == 200, (reply.status, reply.content[:600])
        return reply.took_s


def sign_in_many(port: int, accounts: dict[str, Any], count: int, *, offset: int = 0) -> list[LoadCandidate]:
    """Sign in candidates of the demo county and start the mock exam."""
    names = accounts["candidates"]["login_names"][offset : offset + count]

    def one(name: str) -> LoadCandidate:
        candidate = LoadCandidate(port)
        candidate.sign_in(name, accounts["candidates"]["password"])
        candidate.start(accounts["open_exam_id"])
        candidate.take_over()
        return candidate

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, names))


def hammer(workers: Sequence[Worker], times: int, work: Callable[[Worker], float]) -> tuple[float, list[float]]:
    """Let each worker do `work(worker)` so many times, all at once; gives the wall time and each duration, in seconds."""
    durations: list[list[float]] = [[] for _ in workers]
    barrier = threading.Barrier(len(workers) + 1)

    def run(index: int) -> None:
        barrier.wait()
        durations[index] = [work(workers[index]) for _ in range(times)]

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(workers))]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, [duration for listed in durations for duration in listed]
