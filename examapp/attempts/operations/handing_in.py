"""Hand in: merge the whole sheet, close the attempt, make the receipt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from examapp.attempts import queries
from examapp.attempts.models import Attempt, AttemptState
from examapp.attempts.operations.closing import closed_if_overdue, set_aside, submit
from examapp.attempts.operations.saving import Saved, save_answers
from examapp.attempts.rules import Change
from examapp.core import sabotage
from examapp.core.sabotage import Guarantee


def hand_in(
    session: Session, attempt_id: int, *, person_id: int, epoch: int, changes: Sequence[Change], now: datetime
) -> tuple[Attempt, bool, Saved]:
    """Merge the whole sheet, close the attempt and make the receipt, in one transaction; a repeat gives the same receipt.

    Tells whether it was closed by this call. Raises NotFoundError, BadRequestError.
    """
    attempt = queries.lock_own_attempt(session, attempt_id, person_id=person_id)
    attempt = closed_if_overdue(session, attempt, now=now)
    if attempt.state != AttemptState.IN_PROGRESS and sabotage.is_broken(Guarantee.ONE_SUBMISSION):
        submit(session, attempt, submitted_at=now, is_forced=False)
        return attempt, True, Saved()
    if attempt.state != AttemptState.IN_PROGRESS:
        if attempt.is_forced:
            set_aside(session, attempt, "deadline_passed", epoch=epoch, changes=changes, now=now)
        return attempt, False, Saved()
    saved = save_answers(session, attempt_id, person_id=person_id, epoch=epoch, changes=changes, now=now)
    if saved.refused_as is not None:
        return attempt, False, saved
    submit(session, attempt, submitted_at=min(now, attempt.deadline_at), is_forced=False)
    return attempt, True, saved
