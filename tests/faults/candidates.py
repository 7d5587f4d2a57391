"""Virtual candidates: each behaves as the exam page does, and writes everything into the ledger."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from examapp.ops.protocol_client import AsyncClient, Browser, LostReplyError, ProtocolCall, Reply
from tests.faults.ledger import Ledger, Place

Sheet = dict[int, tuple[int, list[str]]]
"""Counter and response by item."""
_PASSING = {429, 500, 502, 503, 504}


class GivenUpError(Exception):
    """A call did not succeed within its time."""


@dataclass(frozen=True, slots=True)
class AbandonedDevice:
    """What a device that was left holds: the epoch it had, and what it had not sent."""

    epoch: int
    pending: Sheet


@dataclass(slots=True)
class DrillCandidate:
    """One person with a browser: a sheet, a queue of what is not acknowledged, a counter."""

    login_name: str
    password: str
    client: AsyncClient
    ledger: Ledger
    rng: random.Random
    browser: Browser = field(default_factory=lambda: Browser(headers={}))
    attempt_id: int = 0
    epoch: int = 1
    seq: int = 0
    choices: dict[int, list[list[str]]] = field(default_factory=dict)
    """Possible responses by item."""
    sheet: dict[int, tuple[int, list[str]]] = field(default_factory=dict)
    pending: dict[int, tuple[int, list[str]]] = field(default_factory=dict)
    next_save_s: float = 2.0
    duplicate_share: float = 0.0
    """How many saves are sent again after their acknowledgement, and how many again later, out of order."""
    sent_bodies: list[dict[str, Any]] = field(default_factory=list)
    is_closed: bool = False
    receipt: dict[str, Any] | None = None
    _backoff_s: float = 0.0

    # Calls

    async def call(self, what: str, method: str, path: str, body: Any = None) -> Reply | None:
        """Make one call; None where no whole reply came. An ended session is begun again, as the page does."""
        began = time.monotonic()
        try:
            reply = await self.client.ask(ProtocolCall.with_json(method, path, body), self.browser)
        except LostReplyError as lost:
            self.ledger.note_request(began, what, 0, str(lost))
            return None
        self.ledger.note_request(
            began, what, reply.status, "" if reply.status < 500 else reply.body[:160].decode("utf-8", "replace")
        )
        return reply

    async def insist(self, what: str, method: str, path: str, body: Any = None, *, within_s: float = 60.0) -> Reply:
        """Repeat a call with growing, jittered pauses until the server has judged it; raises GivenUpError."""
        deadline, pause = time.monotonic() + within_s, 0.4
        while time.monotonic() < deadline:
            reply = await self.call(what, method, path, body)
            if reply is not None and reply.status == 401 and what not in {"sign-in", "session"}:
                self.ledger.forced_sign_ins += 1
                await self.sign_in()
                continue
            if reply is not None and reply.status not in _PASSING:
                return reply
            await self._pause(reply, pause)
            pause = min(pause * 2, 4.0)
        raise GivenUpError(f"{what} of {self.login_name}")

    async def _pause(self, reply: Reply | None, pause: float) -> None:
        minimum = reply.retry_after_s if reply is not None else 0.0
        await asyncio.sleep(max(min(minimum, 5.0), pause) * self.rng.uniform(0.7, 1.3))

    # The attempt

    async def sign_in(self) -> None:
        self.browser.csrf = ""
        body = {"login_name": self.login_name, "password": self.password}
        reply = await self.insist("sign-in", "POST", "/api/v1/session", body)
        if reply.status != 200:
            raise GivenUpError(f"sign-in of {self.login_name}: {reply.status} {reply.body[:200]!r}")
        self.browser.csrf = reply.json()["csrf_token"]

    async def start(self, exam_id: int) -> None:
        for _ in range(200):
            reply = await self.insist("start", "POST", f"/api/v1/exams/{exam_id}/attempts")
            if reply.status != 202:
                break
            await asyncio.sleep(min(max(reply.retry_after_s, 0.5), 5.0))
        attempt = reply.json()
        if reply.status not in {200, 201}:
            raise GivenUpError(f"start of {self.login_name}: {reply.status} {reply.body[:200]!r}")
        self.attempt_id = attempt["id"]
        self.epoch, self.seq, self.is_closed, self.receipt = attempt["epoch"], 0, False, None
        self.sheet, self.pending, self.sent_bodies = {}, {}, []
        paper = (await self.insist("paper", "GET", self.url("/paper"))).json()
        self.choices = {item["item"]: _choices(item) for section in paper["sections"] for item in section["items"]}

    def url(self, rest: str = "") -> str:
        return f"/api/v1/attempts/{self.attempt_id}{rest}"

    def _place(self, item: int, seq: int) -> Place:
        return (self.attempt_id, item, self.epoch, seq)

    def choose(self) -> None:
        """Click an answer."""
        item = self.rng.choice(list(self.choices))
        self.seq += 1
        response = self.rng.choice(self.choices[item])
        if item in self.pending:
            self.ledger.note_replaced(self._place(item, self.pending[item][0]))
        self.sheet[item] = self.pending[item] = (self.seq, response)

    async def take_exam(self, until: asyncio.Event, *, rate: float = 1.0) -> None:
        """Answer and save until told to stop; `rate` stretches the pauses that the server asks for."""
        await asyncio.sleep(self.rng.uniform(0, self.next_save_s * rate))
        while not until.is_set() and not self.is_closed:
            self.choose()
            pause = self.next_save_s * rate * self.rng.uniform(0.6, 1.4) if await self.save() else self._backoff_s
            try:
                await asyncio.wait_for(until.wait(), pause)
            except TimeoutError:
                continue

    async def save(self) -> bool:
        """Send what is not acknowledged; tells whether the server has judged it."""
        body: dict[str, Any] = {
            "epoch": self.epoch,
            "changes": [{"item": i, "seq": s, "response": r} for i, (s, r) in self.pending.items()],
        }
        for change in body["changes"]:
            self.ledger.note_sent(self._place(change["item"], change["seq"]), change["response"])
        self.sent_bodies.append(body)
        reply = await self.call("save", "PUT", self.url("/answers"), body)
        if reply is not None and reply.status == 401:
            self.ledger.forced_sign_ins += 1
            await self.sign_in()
            return False
        if reply is None or reply.status in _PASSING:
            grown = min(max(self._backoff_s * 2, 0.4), 4.0)
            self._backoff_s = max(grown, min(reply.retry_after_s if reply else 0.0, 5.0)) * self.rng.uniform(0.7, 1.3)
            return False
        self._backoff_s = 0.0
        self._take(body, reply)
        if self.rng.random() < self.duplicate_share:
            await self._repeat_some()
        return True

    def _take(self, body: dict[str, Any], reply: Reply) -> None:
        if reply.status == 409:
            self.is_closed = True
            return
        if reply.status != 200:
            self.ledger.odd.append(f"save answered {reply.status} {reply.body[:200]!r}")
            return
        response = reply.json()
        self.next_save_s = response["next_save_ms"] / 1000
        self._settle(body["changes"], response["acked"], response["refused"])

    def _settle(self, changes: list[dict[str, Any]], acked: dict[str, int], rejected: dict[str, str]) -> None:
        for change in changes:
            item, seq = change["item"], change["seq"]
            if str(item) in acked:
                self.ledger.note_acked(self._place(item, seq), acked[str(item)])
            elif str(item) in rejected:
                self.ledger.note_rejected(self._place(item, seq), rejected[str(item)])
            else:
                self.ledger.odd.append(f"attempt {self.attempt_id} item {item}: neither acked nor refused")
                continue
            if self.pending.get(item, (0,))[0] == seq:
                del self.pending[item]

    async def _repeat_some(self) -> None:
        """Send the last save again, and an old one after it: both change nothing."""
        for body in (self.sent_bodies[-1], self.rng.choice(self.sent_bodies)):
            reply = await self.call("save again", "PUT", self.url("/answers"), body)
            if reply is not None and reply.status == 200 and "seq_conflict" in reply.json()["refused"].values():
                self.ledger.odd.append(f"attempt {self.attempt_id}: a repeated save was refused as seq_conflict")

    async def flush(self, within_s: float = 40.0) -> None:
        """Send until nothing is pending, as the page does when the network is back."""
        deadline = time.monotonic() + within_s
        while self.pending and not self.is_closed and time.monotonic() < deadline:
            if not await self.save():
                await asyncio.sleep(self._backoff_s)

    async def hand_in(self, *, repeats: int = 1, within_s: float = 60.0) -> None:
        """Hand in the whole sheet and press the button again: every reply carries the same receipt."""
        body: dict[str, Any] = {
            "epoch": self.epoch,
            "answers": [{"item": i, "seq": s, "response": r} for i, (s, r) in self.sheet.items()],
        }
        for answer in body["answers"]:
            self.ledger.sent.setdefault(self._place(answer["item"], answer["seq"]), answer["response"])
        for _ in range(repeats + 1):
            reply = await self.insist("hand-in", "POST", self.url("/submission"), body, within_s=within_s)
            if reply.status not in {200, 201}:
                self.ledger.odd.append(
                    f"hand-in of attempt {self.attempt_id} answered {reply.status} {reply.body[:200]!r}"
                )
                return
            response = reply.json()
            self.ledger.receipts[self.attempt_id].append(response["receipt"])
            if reply.status == 201:
                acked = {str(a["item"]): a["seq"] for a in body["answers"] if str(a["item"]) not in response["refused"]}
                self._settle(body["answers"], acked, response["refused"])
            self.receipt, self.is_closed = response["receipt"], True

    async def look(self) -> None:
        """Read the attempt."""
        await self.call("look", "GET", self.url())

    async def exams(self) -> Any:
        return (await self.insist("exams", "GET", "/api/v1/exams?as=organiser")).json()

    async def export(self, exam_id: int, unit_id: int) -> int:
        """Ask for a score sheet; gives the export's id."""
        body = {"unit": unit_id, "content": "scores", "format": "xlsx"}
        reply = await self.insist("export", "POST", f"/api/v1/exams/{exam_id}/exports", body)
        return int(reply.json()["export"]["id"])

    async def export_state(self, export_id: int) -> str:
        return str((await self.insist("export state", "GET", f"/api/v1/exports/{export_id}")).json()["state"])

    async def file(self, export_id: int) -> bytes:
        return (await self.insist("file", "GET", f"/api/v1/exports/{export_id}/file")).body

    async def take_over(self) -> None:
        """Go on with the attempt on this device."""
        reply = await self.insist("take-over", "POST", self.url("/epoch"))
        if reply.status != 200:
            raise GivenUpError(f"take-over of {self.login_name}: {reply.status}")
        self.epoch, self.seq = reply.json()["epoch"], 0
        stored = (await self.insist("attempt", "GET", self.url())).json()["answers"]
        self.sheet, self.pending = {}, {}
        for answer in stored:
            self.seq += 1
            self.sheet[answer["item"]] = (self.seq, answer["response"])

    def leave(self) -> AbandonedDevice:
        """Give what this device holds and has not sent."""
        return AbandonedDevice(self.epoch, dict(self.pending))

    async def come_back(self, device: AbandonedDevice) -> None:
        """Go on at a device that was left, as the page does (I9): what it had not sent goes on under the new epoch, or its person is asked."""
        await self.take_over()
        stored = {a["item"]: a for a in (await self.insist("attempt", "GET", self.url())).json()["answers"]}
        for item, (seq, response) in device.pending.items():
            place = (self.attempt_id, item, device.epoch, seq)
            self.ledger.brought_back[place] = response
            there = stored.get(item)
            if there is not None and (there["epoch"], there["seq"]) >= (device.epoch, seq):
                if there["response"] == response:
                    continue
                if there["epoch"] > device.epoch and any(there["response"]):
                    self.ledger.shown.add(place)
                    if self.rng.random() < 0.5:
                        continue
            self.seq += 1
            self.sheet[item] = self.pending[item] = (self.seq, response)

    async def replay(self, times: int = 2) -> None:
        """Send every save once more, shuffled and doubled (invariant I3)."""
        bodies = self.sent_bodies * times
        self.rng.shuffle(bodies)
        for body in bodies[:60]:
            reply = await self.insist("save again", "PUT", self.url("/answers"), body)
            if reply.status not in {200, 409}:
                self.ledger.odd.append(f"a replayed save answered {reply.status}")


