"""Processor time of every call of an exam day, of all processes of the site together, as multiples of one save in the same run.

The host's speed swings by half from one minute to the next, so milliseconds of two runs cannot be compared; a save beside each call can.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice

from sqlalchemy import text

from benchmarks.crowd import engine_of, seated
from benchmarks.deployment import BenchmarkDeployment, run_inside
from benchmarks.figures import Figure, at_most, not_measured
from benchmarks.load import LoadCandidate, Worker, hammer
from examapp.ops import protocol_client
from examapp.ops.protocol_client import JSON, Browser, ProtocolCall, get_paper

_FIRST, _ROUNDS, _AT_ONCE = 600, 5, 8
_WARM_UP_ROUNDS = 2
"""Before the rounds that count: PostgreSQL plans a statement again the first times that a connection runs it, which is rare in an exam of 8,000."""
_IDLE_S = 10.0
_STARTS = 40
"""Candidates who start in one round: within what admission lets in at once."""
_SAVES, _READS = 60, 25
"""Calls of each of `_AT_ONCE` candidates in one round; the processor time in /proc has steps of 10 ms."""
_SIGN_INS = 20
_SESSION, _SIGN_IN_PAGE = ProtocolCall("GET", "/api/v1/session"), ProtocolCall("GET", "/login")
_LIMITS = {
    "exam page's HTML": 1.2,
    "session": 0.9,
    "paper": 0.9,
    "paper, the first time": 1.6,
    "start": 1.4,
    "hand-in of 65 answers with its grading": 3.0,
    "sign-in page": 2.0,
}
"""Wanted of each call; what is reached, and why some are not, stands in decision 0068."""
_GRADED_WITHIN_S = 60.0
_ANSWER_ALL = """
INSERT INTO answers (attempt_id, item, epoch, seq, response, saved_at)
SELECT a.id, item, a.epoch, 1000 + item, jsonb_build_array(CASE (a.id + item) % 2 WHEN 0 THEN 'A' ELSE 'B' END), now()
FROM attempts AS a, generate_series(1, a.total) AS item WHERE a.id = ANY(:ids)
ON CONFLICT (attempt_id, item) DO UPDATE SET seq = excluded.seq, response = excluded.response, epoch = excluded.epoch
"""
_SHEET = "SELECT item, seq, response FROM answers WHERE attempt_id = :attempt_id ORDER BY item"
_UNGRADED = "SELECT count(*) FROM attempts WHERE id = ANY(:ids) AND state <> 'graded'"


def measure(deployment: BenchmarkDeployment) -> list[Figure]:
    """Measure each call beside saves, round after round; the median of the rounds' ratios. What cannot be measured is a row that says why."""
    return [
        *_row("processor time over a save", _over_a_save, deployment),
        *_row("processor time over the hash alone", _over_the_hash, deployment),
    ]


def _row(
    name: str, measured: Callable[[BenchmarkDeployment], list[Figure]], deployment: BenchmarkDeployment
) -> list[Figure]:
    try:
        return measured(deployment)
    except Exception as error:  # noqa: BLE001 – whatever it was becomes the row's reason
        return [not_measured(name, error)]


def _over_a_save(deployment: BenchmarkDeployment) -> list[Figure]:
    meter, rounds = _Meter(deployment), _WARM_UP_ROUNDS + _ROUNDS
    costs = [_round(deployment, number, meter) for number in range(rounds)][_WARM_UP_ROUNDS:]
    print(f"  a save: {1000 * statistics.median(cost['save'] for cost in costs):.2f} ms of processor time")
    return [
        at_most(
            f"processor time over a save: {name}",
            statistics.median(cost[name] / cost["save"] for cost in costs),
            limit,
            "saves",
        )
        for name, limit in _LIMITS.items()
    ]


class _Meter:
    """Tells the processor time of the site beyond what it takes without any call, which a busy machine stretches with the calls."""

    def __init__(self, deployment: BenchmarkDeployment) -> None:
        self._deployment, self._idle = deployment, 0.0
        before = deployment.cpu_s()
        time.sleep(_IDLE_S)
        self._idle = (deployment.cpu_s() - before) / _IDLE_S

    def cpu_s(self) -> float:
        """Give it in seconds, of which only differences mean something."""
        return self._deployment.cpu_s() - self._idle * time.monotonic()


