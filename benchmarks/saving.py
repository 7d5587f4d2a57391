"""What a save costs beside a bare WSGI function that does the same statement."""

from __future__ import annotations

import http.client
import os
import signal
import statistics
import subprocess
import time
from math import comb
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks.deployment import BenchmarkDeployment, cpu_of, deploy, free_port, run_inside
from benchmarks.figures import Figure, at_least, at_most
from benchmarks.load import LoadCandidate, hammer, sign_in_many
from examapp.ops.protocol_client import Browser, Client, ProtocolCall
from examapp.ops.web_server import web_command

_CONCURRENCY = 32
_ROUNDS = 5
_SAVES_A_ROUND = 40
_PAUSE_S = 2.6
"""Between rounds of one crowd: an attempt may save 100 times in five seconds."""
_CELL, _CELL_ROUNDS, _MAX_CELL_ROUNDS = 3, 20, 60
_MAX_WIDTH = 0.3
"""The widest 95 % interval of a ratio that can still tell a cell from a county."""


def measure(deployment: BenchmarkDeployment) -> list[Figure]:
    """Alternate rounds of our saves and bare saves; medians of five."""
    candidates = sign_in_many(deployment.port, deployment.accounts, _CONCURRENCY)
    # Attempts of others: what the bare function stores must not be newer than what the candidates send.
    bare = _Bare(deployment, sign_in_many(deployment.port, deployment.accounts, _CONCURRENCY, offset=_CONCURRENCY))
    try:
        rounds = [_round(deployment, candidates, bare) for _ in range(_ROUNDS + 1)][1:]
    finally:
        bare.stop()
    ours, plain, ours_cpu, plain_cpu, p99, driver = (list(column) for column in zip(*rounds, strict=True))
    cpu_ratio = statistics.median(a / b for a, b in zip(ours_cpu, plain_cpu, strict=True))
    speed_ratio = statistics.median(a / b for a, b in zip(ours, plain, strict=True))
    print(
        f"  saves/s ours {statistics.median(ours):.0f}, bare {statistics.median(plain):.0f}, bare past SQLAlchemy {statistics.median(driver):.0f}; CPU ms a save ours {statistics.median(ours_cpu):.2f}, bare {statistics.median(plain_cpu):.2f}"
    )
    return [
        at_most(
            "save: SQL statements (BEGIN and COMMIT not counted)",
            run_inside(deployment, "benchmarks.inside", "save")["statements"],
            2,
            "statements",
        ),
        at_most("save: CPU of web and database over bare WSGI with the same statement", cpu_ratio, 3, "ratio"),
        at_least("save: throughput at concurrency 32 over bare WSGI", speed_ratio, 0.6, "ratio"),
        at_most("save: p99 at concurrency 32", 1000 * statistics.median(p99), 60, "ms"),
    ]


def measure_cell() -> list[Figure]:
    """Save on a county's site, on a cell of a province and on a second county's, in turn.

    Two sites differ by their files, their caches and their place in memory also where the program is the same, so the
    second county is the control: what it differs from the first by is noise. A cell is as quick as a county where the
    95 % interval of its ratio to the first county overlaps the control's, for saves a second, their p99 and the
    processor time of a save. Rounds are added until the intervals are narrow enough to tell, which says nothing of
    where they lie.
    """
    folder = Path(os.environ.get("DATA_DIR", ".data")).resolve() / "bench"
    sites = [deploy(folder / name, cell=cell) for name, cell in (("county", 0), ("cell", _CELL), ("control", 0))]
    try:
        crowds = [sign_in_many(site.port, site.accounts, _CONCURRENCY) for site in sites]
        rounds = [_in_turn(sites, crowds, number) for number in range(_CELL_ROUNDS + 1)][1:]
        while len(rounds) < _MAX_CELL_ROUNDS and not _are_narrow(rounds):
            rounds.append(_in_turn(sites, crowds, len(rounds)))
    finally:
        for site in sites:
            site.stop()
    first_id = min(candidate.attempt_id for candidate in crowds[1])
    print(f"  ids of the cell's attempts from {first_id}; {len(rounds)} rounds in turn, ratios to the first county:")
    return [
        figure
        for index, what in enumerate(("saves/s", "save p99", "processor time of a save"))
        for figure in _beside_control(what, *(_interval_of(rounds, site, index) for site in (1, 2)))
    ]


def _are_narrow(rounds: list[list[tuple[float, float, float]]]) -> bool:
    """Whether the intervals of cell and control are narrow enough in each figure."""
    intervals = [_interval_of(rounds, site, index) for site in (1, 2) for index in range(3)]
    return all(high - low <= _MAX_WIDTH for low, _, high in intervals)


def _interval_of(rounds: list[list[tuple[float, float, float]]], site: int, index: int) -> tuple[float, float, float]:
    """Give the interval of a site's ratio to the first county in one of the figures of `_saves_of`."""
    return _interval([one[site][index] / one[0][index] for one in rounds])


