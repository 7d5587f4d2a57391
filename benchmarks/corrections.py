"""A correction of every paper of a county: its dry run and its transaction; and the evidence pack: made, and checked by the script in it.

`python -m benchmarks.corrections`: a database of its own, 8,000 papers of 65 questions graded by the program, and 2,000 of 50.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import event, text

from benchmarks.alone import application_alone
from benchmarks.deployment import cpu_of
from benchmarks.figures import Figure, at_most, peak_kb
from benchmarks.training import ADD_PEOPLE, PEOPLE
from examapp import clock, create_app
from examapp.app import tune_gc
from examapp.config import Mode, Settings
from examapp.db.session import db, transaction
from examapp.delivery.corrections import actions
from examapp.delivery.corrections.rules import CorrectionKind, GradeChange
from examapp.delivery.evidence.actions import ENCLOSED, make_pack, signer_from
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.rules import Treatment
from examapp.platform.audit.actions import ActionContext, Actor
from question_bank.kinds import response_schema
from question_bank.kinds.registry import kind_of
from question_bank.model import Kind

_BANK = 400
_ROUNDS = 3
_SIZES = ((PEOPLE, 65), (2000, 50))
_QUESTIONS = (
    """
    INSERT INTO questions (code, kind, state, law_name, topic, review_note, law_change, created_at, updated_at)
    SELECT 'Q' || n, 'single_choice', 'active', '', '', '', '', now(), now() FROM generate_series(1, :bank) AS n
    """,
    """
    INSERT INTO question_versions (question_id, number, content, search_text, digest, used_at, created_at)
    SELECT id, 1, jsonb_build_object('material', NULL, 'parts', jsonb_build_array(jsonb_build_object(
      'kind', 'single_choice', 'stem', '<p>下列说法正确的是</p>', 'options', jsonb_build_array('甲', '乙', '丙', '丁'), 'blanks', NULL
    ))), '', 'd' || id, now(), now() FROM questions
    """,
    """
    INSERT INTO answer_keys (question_version_id, number, parts, reason, created_at)
    SELECT id, 1, jsonb_build_array(jsonb_build_object(
      'key', jsonb_build_array(chr(65 + (id % 4)::int)), 'blanks', '[]'::jsonb, 'explanation', ''
    )), '', now() FROM question_versions
    """,
)
_EXAM = """
INSERT INTO exams (
  title, kind, state, instructions, opens_at, closes_at, duration_s, is_full_duration, grace_s, counting_rule, scoring_rule,
  pass_percent, good_percent, excellent_percent, results_policy, keys_policy, study_gate, created_at, updated_at, published_at
) VALUES (
  '年度考试', 'annual', 'published', '', now() - interval '20 days', now() - interval '5 days', 5400, false, 60, 'best', 'all_or_nothing',
  25, 80, 90, 'at_once', 'at_close', '{}', now(), now(), now()
) RETURNING id
"""
_PAPER = """
INSERT INTO papers (id, sections, response_schema, total_points, created_at) OVERRIDING SYSTEM VALUE
VALUES (:id, CAST(:sections AS jsonb), :schema, :items, now())
"""
_ATTEMPTS = """
INSERT INTO attempts (
  exam_id, person_id, number, paper_id, unit_id, state, started_at, deadline_at, closes_at, epoch, response_schema, unsure,
  submitted_at, is_forced, receipt_number, receipt_sha256, answered, total, grading_retry_count
)
SELECT :exam_id, person.id, 1, :first + person.place, person.unit_id, 'submitted', now() - interval '10 days', now() - interval '9 days',
  now() - interval '9 days', 1, :schema, '{}', now() - interval '9 days', false, 'B' || :exam_id || '-' || person.id, '', :items, :items, 0
