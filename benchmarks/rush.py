"""All unit admins ask for their reports at once while candidates save: what their saves notice of it."""

from __future__ import annotations

import asyncio
import json
import time

from sqlalchemy import text

from benchmarks.crowd import JSON, Seat, Wave, engine_of, noted, save_for, seated, start, wave_of
from benchmarks.deployment import Deployment
from benchmarks.figures import Figure, at_most
from benchmarks.wire import Pool

_SAVERS, _SAVES_S, _ADMINS = 300, 150.0, 120
"""Everybody saves every two seconds, as fast as a page ever does."""
_SECONDS = 25.0
_ROUNDS = (("score_sheet", "xlsx"), ("participation", "xlsx"), ("scores", "xlsx"))
_CONNECTIONS = 64
_ADMINS_OF_UNITS = """
WITH chosen AS (
  SELECT DISTINCT ON (unit_id) id, unit_id, staff_number FROM persons WHERE staff_number = ANY(:names) ORDER BY unit_id, staff_number LIMIT :admins
), granted AS (
  INSERT INTO role_grants (person_id, role, unit_id, tree, granted_at) SELECT id, 'unit_admin', unit_id, 'region', now() FROM chosen
)
SELECT staff_number, unit_id FROM chosen
"""


def measure(deployment: Deployment) -> list[Figure]:
    """Save alone and beside the rush, in turn, three times; the percentile over all that were saved alone, and over all beside.

    That of one round hangs on its 38 slowest saves, and swings by a third from one to the next.
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
        rounds, failed = asyncio.run(_play(deployment, savers, admins, exam_id))
        unfinished = _wait_for_files(connection)
    engine.dispose()
    for content, alone, beside in rounds:
        print(
            f"  {content}: save p50 {alone.p(50):.1f} → {beside.p(50):.1f}, p99 {alone.p(99):.1f} → {beside.p(99):.1f} ms"
        )
    ratio = _p99_of([beside for _, _, beside in rounds]) / _p99_of([alone for _, alone, _ in rounds])
    return [
        at_most(f"{len(admins)} unit admins ask for reports at once: failed calls and files not made", len(failed) + unfinished, 0, "calls"),
        at_most(f"{len(admins)} unit admins ask for reports at once: save p99 of {_SAVERS} candidates over that without", ratio, 1.1, "ratio"),
    ]  # fmt: skip


def _p99_of(waves: list[Wave]) -> float:
    return Wave(took=[took for wave in waves for took in wave.took]).p(99)


async def _play(
    deployment: Deployment, savers: list[Seat], admins: list[tuple[Seat, int]], exam_id: int
) -> tuple[list[tuple[str, Wave, Wave]], list[str]]:
    pool, desk = Pool(deployment.port, _CONNECTIONS), Pool(deployment.port, _CONNECTIONS)
    started = await wave_of(savers, 20, lambda seat, wave: start(pool, seat, deployment.accounts["open_exam_id"], wave))
    rounds, failed = [], started.failed
    for content, format_ in _ROUNDS:
        alone = await save_for(pool, savers, _SECONDS, _SAVES_S)
        rush = Wave()
        beside, *_ = await asyncio.gather(
            save_for(pool, savers, _SECONDS, _SAVES_S),
            *(
                noted(rush, _ask(desk, seat, exam_id, {"unit": unit_id, "content": content, "format": format_}, rush))
                for seat, unit_id in admins
            ),
        )  # fmt: skip
        rounds.append((content, alone, beside))
        failed = failed + alone.failed + beside.failed + rush.failed
    return rounds, failed


async def _ask(pool: Pool, seat: Seat, exam_id: int, wish: dict[str, object], wave: Wave) -> None:
    body = json.dumps(wish).encode()
    reply = await pool.ask("POST", f"/api/v1/exams/{exam_id}/exports", seat.headers + JSON, body)
    assert reply.status == 202, reply.status
    wave.took.append(reply.took_s)


def _wait_for_files(connection) -> int:
    """Give how many of the files were not made within two minutes."""
    until = time.monotonic() + 120
    query = text("SELECT count(*) FROM exports WHERE state <> 'ready'")
    while (left := connection.execute(query).scalar_one()) and time.monotonic() < until:
        time.sleep(0.5)
    return int(left)
