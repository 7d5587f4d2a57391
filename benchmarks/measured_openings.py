"""Two openings of an exam on a real deployment, for the simulation: from the one it learns what calls cost, by the other it is judged.

`TRUSTED_PROXIES=1 python -m benchmarks opening`: people call from many addresses, as X-Forwarded-For says. In the first wave they sign in, start, save
and hand in one stage after the other, so that each call's processor time is told apart; in the second all of it runs at once. Raw results are files of
benchmarks/results, or of the folder that OPENING_RESULTS names; OPENING_SCALE=0.1 makes a trial of a tenth.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.crowd import Wave as Notes
from benchmarks.crowd import noted, seated
from benchmarks.deployment import BenchmarkDeployment, processes_below, run_inside
from benchmarks.figures import Figure, at_most
from benchmarks.openings import OpeningShape, Tally
from examapp import clock
from examapp.config import read_settings
from examapp.ops import protocol_client
from examapp.ops.protocol_client import JSON, AsyncClient, Browser, ProtocolCall, Reply

CALIBRATION, JUDGED = "0073-opening-calibration.json", "0073-opening-judged.json"
_CONNECTIONS = 512
_LOOK = re.compile(rb'data-look-s="(\d+)"')
_IDLE_S = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")
_NOT_YET = {("sign_in", 503): "turned_away", ("start", 202): "queued", ("save", 503): "shed"}
"""How a call is counted that is to be sent again."""
_NICE = 16
"""Where in the fields that `processes_below` gives a thread's niceness stands."""
_PEOPLE, _WARM_UP = 1560, 60
"""Of the first wave; those before the stages that count, since PostgreSQL plans a statement again the first times that a connection runs it."""
_SHAPE = OpeningShape(people=4000, seconds=15.0, signed_in_before=1500)
"""The second wave."""


@dataclass(slots=True)
class Arrival:
    """One who comes: the browser, and the attempt once there is one."""

    name: str
    browser: Browser
    form: ProtocolCall | None = None
    attempt_id: int = 0
    epoch: int = 1
    seq: int = 0


