"""The worst minutes of an exam day on the real deployment: the attempt of 8,000 at its real rate, and 8,000 sign-ins beside 4,000 who save."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text

from benchmarks.crowd import Seat, Wave, engine_of, save_for, seated, start, wave_of
from benchmarks.deployment import BenchmarkDeployment, memory_mb
from benchmarks.figures import Figure, at_most
from examapp import clock
from examapp.ops import protocol_client
from examapp.ops.protocol_client import AsyncClient, Browser, ProtocolCall, Reply, UnexpectedReplyError, sign_in

_PEOPLE = 8000
_START_WAVE_S = 120.0
_SAVING_S = 300.0
_PAUSE_S = 20.0
"""Between two saves of one candidate: 400 saves a second of 8,000."""
_HAND_IN_WAVE_S = 60.0
_SIGN_IN_WAVE_S = 300.0
_SAVERS = 4000
_CONNECTIONS = 256
_PATIENCE_S = 60.0
_ARRIVALS_A_SECOND = 80.0
"""Of the lobby: 8,000 in 100 s."""
_LOOK, _PROMISED = re.compile(rb'data-look-s="(\d+)"'), re.compile("最迟 (\\d+):(\\d+):(\\d+)")


def measure(deployment: BenchmarkDeployment, *, people: int = _PEOPLE, rate: float = 1.0) -> list[Figure]:
    """Play both waves once; `people`, and `rate` (2 = in half the time) make a shorter trial."""
    memory = _Memory(deployment)
    attempt = _take_exam(deployment, people, rate)
    peak = memory.stop()
    beside = _sign_in_beside(deployment, people, rate)
    return [*attempt, at_most(f"sitting of {people}: peak memory of all processes", peak, 3000, "MB"), *beside]


def _take_exam(deployment: BenchmarkDeployment, people: int, rate: float) -> list[Figure]:
    seats = seated(deployment, 0, people)
    exam_id = deployment.accounts["open_exam_id"]
    starts, saves, hand_ins = asyncio.run(_play(deployment.port, seats, exam_id, rate))
    graded_s = _wait_for_grades(deployment, [seat.attempt_id for seat in seats])
    lost = _count_lost(deployment, seats)
    print(
        f"  starts: p50 {starts.p(50):.0f}, p95 {starts.p(95):.0f} ms, longest queue {max(starts.waits):.0f} s; saves {len(saves.took)}: p50 {saves.p(50):.0f}, p95 {saves.p(95):.0f}, p99 {saves.p(99):.0f} ms; hand-ins p95 {hand_ins.p(95):.0f} ms; {(starts.failed + saves.failed + hand_ins.failed)[:3]}"
    )
    return [
        at_most(f"sitting of {people}: failed starts, saves and hand-ins", len(starts.failed + saves.failed + hand_ins.failed), 0, "calls"),
        at_most(f"sitting of {people}: acknowledged answers lost", lost, 0, "answers"),
        at_most(f"sitting of {people}: start p95 from admission", starts.p(95), 1000, "ms"),
        at_most(f"sitting of {people}: last start after the first", starts.ended_s, _START_WAVE_S / rate + 60, "s"),
        at_most(f"sitting of {people}: save p99 at {people / _PAUSE_S:.0f} a second", saves.p(99), 100, "ms"),
        at_most(f"sitting of {people}: all hand-ins acknowledged, after the wave of {_HAND_IN_WAVE_S / rate:.0f} s", max(hand_ins.ended_s - _HAND_IN_WAVE_S / rate, 0), 60, "s"),
        at_most(f"sitting of {people}: all graded after the last hand-in", graded_s, 120, "s"),
    ]  # fmt: skip


async def _play(port: int, seats: list[Seat], exam_id: int, rate: float) -> tuple[Wave, Wave, Wave]:
    pool = AsyncClient(port, connections=_CONNECTIONS)
    starts = await wave_of(seats, _START_WAVE_S / rate, lambda seat, wave: start(pool, seat, exam_id, wave))
    started = [seat for seat in seats if seat.attempt_id]
    saves = await save_for(pool, started, _SAVING_S / rate, len(started) / _PAUSE_S)
    hand_ins = await wave_of(started, _HAND_IN_WAVE_S / rate, lambda seat, wave: _hand_in(pool, seat, wave))
    return starts, saves, hand_ins


async def _hand_in(pool: AsyncClient, seat: Seat, wave: Wave) -> None:
    began = time.perf_counter()
    reply = await _ask_patiently(pool, protocol_client.submit(seat.attempt_id, seat.epoch), seat.browser)
    assert reply.status in {200, 201}, reply.status
    wave.took.append(time.perf_counter() - began)


def _wait_for_grades(deployment: BenchmarkDeployment, attempt_ids: list[int]) -> float:
    began, engine = time.perf_counter(), engine_of(deployment)
    query = text("SELECT count(*) FROM attempts WHERE id = ANY(:ids) AND state <> 'graded'")
    with engine.connect() as connection:
        while connection.execute(query, {"ids": attempt_ids}).scalar_one() and time.perf_counter() - began < 600:
            time.sleep(0.2)
    engine.dispose()
    return time.perf_counter() - began


def _count_lost(deployment: BenchmarkDeployment, seats: list[Seat]) -> int:
    """Count attempts whose newest acknowledged counter is not in the database (each saves one answer at a time)."""
    engine = engine_of(deployment)
    query = text("SELECT attempt_id, max(seq) FROM answers WHERE attempt_id = ANY(:ids) GROUP BY attempt_id")
    with engine.connect() as connection:
        newest = dict(connection.execute(query, {"ids": [seat.attempt_id for seat in seats]}).tuples().all())
    engine.dispose()
    return sum(newest.get(seat.attempt_id, 0) < seat.seq for seat in seats)


def _sign_in_beside(deployment: BenchmarkDeployment, people: int, rate: float) -> list[Figure]:
    savers = seated(deployment, 0, min(_SAVERS, people // 2))
    names = deployment.accounts["candidates"]["login_names"][:people]
    password = deployment.accounts["candidates"]["password"]
    sign_ins, saves = asyncio.run(_play_beside(deployment, savers, names, password, rate))
    print(
        f"  sign-ins: p50 {sign_ins.p(50):.0f}, p95 {sign_ins.p(95):.0f} ms; saves {len(saves.took)}: p50 {saves.p(50):.0f}, p99 {saves.p(99):.0f} ms; {(sign_ins.failed + saves.failed)[:3]}"
    )
    return [
        at_most(f"{people} sign-ins: not done", people - len(sign_ins.took), 0, "sign-ins"),
        at_most(f"{people} sign-ins in {_SIGN_IN_WAVE_S / rate:.0f} s: last one after", sign_ins.ended_s, _SIGN_IN_WAVE_S / rate + 30, "s"),
        at_most(f"{people} sign-ins: save p99 of {len(savers)} beside", saves.p(99), 200, "ms"),
        at_most(f"{people} sign-ins: failed saves beside", len(saves.failed), 0, "saves"),
    ]  # fmt: skip


async def _play_beside(
    deployment: BenchmarkDeployment, savers: list[Seat], names: list[str], password: str, rate: float
) -> tuple[Wave, Wave]:
    pool, exam_id = AsyncClient(deployment.port, connections=_CONNECTIONS), deployment.accounts["open_exam_id"]
    starts = await wave_of(savers, len(savers) / 60, lambda seat, wave: start(pool, seat, exam_id, wave))
    savers = [seat for seat in savers if seat.attempt_id]
    seconds = _SIGN_IN_WAVE_S / rate
    desk = AsyncClient(deployment.port, connections=_CONNECTIONS)
    sign_ins, saves = await asyncio.gather(
        wave_of(names, seconds, lambda name, wave: _sign_in(desk, name, password, wave)),
        save_for(pool, savers, seconds, len(savers) / _PAUSE_S),
    )
    saves.failed += starts.failed
    return sign_ins, saves


async def _sign_in(pool: AsyncClient, name: str, password: str, wave: Wave) -> None:
    """Open the page and sign in; asked to come again, the page's script tries again by itself."""
    began, browser = time.perf_counter(), Browser(headers={"Accept": "application/json"})
    steps = sign_in(browser, name, password)
    form = steps.send(await pool.ask(next(steps), browser))
    reply = await _ask_patiently(pool, form, browser)
    assert reply.status == 200, reply.status
    wave.took.append(time.perf_counter() - began)


