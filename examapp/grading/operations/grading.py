"""Grade attempts: the row is the truth, a second run changes nothing, a bad paper is set aside and never scored as zero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from examapp.attempts import operations as attempts_room
from examapp.attempts.models import Attempt, AttemptState
from examapp.audit.operations import SYSTEM, record
from examapp.core import sabotage
from examapp.core.jobs import MOST_TRIES
from examapp.core.sabotage import Guarantee
from examapp.exams.models import Exam
from examapp.grading import queries, rules
from examapp.grading.models import Grade
from examapp.grading.queries import VersionKey
from examapp.grading.rules import Marks
from examapp.papers.queries import PaperItem, items_of
from question_bank.kinds.base import ItemKey, ScoringRule
from question_bank.kinds.registry import kind_of

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
        attempt.grading_tries += 1
        if sabotage.is_broken(Guarantee.TRIES_IN_POSTGRESQL):
            attempt.grading_tries = min(sabotage.count_in_redis(f"tries:{attempt.id}"), MOST_TRIES)
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
    reopened = attempts_room.apply_extensions(session, now=now)
    session.execute(update(Grade).where(Grade.attempt_id.in_(reopened), Grade.is_current).values(is_current=False))
    return len(reopened)


def set_aside_exhausted(session: Session, *, now: datetime) -> int:
    """Set attempts aside whose grading failed three times, with an alarm; gives how many."""
    exhausted = queries.list_exhausted(session, lease_over_at=now - LEASE)
    for attempt in exhausted:
        attempt.set_aside_at = now
        log.error("attempt_set_aside", attempt_id=attempt.id, tries=attempt.grading_tries)
        record(
            session, "grading.set_aside", actor=SYSTEM, now=now, object_type="attempt", object_id=attempt.id, person_id=attempt.person_id
        )  # fmt: skip
    return len(exhausted)


def regrade_set_aside(session: Session, attempt_id: int) -> None:
    """Let a set-aside attempt be graded again, after its cause was mended."""
    session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id)
        .values(set_aside_at=None, grading_tries=0, grading_began_at=None)
    )
