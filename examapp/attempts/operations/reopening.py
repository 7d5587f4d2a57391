"""What the office decides about a closed attempt: open it again, or take over late answers that were set aside."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.attempts import queries, rules
from examapp.attempts.models import Attempt, AttemptReopening, AttemptState, SetAsideSave
from examapp.attempts.operations.closing import submit
from examapp.attempts.operations.saving import Saved, save_answers
from examapp.attempts.rules import Change
from examapp.audit.operations import Actor
from examapp.core.errors import BadRequestError, ConflictError

LONGEST_REOPENING_S = 4 * 3600


def reopen_attempt(
    session: Session,
    attempt: Attempt,
    *,
    seconds: int,
    reason: str,
    request_key: str,
    actor: Actor,
    now: datetime,
    is_after_keys: bool = False,
) -> bool:
    """Open a locked, closed attempt again with its answers for so many seconds from now; tell whether this press did it.

    The grade that was made meanwhile is the grading room's to withdraw. Raises ConflictError, BadRequestError.
    """
    granted = session.scalar(
        insert(AttemptReopening)
        .values(
            attempt_id=attempt.id,
            request_key=request_key,
            seconds=seconds,
            reason=reason.strip(),
            reopened_by_id=actor.person_id,
            reopened_at=now,
            is_after_keys=is_after_keys,
        )
        .on_conflict_do_nothing(index_elements=["attempt_id", "request_key"])
        .returning(AttemptReopening.id)
    )
    if granted is None:
        return False
    check_reopening(session, attempt, seconds=seconds, reason=reason)
    grace = attempt.closes_at - attempt.deadline_at
    attempt.deadline_at = now + timedelta(seconds=seconds)
    attempt.closes_at = attempt.deadline_at + grace
    open_again(attempt)
    session.flush()
    return True


def check_reopening(session: Session, attempt: Attempt, *, seconds: int, reason: str) -> None:
    """Hold a wish to open an attempt again against what stands; raises ConflictError, BadRequestError."""
    if not 0 < seconds <= LONGEST_REOPENING_S or not reason.strip():
        raise BadRequestError("请填写 1 至 240 分钟的作答时间和原因。")
    if attempt.state == AttemptState.IN_PROGRESS:
        raise ConflictError("这次作答还没有交卷，不需要重新打开。需要加时间请用“延长作答时间”。")
    if queries.has_newer_attempt(session, attempt):
        raise ConflictError("这名考生已经开始了下一次作答，不能再打开这一次。")


def open_again(attempt: Attempt) -> None:
    """Put a closed attempt back in progress, with its answers; its grading begins anew after the next hand-in."""
    attempt.state, attempt.submitted_at, attempt.is_forced = AttemptState.IN_PROGRESS, None, False
    attempt.receipt_number = attempt.receipt_sha256 = attempt.answered = None
    attempt.grading_tries, attempt.grading_began_at, attempt.set_aside_at = 0, None, None


def judge_set_aside(
    session: Session,
    attempt: Attempt,
    kept: SetAsideSave,
    *,
    is_accepted: bool,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Saved | None:
    """Accept late answers (they become a further change of the closed attempt) or reject them; None where it was judged before.

    An accepted answer replaces what is stored where it came later on the device; content of an older device replaces it in any case, since
    a person has looked at it. Receipt number and time of the hand-in stay, its digest and count are made anew. Raises ConflictError.
    """
    if kept.judged_at is not None:
        return None
    if not reason.strip():
        raise BadRequestError("请填写采纳或不采纳的理由。")
    if attempt.state == AttemptState.IN_PROGRESS:
        raise ConflictError("这名考生还在作答，请等交卷后再处理。")
    saved = _merge(session, attempt, kept, now=now) if is_accepted else Saved()
    kept.judged_at, kept.judged_by_id, kept.is_accepted, kept.judged_reason = (
        now,
        actor.person_id,
        is_accepted,
        reason.strip(),
    )
    session.flush()
    return saved


def _merge(session: Session, attempt: Attempt, kept: SetAsideSave, *, now: datetime) -> Saved:
    stored = {a.item: (a.epoch, a.seq) for a in queries.list_answers(session, attempt.id)}
    earlier = session.scalars(
        select(SetAsideSave).where(SetAsideSave.attempt_id == attempt.id, SetAsideSave.is_accepted.is_(True))
    )
    accepted = rules.newest_places((one.epoch, one.changes) for one in earlier)
    changes = rules.takeable(
        [Change(item, seq, response) for item, seq, response in kept.changes],
        epoch=kept.epoch, stored=stored, accepted=accepted, is_older_device=kept.reason == "taken_over",
    )  # fmt: skip
    before = (attempt.submitted_at, attempt.is_forced, attempt.receipt_number, attempt.closes_at)
    # Through the same statement that judged every other answer: the attempt is open for it within this transaction only.
    open_again(attempt)
    attempt.epoch += 1
    attempt.closes_at = max(attempt.closes_at, now + timedelta(seconds=1))
    session.flush()
    saved = save_answers(
        session, attempt.id, person_id=attempt.person_id, epoch=attempt.epoch, changes=changes, now=now
    )
    if saved.refused_as is not None:
        raise saved.refused_as
    submitted_at, is_forced, number, closes_at = before
    assert submitted_at is not None
    submit(session, attempt, submitted_at=submitted_at, is_forced=is_forced)
    attempt.receipt_number, attempt.closes_at = number, closes_at
    session.flush()
    return saved