@dataclass(slots=True)
class Crowd:
    """People before one deployment; counts calls by kind and who waits where."""

    port: int
    exam_id: int
    password: str
    calls: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    notes: Notes = field(default_factory=Notes)
    began: float = field(default_factory=time.perf_counter)
    to_start: int = 0
    """How many have not started yet."""
    has_ended: asyncio.Event = field(default_factory=asyncio.Event)
    _pool: AsyncClient | None = None

    async def ask(self, kind: str, call: ProtocolCall, person: Arrival) -> Reply:
        """Send a call and count it."""
        self._pool = self._pool or AsyncClient(self.port, connections=_CONNECTIONS)
        reply = await self._pool.ask(call, person.browser)
        self.calls[_NOT_YET.get((kind, reply.status), kind)] += 1
        return reply

    async def ask_again(self, kind: str, call: ProtocolCall, person: Arrival) -> Reply:
        """Send a call until it is taken, each time after the seconds that the reply names."""
        while True:
            reply = await self.ask(kind, call, person)
            if (kind, reply.status) not in _NOT_YET:
                return reply
            await asyncio.sleep(reply.retry_after_s)

    def now_s(self) -> float:
        return time.perf_counter() - self.began

    async def open_page(self, person: Arrival) -> int:
        """Open the sign-in page and fill in its form; give the seconds after which the lobby wants to be looked at, 0 where it does not."""
        steps = protocol_client.sign_in(person.browser, person.name, self.password)
        page = await self.ask("page", next(steps), person)
        person.form = steps.send(page)
        look = _LOOK.search(page.content)
        return int(look[1]) if look else 0

    async def ask_turn(self, person: Arrival) -> int:
        """Look in the lobby; give the seconds until the next look, 0 where the password may be sent."""
        reply = await self.ask("turn", ProtocolCall("GET", "/login/turn"), person)
        assert reply.status == 200, reply.status
        return reply.json().get("look_s", 0)

    async def wait_for_turn(self, person: Arrival) -> None:
        """Open the page, and look in the lobby as its script does until the password may be sent."""
        look_s = await self.open_page(person)
        while look_s:
            await asyncio.sleep(look_s)
            look_s = await self.ask_turn(person)
            self.tally.looks += 1

    async def sign_in(self, person: Arrival) -> None:
        """Send the form until it is taken, and look who is signed in."""
        reply = await self.ask_again("sign_in", person.form, person)
        assert reply.status == 200, reply.status
        session = await self.ask("session", ProtocolCall("GET", "/api/v1/session"), person)
        person.browser.csrf = session.json()["csrf_token"]

    async def start(self, person: Arrival) -> None:
        """Call for the start until let in."""
        reply = await self.ask_again("start", protocol_client.start_attempt(self.exam_id), person)
        assert reply.status in {200, 201}, reply.status
        person.attempt_id, person.epoch = reply.json()["id"], reply.json()["epoch"]

    async def read_paper(self, person: Arrival) -> None:
        reply = await self.ask("paper", protocol_client.get_paper(person.attempt_id), person)
        assert reply.status == 200, reply.status

    async def save(self, person: Arrival) -> None:
        person.seq += 1
        change = protocol_client.next_choice(person.seq, 65)
        call = protocol_client.save_answers(person.attempt_id, person.epoch, [change])
        reply = await self.ask_again("save", call, person)
        assert reply.status == 200, reply.status
        self.tally.saves += 1

    async def hand_in(self, person: Arrival) -> None:
        reply = await self.ask("hand_in", protocol_client.submit(person.attempt_id, person.epoch), person)
        assert reply.status in {200, 201}, reply.status

    async def do_all(self, person: Arrival) -> None:
        """Do each call once."""
        for act in (self.open_page, self.sign_in, self.start, self.read_paper, self.save, self.hand_in):
            await act(person)

    async def visit(self, person: Arrival, *, is_signed_in: bool, pause_s: float) -> None:
        """Do all that one does, and save until the last has started."""
        try:
            await self.come_in(person, is_signed_in=is_signed_in)
        finally:
            self.to_start -= 1
            if not self.to_start:
                self.has_ended.set()
        await self.read_paper(person)
        while not self.has_ended.is_set():
            try:
                await asyncio.wait_for(self.has_ended.wait(), pause_s)
            except TimeoutError:
                await self.save(person)

    async def come_in(self, person: Arrival, *, is_signed_in: bool) -> None:
        if not is_signed_in:
            self.tally.wants_to_sign_in()
            await self.wait_for_turn(person)
            await self.sign_in(person)
            self.tally.has_signed_in(self.now_s())
        self.tally.wants_to_start()
        await self.start(person)
        self.tally.has_started(self.now_s())


async def _at(began: float, after_s: float) -> None:
    await asyncio.sleep(max(began + after_s - time.perf_counter(), 0))


