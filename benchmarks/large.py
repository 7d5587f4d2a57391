"""What a save costs after fifty million stored answers, beside what it cost at the first: `make bench-large`, with the reports over a million people.

Both in one run, on one deployment: rounds of saves, then the attempts of a hundred such counties are written beside it, then rounds again.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from benchmarks import reports
from benchmarks.deployment import BenchmarkDeployment, deploy
from benchmarks.figures import Figure, at_most
from benchmarks.load import LoadCandidate, hammer, sign_in_many

_ANSWERS, _ITEMS = 50_000_000, 65
_CONCURRENCY, _ROUNDS, _SAVES_A_ROUND = 32, 5, 40
_PAUSE_S = 5.2
"""One attempt may save 100 times in five seconds; the next round begins afresh."""
_ATTEMPTS = """
INSERT INTO attempts (exam_id, person_id, number, paper_id, unit_id, state, started_at, deadline_at, closes_at, epoch, response_schema, unsure, submitted_at,
  is_forced, receipt_number, total, grading_retry_count)
SELECT :exam_id, p.id, 1000 + n, (SELECT min(id) FROM papers), p.unit_id, 'graded', now() - interval '300 days', now() - interval '299 days',
  now() - interval '299 days', 1, '', '{}', now() - interval '299 days', false, 'L' || n || '-' || p.id, 65, 0
FROM generate_series(1, :sittings) AS n, persons AS p ORDER BY n, p.id
"""
_STORED = "SELECT a.id, {person} i, 1, i, '[\"A\"]', a.submitted_at FROM attempts AS a, generate_series(1, :items) AS i WHERE a.number > 1000 AND a.id BETWEEN :first AND :last ORDER BY a.id, i"
_FILL = (
    "INSERT INTO answers (attempt_id, item, epoch, seq, response, saved_at) " + _STORED.format(person=""),
    "INSERT INTO answer_history (attempt_id, person_id, item, epoch, seq, response, saved_at) "
    + _STORED.format(person="a.person_id,"),
)
_BATCH = 40_000


def main(arguments: list[str]) -> int:
    """Measure, print; 1 where a limit is not kept. An argument is how many answers are stored, for a shorter trial."""
    stored = int(arguments[0]) if arguments else _ANSWERS
    folder = Path(os.environ.get("DATA_DIR", ".data")).resolve() / "bench-large"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    deployment = deploy(folder)
    try:
        figures = _measure(deployment, stored)
    finally:
        deployment.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for figure in figures:
        print(json.dumps(figure.as_json(), ensure_ascii=False))
    kept = all(figure.is_kept for figure in figures)
    return max(0 if kept else 1, reports.main("large"))


def _measure(deployment: BenchmarkDeployment, stored: int) -> list[Figure]:
    candidates = sign_in_many(deployment.port, deployment.accounts, _CONCURRENCY)
    first = _rounds(deployment, candidates)
    count = _store(deployment, stored)
    for candidate in candidates:
        candidate.client.close()  # the server has closed the connection meanwhile
    later = _rounds(deployment, candidates)
    for name, (cpu_ms, p50_ms, p99_ms, saves_s) in {"at the first": first, f"after {count:,} answers": later}.items():
        print(
            f"  {name}: {cpu_ms:.2f} ms of processor a save, p50 {p50_ms:.1f}, p99 {p99_ms:.1f} ms, {saves_s:.0f} saves/s"
        )
    return [
        at_most(f"save after {count:,} stored answers: processor time over that at the first", later[0] / first[0], 1.2, "ratio"),
        at_most(f"save after {count:,} stored answers: median time over that at the first", later[1] / first[1], 1.2, "ratio"),
    ]  # fmt: skip


def _rounds(deployment: BenchmarkDeployment, candidates: list[LoadCandidate]) -> tuple[float, float, float, float]:
    """Give medians of five rounds: processor time of web and database a save, p50 and p99 in ms, saves a second."""
    rows = []
    for _ in range(_ROUNDS + 1):
        time.sleep(_PAUSE_S)
        before = deployment.cpu_s("web", "postgres")
        wall, durations = hammer(candidates, _SAVES_A_ROUND, LoadCandidate.save)
        cpu_ms = 1000 * (deployment.cpu_s("web", "postgres") - before) / len(durations)
        quantiles = statistics.quantiles(durations, n=100)
        rows.append((cpu_ms, 1000 * quantiles[49], 1000 * quantiles[98], len(durations) / wall))
    cpu_ms, p50_ms, p99_ms, saves_s = (statistics.median(column) for column in zip(*rows[1:], strict=True))
    return cpu_ms, p50_ms, p99_ms, saves_s


def _store(deployment: BenchmarkDeployment, wanted: int) -> int:
    """Write attempts of everybody with all their answers and the history of these; give how many answers there are then."""
    url = make_url(deployment.environment["DATABASE_URL"]).set(username="postgres", password=None)
    began = time.monotonic()
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # The rows are sound by how they are made; looking each reference up would take an hour.
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("SET statement_timeout = 0"))
        people = connection.scalar(text("SELECT count(*) FROM persons")) or 1
        exam_id = deployment.accounts["open_exam_id"]
        connection.execute(text(_ATTEMPTS), {"exam_id": exam_id, "sittings": -(-wanted // (people * _ITEMS))})
        first, last = connection.execute(text("SELECT min(id), max(id) FROM attempts WHERE number > 1000")).one()
        for start in range(first, last + 1, _BATCH):
            for statement in _FILL:
                end = min(start + _BATCH - 1, last)
                connection.execute(text(statement), {"items": _ITEMS, "first": start, "last": end})
            done = min(start + _BATCH - first, last + 1 - first)
            print(f"  {done * _ITEMS:,} answers written, {time.monotonic() - began:.0f} s", flush=True)
        for table in ("attempts", "answers", "answer_history"):
            connection.execute(text(f"VACUUM (ANALYZE) {table}"))
        connection.execute(text("CHECKPOINT"))
        count = connection.scalar(text("SELECT count(*) FROM answers")) or 0
    engine.dispose()
    return int(count)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
