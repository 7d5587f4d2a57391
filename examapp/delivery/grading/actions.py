"""Grade attempts, and write down what follows from grades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import structlog
from sqlalchemy import delete, insert, text, update
from sqlalchemy.orm import Session

from examapp.content.questions.models import QuestionUse
from examapp.delivery.attempt_changes import actions as attempt_change_actions
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading import queries, rules
from examapp.delivery.grading.models import Grade
from examapp.delivery.grading.queries import AnswerSheet, GradedPaper, exams_to_tally, iter_graded_papers
from examapp.delivery.grading.rules import GradingRules, Ruling, VersionKey
from examapp.jobs.models import MAX_RETRIES
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.points import percentage
from question_bank.kinds.base import ScoringRule

AUDIT_ACTS = {"grading.quarantine": "评分多次失败，转人工处理"}
AUDIT_VALUES = {"excellent": "优秀", "good": "良好", "failed": "不合格", "passed": "合格"}

log = structlog.get_logger()
BATCH = 50
"""Attempts graded in one transaction."""
LEASE = timedelta(seconds=30)
"""How long a begun try is left alone before another may be made."""


def begin_batch(session: Session, *, now: datetime, limit: int = BATCH) -> list[int]:
    """Count a first try for attempts that were never tried; commit before `grade_batch`, so that a crash counts too."""
    return queries.begin_grading(session, queries.BEGIN_FIRST, now=now, limit=limit)


def begin_again(session: Session, *, now: datetime) -> list[int]:
    """Count a further try for one attempt whose last try did not end within its lease; empty where there is none."""
    values = {"now": now, "limit": 1, "max_retries": MAX_RETRIES - 1, "lease_over_at": now - LEASE}
    return queries.begin_grading(session, queries.BEGIN_AGAIN, **values)


_WRITE = text("""
WITH graded AS (
  INSERT INTO grades
    (attempt_id, number, is_current, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, ruling_ids, mark_ids, sheet, reason, graded_at)
  SELECT attempt_id, number, true, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, ruling_ids, mark_ids, decode(sheet, 'base64'), 'first', :now
  FROM jsonb_to_recordset(CAST(:grades AS jsonb)) AS g(
    attempt_id bigint, number int, points numeric, points_possible numeric, percent numeric, band text, is_passed bool, item_points jsonb, key_ids jsonb,
    rules jsonb, ruling_ids bigint[], mark_ids bigint[], sheet text
  )
  RETURNING attempt_id
)
UPDATE attempts SET state = 'graded' FROM graded WHERE attempts.id = graded.attempt_id
""")


def grade_batch(session: Session, ids: Sequence[int], *, now: datetime) -> int:
    """Grade these attempts, as far as they still wait and nobody else has them, in few statements. Return how many."""
    queries.hold_keys(session)
    locked = queries.lock_ungraded(session, ids)
    if not locked:
        return 0
    sheets = queries.list_sheets(session, locked)
    keys = queries.newest_keys(session, (version_id for sheet in sheets for version_id in sheet.version_ids))
    rulings = queries.rulings_by_id(session, {ruling_id for sheet in sheets for ruling_id in sheet.ruling_ids})
    grades = [
        {"attempt_id": sheet.id, "number": sheet.last_number + 1, **make_grade(sheet, keys, rulings)}
        for sheet in sheets
    ]
    session.connection().execute(_WRITE, {"grades": msgspec.json.encode(grades).decode(), "now": now})
    return len(sheets)


def make_grade(sheet: AnswerSheet, keys: Mapping[int, VersionKey], rulings: Mapping[int, Ruling]) -> dict[str, Any]:
    """Score an attempt, and name everything the grade is made of: the columns of `grades` that never change.

    Raise KeyError for a question version without a key, UnmarkedItemError for an item that a person must mark and nobody has.
    """
    versions, marks = set(sheet.version_ids), sheet.hand_marks or []
    applied = [rulings[ruling_id] for ruling_id in sheet.ruling_ids if rulings[ruling_id].version_id in versions]
    score = rules.score_paper(
        sheet.sections,
        sheet.response_schema,
        sheet.responses or {},
        keys,
        rules=GradingRules.from_json(sheet.rules),
        rulings=applied,
        hand_points={mark["item"]: Decimal(mark["points"]) for mark in marks},
    )
    return {
        "points": score.points, "points_possible": score.points_possible, "percent": score.percent, "band": score.band, "is_passed": score.is_passed,
        "item_points": score.item_points, "sheet": score.sheet, "key_ids": {str(version_id): keys[version_id].id for version_id in sheet.version_ids},
        "rules": sheet.rules, "ruling_ids": [ruling.id for ruling in applied], "mark_ids": sorted(mark["id"] for mark in marks),
    }  # fmt: skip


def rules_of(exam: Exam) -> GradingRules:
    """Give an exam's rules of today: scoring, pass mark and bands."""
    return GradingRules(
        scoring_rule=ScoringRule(exam.scoring_rule),
        pass_percent=exam.pass_percent,
        good_percent=exam.good_percent,
        excellent_percent=exam.excellent_percent,
    )