def _beside_control(
    what: str, cell: tuple[float, float, float], control: tuple[float, float, float]
) -> tuple[Figure, Figure]:
    """Give how far the intervals (low, median, high) of the cell and of the control lie apart, and how wide the cell's is."""
    print("  " + what + "".join(f", {name} {b:.3f} ({a:.3f}–{c:.3f})" for name, (a, b, c) in (("cell", cell), ("control", control))))  # fmt: skip
    apart = max(0.0, cell[0] - control[2], control[0] - cell[2])
    return (
        at_most(f"cell beside county: {what}: gap between its 95 % interval and the control's", apart, 0, "ratio"),
        at_most(f"cell beside county: {what}: width of that interval, which must be able to tell", cell[2] - cell[0], _MAX_WIDTH, "ratio"),
    )  # fmt: skip


def _in_turn(
    sites: list[BenchmarkDeployment], crowds: list[list[LoadCandidate]], number: int
) -> list[tuple[float, float, float]]:
    """Measure each crowd once, in the sites' order of the answer; who is first changes from round to round."""
    order = [(number + place) % len(sites) for place in range(len(sites))]
    measured = {index: _saves_of(sites[index], crowds[index]) for index in order}
    return [measured[index] for index in range(len(sites))]


def _saves_of(site: BenchmarkDeployment, candidates: list[LoadCandidate]) -> tuple[float, float, float]:
    """Give saves a second, their p99 in seconds and processor seconds a save, and leave a pause for the next round."""
    before = site.cpu_s("web", "postgres")
    wall, durations = hammer(candidates, _SAVES_A_ROUND, LoadCandidate.save)
    spent = site.cpu_s("web", "postgres") - before
    time.sleep(_PAUSE_S)
    return len(durations) / wall, statistics.quantiles(durations, n=100)[98], spent / len(durations)


def _interval(ratios: list[float]) -> tuple[float, float, float]:
    """Give the median and the ends of its 95 % interval, which need no distribution (binomial order statistics)."""
    ordered, n = sorted(ratios), len(ratios)
    below = max(k for k in range(n // 2) if sum(comb(n, i) for i in range(k + 1)) / 2**n <= 0.025)
    return ordered[below], statistics.median(ordered), ordered[n - 1 - below]


def _round(
    deployment: BenchmarkDeployment, candidates: list[LoadCandidate], bare: _Bare
) -> tuple[float, float, float, float, float, float]:
    saves = _CONCURRENCY * _SAVES_A_ROUND
    before = deployment.cpu_s("web", "postgres")
    wall, durations = hammer(candidates, _SAVES_A_ROUND, LoadCandidate.save)
    ours_cpu = (deployment.cpu_s("web", "postgres") - before) / saves * 1000
    p99 = statistics.quantiles(durations, n=100)[98]
    time.sleep(5.2)  # one attempt may save 100 times in five seconds; the next round begins afresh
    before = bare.cpu_s() + deployment.cpu_s("postgres")
    bare_wall, _ = hammer(bare.callers, _SAVES_A_ROUND, _BareCaller.save)
    bare_cpu = (bare.cpu_s() + deployment.cpu_s("postgres") - before) / saves * 1000
    driver_wall, _ = hammer(bare.past_sqlalchemy, _SAVES_A_ROUND, _BareCaller.save)
    return saves / wall, saves / bare_wall, ours_cpu, bare_cpu, p99, saves / driver_wall


class _BareCaller:
    def __init__(self, port: int, path: str) -> None:
        self.client, self.call, self.browser = Client(port), ProtocolCall("PUT", path, b"{}"), Browser(headers={})

    def save(self) -> float:
        reply = self.client.ask(self.call, self.browser)
        assert reply.status == 200, reply.content[:600]
        return reply.took_s


class _Bare:
    """The bare function on the same server with as many workers and threads."""

    def __init__(self, deployment: BenchmarkDeployment, candidates: list[LoadCandidate]) -> None:
        port = free_port()
        command, own = web_command("benchmarks.bare:app"), {"PORT": str(port)}
        self.process = subprocess.Popen(command, env=deployment.environment | own, start_new_session=True)
        digests = _token_digests(deployment, candidates)
        _wait_for(port)
        paths = [f"{c.attempt_id}/{digests[c.name]}/{c.epoch}" for c in candidates]
        self.callers = [_BareCaller(port, f"/sql/{path}") for path in paths]
        self.past_sqlalchemy = [_BareCaller(port, f"/driver/{path}") for path in paths]

    def cpu_s(self) -> float:
        return cpu_of({self.process.pid})

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)


def _token_digests(deployment: BenchmarkDeployment, candidates: list[LoadCandidate]) -> dict[str, str]:
    """Give the digest of each candidate's newest sign-in, in hexadecimal, by staff number."""
    query = text(
        "SELECT DISTINCT ON (a.login_name) a.login_name, encode(s.token_digest, 'hex') FROM sign_ins s JOIN accounts a ON a.id = s.account_id "
        "WHERE a.login_name = ANY(:names) ORDER BY a.login_name, s.id DESC"
    )
    engine = create_engine(deployment.environment["DATABASE_URL"])
    with engine.connect() as connection:
        found = dict(connection.execute(query, {"names": [c.name for c in candidates]}).tuples().all())
    engine.dispose()
    return found


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/sql/0/00/1")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
