"""The office's decisions about closed attempts, audited: open one again, take late answers over, grade anew what was set aside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from examapp.attempts import operations as attempts_room
from examapp.attempts import queries as attempts_queries
from examapp.attempts.models import Attempt
from examapp.audit.operations import Actor, record
from examapp.grading.models import Grade
from examapp.grading.operations.grading import regrade_set_aside
from examapp.people.rules import Reach


def reopen_attempt(
    session: Session,
    *,
    attempt_id: int,
    seconds: int,
    reason: str,
    request_key: str,
    reach: Reach,
    actor: Actor,
    now: datetime,
) -> bool:
    """Open a closed attempt again with its answers; tell whether this press did it: the same `request_key` counts once."""
    attempt = attempts_queries.lock_attempt_within(session, attempt_id, reach)
    before = _receipt(attempt)
    if not attempts_room.reopen_attempt(
        session, attempt, seconds=seconds, reason=reason, request_key=request_key, actor=actor, now=now
    ):
        return False
    _withdraw_grade(session, attempt)
    details = before | {"seconds": seconds, "reason": reason.strip()}
    _record(session, "grading.reopen_attempt", attempt, details, actor=actor, now=now)
    return True


def judge_set_aside(
    session: Session, *, save_id: int, is_accepted: bool, reason: str, reach: Reach, actor: Actor, now: datetime
) -> bool:
    """Accept late answers, which are then graded with the rest, or reject them; tell whether this press did it."""
    attempt, kept = attempts_queries.lock_set_aside_within(session, save_id, reach)
    before = _receipt(attempt)
    saved = attempts_room.judge_set_aside(
        session, attempt, kept, is_accepted=is_accepted, reason=reason, actor=actor, now=now
    )
    if saved is None:
        return False
    if is_accepted:
        _withdraw_grade(session, attempt)
    details = before | {"items": sorted(saved.acked), "refused": len(saved.refused), "reason": reason.strip()}
    act = "grading.accept_late_answers" if is_accepted else "grading.reject_late_answers"
    _record(session, act, attempt, details, actor=actor, now=now)
    return True


def grade_set_aside_again(session: Session, *, attempt_id: int, reach: Reach, actor: Actor, now: datetime) -> bool:
    """Let an attempt be graded again whose grading failed three times; tell whether it waited for that."""
    attempt = attempts_queries.lock_attempt_within(session, attempt_id, reach)
    if attempt.set_aside_at is None:
        return False
    regrade_set_aside(session, attempt.id)
    _record(session, "grading.grade_again", attempt, {}, actor=actor, now=now)
    return True


def _receipt(attempt: Attempt) -> dict[str, Any]:
    return {"sha256": attempt.receipt_sha256, "answered": attempt.answered}


def _withdraw_grade(session: Session, attempt: Attempt) -> None:
    session.execute(
        update(Grade)
        .where(Grade.attempt_id == attempt.id, Grade.is_current)
        .values(is_current=False)
        .execution_options(synchronize_session=False)
    )


def _record(
    session: Session, act: str, attempt: Attempt, details: dict[str, Any], *, actor: Actor, now: datetime
) -> None:
    record(
        session, act, actor=actor, now=now, object_type="attempt", object_id=attempt.id, person_id=attempt.person_id, details=details
    )  # fmt: skip