FROM (SELECT id, unit_id, row_number() OVER (ORDER BY id) - 1 AS place FROM persons) AS person WHERE person.place < :people
"""
_ANSWERS = """
INSERT INTO answers (attempt_id, item, epoch, seq, response, saved_at)
SELECT id, item, 1, item, to_jsonb(ARRAY[chr(65 + ((id * 7 + item * 3) % 4)::int)]), now() - interval '9 days'
FROM attempts, generate_series(1, total) AS item WHERE exam_id = :exam_id
"""
_HISTORY = """
INSERT INTO answer_history (attempt_id, person_id, item, epoch, seq, response, saved_at)
SELECT attempt_id, person_id, item, answers.epoch, seq, response, saved_at
FROM answers JOIN attempts ON attempts.id = attempt_id WHERE exam_id = :exam_id
"""

_CHECK = """
import runpy, sys
try:
    runpy.run_path(sys.argv.pop(1), run_name="__main__")
except SystemExit as ended:
    assert ended.code in (0, 1), ended.code
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM:")).split()[1])
"""
"""Runs the pack's script by the standard library alone, and says at the end how much memory it has held, in kB."""


def measure() -> list[Figure]:
    """Correct one question of every paper, of a county and of a smaller exam; make the county's pack and check it."""
    with application_alone() as app, app.app_context(), tempfile.TemporaryDirectory() as folder:
        exam_ids = _fill()
        tune_gc()  # as the web server does
        figures, counts = _correct_all(exam_ids)
        growth = max(large / small for large, small in zip(*counts, strict=True))
        figures.append(at_most("statements of a correction, 8,000 papers over 2,000", growth, 1, ""))
        figures += _pack(app.config["SETTINGS"], exam_ids[0], Path(folder) / "pack.zip")
        db.session.remove()
    return figures


def _correct_all(exam_ids: list[int]) -> tuple[list[Figure], list[list[int]]]:
    """Correct a question of each exam, round after round; give the figures, and of each exam the statements of its rounds."""
    figures: list[Figure] = []
    counts: list[list[int]] = []
    first_version_id, sent = _read("SELECT min(id) FROM question_versions"), []
    event.listen(db.engine, "before_cursor_execute", lambda *_args: sent.append(1))
    for exam_id, (people, items) in zip(exam_ids, _SIZES, strict=True):
        rounds: list[tuple[float, float]] = []
        counts.append([])
        for number in range(_ROUNDS):
            sent.clear()
            rounds.append(_correct(exam_id, first_version_id + number))
            counts[-1].append(len(sent))
        dry, applied = (statistics.median(each) for each in zip(*rounds, strict=True))
        name, limit = f"{people:,} papers of {items}", 2 if people == PEOPLE else 1
        figures += [
            at_most(f"{name}: dry run of a correction, median of three", dry, limit, "s"),
            at_most(f"{name}: correction applied, median of three", applied, limit, "s"),
        ]
    return figures, counts


def _read(statement: str) -> int:
    with transaction() as session:
        return session.execute(text(statement)).scalar_one()


def _fill() -> list[int]:
    """Make people, questions, papers and attempts; grade them as the sweeper does."""
    rng, exam_ids = random.Random(7), []
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(ADD_PEOPLE, {"people": PEOPLE})
        for statement in _QUESTIONS:
            session.execute(text(statement), {"bank": _BANK} if ":bank" in statement else {})
        versions = list(session.execute(text("SELECT id FROM question_versions ORDER BY id")).scalars())
        first = 1
        for people, items in _SIZES:
            exam_ids.append(session.execute(text(_EXAM)).scalar_one())
            kind = kind_of(Kind.SINGLE_CHOICE)
            schema = response_schema.encode(kind, kind.response_spec(option_count=4, blank_count=0)) * items
            papers = [
                {"id": first + n, "sections": _paper(rng, versions, items), "schema": schema, "items": items}
                for n in range(people)
            ]
            session.execute(text(_PAPER), papers)
            values = {"exam_id": exam_ids[-1], "first": first, "people": people, "items": items, "schema": schema}
            session.execute(text(_ATTEMPTS), values)
            for statement in (_ANSWERS, _HISTORY):
                session.execute(text(statement), {"exam_id": exam_ids[-1]})
            first += people
    with transaction() as session:
        session.execute(text("ANALYZE"))
    began = time.perf_counter()
    graded = grading_tasks.sweep_once()
    print(f"  {graded:,} papers graded in {time.perf_counter() - began:.1f} s")
    assert graded == sum(people for people, _ in _SIZES), graded
    return exam_ids


