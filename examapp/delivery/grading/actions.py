"""Grade attempts, and write down what follows from grades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from examapp.content.blueprints.queries import PaperItem, items_of
from examapp.content.questions.models import QuestionUse
from examapp.delivery.attempt_changes import actions as attempt_change_actions
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading import queries, rules
from examapp.delivery.grading.models import Grade
from examapp.delivery.grading.queries import GradedPaper, VersionKey, exams_to_tally, iter_graded_papers
from examapp.delivery.grading.rules import Marks
from examapp.platform.audit.actions import SYSTEM, record
from examapp.points import percentage
from question_bank.kinds.base import ItemKey, ScoringRule
from question_bank.kinds.registry import kind_of

AUDIT_ACTS = {"grading.quarantine": "评分多次失败，转人工处理"}
AUDIT_VALUES = {"excellent": "优秀", "good": "良好", "failed": "不合格", "passed": "合格"}

log = structlog.get_logger()
BATCH = 50
"""Attempts graded in one transaction."""
LEASE = timedelta(seconds=30)
"""How long a begun try is left alone before another may be made."""


def begin_batch(session: Session, *, now: datetime, most: int = BATCH) -> list[int]:
    """Count a first try for attempts that were never tried; commit before `grade_batch`, so that a crash counts too."""
    return _begin(queries.claim_ungraded(session, most=most, is_first=True), now=now)


def begin_again(session: Session, *, now: datetime) -> list[int]:
    """Count a further try for one attempt whose last try did not end within its lease; empty where there is none."""
    return _begin(queries.claim_ungraded(session, most=1, lease_over_at=now - LEASE), now=now)


def _begin(attempts: Sequence[Attempt], *, now: datetime) -> list[int]:
    for attempt in attempts:
        attempt.grading_retry_count += 1
        attempt.grading_began_at = now
    return [attempt.id for attempt in attempts]


def grade_batch(session: Session, ids: Sequence[int], *, now: datetime) -> int:
    """Grade these attempts, as far as they still wait and nobody else has them; gives how many."""
    attempts = queries.claim_ungraded(session, most=len(ids), ids=ids)
    if not attempts:
        return 0
    papers = queries.papers_by_id(session, (attempt.paper_id for attempt in attempts))
    items = {paper.id: items_of(paper) for paper in papers.values()}
    keys = queries.newest_keys(session, (item.version_id for listed in items.values() for item in listed))
    exams = queries.exams_by_id(session, (attempt.exam_id for attempt in attempts))
    answers = queries.answers_by_attempt(session, [attempt.id for attempt in attempts])
    numbers = queries.last_grade_numbers(session, [attempt.id for attempt in attempts])
    grades = [
        _grade(a, exams[a.exam_id], items[a.paper_id], keys, answers[a.id], now=now)
        | {"number": numbers.get(a.id, 0) + 1}
        for a in attempts
    ]
    session.execute(insert(Grade), grades)
    session.execute(
        update(Attempt)
        .where(Attempt.id.in_([a.id for a in attempts]))
        .values(state=AttemptState.GRADED)
        .execution_options(synchronize_session=False)
    )
    return len(attempts)


def _grade(
    attempt: Attempt,
    exam: Exam,
    items: Sequence[PaperItem],
    keys: dict[int, VersionKey],
    answers: dict[int, list[str]],
    *,
    now: datetime,
) -> dict[str, Any]:
    score = rules.score_paper(
        [item_key(item, keys[item.version_id]) for item in items],
        [answers.get(item.item, []) for item in items],
        rule=ScoringRule(exam.scoring_rule),
        marks=marks_of(exam),
    )
    return {
        "attempt_id": attempt.id, "is_current": True, "points": score.points, "points_possible": score.points_possible,
        "percent": score.percent, "band": score.band, "is_passed": score.is_passed, "item_points": [str(p) for p in score.item_points],
        "key_ids": {str(item.version_id): keys[item.version_id].id for item in items}, "reason": "first", "graded_at": now,
    }  # fmt: skip


def item_key(item: PaperItem, key: VersionKey) -> ItemKey:
    """Give what an item of a paper is scored against, in the letters that this person saw."""
    part = key.parts[item.part]
    return ItemKey(
        kind=item.kind,
        points=item.points,
        scoring=item.scoring,
        key=kind_of(item.kind).display_key(part["key"], item.order),
        option_count=len(item.order),
        blanks=tuple(tuple(variants) for variants in part.get("blanks") or ()),
    )


def marks_of(exam: Exam) -> Marks:
    """Give the exam's marks of pass and bands."""
    return Marks(
        pass_percent=exam.pass_percent, good_percent=exam.good_percent, excellent_percent=exam.excellent_percent
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
        log.error("attempt_quarantined", attempt_id=attempt.id, tries=attempt.grading_retry_count)
        record(
            session, "grading.quarantine", actor=SYSTEM, now=now, object_type="attempt", object_id=attempt.id, person_id=attempt.person_id
        )  # fmt: skip
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
    """Count anew every exam with grades younger than its last count; gives how many exams were counted."""
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
            tally = found.setdefault((version_id, part + 1), _Tally())
            tally.asked += 1
            tally.right += Decimal(points) == Decimal(possible)
            tally.points += Decimal(points)
            tally.possible += Decimal(possible)
    return found
