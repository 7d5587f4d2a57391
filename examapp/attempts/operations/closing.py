"""Close an attempt: handed in, or by the clock with what was saved; and the receipt."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from examapp.attempts import queries, rules
from examapp.attempts.models import Attempt, AttemptState, SetAsideSave
from examapp.attempts.rules import Change
from examapp.core import sabotage
from examapp.core.db import after_commit, transaction_aside
from examapp.core.jobs import MOST_TRIES
from examapp.core.nudge import nudge_after_commit
from examapp.core.sabotage import Guarantee

GRADE_TASK = "grading.grade_attempt"
_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode


def close_overdue(session: Session, *, now: datetime, most: int) -> int:
    """Close attempts whose deadline plus grace has passed, with what was saved; safe beside any number of others. Gives how many."""
    ids = queries.list_overdue_ids(session, now=now, most=most)
    for attempt in session.scalars(
        select(Attempt).where(Attempt.id.in_(ids)).execution_options(populate_existing=True)
    ):
        submit(session, attempt, submitted_at=attempt.deadline_at, is_forced=True)
    return len(ids)


def close_if_overdue(session: Session, attempt_id: int, *, person_id: int, now: datetime) -> Attempt:
    """Get an attempt as it stands at this instant: closed where its time is over. Raises NotFoundError."""
    attempt = queries.get_own_attempt(session, attempt_id, person_id=person_id)
    return closed_if_overdue(session, attempt, now=now)


def closed_if_overdue(session: Session, attempt: Attempt, *, now: datetime) -> Attempt:
    """Give an attempt as it stands at this instant: locked and closed where its time is over."""
    if attempt.state != AttemptState.IN_PROGRESS or attempt.closes_at > now:
        return attempt
    attempt = queries.lock_own_attempt(session, attempt.id, person_id=attempt.person_id)
    if attempt.state == AttemptState.IN_PROGRESS and attempt.closes_at <= now:
        submit(session, attempt, submitted_at=attempt.deadline_at, is_forced=True)
    return attempt


def submit(session: Session, attempt: Attempt, *, submitted_at: datetime, is_forced: bool) -> None:
    """Close an attempt whose row is locked: count the answers, make the receipt, nudge the grading."""
    answers = queries.list_answers(session, attempt.id)
    if is_forced and sabotage.is_broken(Guarantee.FORCED_CLOSE_KEEPS_ANSWERS):
        answers = []
    answered, sha256 = rules.sheet_digest(attempt.id, attempt.response_schema, ((a.item, a.response) for a in answers))
    attempt.state = AttemptState.SUBMITTED
    attempt.submitted_at = submitted_at
    attempt.is_forced = is_forced
    attempt.answered, attempt.receipt_sha256 = answered, sha256
    attempt.receipt_number = rules.receipt_number(attempt.id, sha256)
    if sabotage.is_broken(Guarantee.WORK_IN_THE_SAME_COMMIT):
        attempt.grading_tries = MOST_TRIES
        after_commit(session, partial(_ask_for_grading_late, attempt.id))
    session.flush()
    nudge_after_commit(session, GRADE_TASK, attempt.id)


def _ask_for_grading_late(attempt_id: int) -> None:
    time.sleep(0.5)
    with transaction_aside() as session:
        session.execute(update(Attempt).where(Attempt.id == attempt_id).values(grading_tries=0))


def set_aside(
    session: Session, attempt: Attempt, reason: str, *, epoch: int, changes: Sequence[Change], now: datetime
) -> bool:
    """Keep the newest content of each item of a save that came too late or from an older device, for an administrator to judge.

    The attempt's row is locked. One row an epoch is kept until it is judged. Tells whether all of it is kept: an attempt has its bounds.
    """
    if not changes:
        return True
    rows = session.scalars(select(SetAsideSave).where(SetAsideSave.attempt_id == attempt.id)).all()
    known = rules.newest_places((row.epoch, row.changes) for row in rows if row.epoch == epoch)
    row = next((r for r in rows if (r.epoch, r.reason, r.judged_at) == (epoch, reason, None)), None)
    merged = rules.merged_set_aside(
        row.changes if row else [],
        changes,
        known={item: seq for item, (_, seq) in known.items()},
        items=attempt.total,
    )
    if merged is None:
        return True
    others = [r.changes for r in rows if r is not row]
    is_full = len(others) >= rules.MOST_SET_ASIDE_ROWS
    if is_full or sum(len(_AS_JSON(kept).encode()) for kept in [*others, merged]) > rules.MOST_SET_ASIDE_BYTES:
        return False
    if row is None:
        row = SetAsideSave(attempt_id=attempt.id, reason=reason, epoch=epoch)
        session.add(row)
    row.changes, row.received_at = merged, now
    row.digest = rules.changes_digest(epoch, (Change(*kept) for kept in merged))
    session.flush()
    return True
