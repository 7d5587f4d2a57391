"""While candidates save, all unit admins ask for their reports at once, and an exam of the whole county is corrected: what the saves notice of either."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, text

from benchmarks.crowd import Seat, Wave, engine_of, noted, save_for, seated, start, wave_of
from benchmarks.deployment import BenchmarkDeployment
from benchmarks.figures import Figure, at_most
from examapp.ops.protocol_client import AsyncClient, ProtocolCall

_SAVERS, _SAVES_S, _ADMINS = 300, 150.0, 120
"""Everybody saves every two seconds, as fast as a page ever does."""
_BEFORE_S, _MAX_S = 10.0, 150.0
"""What the starts leave behind is over before anything is measured."""
_ROUNDS = 2
_ALONE_SHARE = 0.5
"""How long the candidates save alone between, of the time beside the rush: 7,500 saves in all, of which 75 are the slowest hundredth."""
_CONTENTS = ("score_sheet", "participation", "scores")
_CONNECTIONS = 64
_OFFICES, _READS_S = 3, 5.0
"""Who asks for a correction, checks it and approves it, and how long each looks at the dry run; people take longer."""
_ADMINS_OF_UNITS = """
WITH chosen AS (
  SELECT DISTINCT ON (unit_id) id, unit_id, staff_number FROM persons WHERE staff_number = ANY(:names) ORDER BY unit_id, staff_number LIMIT :admins
), granted AS (
  INSERT INTO role_grants (person_id, role, unit_id, tree, granted_at) SELECT id, 'unit_admin', unit_id, 'region', now() FROM chosen
)
SELECT staff_number, unit_id FROM chosen
"""
_OFFICE_OF_COUNTY = """
INSERT INTO role_grants (person_id, role, unit_id, tree, granted_at)
SELECT p.id, 'publicity_office', u.id, 'region', now() FROM persons AS p, units AS u WHERE p.staff_number = ANY(:names) AND u.kind = 'county'
"""
_LARGEST_EXAM = """
SELECT e.id, e.scoring_rule, e.pass_percent, e.good_percent, e.excellent_percent, count(*) AS papers
FROM attempts AS a JOIN exams AS e ON e.id = a.exam_id WHERE a.state = 'graded' GROUP BY e.id ORDER BY papers DESC, e.id LIMIT 1
"""
_UNFINISHED = "SELECT count(*) FROM exports JOIN jobs USING (id) WHERE state <> 'done'"
_Rounds = list[tuple[Wave, Wave]]


def measure(deployment: BenchmarkDeployment) -> list[Figure]:
    """Save beside the rush from the first request until the last file is there, and half as long alone, in turn; the percentile over all of either.

    That of one round hangs on its few dozen slowest saves, and swings by a third from one to the next. Then the same beside corrections.
    """
    names = deployment.accounts["candidates"]["login_names"]
    seats = dict(zip(sorted(names), seated(deployment, 0, len(names)), strict=True))
    engine = engine_of(deployment)
    with engine.connect() as connection:
        others, offices = names[_SAVERS:-_OFFICES], names[-_OFFICES:]
        rows = connection.execute(text(_ADMINS_OF_UNITS), {"names": others, "admins": _ADMINS}).all()
        connection.execute(text(_OFFICE_OF_COUNTY), {"names": offices})
        admins = [(seats[row.staff_number], row.unit_id) for row in rows]
        savers = [seats[name] for name in sorted(names[:_SAVERS])]
        reports, corrections, failed = asyncio.run(
            _play(deployment, savers, admins, [seats[name] for name in offices], connection)
        )
        unfinished = connection.execute(text(_UNFINISHED)).scalar_one()
    engine.dispose()
    calls = "failed calls and files not made"
    return [
        at_most(f"{len(admins)} unit admins ask for reports at once and exams are corrected: {calls}", len(failed) + unfinished, 0, "calls"),
        at_most(f"{len(admins)} unit admins ask for reports at once: save p99 of {_SAVERS} candidates over that without", _ratio(reports), 1.1, "ratio"),
        at_most(f"an exam of the county is corrected: save p99 of {_SAVERS} candidates over that without", _ratio(corrections), 1.1, "ratio"),
    ]  # fmt: skip


def _ratio(rounds: _Rounds) -> float:
    for alone, beside in rounds:
        print(
            f"  beside it for {len(beside.took) / _SAVES_S:.0f} s; save p50 {alone.p(50):.1f} → {beside.p(50):.1f}, p99 {alone.p(99):.1f} → {beside.p(99):.1f} ms"
        )
    return _p99_of([beside for _, beside in rounds]) / _p99_of([alone for alone, _ in rounds])


def _p99_of(waves: list[Wave]) -> float:
    return Wave(took=[took for wave in waves for took in wave.took]).p(99)


async def _play(
    deployment: BenchmarkDeployment,
    savers: list[Seat],
    admins: list[tuple[Seat, int]],
    offices: list[Seat],
    connection: Connection,
) -> tuple[_Rounds, _Rounds, list[str]]:
    pool, desk = (AsyncClient(deployment.port, connections=_CONNECTIONS) for _ in range(2))
    exam_id = connection.execute(text("SELECT min(id) FROM exams WHERE state = 'published'")).scalar_one()
    corrected = connection.execute(text(_LARGEST_EXAM)).one()
    print(f"  corrected: the pass mark of {corrected.papers:,} papers, each item of which is scored again")
    started = await wave_of(savers, 10, lambda seat, wave: start(pool, seat, deployment.accounts["open_exam_id"], wave))
    before = await save_for(pool, savers, _BEFORE_S, _SAVES_S)
    rush = Wave(failed=started.failed + before.failed)

    async def ask_for_reports(number: int) -> None:
        asked = _form_requests(admins, number)
        await asyncio.gather(*(noted(rush, _ask(desk, seat, exam_id, wanted, rush)) for seat, wanted in asked))
        await _wait_for_files(connection)

    async def correct(number: int) -> None:
        marks = {name: f"{getattr(corrected, name):.2f}" for name in ("good_percent", "excellent_percent")}
        pass_percent = f"{corrected.pass_percent - 1 - number:.2f}"
        change = {"kind": "rules", "scoring_rule": corrected.scoring_rule, "pass_percent": pass_percent, **marks}
        await noted(rush, _correct(desk, offices, {"change": change, "exams": [corrected.id], "reason": "合格线印错"}))

    reports = await _rounds(pool, savers, ask_for_reports)
    corrections = await _rounds(pool, savers, correct)
    await _wait_for_files(connection)  # those that the corrections made again, at leisure while candidates save
    failed = [each for rounds in (reports, corrections) for pair in rounds for wave in pair for each in wave.failed]
    for each in sorted({*rush.failed, *failed}):
        print(f"  failed: {each}")
    return reports, corrections, rush.failed + failed


async def _rounds(pool: AsyncClient, savers: list[Seat], work: Callable[[int], Awaitable[None]]) -> _Rounds:
    """Save for as long as the work takes, and then half as long without it, so many times."""
    rounds = []
    for number in range(_ROUNDS):
        ended = asyncio.Event()
        saving = asyncio.create_task(save_for(pool, savers, _MAX_S, _SAVES_S, ended=ended))
        await work(number)
        ended.set()
        beside = await saving
        alone = await save_for(pool, savers, _ALONE_SHARE * len(beside.took) / _SAVES_S, _SAVES_S)
        rounds.append((alone, beside))
    return rounds


async def _correct(desk: AsyncClient, offices: list[Seat], body: dict[str, Any]) -> None:
    """Try a correction out, ask for it, check it and approve it, each after a look at what was said before."""
    tried = await _said(desk, offices[0], "", body)
    asked = await _said(desk, offices[0], "", {**body, "fingerprint": tried["fingerprint"]})
    if asked["is_published"]:
        await _said(desk, offices[1], f"/{asked['id']}/check", {})
    await _said(desk, offices[2], f"/{asked['id']}/approve", {})
    await asyncio.sleep(_READS_S)


async def _said(desk: AsyncClient, seat: Seat, address: str, body: dict[str, Any]) -> dict[str, Any]:
    await asyncio.sleep(_READS_S)
    reply = await desk.ask(ProtocolCall.with_json("POST", f"/api/v1/corrections{address}", body), seat.browser)
    assert reply.status in {200, 201}, (reply.status, reply.content[:300])
    print(f"  corrections{address}: {reply.took_s:.2f} s")
    return reply.json()


def _form_requests(admins: list[tuple[Seat, int]], number: int) -> list[tuple[Seat, dict[str, object]]]:
    """Give what each asks for in this round: another content than in the one before."""
    contents = [_CONTENTS[(index + number) % len(_CONTENTS)] for index in range(len(admins))]
    return [
        (seat, {"unit": unit_id, "content": content, "format": "xlsx"})
        for (seat, unit_id), content in zip(admins, contents, strict=True)
    ]


async def _wait_for_files(connection: Connection) -> None:
    """Wait until the last file is there, or for too long."""
    for _ in range(int(_MAX_S)):
        if not connection.execute(text(_UNFINISHED)).scalar_one():
            break
        await asyncio.sleep(1)


async def _ask(pool: AsyncClient, seat: Seat, exam_id: int, role_request: dict[str, object], wave: Wave) -> None:
    reply = await pool.ask(
        ProtocolCall.with_json("POST", f"/api/v1/exams/{exam_id}/exports", role_request), seat.browser
    )
    assert reply.status == 202, reply.status
    wave.took.append(reply.took_s)