def _paper(rng: random.Random, versions: list[int], items: int) -> str:
    """Draw a paper: the questions to be corrected first, then others, their options shuffled."""
    drawn = [*versions[:_ROUNDS], *rng.sample(versions[_ROUNDS:], items - _ROUNDS)]
    rows = [[version_id, 0, "".join(rng.sample("ABCD", 4)), "1"] for version_id in drawn]
    return json.dumps([{"title": "单项选择题", "instructions": "", "items": rows}])


def _correct(exam_id: int, version_id: int) -> tuple[float, float]:
    change = GradeChange(kind=CorrectionKind.ITEM, version_id=version_id, treatment=Treatment.FULL)
    began, before = time.perf_counter(), cpu_of({os.getpid()})
    with transaction() as session:
        outcomes = actions.dry_run(session, change, [exam_id])
    dry, dry_cpu = time.perf_counter() - began, cpu_of({os.getpid()}) - before
    with transaction() as session:
        correction = actions.ask_correction(_context(session, 1), change=change, exam_ids=[exam_id], reason="题目有误")
        correction_id, is_published = correction.id, correction.is_published
    if is_published:
        with transaction() as session:
            actions.check_correction(_context(session, 2), correction_id)
    began, before = time.perf_counter(), cpu_of({os.getpid()})
    with transaction() as session:
        actions.approve_correction(_context(session, 3), correction_id)
    applied, cpu = time.perf_counter() - began, cpu_of({os.getpid()}) - before
    print(
        f"  {len(outcomes):,} grades touched: dry run {dry:.2f} s ({dry_cpu:.2f} s of processor time), "
        f"applied {applied:.2f} s ({cpu:.2f} s)"
    )
    return dry, applied


def _context(session, person_id: int) -> ActionContext:
    return ActionContext(session, Actor(person_id=person_id, address=None), clock.now())


def _pack(settings: Settings, exam_id: int, path: Path) -> list[Figure]:
    """Make the pack in a process of its own, whose memory is nobody else's, and check it by the script."""
    command = [sys.executable, "-m", "benchmarks.corrections", settings.database_url, str(exam_id), str(path)]
    made = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    began = time.perf_counter()
    checking = [sys.executable, "-I", "-S", "-c", _CHECK, str(ENCLOSED / "verify.py"), str(path)]
    checked = subprocess.run(checking, capture_output=True, text=True, check=True)
    took = time.perf_counter() - began
    *found, held_kb = checked.stdout.splitlines()
    # Receipts are not in this filling, so the script names them; whatever else differs ends the measure.
    wrong = [line for line in found if "回执" not in line and line != "全部相符。"]
    assert not wrong, wrong[:3]
    return [
        at_most("8,000 papers of 65: evidence pack made", made["seconds"], 60, "s"),
        at_most("8,000 papers of 65: memory of making it", made["peak_mb"], 250, "MB"),
        at_most("8,000 papers of 65: evidence pack", path.stat().st_size / 1e6, 60, "MB"),
        at_most("8,000 papers of 65: evidence pack checked", took, 30, "s"),
        at_most("8,000 papers of 65: memory of checking it", int(held_kb) / 1024, 500, "MB"),
    ]


def _make(database_url: str, exam_id: int, path: Path) -> None:
    settings = Settings(
        app_mode=Mode.TESTING,
        database_url=database_url,
        redis_url="unix:///nowhere",
        secret_key="x" * 40,
        data_keys="k1:" + "11" * 32,
        data_dir=str(path.parent),
        log_level="ERROR",
    )
    with create_app(settings).app_context():
        began = time.perf_counter()
        with transaction() as session:
            make_pack(session, exam_id, path, signer=signer_from(settings))
        print(json.dumps({"seconds": time.perf_counter() - began, "peak_mb": peak_kb() / 1024}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _make(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    else:
        print(json.dumps([figure.as_json() for figure in measure()], ensure_ascii=False, indent=1))