class Meter:
    """Tells the processor time so far, in seconds, of each part of the site and of the load generator."""

    def __init__(self, deployment: BenchmarkDeployment) -> None:
        self._deployment = deployment
        self._web = deployment.roots("web")

    def read(self) -> dict[str, float]:
        """Give it; `web` without the threads that hash, which have a lower priority than their process."""
        web, hashing = self._deployment.cpu_s("web"), self._hashing_s()
        database, whole = self._deployment.cpu_s("postgres"), self._deployment.cpu_s()
        parts = {"web": web - hashing, "hashing": hashing, "database": database, "others": whole - web - database}
        return parts | {"client": time.process_time()}

    def _hashing_s(self) -> float:
        ticks = 0
        for pid, fields in processes_below(self._web):
            for stat in Path(f"/proc/{pid}/task").glob("[0-9]*/stat"):
                own = stat.read_text().rsplit(")", 1)[1].split()
                if int(own[_NICE]) > int(fields[_NICE]):
                    ticks += int(own[11]) + int(own[12])
        return ticks / _TICKS


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage of the first wave brought: calls by kind, and processor seconds by part."""

    name: str
    seconds: float
    calls: dict[str, int]
    cpu_s: dict[str, float]


def _difference(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {name: round(after[name] - before[name], 3) for name in after}


class _Stages:
    """Plays the stages of the first wave, and measures each."""

    def __init__(self, crowd: Crowd, meter: Meter) -> None:
        self.crowd, self.meter, self.stages = crowd, meter, []

    async def play(
        self, name: str, people: Sequence[Arrival], per_second: float, act: Callable[[Arrival], Awaitable[object]]
    ) -> None:
        """Let each act at its moment, and wait until all have."""
        before, calls, began = self.meter.read(), Counter(self.crowd.calls), time.perf_counter()
        tasks = []
        for number, person in enumerate(people):
            await _at(began, number / per_second)
            tasks.append(asyncio.create_task(noted(self.crowd.notes, act(person))))
        await asyncio.gather(*tasks)
        self._note(name, began, before, calls)

    async def rest(self, name: str, seconds: float) -> None:
        """Measure what the site takes when nobody calls; behind hand-ins, their grading too."""
        before, began = self.meter.read(), time.perf_counter()
        await asyncio.sleep(seconds)
        self._note(name, began, before, Counter(self.crowd.calls))

    def _note(self, name: str, began: float, before: dict[str, float], calls: Counter[str]) -> None:
        made = dict(self.crowd.calls - calls)
        stage = Stage(name, round(time.perf_counter() - began, 2), made, _difference(self.meter.read(), before))
        print(f"  {stage.name}: {stage.seconds:.0f} s, {stage.calls}, {stage.cpu_s}", flush=True)
        self.stages.append(stage)


async def play_stages(crowd: Crowd, meter: Meter, people: Sequence[Arrival]) -> list[Stage]:
    """Play the first wave: each stage at a pace that leaves processors free, and the crowded ones beyond what sign-in and start let through."""
    warm, people = people[:_WARM_UP], people[_WARM_UP:]
    calm, crowded = people[: len(people) // 3], people[len(people) // 3 :]
    stages = _Stages(crowd, meter)
    await stages.play("warm-up", warm, 10, crowd.do_all)
    await stages.rest("idle", _IDLE_S)
    await stages.play("pages", people, 60, crowd.open_page)
    await stages.play("turns", people, 60, crowd.ask_turn)
    await stages.play("sign-ins", calm, 20, crowd.sign_in)
    await stages.play("sign-ins, crowded", crowded, 250, crowd.sign_in)
    await stages.play("starts", calm, 20, crowd.start)
    await stages.play("starts, crowded", crowded, 250, crowd.start)
    await stages.play("papers", people, 60, crowd.read_paper)
    await stages.play("saves", [*people, *people, *people], 150, crowd.save)
    await stages.play("hand-ins", people, 40, crowd.hand_in)
    await stages.rest("grading", _IDLE_S)
    return stages.stages


async def play_opening(
    crowd: Crowd, meter: Meter, people: Sequence[Arrival], shape: OpeningShape
) -> list[dict[str, Any]]:
    """Play the second wave; give what each second of it saw."""
    seconds, tasks = [], []
    crowd.began, crowd.to_start = time.perf_counter(), len(people)
    watch = asyncio.create_task(_watch(crowd, meter, seconds))
    for number, person in enumerate(people):
        await _at(crowd.began, shape.seconds * number / len(people))
        visit = crowd.visit(person, is_signed_in=shape.is_signed_in(number), pause_s=shape.pause_s)
        tasks.append(asyncio.create_task(noted(crowd.notes, visit)))
    await asyncio.gather(watch, *tasks)
    return seconds


async def _watch(crowd: Crowd, meter: Meter, seconds: list[dict[str, Any]]) -> None:
    while not crowd.has_ended.is_set():
        cpu_s = {name: round(value, 2) for name, value in meter.read().items()}
        seconds.append({"at_s": round(crowd.now_s(), 2)} | crowd.tally.as_json() | {"cpu_s": cpu_s})
        await _at(crowd.began, len(seconds))


def results_folder() -> Path:
    """Give the folder of the raw results of both waves."""
    return Path(os.environ.get("OPENING_RESULTS") or Path(__file__).parent / "results")


def measure(deployment: BenchmarkDeployment) -> list[Figure]:
    """Play both waves, the second right after the first, and keep what they brought."""
    scale = float(os.environ.get("OPENING_SCALE", "1"))
    settings = read_settings(deployment.environment)
    if not settings.trusted_proxies:
        raise RuntimeError("set TRUSTED_PROXIES=1, so that people may call from many addresses")
    first, shape = round(_PEOPLE * scale), _scaled(_SHAPE, scale)
    machine = {
        "cores": len(os.sched_getaffinity(0)), "web_processes": settings.web_workers, "hashes_at_once": settings.hashes_at_once or max(2, len(os.sched_getaffinity(0)) // 2),
        "starts_per_second": settings.starts_per_second, "hash_queue": settings.hash_queue, "slots": settings.max_concurrent_requests, "has_generator": True,
    }  # fmt: skip
    about = {"begun_at": clock.now().isoformat(timespec="seconds"), "scale": scale, "host": _host(), "machine": machine}
    meter = Meter(deployment)
    calibration = _calibrate(deployment, meter, first, shape)
    judged = _judge(deployment, meter, first, shape)
    for name, result in ((CALIBRATION, calibration), (JUDGED, judged)):
        (results_folder() / name).write_text(_as_lines(about | result), "utf-8")
    failed = [*calibration["failed"], *judged["failed"]]
    print(f"  {judged['tally']}; failed: {failed[:3]}")
    return [at_most("opening: calls that failed in both waves", len(failed), 0, "calls")]


def _scaled(shape: OpeningShape, scale: float) -> OpeningShape:
    people, before = round(shape.people * scale), round(shape.signed_in_before * scale)
    return OpeningShape(people=people, seconds=shape.seconds * scale, signed_in_before=before)


def _calibrate(deployment: BenchmarkDeployment, meter: Meter, count: int, shape: OpeningShape) -> dict[str, Any]:
    crowd = _crowd(deployment)
    names = deployment.accounts["candidates"]["login_names"][:count]
    people = [Arrival(name, _browser(shape.address(number))) for number, name in enumerate(names)]
    probe = _hash_ms(deployment)
    stages = asyncio.run(play_stages(crowd, meter, people))
    return {
        "people": count, "hash_alone_ms": [probe, _hash_ms(deployment)], "stages": [asdict(stage) for stage in stages], "failed": crowd.notes.failed,
    }  # fmt: skip


def _judge(deployment: BenchmarkDeployment, meter: Meter, first: int, shape: OpeningShape) -> dict[str, Any]:
    crowd, newcomers = _crowd(deployment), shape.people - shape.signed_in_before
    names = iter(deployment.accounts["candidates"]["login_names"][first : first + newcomers])
    seats = iter(seated(deployment, first + newcomers, shape.signed_in_before))
    people = [
        Arrival("", next(seats).browser) if shape.is_signed_in(number) else Arrival(next(names), Browser())
        for number in range(shape.people)
    ]
    for number, person in enumerate(people):
        person.browser.headers |= _browser(shape.address(number)).headers
    probe = _hash_ms(deployment)
    seconds = asyncio.run(play_opening(crowd, meter, people, shape))
    return {
        "shape": asdict(shape), "hash_alone_ms": [probe, _hash_ms(deployment)], "tally": crowd.tally.as_json(), "calls": dict(crowd.calls),
        "seconds": seconds, "failed": crowd.notes.failed,
    }  # fmt: skip


def _crowd(deployment: BenchmarkDeployment) -> Crowd:
    accounts = deployment.accounts
    return Crowd(deployment.port, accounts["open_exam_id"], accounts["candidates"]["password"])


def _browser(address: str) -> Browser:
    return Browser(headers={"Accept-Encoding": "gzip", "Accept": JSON, "X-Forwarded-For": address})


def _hash_ms(deployment: BenchmarkDeployment) -> float:
    """Measure how fast the machine is just now."""
    return round(run_inside(deployment, "benchmarks.inside", "hash")["ms"], 2)


def _host() -> str:
    model = next(line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))  # fmt: skip
    return f"{os.cpu_count()} × {model}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} before"


def _as_lines(result: dict[str, Any]) -> str:
    """Give JSON with one line for each stage and each second, so that a change can be read."""
    lines = []
    for name, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            lines.append(f"{json.dumps(name)}: [\n  {rows}\n ]")
        else:
            lines.append(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"
