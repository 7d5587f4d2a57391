"""Two web machines on one database: how fast they drain a queue of 3,000 starts, beside one alone; and how many passwords each checks at once.

A machine is a network namespace with a host name, a data folder and an address of its own, and `_CORES` of a processor by the kernel's quota:
one machine has that, two have twice that. The database, nginx with docker/county's upstream, and the candidates share a third machine without
a quota. What the queue drains at is the pace of the start gates, `STARTS_PER_SECOND` of each machine; what it costs is printed beside it.
Root only: `python -m benchmarks machines`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.crowd import Seat
from benchmarks.deployment import cpu_of
from benchmarks.figures import Figure, at_least, at_most
from examapp.ops import protocol_client
from examapp.ops.embedded_servers import Server, make_run_folder, start_postgres
from examapp.ops.ordinary_user import give_to_ordinary_user
from examapp.ops.protocol_client import AsyncClient, Browser, LostReplyError, ProtocolCall
from examapp.ops.web_server import web_command
from tests.faults.deployment import ROOT, DeploymentError
from tests.faults.machines import ADDRESSES, cables_laid, on_machine, pids_of, processor_share, run_on_site
from tests.faults.sites import nginx_over
from tests.helpers.processes import wait_until

_CORES = 0.6
"""Of each web machine; 0.8 of the two are left to the database and the candidates when both run."""
_PER_SECOND = 25
_WAITING = 3000
_PEOPLE = 4000
"""More than wait: the gates let a burst in at once, and go on while the others come."""
_HASHES = 16
_SIGN_INS = 200
_PORT = 8000
_CONNECTIONS = 256
_HASH_NICENESS = 10
"""Of the threads that check passwords, below that of their process (security/password_hashing.py)."""
_READY_S = 90.0


def measure() -> list[Figure]:
    """Lay the cables and play on the site's machine."""
    with cables_laid():
        done = run_on_site("benchmarks.machines", is_read=True)
    lines = done.stdout.splitlines()
    print(*lines[:-1], sep="\n")
    if done.returncode:
        raise DeploymentError(lines[-1] if lines else "the machines did not come up")
    found = json.loads(lines[-1])
    one, two, hashes = found["one"], found["two"], found["hashes"]
    ratio = two["per_second"] / one["per_second"]
    queue = f"a queue of {_WAITING} starts"
    return [
        at_least(f"two web machines drain {queue}: their rate over one machine's", ratio, 1.8, "ratio"),
        at_most(f"two web machines drain {queue}: their rate over one machine's (not more)", ratio, 2.2, "ratio"),
        at_least(f"one web machine drains {queue}: its rate over STARTS_PER_SECOND", one["per_second"] / _PER_SECOND, 0.9, "ratio"),
        at_least("places in the queue when all have come", min(one["waiting"], two["waiting"]), _WAITING, "places"),
        at_most("starts that failed", one["failed"] + two["failed"], 0, "starts"),
        at_least(f"passwords that each machine checks at once, HASHES_AT_ONCE={_HASHES}", min(hashes.values()), _HASHES, "hashes"),
        at_most(f"passwords that each machine checks at once, HASHES_AT_ONCE={_HASHES} (not more)", max(hashes.values()), _HASHES, "hashes"),
    ]  # fmt: skip