def _round(deployment: BenchmarkDeployment, number: int, meter: _Meter) -> dict[str, float]:
    """Give the processor time of each call in seconds, by its name, of candidates who sat nothing before."""
    exam_id = deployment.accounts["open_exam_id"]
    seats = seated(deployment, _FIRST + number * _STARTS, _STARTS)
    candidates = [LoadCandidate(deployment.port, seat.browser) for seat in seats]
    _cost(meter, candidates, 1, lambda candidate: _read(candidate, _SESSION))  # as a browser, whose page came before
    costs = {"start": _cost(meter, candidates, 1, lambda candidate: candidate.start(exam_id))}
    costs["paper, the first time"] = _cost(meter, candidates, 1, _read_paper)
    few, page = candidates[:_AT_ONCE], ProtocolCall("GET", f"/exams/{exam_id}/sit")
    newcomers = [LoadCandidate(deployment.port) for _ in few]
    costs["save"] = _cost(meter, few, _SAVES, LoadCandidate.save)
    costs["paper"] = _cost(meter, few, _READS, _read_paper)
    costs["session"] = _cost(meter, few, _READS, lambda candidate: _read(candidate, _SESSION))
    costs["exam page's HTML"] = _cost(meter, few, _READS, lambda candidate: _read(candidate, page))
    costs["sign-in page"] = _cost(meter, newcomers, _READS, lambda newcomer: _read(newcomer, _SIGN_IN_PAGE))
    costs["hand-in of 65 answers with its grading"] = _hand_in_cost(deployment, meter, candidates)
    return costs


def _read(candidate: LoadCandidate, call: ProtocolCall) -> float:
    reply = candidate.ask(call)
    assert reply.status in {200, 201}, (call.path, reply.status, reply.content[:300])
    return reply.took_s


def _read_paper(candidate: LoadCandidate) -> float:
    return _read(candidate, get_paper(candidate.attempt_id))


def _cost(
    meter: _Meter,
    workers: Sequence[Worker],
    times: int,
    work: Callable[[Worker], float | None],
    *,
    at_once: int = _AT_ONCE,
) -> float:
    """Give the processor time of one call, when each worker makes so many, some workers at a time."""
    before, waiting = meter.cpu_s(), iter(workers)
    while group := list(islice(waiting, at_once)):
        hammer(group, times, lambda worker: work(worker) or 0.0)
    return (meter.cpu_s() - before) / (len(workers) * times)


def _hand_in_cost(deployment: BenchmarkDeployment, meter: _Meter, candidates: Sequence[LoadCandidate]) -> float:
    """Hand in whole sheets of stored answers, as the exam page does, and wait for the last grade."""
    engine, ids = engine_of(deployment), [candidate.attempt_id for candidate in candidates]
    with engine.connect() as connection:
        connection.execute(text(_ANSWER_ALL), {"ids": ids})
        sheets = {
            attempt_id: [dict(row) for row in connection.execute(text(_SHEET), {"attempt_id": attempt_id}).mappings()]
            for attempt_id in ids
        }
        before, deadline = meter.cpu_s(), time.monotonic() + _GRADED_WITHIN_S
        _cost(
            meter,
            candidates,
            1,
            lambda c: _read(c, protocol_client.submit(c.attempt_id, c.epoch, sheets[c.attempt_id])),
        )
        while connection.execute(text(_UNGRADED), {"ids": ids}).scalar_one():
            assert time.monotonic() < deadline, "not all were graded"
            time.sleep(0.1)
        cost = (meter.cpu_s() - before) / len(candidates)
    engine.dispose()
    return cost


def _over_the_hash(deployment: BenchmarkDeployment) -> list[Figure]:
    """Compare sign-ins, their pages apart, with as many comparisons of passwords alone, two at a time each."""
    first, people = _FIRST + (_WARM_UP_ROUNDS + _ROUNDS) * _STARTS, deployment.accounts["candidates"]
    names, ratios = iter(people["login_names"][first:]), []
    meter = _Meter(deployment)
    for _ in range(_ROUNDS):
        forms = [_form_of(deployment.port, name, people["password"]) for name in islice(names, _SIGN_INS)]
        cost = _cost(meter, forms, 1, lambda form: _read(*form), at_once=2)
        ratios.append(1000 * cost / run_inside(deployment, "benchmarks.inside", "hash")["ms"])
    return [at_most("processor time over the hash alone: sign-in", statistics.median(ratios), 1.5, "hashes")]


def _form_of(port: int, name: str, password: str) -> tuple[LoadCandidate, ProtocolCall]:
    """Fetch the sign-in page as its script does; give who did, and the form filled in."""
    candidate = LoadCandidate(port, Browser(headers={"Accept-Encoding": "gzip", "Accept": JSON}))
    steps = protocol_client.sign_in(candidate.browser, name, password)
    return candidate, steps.send(candidate.ask(next(steps)))
