"""A crowd of candidates over kept connections: seated without a hash, starting and saving at a set pace."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, create_engine

from benchmarks.deployment import BenchmarkDeployment, run_inside
from examapp.ops import protocol_client
from examapp.ops.protocol_client import AsyncClient, Browser


@dataclass(slots=True)
class Seat:
    """A signed-in candidate."""

    browser: Browser
    attempt_id: int = 0
    epoch: int = 1
    seq: int = 0


@dataclass(slots=True)
class Wave:
    """What a wave brought: durations in seconds, and what failed."""

    took: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    ended_s: float = 0.0

    def p(self, percent: int) -> float:
        """Give a percentile of the durations, in ms."""
        return 1000 * statistics.quantiles(self.took, n=100)[percent - 1] if len(self.took) > 1 else 0.0


def seated(deployment: BenchmarkDeployment, first: int, count: int) -> list[Seat]:
    """Seat so many demo candidates, by staff number."""
    path = Path(deployment.environment["DATA_DIR"]) / "seats.json"
    run_inside(deployment, "benchmarks.seats", str(first), str(count), str(path))
    rows = json.loads(path.read_text("utf-8"))
    return [Seat(Browser(dict([row["cookie"].split("=", 1)]), row["csrf"])) for row in rows]


async def wave_of(seats: list, seconds: float, act) -> Wave:
    """Let each begin at its moment, evenly spread, however slow the server is; gives what came of it when all are done."""
    wave, began, tasks = Wave(), time.perf_counter(), []
    for index, seat in enumerate(seats):
        await asyncio.sleep(max(began + seconds * index / len(seats) - time.perf_counter(), 0))
        tasks.append(asyncio.create_task(noted(wave, act(seat, wave))))
    await asyncio.gather(*tasks)
    wave.ended_s = time.perf_counter() - began
    return wave


async def noted(wave: Wave, call) -> None:
    """Wait for a call, and note in the wave that it failed."""
    try:
        await call
    except (OSError, protocol_client.UnexpectedReplyError, AssertionError) as error:
        wave.failed.append(f"{type(error).__name__} {error}"[:200])


async def start(pool: AsyncClient, seat: Seat, exam_id: int, wave: Wave) -> None:
    """Call until admitted; what counts is the call that is let in, and the paper."""
    began = time.perf_counter()
    while True:
        reply = await pool.ask(protocol_client.start_attempt(exam_id), seat.browser)
        if reply.status != 202:
            break
        await asyncio.sleep(reply.retry_after_s or 1)
    assert reply.status in {200, 201}, reply.status
    wave.waits.append(time.perf_counter() - began - reply.took_s)
    seat.attempt_id, seat.epoch = reply.json()["id"], reply.json()["epoch"]
    paper = await pool.ask(protocol_client.get_paper(seat.attempt_id), seat.browser)
    assert paper.status == 200, paper.status
    wave.took.append(reply.took_s + paper.took_s)


async def save_for(
    pool: AsyncClient, seats: list[Seat], seconds: float, per_second: float, *, ended: asyncio.Event | None = None
) -> Wave:
    """Let the seats save in turn at that rate, however slow the server is, for so long or until something has ended."""
    wave, began, tasks = Wave(), time.perf_counter(), set()
    for number in range(int(seconds * per_second)):
        if ended is not None and ended.is_set():
            break
        await asyncio.sleep(max(began + number / per_second - time.perf_counter(), 0))
        task = asyncio.create_task(noted(wave, _save(pool, seats[number % len(seats)], wave)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return wave


async def _save(pool: AsyncClient, seat: Seat, wave: Wave) -> None:
    seat.seq += 1
    change = protocol_client.next_choice(seat.seq, 65)
    reply = await pool.ask(protocol_client.save_answers(seat.attempt_id, seat.epoch, [change]), seat.browser)
    assert reply.status == 200, reply.status
    wave.took.append(reply.took_s)


def engine_of(deployment: BenchmarkDeployment) -> Engine:
    """Give a way into the deployment's database."""
    return create_engine(deployment.environment["DATABASE_URL"], isolation_level="AUTOCOMMIT")