class _Machines:
    """A database with a county on the third machine, and the web machines that are switched on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.environment = folder, dict[str, str]()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.server: Server | None = None

    def settle(self) -> list[int]:
        """Start the database, make a county with as many as come, and seat all; give the ids of two exams whose papers are made."""
        hosts = self.folder / "pg_hba.conf"
        hosts.write_text("local all all trust\nhost all all 10.77.0.0/24 trust\n")
        self.folder.chmod(0o755)
        give_to_ordinary_user(self.folder)
        listen = {"listen_addresses": f"'{ADDRESSES['site']}'", "hba_file": f"'{hosts}'"}
        self.server = start_postgres(self.folder, make_run_folder(), extra=listen)
        self.environment = os.environ | {
            "APP_MODE": "tryout", "DEMO": "0", "LOG_LEVEL": "WARNING", "DATA_DIR": str(self.folder), "WEB_WORKERS": "2", "HOST": "0.0.0.0",
            "PORT": str(_PORT), "TRUSTED_PROXIES": "1", "STARTS_PER_SECOND": str(_PER_SECOND), "HASHES_AT_ONCE": str(_HASHES), "HASH_QUEUE": str(_SIGN_INS),
            "DATABASE_URL": f"postgresql+psycopg://postgres@{ADDRESSES['site']}/examapp", "REDIS_URL": "unix:///nowhere",
            "SECRET_KEY": secrets.token_hex(32), "DATA_KEYS": f"k1:{secrets.token_hex(32)}",
        }  # fmt: skip
        self._run("examapp.db.schema")
        county = json.loads(self._run("tests.faults.county", str(_PEOPLE), "3600:60", "3600:60").splitlines()[-1])
        (self.folder / "demo-accounts.json").write_text(json.dumps({"candidates": county}))
        self._run("benchmarks.seats", "0", str(_PEOPLE), str(self.folder / "seats.json"))
        self.county = county
        return county["exam_ids"]

    def seats(self) -> list[Seat]:
        rows = json.loads((self.folder / "seats.json").read_text("utf-8"))
        return [Seat(Browser(dict([row["cookie"].split("=", 1)]), row["csrf"])) for row in rows]

    def _run(self, module: str, *arguments: str) -> str:
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DeploymentError(f"{module}: {done.stderr[-1500:]}")
        return done.stdout

    def switch_on(self, name: str, share: Path) -> None:
        """Start a machine's web server within its share of the processors."""
        place = self.folder / name
        place.mkdir()
        environment = self.environment | {"DATA_DIR": str(place), "UPLOADS_DIR": str(self.folder / "uploads")}
        with (place / "web.log").open("ab") as log:
            self._running[name] = subprocess.Popen(on_machine(name, web_command()), cwd=ROOT, env=environment, stdout=log, stderr=log, preexec_fn=partial(_enter, share))  # noqa: PLW1509 – one file is written, no lock is taken  # fmt: skip
        if not wait_until(partial(_is_ready, name), within_s=_READY_S):
            raise DeploymentError(f"machine {name}: {(place / 'web.log').read_text()[-1500:]}")

    def cpu_s(self) -> dict[str, float]:
        """Processor time so far of each web machine, of the database, and of the candidates."""
        found = {name: cpu_of({process.pid}) for name, process in self._running.items()}
        return found | {"database": cpu_of({self.server.process.pid}) if self.server else 0.0, "candidates": time.process_time()}  # fmt: skip

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait(40)
        if self.server:
            self.server.stop(signal.SIGQUIT)
            shutil.rmtree(self.server.url.partition("host=")[2], ignore_errors=True)


def _enter(share: Path) -> None:
    share.write_text(str(os.getpid()))


def _is_ready(name: str) -> bool:
    with contextlib.suppress(OSError):
        reply = subprocess.run(["curl", "-fsS", "-m", "5", "-o", "/dev/null", f"http://{ADDRESSES[name]}:{_PORT}/readyz"], check=False, capture_output=True)  # fmt: skip
        return reply.returncode == 0
    return False


# The queue


async def _drain(front: int, seats: list[Seat], exam_id: int) -> dict[str, Any]:
    """Let all come at once and each call again when told to; measure from the moment when 3,000 wait until none does."""
    pool, admitted, failed, known = AsyncClient(front, connections=_CONNECTIONS), list[float](), list[str](), 0
    max_waiting = 0

    async def one(seat: Seat) -> None:
        nonlocal known, max_waiting
        is_known = False
        while True:
            reply = await pool.ask(protocol_client.start_attempt(exam_id), seat.browser)
            known, is_known = known + (not is_known), True
            if known == len(seats) and not max_waiting:
                max_waiting = len(seats) - len(admitted)
            if reply.status != 202:
                break
            await asyncio.sleep(reply.retry_after_s or 1)
        if reply.status in {200, 201}:
            admitted.append(time.perf_counter())
        else:
            failed.append(f"{reply.status} {reply.content[:120]!r}")

    async def noted(seat: Seat) -> None:
        try:
            await one(seat)
        except LostReplyError as error:
            failed.append(str(error))

    await asyncio.gather(*(noted(seat) for seat in seats))
    pool.close()
    for text in sorted(set(failed))[:3]:
        print(f"  failed: {text}")
    if len(admitted) <= _WAITING:
        raise DeploymentError(f"only {len(admitted)} of {len(seats)} started: {failed[:1]}")
    took_s = admitted[-1] - admitted[-_WAITING - 1]
    return {"per_second": _WAITING / took_s, "took_s": took_s, "waiting": max_waiting, "failed": len(failed)}


