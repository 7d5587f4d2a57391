"""All unit admins ask for their reports at once while candidates save: what their saves notice of it."""

from __future__ import annotations

import asyncio

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
_CONTENTS = ("score_sheet", "participation", "scores")
_CONNECTIONS = 64
_ADMINS_OF_UNITS = """
WITH chosen AS (
  SELECT DISTINCT ON (unit_id) id, unit_id, staff_number FROM persons WHERE staff_number = ANY(:names) ORDER BY unit_id, staff_number LIMIT :admins
), granted AS (
  INSERT INTO role_grants (person_id, role, unit_id, tree, granted_at) SELECT id, 'unit_admin', unit_id, 'region', now() FROM chosen
)
SELECT staff_number, unit_id FROM chosen
"""
_UNFINISHED = "SELECT count(*) FROM exports JOIN jobs USING (id) WHERE state <> 'done'"


def measure(deployment: BenchmarkDeployment) -> list[Figure]:
    """Save beside the rush from the first wish until the last file is there, and as long alone, in turn; the percentile over all of either.

    That of one round hangs on its few dozen slowest saves, and swings by a third from one to the next.
    """
    names = deployment.accounts["candidates"]["login_names"]
    seats = dict(zip(sorted(names), seated(deployment, 0, len(names)), strict=True))
    engine = engine_of(deployment)
    with engine.connect() as connection:
        others = names[_SAVERS:]
        rows = connection.execute(text(_ADMINS_OF_UNITS), {"names": others, "admins": _ADMINS}).all()
        exam_id = connection.execute(text("SELECT min(id) FROM exams WHERE state = 'published'")).scalar_one()
        admins = [(seats[row.staff_number], row.unit_id) for row in rows]
        savers = [seats[name] for name in sorted(names[:_SAVERS])]
        rounds, failed = asyncio.run(_play(deployment, savers, admins, exam_id, connection))
        unfinished = connection.execute(text(_UNFINISHED)).scalar_one()
    engine.dispose()
    for alone, beside in rounds:
        print(
            f"  all files there after {len(beside.took) / _SAVES_S:.0f} s; save p50 {alone.p(50):.1f} → {beside.p(50):.1f}, p99 {alone.p(99):.1f} → {beside.p(99):.1f} ms"
        )
    ratio = _p99_of([beside for _, beside in rounds]) / _p99_of([alone for alone, _ in rounds])
    return [
        at_most(f"{len(admins)} unit admins ask for reports at once: failed calls and files not made", len(failed) + unfinished, 0, "calls"),
        at_most(f"{len(admins)} unit admins ask for reports at once: save p99 of {_SAVERS} candidates over that without", ratio, 1.1, "ratio"),
    ]  # fmt: skip


def _p99_of(waves: list[Wave]) -> float:
    return Wave(took=[took for wave in waves for took in wave.took]).p(99)


async def _play(
    deployment: BenchmarkDeployment,
    savers: list[Seat],
    admins: list[tuple[Seat, int]],
    exam_id: int,
    connection: Connection,
) -> tuple[list[tuple[Wave, Wave]], list[str]]:
    pool, desk = (AsyncClient(deployment.port, connections=_CONNECTIONS) for _ in range(2))
    started = await wave_of(savers, 10, lambda seat, wave: start(pool, seat, deployment.accounts["open_exam_id"], wave))
    before = await save_for(pool, savers, _BEFORE_S, _SAVES_S)
    rounds, failed = [], started.failed + before.failed
    for number in range(_ROUNDS):
        rush, ended = Wave(), asyncio.Event()
        saving = asyncio.create_task(save_for(pool, savers, _MAX_S, _SAVES_S, ended=ended))
        await asyncio.gather(
            *(
                noted(rush, _ask(desk, seat, exam_id, role_request, rush))
                for seat, role_request in _form_requests(admins, number)
            )
        )
        await _wait_for_files(connection)
        ended.set()
        beside = await saving
        alone = await save_for(pool, savers, len(beside.took) / _SAVES_S, _SAVES_S)
        rounds.append((alone, beside))
        failed = failed + alone.failed + beside.failed + rush.failed
    return rounds, failed


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