def apply_extensions(session: Session, *, now: datetime) -> int:
    """Apply extra time that was granted; the grade of an attempt that is open again no longer counts. Gives how many were reopened."""
    reopened = attempt_change_actions.apply_extensions(session, now=now)
    session.execute(update(Grade).where(Grade.attempt_id.in_(reopened), Grade.is_current).values(is_current=False))
    return len(reopened)


def set_aside_exhausted(session: Session, *, now: datetime) -> int:
    """Set attempts aside whose grading failed three times, with an alarm; gives how many."""
    exhausted = queries.list_exhausted(session, lease_over_at=now - LEASE)
    for attempt in exhausted:
        attempt.quarantined_at = now
        log.error("attempt_quarantined", attempt_id=attempt.id, attempts_made=attempt.grading_retry_count)
        record(ActionContext(session, SYSTEM, now), "grading.quarantine", object_type="attempt", object_id=attempt.id, person_id=attempt.person_id)  # fmt: skip
    return len(exhausted)


def regrade_set_aside(session: Session, attempt_id: int) -> None:
    """Let a set-aside attempt be graded again, after its cause was mended."""
    session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id)
        .values(quarantined_at=None, grading_retry_count=0, grading_began_at=None)
    )


_AT_ONCE = 5000


@dataclass(slots=True)
class _Tally:
    asked: int = 0
    right: int = 0
    points: Decimal = Decimal(0)
    possible: Decimal = Decimal(0)


def tally_questions(session: Session, *, now: datetime) -> int:
    """Count again every exam with grades younger than its last count; gives how many exams were counted."""
    due = exams_to_tally(session)
    for exam_id, title in due:
        rows = [
            {
                "question_version_id": version_id, "part": part, "exam_id": exam_id, "exam_title": title, "asked": tally.asked,
                "right_count": tally.right, "share": percentage(tally.points, tally.possible) or Decimal(0), "counted_at": now,
            }
            for (version_id, part), tally in sorted(_tallies(iter_graded_papers(session, exam_id)).items())
        ]  # fmt: skip
        session.execute(delete(QuestionUse).where(QuestionUse.exam_id == exam_id))
        for start in range(0, len(rows), _AT_ONCE):
            session.execute(insert(QuestionUse), rows[start : start + _AT_ONCE])
    return len(due)


def _tallies(graded: Iterator[GradedPaper]) -> dict[tuple[int, int], _Tally]:
    found: dict[tuple[int, int], _Tally] = {}
    for paper in graded:
        items = (item for section in paper.sections for item in section["items"])
        for (version_id, part, _, possible), points in zip(items, paper.item_points, strict=True):
            if (version_id, part) in paper.void:
                continue
            tally = found.setdefault((version_id, part + 1), _Tally())
            tally.asked += 1
            tally.right += Decimal(points) == Decimal(possible)
            tally.points += Decimal(points)
            tally.possible += Decimal(possible)
    return found
