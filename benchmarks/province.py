"""A province with its cells on real servers: `make province`. First copy, changes in all cells at once, figures of both sides compared.

Small by default (3 cells, 60,000 people); PROVINCE_CELLS=14 PROVINCE_PEOPLE=1000000 is the whole. Prints a line of JSON for each row; exits with 1 where one is not kept.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.sites import SiteOfProvince, link, sites_of_province, wait_until
from examapp import clock
from examapp.db.session import db, transaction
from examapp.ops.ordinary_user import postgres_program
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Tree
from examapp.organisation.units.rules import CELL_RANGE
from examapp.oversight.statistics.actions import refresh_unit_stats
from examapp.oversight.statistics.queries import UnitTable, get_unit_table
from examapp.oversight.statistics_scope.queries import get_report_context
from examapp.platform.province.tasks import beat_schedule_process

_UNITS_SHARE, _ATTEMPTED_SHARE = 67, 95
"""People of a unit; of a hundred people those who have an attempt."""
_SECONDS = 20.0
_CONTENT = """
INSERT INTO units (code, name, kind, region_path, created_at) VALUES ('P', '省', 'province', '/1/', now());
INSERT INTO exams (title, kind, state, opens_at, closes_at, duration_s, is_full_duration, grace_s, counting_rule, scoring_rule, pass_percent, good_percent, excellent_percent,
  results_policy, keys_policy, study_gate, instructions, created_at, updated_at, published_at)
VALUES ('全省考试', 'annual', 'published', now() - interval '1 day', now() + interval '9 days', 3600, false, 60, 'best', 'all_or_nothing', 60, 80, 90,
  'at_once', 'at_close', '{}', '', now(), now(), now())
"""
_ROSTER = """
INSERT INTO units (code, name, kind, parent_id, region_path, created_at)
VALUES ('C{cell}', '第{cell}市', 'prefecture', 1, '/1/{first}/', now());
INSERT INTO units (id, code, name, kind, parent_id, region_path, created_at) OVERRIDING SYSTEM VALUE
SELECT {first} + n, 'C{cell}-' || n, '单位' || n, 'department', {first}, '/1/{first}/' || ({first} + n) || '/', now() FROM generate_series(1, {units}) AS n;
INSERT INTO papers (sections, response_schema, total_points, created_at) VALUES ('[]', '', 100, now());
INSERT INTO persons (staff_number, name, unit_id, state, rank, position, id_number_encrypted, mobile_encrypted, created_at, updated_at)
SELECT 'S' || n, '人' || n, {first} + 1 + n % {units}, 'on_roster', '一级科员', '科员', 'SEALED-ID', 'SEALED-MOBILE', now(), now() FROM generate_series(1, {people}) AS n;
"""
_ATTEMPTS = """
INSERT INTO attempts (exam_id, person_id, number, paper_id, unit_id, state, started_at, deadline_at, closes_at, epoch, response_schema, unsure, submitted_at,
  is_forced, receipt_number, total, grading_retry_count)
SELECT 1, id, 1, (SELECT min(papers.id) FROM papers), unit_id, 'graded', now(), now(), now(), 1, '', '{{}}', now(), false, 'R' || id, 65, 0 FROM persons WHERE {which} ORDER BY id;
INSERT INTO grades (attempt_id, number, is_current, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, sheet, reason, graded_at)
SELECT a.id, 1, true, p.points, 100, p.points, CASE WHEN p.points >= 90 THEN 'excellent' WHEN p.points >= 80 THEN 'good' WHEN p.points >= 60 THEN 'pass' ELSE 'fail' END, p.points >= 60,
  '["THE-POINTS"]', '{{}}', '{{}}', 'THE-SHEET', 'first', now()