def _choices(item: dict[str, Any]) -> list[list[str]]:
    if item["kind"] == "fill_blank":
        return [[f"{word}{n}" for n in range(item["blanks"])] for word in ("三十日", "县级", "𠮷 书面")]
    keys = [option["key"] for option in item["options"]]
    if item["kind"] == "multiple_choice":
        return [keys[:2], keys[1:3], keys[:3], keys, []]
    return [[key] for key in keys]


class Load:
    """All candidates of a row, on an event loop in a thread of its own, so that the drill can kill meanwhile."""

    def __init__(self, candidates: list[DrillCandidate], ledger: Ledger) -> None:
        self.candidates = candidates
        self.others: list[DrillCandidate] = []
        """Further browsers, which the rows themselves let act."""
        self.ledger = ledger
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="load", daemon=True)
        self._thread.start()
        self._stop = asyncio.Event()
        self._attempt: Future[Any] | None = None

    def _run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def all(
        self,
        act: str,
        *arguments: Any,
        of: list[DrillCandidate] | None = None,
        spread_s: float = 0.0,
        timeout_s: float = 180.0,
        **fields: Any,
    ) -> None:
        """Let each candidate do an act, all at once or spread over some seconds; raises GivenUpError of the first that could not."""

        async def together() -> None:
            async def one(candidate: DrillCandidate) -> None:
                await asyncio.sleep(candidate.rng.uniform(0, spread_s))
                await getattr(candidate, act)(*arguments, **fields)

            await asyncio.gather(*(one(candidate) for candidate in (self.candidates if of is None else of)))

        self._run(together()).result(timeout_s)

    def get(self, act: str, *arguments: Any, of: DrillCandidate) -> Any:
        """Let one do an act and give what it gives."""
        return self._run(getattr(of, act)(*arguments)).result(90)

    def begin(self, exam_id: int) -> None:
        """Sign all in and start the exam."""
        self.all("sign_in")
        self.again(exam_id)

    def again(self, exam_id: int) -> None:
        """Start another exam by those who are signed in."""
        self.all("start", exam_id)
        for candidate in self.candidates:
            self.ledger.persons[candidate.attempt_id] = 0

    def ask(self, candidate: DrillCandidate, method: str, path: str, *, timeout_s: float = 60.0) -> Any:
        """Make one call as a candidate, repeated until the server has judged it, and give its JSON."""
        return self._run(candidate.insist("session", method, path)).result(timeout_s).json()

    def take_exam(self, *, rate: float = 1.0) -> None:
        """Let all answer and save from now on."""

        async def together() -> None:
            self._stop.clear()
            await asyncio.gather(*(candidate.take_exam(self._stop, rate=rate) for candidate in self.candidates))

        self._attempt = self._run(together())

    def rest(self, *, flush: bool = True, timeout_s: float = 90.0) -> None:
        """Stop answering; wait until what is pending is acknowledged."""
        self._loop.call_soon_threadsafe(self._stop.set)
        if self._attempt is not None:
            self._attempt.result(timeout_s)
        if flush:
            self.all("flush", timeout_s=timeout_s)

    def redirect(self, port: int, of: list[DrillCandidate] | None = None) -> None:
        """Send what comes from now on through another port: the proxy's, or the site's own."""

        def turn() -> None:
            for candidate in self.candidates if of is None else of:
                candidate.client.close()
                candidate.client.port = port

        self._loop.call_soon_threadsafe(turn)

    def close(self) -> None:
        async def shut() -> None:
            left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for candidate in (*self.candidates, *self.others):
                candidate.client.close()
            await asyncio.sleep(0.05)

        self._run(shut()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def connect(port: int) -> AsyncClient:
    """Give the one connection of a browser, which waits ten seconds for a reply."""
    return AsyncClient(port, timeout_s=10)


def make_load(*, port: int, login_names: list[str], password: str, seed: int) -> Load:
    ledger = Ledger()
    people = [
        DrillCandidate(
            login_name=name,
            password=password,
            client=connect(port),
            ledger=ledger,
            rng=random.Random(f"{seed}-{name}"),
        )
        for name in login_names
    ]
    return Load(people, ledger)