def _play(machines: _Machines, names: Sequence[str], exam_id: int) -> dict[str, Any]:
    before, began = machines.cpu_s(), time.perf_counter()
    with nginx_over(*(f"{ADDRESSES[name]}:{_PORT}" for name in names)) as front:
        found = asyncio.run(_drain(front, machines.seats(), exam_id))
    seconds, after = time.perf_counter() - began, machines.cpu_s()
    used = ", ".join(f"{name} {(after[name] - before[name]) / seconds:.2f}" for name in after)
    print(
        f"  {len(names)} × {_CORES} cores, {_PER_SECOND} starts a second each: the last {_WAITING} of {_PEOPLE} in {found['took_s']:.1f} s,"
        f" {found['per_second']:.1f} a second; {found['waiting']} waited when all had come; cores used: {used}"
    )
    return found


# Passwords


async def _sign_in_all(front: int, county: dict[str, Any]) -> None:
    """Sign people in all at once, each from an address of his own."""
    pool = AsyncClient(front, connections=_CONNECTIONS)

    async def one(number: int, name: str) -> int:
        browser = Browser(headers={"X-Forwarded-For": f"10.9.{number // 250}.{1 + number % 250}"})
        body = {"login_name": name, "password": county["password"]}
        return (await pool.ask(ProtocolCall.with_json("POST", "/api/v1/session", body), browser)).status

    found = await asyncio.gather(*(one(number, name) for number, name in enumerate(county["login_names"][:_SIGN_INS])))
    pool.close()
    print(
        f"  {_SIGN_INS} sign-ins at once: {found.count(200)} in, {_SIGN_INS - found.count(200)} told to come again or refused"
    )


def _count_hashing(pids: list[int]) -> int:
    """Count the threads that check a password now: those of the hashers' niceness that run or could run."""
    count = 0
    for pid in pids:
        base = _nice_and_state(Path(f"/proc/{pid}/stat"))[0]
        for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
            nice, state = _nice_and_state(stat)
            count += nice == base + _HASH_NICENESS and state == "R"
    return count


def _nice_and_state(stat: Path) -> tuple[int, str]:
    try:
        fields = stat.read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0, ""
    return int(fields[16]), fields[0]


def _hash(machines: _Machines, names: Sequence[str]) -> dict[str, int]:
    """Sign people in and look meanwhile how many passwords each machine checks at the same time; the most that was seen."""
    found, pids = dict.fromkeys(names, 0), {name: pids_of(name) for name in names}
    with nginx_over(*(f"{ADDRESSES[name]}:{_PORT}" for name in names)) as front, _in_background(lambda: asyncio.run(_sign_in_all(front, machines.county))) as is_done:  # fmt: skip
        while not is_done():
            for name in names:
                found[name] = max(found[name], _count_hashing(pids[name]))
    print(f"  passwords checked at once: {found}")
    return found


@contextlib.contextmanager
def _in_background(work: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        yield future.done
        future.result()


def main() -> int:
    """Measure on the site's machine; the last line is JSON."""
    folder = Path(tempfile.mkdtemp(prefix="bench-machines-"))
    machines = _Machines(folder)
    try:
        first, second = machines.settle()
        with processor_share("a", _CORES) as of_a, processor_share("b", _CORES) as of_b:
            try:
                machines.switch_on("a", of_a)
                one = _play(machines, "a", first)
                machines.switch_on("b", of_b)
                two = _play(machines, "ab", second)
                hashes = _hash(machines, "ab")
            finally:
                machines.stop()
    except DeploymentError as error:
        print(error)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"one": one, "two": two, "hashes": hashes}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
