"""Grading 8,000 handed-in papers of 65 questions from a standing start, by the deployment's own workers."""

from __future__ import annotations

import statistics
import time

from sqlalchemy import create_engine, text

from benchmarks.deployment import BenchmarkDeployment, run_inside
from benchmarks.figures import Figure, at_most

_ROUNDS = 3
_HAND_IN_ALL = """
WITH made AS (
  INSERT INTO attempts (exam_id, person_id, number, paper_id, unit_id, state, started_at, deadline_at, closes_at, epoch, response_schema, unsure,
    submitted_at, is_forced, receipt_number, receipt_sha256, answered, total, grading_retry_count)
  SELECT pp.exam_id, pp.person_id, 1000, pp.paper_id, p.unit_id, 'submitted', now(), now(), now(), 1, papers.response_schema, '{}', now(), false,
    'bench-' || pp.person_id, '', 65, length(papers.response_schema) / 3, 0
  FROM prepared_papers pp JOIN persons p ON p.id = pp.person_id JOIN papers ON papers.id = pp.paper_id
  WHERE pp.exam_id = :exam_id AND pp.number = 1
  RETURNING id, total
)
INSERT INTO answers (attempt_id, item, epoch, seq, response, saved_at)
SELECT made.id, item, 1, item, to_jsonb(ARRAY[chr(65 + ((made.id + item) % 2)::int)]), now() FROM made, generate_series(1, made.total) AS item
"""
_CLEAR = (
    "LOCK TABLE harvested_attempts IN SHARE ROW EXCLUSIVE MODE",  # a sweep takes up what was graded, just now too
    "DELETE FROM harvested_attempts WHERE attempt_id IN (SELECT id FROM attempts WHERE number = 1000)",
    "DELETE FROM grades WHERE attempt_id IN (SELECT id FROM attempts WHERE number = 1000)",
    "DELETE FROM answers WHERE attempt_id IN (SELECT id FROM attempts WHERE number = 1000)",
    "DELETE FROM attempts WHERE number = 1000",
)


def measure(deployment: BenchmarkDeployment) -> list[Figure]:
    """Hand in 8,000 papers at one instant, enqueue as hand-ins do, and wait until the last has its grade; median of three."""
    engine = create_engine(deployment.environment["DATABASE_URL"])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        times = [_round(deployment, connection) for _ in range(_ROUNDS)]
    engine.dispose()
    print(f"  rounds: {', '.join(f'{t:.1f} s' for t in times)}")
    return [at_most("grading 8,000 papers of 65 questions: median of three", statistics.median(times), 30, "s")]


def _round(deployment: BenchmarkDeployment, connection) -> float:
    with connection.engine.begin() as clearing:
        for statement in _CLEAR:
            clearing.execute(text(statement))
    began = time.perf_counter()
    connection.execute(text(_HAND_IN_ALL), {"exam_id": deployment.accounts["open_exam_id"]})
    handed_in = time.perf_counter()
    run_inside(deployment, "benchmarks.enqueueing", "200")
    print(f"  8,000 rows written in {handed_in - began:.1f} s")
    while connection.execute(
        text("SELECT count(*) FROM attempts WHERE number = 1000 AND state <> 'graded'")
    ).scalar_one():
        time.sleep(0.1)
    graded = connection.execute(
        text("SELECT count(*) FROM grades JOIN attempts ON attempts.id = attempt_id WHERE attempts.number = 1000")
    ).scalar_one()
    assert graded == 8000, graded
    return time.perf_counter() - handed_in
