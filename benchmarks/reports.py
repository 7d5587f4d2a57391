"""What reports cost: the county's table, a county's score sheets as PDF, a spreadsheet of a million scores; run by itself, in a database of its own.

`python -m benchmarks.reports` (a county of 8,000 people in 120 units) or `python -m benchmarks.reports large` (1,000,000 in 15,000).
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from alembic import command
from sqlalchemy import text

from benchmarks.figures import Figure, at_most, peak_kb
from examapp import clock, create_app
from examapp.app import tune_gc
from examapp.config import Mode, Settings
from examapp.db.schema import migration_config
from examapp.db.session import db, read_session, transaction
from examapp.ops.embedded_servers import make_run_folder, start_postgres, start_valkey
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Tree
from examapp.oversight.report_files import actions as report_file_actions
from examapp.oversight.report_files import queries as report_file_queries
from examapp.oversight.report_files.rules import ReportRequest
from examapp.oversight.statistics.actions import refresh_unit_stats
from examapp.oversight.statistics.queries import get_unit_table
from examapp.oversight.statistics_scope.queries import get_report_context, get_unit_tree

_EVERYTHING = AccessScope(is_everything=True)
_SIZES = {"county": (8_000, 120, 120), "large": (1_000_000, 15_000, 150)}
"""People, units, and how many of the units hang directly below the top; the others hang below these."""
_JUST_NOW = 500
"""So many people have handed in since the figures were kept last."""
_HAND_IN = """
UPDATE attempts SET state = 'submitted', submitted_at = now() WHERE id IN (SELECT id FROM attempts WHERE id % 2000 = :rest ORDER BY id LIMIT :people)
"""
_FILL = (
    "INSERT INTO units (code, name, kind, parent_id, region_path, created_at) VALUES ('000', '县', 'county', NULL, '/1/', now())",
    "INSERT INTO units (code, name, kind, parent_id, region_path, created_at) SELECT lpad(n::text, 6, '0'), '单位' || n, 'department', 1, '/1/' || (n + 1) || '/', now() FROM generate_series(1, :bureaus) n",
    "INSERT INTO units (code, name, kind, parent_id, region_path, created_at) SELECT lpad(n::text, 6, '0'), '单位' || n, 'sub_unit', 2 + n % :bureaus, '/1/' || (2 + n % :bureaus) || '/' || (n + 1) || '/', now() FROM generate_series(:bureaus + 1, :units) n",
    "INSERT INTO persons (staff_number, name, unit_id, state, rank, position, created_at, updated_at) SELECT 'W' || n, '人员' || n, 2 + n % :units, 'on_roster', '一级科员', '科员', now(), now() FROM generate_series(1, :people) n",
    "INSERT INTO exams (title, kind, state, instructions, opens_at, closes_at, duration_s, is_full_duration, grace_s, counting_rule, scoring_rule, pass_percent, good_percent, excellent_percent, results_policy, keys_policy, study_gate, created_at, updated_at, published_at) VALUES ('年度考试', 'annual', 'published', '', now() - interval '20 days', now() + interval '5 days', 5400, false, 60, 'best', 'all_or_nothing', 60, 80, 90, 'at_once', 'at_close', '{}', now(), now(), now())",
    "INSERT INTO papers (sections, response_schema, total_points, created_at) VALUES ('[]', '', 100, now())",
    "INSERT INTO attempts (exam_id, person_id, number, paper_id, unit_id, state, started_at, deadline_at, closes_at, epoch, response_schema, unsure, submitted_at, is_forced, receipt_number, total, grading_retry_count) SELECT 1, id, 1, 1, unit_id, 'graded', now() - interval '2 days', now() - interval '1 day', now() - interval '1 day', 1, '', '{}', now() - interval '2 days' + id % 1000 * interval '1 minute', false, 'R' || id, 0, 0 FROM persons WHERE id % 20 <> 0",
    "INSERT INTO grades (attempt_id, number, is_current, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, sheet, reason, graded_at) SELECT id, 1, true, 40 + id % 61, 100, 40 + id % 61, CASE WHEN id % 61 >= 50 THEN 'excellent' WHEN id % 61 >= 40 THEN 'good' WHEN id % 61 >= 20 THEN 'pass' ELSE 'fail' END, id % 61 >= 20, '[]', '{}', '{}', '', 'first', now() FROM attempts",
    "ANALYZE",
)


def main(size: str) -> int:
    """Measure, print the figures; 1 where a limit is not kept."""
    figures = measure(size)
    for figure in figures:
        print(json.dumps(figure.as_json(), ensure_ascii=False))
    return 0 if all(figure.is_kept for figure in figures) else 1


def measure(size: str = "county") -> list[Figure]:
    """Fill a database of its own, and measure."""
    folder, run = Path(tempfile.mkdtemp(prefix="bench-reports-")), make_run_folder()
    postgres, valkey = start_postgres(folder, run), start_valkey(folder, run)
    settings = Settings(app_mode=Mode.TESTING, database_url=postgres.url, redis_url=valkey.url, secret_key="b" * 40, data_keys="k1:" + "11" * 32, data_dir=str(folder), log_level="ERROR")  # fmt: skip
    try:
        return _measure(settings, size)
    finally:
        valkey.stop(signal.SIGKILL)
        postgres.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(run, ignore_errors=True)


def _measure(settings: Settings, size: str) -> list[Figure]:
    people, units, bureaus = _SIZES[size]
    app = create_app(settings)
    with app.app_context():
        command.upgrade(migration_config(), "head")
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET statement_timeout = 0"))
            for statement in _FILL:
                connection.execute(text(statement), {"units": units, "people": people, "bureaus": bureaus})
        tune_gc()  # as the web server does
        figures = [at_most("county: the county's table", _table_ms(), 50, "ms")] if size == "county" else _kept_ms()
        if size == "county":
            figures.append(at_most("county: 120 score sheets as PDF", _sheets_s(units), 60, "s"))
        db.session.remove()
    if size == "large":
        queue: multiprocessing.Queue = multiprocessing.get_context("spawn").Queue()
        worker = multiprocessing.get_context("spawn").Process(target=_scores, args=(settings, queue))
        worker.start()
        megabytes, seconds = queue.get(timeout=1800)
        worker.join()
        print(f"large: scores written in {seconds:.0f} s")
        figures.append(at_most(f"large: memory for {people:,} scores as xlsx", megabytes, 250, "MB"))
    return figures


def _table_ms(rounds: int = 7) -> float:
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        report_context = get_report_context(read_session(), 1, scope=None, now=clock.now())
        get_unit_table(read_session(), report_context, 1, tree=Tree.REGION, depth=1, access=_EVERYTHING)
        took.append((time.perf_counter() - began) * 1000)
        read_session().rollback()
    return statistics.median(took)


def _kept_ms() -> list[Figure]:
    """Measure the table of a large roster counted again, from what is kept of it, and so with hand-ins of a moment ago."""
    counted = _table_ms(rounds=1)
    print(f"large: the table counted anew takes {counted:.0f} ms", flush=True)
    began = time.perf_counter()
    _keep()
    print(f"large: keeping all figures for the first time took {time.perf_counter() - began:.1f} s", flush=True)
    kept = _table_ms()
    _hand_in(1)
    marked = _table_ms()
    began = time.perf_counter()
    _keep()
    print(f"large: keeping what {_JUST_NOW} hand-ins changed took {time.perf_counter() - began:.2f} s", flush=True)
    return [
        at_most("large: the county's table, nothing marked", kept, 500, "ms"),
        at_most(f"large: the county's table, {_JUST_NOW} hand-ins since the figures were kept", marked, 500, "ms"),
    ]


def _keep() -> None:
    with transaction() as session:
        assert refresh_unit_stats(session, now=clock.now()) == 1


def _hand_in(rest: int) -> None:
    with transaction() as session:
        session.execute(text(_HAND_IN), {"rest": rest, "people": _JUST_NOW})


def _order(unit_id: int, content: str, format_: str) -> report_file_queries.ReportSpec:
    report_context = get_report_context(read_session(), 1, scope=None, now=clock.now())
    nodes = get_unit_tree(read_session(), unit_id, tree=Tree.REGION, access=_EVERYTHING).nodes
    request = ReportRequest(exam_id=1, unit_id=unit_id, content=content, format=format_)
    return report_file_queries.ReportSpec(
        request=request, report_context=report_context, nodes=nodes, watermark="管理员 2026-11-24 12:00"
    )


def _sheets_s(units: int) -> float:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for unit_id in range(2, units + 2):
            path = Path(folder) / f"{unit_id}.pdf"
            report_file_actions.write(
                read_session(), path, _order(unit_id, "score_sheet", "pdf"), note_progress=lambda _done, _total: None
            )
            assert path.read_bytes().startswith(b"%PDF-")
    return time.perf_counter() - began


def _scores(settings: Settings, queue: multiprocessing.Queue) -> None:
    app = create_app(settings)
    with app.app_context(), tempfile.TemporaryDirectory() as folder:
        read_session().execute(text("SET statement_timeout = 0"))
        began = time.perf_counter()
        path = Path(folder) / "scores.xlsx"
        report_file_actions.write(
            read_session(), path, _order(1, "scores", "xlsx"), note_progress=lambda _done, _total: None
        )
        took = time.perf_counter() - began
    queue.put((peak_kb() / 1024, took))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "county"))