FROM attempts AS a, LATERAL (SELECT 30 + a.id * 7 % 71 AS points) AS p WHERE NOT EXISTS (SELECT FROM grades AS g WHERE g.attempt_id = a.id)
"""
_TRANSFER = "UPDATE persons SET unit_id = {first} + 1 + (unit_id - {first}) % {units} WHERE id = {person}"
_EXEMPT = "INSERT INTO exemptions (exam_id, person_id, kind, reason, answer, requested_at, approved_at) VALUES (1, {person}, 'exemption', 'HEALTH-REASON', '', now(), now()) ON CONFLICT DO NOTHING"
_GRADE_AGAIN = """
WITH old AS (UPDATE grades SET is_current = false WHERE is_current AND attempt_id = (SELECT id FROM attempts WHERE person_id = {person} LIMIT 1) RETURNING *)
INSERT INTO grades (attempt_id, number, is_current, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, sheet, reason, graded_at)
SELECT attempt_id, number + 1, true, 95, 100, 95, 'excellent', true, item_points, key_ids, rules, sheet, 'again', now() FROM old
"""
_SECRETS = ("SEALED-ID", "SEALED-MOBILE", "THE-POINTS", "THE-SHEET", "HEALTH-REASON")


class _Province:
    """The sites, and how many people and units each cell has."""

    def __init__(self, sites: list[SiteOfProvince], people: int) -> None:
        self.province, *self.cells = sites
        self.people, self.units = people, max(2, people // _UNITS_SHARE)

    def fields(self, cell: SiteOfProvince) -> dict[str, int]:
        return {"cell": cell.cell, "first": cell.cell * CELL_RANGE + 1, "units": self.units, "people": self.people}

    def fill(self) -> None:
        self.province.sql(_CONTENT)
        for cell in self.cells:
            cell.sql(_ROSTER.format(**self.fields(cell)), as_replica=True)
            cell.sql(_ATTEMPTS.format(which=f"id % 100 < {_ATTEMPTED_SHARE}"), as_replica=True)

    def wait_for_copy(self) -> float:
        waiting = "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'"
        sites = [self.province, *self.cells]
        return wait_until(lambda: all(site.sql(waiting) == [(0,)] for site in sites), within_s=600)

    def beat(self) -> None:
        for site in [self.province, *self.cells]:
            _beat(site)

    def catch_up(self) -> float:
        """Wait until all that is written by now is at the province; give the seconds."""
        began = self.province.sql("SELECT now()")[0][0]
        self.beat()
        arrived = "SELECT count(*) FROM heartbeats WHERE name LIKE 'cell:%%' AND beat_at >= %s"
        return wait_until(lambda: self.province.sql(arrived, began)[0][0] == len(self.cells), within_s=120)

    def count_equal(self) -> int:
        """Count the cells whose whole table of figures is the province's, row by row."""
        roots = [(cell, self.fields(cell)["first"]) for cell in self.cells]
        return sum(_counts(_table(cell, root)) == _counts(_table(self.province, root)) for cell, root in roots)


def _beat(site: SiteOfProvince) -> None:
    with site.app.app_context():
        beat_schedule_process(site.settings)


def _table(site: SiteOfProvince, unit_id: int) -> UnitTable:
    with site.app.app_context():
        session = db.session()
        context = get_report_context(session, 1, scope=None, now=clock.now())
        table = get_unit_table(
            session, context, unit_id, tree=Tree.REGION, depth=9, access=AccessScope(is_everything=True)
        )
        db.session.remove()
        return table


def _counts(table: UnitTable) -> list[tuple[Any, ...]]:
    return [(row.unit.unit_id, *row.counts) for row in table.rows]


def _change(state: _Province, cell: SiteOfProvince, counts: list[int]) -> None:
    """Change a cell's rows at random for a while, with a sign of life each half second."""
    rng, until, made, beat_at = random.Random(cell.cell), time.monotonic() + _SECONDS, 0, 0.0
    fields = state.fields(cell)
    while time.monotonic() < until:
        people = [fields["first"] + rng.randrange(state.people) for _ in range(20)]
        absent = [person for person in people if person % 100 >= _ATTEMPTED_SHARE]
        statements = [
            rng.choice([_TRANSFER, _EXEMPT, _GRADE_AGAIN]).format(person=person, **fields) for person in people
        ]
        if absent:
            new = f"id IN ({', '.join(map(str, absent))}) AND NOT EXISTS (SELECT FROM attempts AS a WHERE a.person_id = persons.id)"
            statements.append(_ATTEMPTS.format(which=new))
        cell.sql("; ".join(statements))
        made += len(people)
        if time.monotonic() - beat_at > 0.5:
            beat_at = time.monotonic()
            cell.sql("INSERT INTO heartbeats VALUES (%s, clock_timestamp()) ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at", f"cell:{cell.cell}")  # fmt: skip
    counts.append(made)