async def _ask_patiently(pool: AsyncClient, call: ProtocolCall, browser: Browser) -> Reply:
    """Call again, when the server says so, for a minute at most."""
    began = time.perf_counter()
    while True:
        reply = await pool.ask(call, browser)
        if reply.status not in {429, 503} or time.perf_counter() - began > _PATIENCE_S:
            return reply
        await asyncio.sleep(reply.retry_after_s or 1)


@dataclass(slots=True)
class _Lobby(Wave):
    """The wave of those who arrive all at once: how late each was by the lobby's promise, and how long the promise was."""

    late: list[float] = field(default_factory=list)
    promises: list[float] = field(default_factory=list)
    looks: int = 0


def measure_lobby(deployment: BenchmarkDeployment) -> list[Figure]:
    """Let 8,000 arrive in 100 s, half as many who save beside them; LOBBY_PEOPLE makes a shorter trial at the same rate, LOBBY_SECONDS a denser one."""
    people = int(os.environ.get("LOBBY_PEOPLE", _PEOPLE))
    seconds = float(os.environ.get("LOBBY_SECONDS", people / _ARRIVALS_A_SECOND))
    savers = seated(deployment, 0, min(_SAVERS, people // 2))
    accounts = deployment.accounts["candidates"]
    wave, saves = asyncio.run(
        _play_lobby(deployment, savers, accounts["login_names"][:people], accounts["password"], seconds)
    )
    title = f"{people} arrive in {seconds:.0f} s"
    print(
        f"  through the lobby {len(wave.promises)}, looks {wave.looks}; arrival to signed in: p50 {wave.p(50) / 1000:.1f}, p95 {wave.p(95) / 1000:.1f} s, last {wave.ended_s:.0f} s after the first came; "
        f"promised at most {max(wave.promises, default=0):.0f} s, latest {max(wave.late, default=0):+.0f} s by the promise; saves {len(saves.took)}: p50 {saves.p(50):.0f}, p99 {saves.p(99):.0f} ms; {(wave.failed + saves.failed)[:3]}"
    )
    return [
        at_most(f"{title}: not signed in", people - len(wave.took), 0, "people"),
        at_most(f"{title}: signed in later than the lobby promised", sum(late > 0 for late in wave.late), 0, "people"),
        at_most(f"{title}: save p99 of {len(savers)} beside", saves.p(99), 100, "ms"),
        at_most(f"{title}: failed saves beside", len(saves.failed), 0, "saves"),
    ]


async def _play_lobby(
    deployment: BenchmarkDeployment, savers: list[Seat], names: list[str], password: str, seconds: float
) -> tuple[_Lobby, Wave]:
    pool, desk = (AsyncClient(deployment.port, connections=_CONNECTIONS) for _ in range(2))
    exam_id, ended = deployment.accounts["open_exam_id"], asyncio.Event()
    starts = await wave_of(savers, len(savers) / 60, lambda seat, wave: start(pool, seat, exam_id, wave))
    savers = [seat for seat in savers if seat.attempt_id]
    saving = asyncio.create_task(save_for(pool, savers, 3600, len(savers) / _PAUSE_S, ended=ended))
    lobby = _Lobby()
    arrivals = await wave_of(names, seconds, lambda name, _: _arrive(desk, name, password, lobby))
    ended.set()
    saves = await saving
    lobby.failed, lobby.ended_s = arrivals.failed, arrivals.ended_s
    saves.failed += starts.failed
    return lobby, saves


async def _arrive(pool: AsyncClient, name: str, password: str, lobby: _Lobby) -> None:
    """Open the page, wait in the lobby as its script does, and sign in when the turn has come."""
    began, browser, promised_at = time.perf_counter(), Browser(headers={"Accept": "application/json"}), None
    steps = sign_in(browser, name, password)
    page = await pool.ask(next(steps), browser)
    if look := _LOOK.search(page.content):
        promised_at = _promise_in(page.content.decode())
        lobby.promises.append((promised_at - clock.now()).total_seconds())
        await _wait_for_turn(pool, browser, int(look[1]), lobby)
    form = steps.send(page)
    reply = await _ask_patiently(pool, form, browser)
    if reply.status != 200:
        raise UnexpectedReplyError(form, reply)
    lobby.took.append(time.perf_counter() - began)
    if promised_at is not None:
        lobby.late.append((clock.now() - promised_at).total_seconds())


async def _wait_for_turn(pool: AsyncClient, browser: Browser, look_s: float, lobby: _Lobby) -> None:
    while look_s:
        await asyncio.sleep(look_s)
        reply = await pool.ask(ProtocolCall("GET", "/login/turn"), browser)
        assert reply.status in {200, 503}, reply.status
        look_s = reply.json().get("look_s", 0) if reply.status == 200 else reply.retry_after_s or 1
        lobby.looks += 1


def _promise_in(page: str) -> datetime:
    """Give the instant until which the page promises the turn; it says the time of day."""
    hour, minute, second = (int(part) for part in _PROMISED.search(page).groups())
    local = clock.local(clock.now())
    at = local.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return at if at >= local - timedelta(hours=12) else at + timedelta(days=1)


class _Memory:
    """Watches the memory of all processes of the site, each second; shared pages are counted once (PSS)."""

    def __init__(self, deployment: BenchmarkDeployment) -> None:
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
