"""The worst minutes of an exam day on the real deployment: the sitting of 8,000 at its real rate, and 8,000 sign-ins beside 4,000 who save."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import statistics
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import Engine, create_engine, text

from benchmarks.deployment import Deployment, memory_mb, run_inside
from benchmarks.figures import Figure, at_most
from benchmarks.wire import Pool, Reply

_PEOPLE = 8000
_START_WAVE_S = 120.0
_SAVING_S = 300.0
_PAUSE_S = 20.0
"""Between two saves of one candidate: 400 saves a second of 8,000."""
_HAND_IN_WAVE_S = 60.0
_SIGN_IN_WAVE_S = 300.0
_SAVERS = 4000
_CONNECTIONS = 256
_JSON = "Content-Type: application/json\r\n"
_TOKEN = re.compile(rb'name="csrf_token"[^>]*value="([^"]+)"')
_PATIENCE_S = 60.0


@dataclass(slots=True)
class Seat:
    """A signed-in candidate."""

    headers: str
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


def measure(deployment: Deployment, *, people: int = _PEOPLE, pace: float = 1.0) -> list[Figure]:
    """Play both waves once; `people`, and `pace` (2 = in half the time) make a shorter trial."""
    memory = _Memory(deployment)
    sitting = _sit(deployment, people, pace)
    peak = memory.stop()
    beside = _sign_in_beside(deployment, people, pace)
    return [*sitting, at_most(f"sitting of {people}: peak memory of all processes", peak, 3000, "MB"), *beside]


def _seats(deployment: Deployment, first: int, count: int) -> list[Seat]:
    path = Path(deployment.environment["DATA_DIR"]) / "seats.json"
    run_inside(deployment, "benchmarks.seats", str(first), str(count), str(path))
    rows = json.loads(path.read_text("utf-8"))
    return [Seat(f"Cookie: {row['cookie']}\r\nX-CSRFToken: {row['csrf']}\r\nAccept-Encoding: gzip\r\n") for row in rows]


def _sit(deployment: Deployment, people: int, pace: float) -> list[Figure]:
    seats = _seats(deployment, 0, people)
    exam_id = deployment.accounts["open_exam_id"]
    starts, saves, hand_ins = asyncio.run(_play(deployment.port, seats, exam_id, pace))
    graded_s = _wait_for_grades(deployment, [seat.attempt_id for seat in seats])
    lost = _count_lost(deployment, seats)
    print(
        f"  starts: p50 {starts.p(50):.0f}, p95 {starts.p(95):.0f} ms, longest queue {max(starts.waits):.0f} s; saves {len(saves.took)}: p50 {saves.p(50):.0f}, p95 {saves.p(95):.0f}, p99 {saves.p(99):.0f} ms; hand-ins p95 {hand_ins.p(95):.0f} ms; {(starts.failed + saves.failed + hand_ins.failed)[:3]}"
    )
    return [
        at_most(f"sitting of {people}: failed starts, saves and hand-ins", len(starts.failed + saves.failed + hand_ins.failed), 0, "calls"),
        at_most(f"sitting of {people}: acknowledged answers lost", lost, 0, "answers"),
        at_most(f"sitting of {people}: start p95 from admission", starts.p(95), 1000, "ms"),
        at_most(f"sitting of {people}: last start after the first", starts.ended_s, _START_WAVE_S / pace + 60, "s"),
        at_most(f"sitting of {people}: save p99 at {people / _PAUSE_S:.0f} a second", saves.p(99), 100, "ms"),
        at_most(f"sitting of {people}: all hand-ins acknowledged, after the wave of {_HAND_IN_WAVE_S / pace:.0f} s", max(hand_ins.ended_s - _HAND_IN_WAVE_S / pace, 0), 60, "s"),
        at_most(f"sitting of {people}: all graded after the last hand-in", graded_s, 120, "s"),
    ]  # fmt: skip


async def _play(port: int, seats: list[Seat], exam_id: int, pace: float) -> tuple[Wave, Wave, Wave]:
    pool = Pool(port, _CONNECTIONS)
    starts = await _wave(seats, _START_WAVE_S / pace, lambda seat, wave: _start(pool, seat, exam_id, wave))
    started = [seat for seat in seats if seat.attempt_id]
    saves = await _save_for(pool, started, _SAVING_S / pace, len(started) / _PAUSE_S)
    hand_ins = await _wave(started, _HAND_IN_WAVE_S / pace, lambda seat, wave: _hand_in(pool, seat, wave))
    return starts, saves, hand_ins


async def _wave(seats: list, seconds: float, act) -> Wave:
    """Let each begin at its moment, evenly spread, however slow the server is; gives what came of it when all are done."""
    wave, began, tasks = Wave(), time.perf_counter(), []
    for index, seat in enumerate(seats):
        await asyncio.sleep(max(began + seconds * index / len(seats) - time.perf_counter(), 0))
        tasks.append(asyncio.create_task(_noted(wave, act(seat, wave))))
    await asyncio.gather(*tasks)
    wave.ended_s = time.perf_counter() - began
    return wave


async def _noted(wave: Wave, call) -> None:
    try:
        await call
    except (OSError, EOFError, AssertionError) as error:
        wave.failed.append(f"{type(error).__name__} {error}"[:200])


async def _start(pool: Pool, seat: Seat, exam_id: int, wave: Wave) -> None:
    """Call until admitted; what counts is the call that is let in, and the paper."""
    began = time.perf_counter()
    while True:
        reply = await pool.ask("POST", f"/api/v1/exams/{exam_id}/attempts", seat.headers + _JSON, b"{}")
        if reply.status != 202:
            break
        await asyncio.sleep(float(_header(reply, b"retry-after") or 1))
    assert reply.status in {200, 201}, reply.status
    wave.waits.append(time.perf_counter() - began - reply.took_s)
    seat.attempt_id, seat.epoch = _attempt(reply)
    paper = await pool.ask("GET", f"/api/v1/attempts/{seat.attempt_id}/paper", seat.headers)
    assert paper.status == 200, paper.status
    wave.took.append(reply.took_s + paper.took_s)


def _attempt(reply: Reply) -> tuple[int, int]:
    row = json.loads(_plain(reply))
    return row["id"], row["epoch"]


def _plain(reply: Reply) -> bytes:
    return gzip.decompress(reply.body) if reply.body[:2] == b"\x1f\x8b" else reply.body


def _header(reply: Reply, name: bytes) -> str:
    match = re.search(rb"(?i)\r\n" + name + rb": ([^\r]+)", reply.head)
    return match.group(1).decode() if match else ""


async def _save_for(pool: Pool, seats: list[Seat], seconds: float, per_second: float) -> Wave:
    wave, began, tasks = Wave(), time.perf_counter(), set()
    for number in range(int(seconds * per_second)):
        await asyncio.sleep(max(began + number / per_second - time.perf_counter(), 0))
        task = asyncio.create_task(_noted(wave, _save(pool, seats[number % len(seats)], wave)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return wave


async def _save(pool: Pool, seat: Seat, wave: Wave) -> None:
    seat.seq += 1
    change = {"item": 1 + seat.seq % 65, "seq": seat.seq, "response": ["A" if seat.seq % 2 else "B"]}
    body = json.dumps({"epoch": seat.epoch, "changes": [change]}).encode()
    reply = await pool.ask("PUT", f"/api/v1/attempts/{seat.attempt_id}/answers", seat.headers + _JSON, body)
    assert reply.status == 200, reply.status
    wave.took.append(reply.took_s)


async def _hand_in(pool: Pool, seat: Seat, wave: Wave) -> None:
    body = json.dumps({"epoch": seat.epoch, "answers": []}).encode()
    began = time.perf_counter()
    while True:
        reply = await pool.ask("POST", f"/api/v1/attempts/{seat.attempt_id}/submission", seat.headers + _JSON, body)
        if reply.status not in {429, 503} or time.perf_counter() - began > _PATIENCE_S:
            break
        await asyncio.sleep(float(_header(reply, b"retry-after") or 1))
    assert reply.status in {200, 201}, reply.status
    wave.took.append(time.perf_counter() - began)


def _engine(deployment: Deployment) -> Engine:
    return create_engine(deployment.environment["DATABASE_URL"], isolation_level="AUTOCOMMIT")


def _wait_for_grades(deployment: Deployment, attempt_ids: list[int]) -> float:
    began, engine = time.perf_counter(), _engine(deployment)
    query = text("SELECT count(*) FROM attempts WHERE id = ANY(:ids) AND state <> 'graded'")
    with engine.connect() as connection:
        while connection.execute(query, {"ids": attempt_ids}).scalar_one() and time.perf_counter() - began < 600:
            time.sleep(0.2)
    engine.dispose()
    return time.perf_counter() - began


def _count_lost(deployment: Deployment, seats: list[Seat]) -> int:
    """Count attempts whose newest acknowledged counter is not in the database (each saves one answer at a time)."""
    engine = _engine(deployment)
    query = text("SELECT attempt_id, max(seq) FROM answers WHERE attempt_id = ANY(:ids) GROUP BY attempt_id")
    with engine.connect() as connection:
        newest = dict(connection.execute(query, {"ids": [seat.attempt_id for seat in seats]}).tuples().all())
    engine.dispose()
    return sum(newest.get(seat.attempt_id, 0) < seat.seq for seat in seats)


def _sign_in_beside(deployment: Deployment, people: int, pace: float) -> list[Figure]:
    savers = _seats(deployment, 0, min(_SAVERS, people // 2))
    names = deployment.accounts["candidates"]["login_names"][:people]
    password = deployment.accounts["candidates"]["password"]
    sign_ins, saves = asyncio.run(_play_beside(deployment, savers, names, password, pace))
    print(
        f"  sign-ins: p50 {sign_ins.p(50):.0f}, p95 {sign_ins.p(95):.0f} ms; saves {len(saves.took)}: p50 {saves.p(50):.0f}, p99 {saves.p(99):.0f} ms; {(sign_ins.failed + saves.failed)[:3]}"
    )
    return [
        at_most(f"{people} sign-ins: not done", people - len(sign_ins.took), 0, "sign-ins"),
        at_most(f"{people} sign-ins in {_SIGN_IN_WAVE_S / pace:.0f} s: last one after", sign_ins.ended_s, _SIGN_IN_WAVE_S / pace + 30, "s"),
        at_most(f"{people} sign-ins: save p99 of {len(savers)} beside", saves.p(99), 200, "ms"),
        at_most(f"{people} sign-ins: failed saves beside", len(saves.failed), 0, "saves"),
    ]  # fmt: skip


async def _play_beside(
    deployment: Deployment, savers: list[Seat], names: list[str], password: str, pace: float
) -> tuple[Wave, Wave]:
    pool, exam_id = Pool(deployment.port, _CONNECTIONS), deployment.accounts["open_exam_id"]
    starts = await _wave(savers, len(savers) / 60, lambda seat, wave: _start(pool, seat, exam_id, wave))
    savers = [seat for seat in savers if seat.attempt_id]
    seconds = _SIGN_IN_WAVE_S / pace
    desk = Pool(deployment.port, _CONNECTIONS)
    sign_ins, saves = await asyncio.gather(
        _wave(names, seconds, lambda name, wave: _sign_in(desk, name, password, wave)),
        _save_for(pool, savers, seconds, len(savers) / _PAUSE_S),
    )
    saves.failed += starts.failed
    return sign_ins, saves


async def _sign_in(pool: Pool, name: str, password: str, wave: Wave) -> None:
    """Open the page and sign in; asked to come again, the page tries again by itself."""
    began = time.perf_counter()
    while True:
        page = await pool.ask("GET", "/login", "")
        cookies = "; ".join(c.decode() for c in re.findall(rb"(?i)\r\nset-cookie: ([^;\r]+)", page.head))
        token = _TOKEN.search(page.body)
        assert token, page.status
        form = urlencode({"login_name": name, "password": password, "csrf_token": token.group(1).decode()}).encode()
        head = f"Cookie: {cookies}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        reply = await pool.ask("POST", "/login", head, form)
        if reply.status != 503 or time.perf_counter() - began > _PATIENCE_S:
            break
        await asyncio.sleep(float(_header(reply, b"retry-after") or 1))
    assert reply.status == 303, reply.status
    wave.took.append(time.perf_counter() - began)


class _Memory:
    """Watches the memory of all processes of the site, each second; shared pages are counted once (PSS)."""

    def __init__(self, deployment: Deployment) -> None:
        self.peak, self._ended, self._deployment = 0.0, threading.Event(), deployment
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(2):
            self.peak = max(self.peak, memory_mb(self._deployment))

    def stop(self) -> float:
        self._ended.set()
        self._thread.join()
        return self.peak