def _run_changes(state: _Province) -> tuple[float, float]:
    """Change all cells at once; give changes a second over all, and how old the oldest data at the province was at worst, in seconds."""
    counts: list[int] = []
    ages: list[float] = []
    threads = [threading.Thread(target=_change, args=(state, cell, counts)) for cell in state.cells]
    for thread in threads:
        thread.start()
    time.sleep(2)
    oldest = (
        "SELECT extract(epoch FROM clock_timestamp() - min(beat_at))::float8 FROM heartbeats WHERE name LIKE 'cell:%'"
    )
    while any(thread.is_alive() for thread in threads):
        if all(thread.is_alive() for thread in threads):
            ages.append(state.province.sql(oldest)[0][0] or 0.0)
        time.sleep(0.2)
    return sum(counts) / _SECONDS, max(ages, default=0.0)


def _table_ms(state: _Province) -> float:
    took = []
    for _ in range(5):
        began = time.monotonic()
        _table(state.province, 1)
        took.append(1000 * (time.monotonic() - began))
    return statistics.median(took)


def _keep_figures(state: _Province) -> None:
    state.province.sql("ANALYZE")
    with state.province.app.app_context(), transaction() as session:
        refresh_unit_stats(session, now=clock.now())


def _stop_one(state: _Province) -> list[Figure]:
    """Kill a cell's database; the table stands and names it; back, it catches up without a new copy."""
    away = state.cells[0]
    away.sql("UPDATE heartbeats SET beat_at = now() - interval '90 seconds' WHERE name LIKE 'cell:%'")
    wait_until(lambda: state.province.flask("province", "status")[0] == 1)
    away.kill()
    table = _table(state.province, 1)
    code, said = state.province.flask("province", "status")
    is_named = "第1市（分区 1）只到" in table.report_context.cells and code == 1 and "第1市" in said
    away.start_again()
    away.sql(_TRANSFER.format(person=state.fields(away)["first"], **state.fields(away)))
    caught_s = state.catch_up()
    return [
        at_least("a cell away: the table is there and names it, status exits with 1", float(is_named), 1, "yes"),
        at_most("a cell back: seconds until all of it is here", caught_s, 60, "s"),
        at_least("a cell back: cells whose figures are equal", state.count_equal(), len(state.cells), "cells"),
    ]


def _find_secrets(state: _Province) -> int:
    dump = [
        str(postgres_program("pg_dump")),
        "-h",
        str(state.province.run_folder),
        "-U",
        "postgres",
        "--data-only",
        "examapp",
    ]
    with subprocess.Popen(dump, stdout=subprocess.PIPE) as process:
        patterns = [form for secret in _SECRETS for form in (secret.encode(), secret.encode().hex().encode())]
        return sum(any(pattern in line for pattern in patterns) for line in process.stdout or ())


def _measure(state: _Province) -> list[Figure]:
    state.fill()
    began = time.monotonic()
    link([state.province, *state.cells])
    state.wait_for_copy()
    copy_s = time.monotonic() - began
    state.catch_up()
    _keep_figures(state)
    figures = [
        at_most("first copy of everything", copy_s, 300, "s"),
        at_least("cells whose figures are equal after the copy", state.count_equal(), len(state.cells), "cells"),
        at_most("table of all units, from kept figures", _table_ms(state), 500, "ms"),
    ]
    rate, age_s = _run_changes(state)
    figures += [
        at_least("changes in all cells at once", rate, 500, "1/s"),
        at_most("oldest data at the province meanwhile (a sign of life each half second)", age_s, 2.5, "s"),
        at_most("seconds until the last change is here", state.catch_up(), 2, "s"),
        at_least("cells whose figures are equal after the changes", state.count_equal(), len(state.cells), "cells"),
    ]
    _keep_figures(state)
    figures.append(
        at_least("cells whose figures are equal when kept anew", state.count_equal(), len(state.cells), "cells")
    )
    figures += _stop_one(state)
    is_clean = float(_find_secrets(state) == 0)
    return [*figures, at_least("nothing sealed and no answer in a dump of the province", is_clean, 1, "yes")]


def main() -> int:
    """Measure and print; 1 where a row is not kept."""
    cells, people = int(os.environ.get("PROVINCE_CELLS", "3")), int(os.environ.get("PROVINCE_PEOPLE", "60000"))
    folder = Path(os.environ.get("DATA_DIR", ".data")).resolve() / "province"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    try:
        with sites_of_province(folder, cells) as sites:
            figures = _measure(_Province(sites, people // cells))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for figure in figures:
        print(json.dumps(figure.as_json(), ensure_ascii=False))
    print(f"{cells} cells, {people:,} people, {timedelta(seconds=round(time.monotonic() - began))}")
    return 0 if all(figure.is_kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
