"""Hand in: merge the whole sheet, close the attempt, make the receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from examapp.db.session import execute_in
from examapp.delivery.attempts import queries as attempt_queries
from examapp.delivery.attempts import rules as attempt_rules
from examapp.delivery.attempts.actions import (
    Saved,
    closed_if_overdue,
    quarantine_save,
    reject_save,
    save_answers,
    submit,
)
from examapp.delivery.attempts.models import Attempt, AttemptContact, AttemptReopening, AttemptState, QuarantinedSave
from examapp.delivery.attempts.rules import Change
from examapp.delivery.exams.models import ExamExtension
from examapp.errors import BadRequestError, ConflictError, DomainError
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import SYSTEM, ActionContext, record

AUDIT_ACTS = {"attempts.apply_extension": "延长作答时间生效"}
AUDIT_DETAILS = {"reopened": "重新打开的答卷"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """What a hand-in came to."""

    attempt: Attempt
    is_first: bool = False
    """Whether this call closed the attempt."""
    rejected: dict[int, str] = field(default_factory=dict)
    """Why single changes of the answer sheet were left out, by item."""
    rejection: DomainError | None = None
    """To be raised after the commit, where the attempt was not closed."""


def hand_in(session: Session, attempt: Attempt, *, epoch: int, changes: Sequence[Change], now: datetime) -> HandedIn:
    """Merge the whole answer sheet into a locked attempt, close it and make the receipt, in one transaction; a repeat returns the same receipt.

    Raises NotFoundError, BadRequestError.
    """
    attempt = closed_if_overdue(session, attempt, now=now)
    if attempt.state != AttemptState.IN_PROGRESS:
        if attempt.is_forced:
            quarantine_save(session, attempt, "deadline_passed", epoch=epoch, changes=changes, now=now)
        return HandedIn(attempt=attempt)
    sheet = attempt_queries.read_sheet(session, attempt.id)
    if epoch == attempt.epoch:
        changes = [change for change in changes if sheet.get(change.item) != (epoch, change.seq, change.response)]
    saved = Saved()
    if changes or epoch != attempt.epoch:
        saver: dict[str, Any] = {"person_id": attempt.person_id, "epoch": epoch, "changes": changes, "now": now}
        merged = save_answers(execute_in(session), attempt.id, **saver)
        if merged is None:
            return HandedIn(attempt=attempt, rejection=reject_save(session, attempt.id, **saver))
        saved, sheet = merged, attempt_queries.read_sheet(session, attempt.id)
    submit(session, attempt, submitted_at=min(now, attempt.deadline_at), is_forced=False, sheet=sheet)
    return HandedIn(attempt=attempt, is_first=True, rejected=saved.rejected)


_Granted = aliased(Unit, name="granted_unit")
_Newer = aliased(Attempt, name="newer_attempt")
_has_newer = (
    select(_Newer.id)
    .where(_Newer.exam_id == Attempt.exam_id, _Newer.person_id == Attempt.person_id, _Newer.number > Attempt.number)
    .exists()
)
"""Who has begun a further attempt meanwhile goes on with that one."""


def apply_extensions(session: Session, *, now: datetime) -> list[int]:
    """Apply every extension that was not yet applied, each once; give the ids of the attempts that were reopened.

    Moved are attempts begun before the grant (later ones had it from their start): those in progress, and those closed by the clock whose
    new deadline is still to come. Answers stay as they are; a grade that was made meanwhile is withdrawn by grading.
    """
    waiting = select(ExamExtension).where(ExamExtension.applied_at.is_(None)).order_by(ExamExtension.id)
    reopened: list[int] = []
    for extension in session.scalars(waiting.with_for_update(skip_locked=True)).all():
        moved = _attempts_under(session, extension)
        reopened += [attempt.id for attempt in moved if _extend(attempt, extension.seconds, now=now)]
        extension.applied_at = now
        details = {"extension_id": extension.id, "reopened": len(reopened)}
        record(
            ActionContext(session, SYSTEM, now),
            "attempts.apply_extension",
            object_type="exam",
            object_id=extension.exam_id,
            details=details,
        )
    session.flush()
    return reopened


def _attempts_under(session: Session, extension: ExamExtension) -> Sequence[Attempt]:
    statement = (
        select(Attempt)
        .join(Person, Attempt.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .outerjoin(_Granted, _Granted.id == extension.unit_id)
        .where(Attempt.exam_id == extension.exam_id, Attempt.started_at < extension.granted_at)
        .where(
            or_(
                Attempt.state == AttemptState.IN_PROGRESS,
                and_(Attempt.is_forced, Attempt.submitted_at >= Attempt.deadline_at, ~_has_newer),
            )
        )
        .where(or_(Attempt.person_id == extension.person_id, Unit.region_path.startswith(_Granted.region_path)))
        .with_for_update(of=Attempt)
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).all()


def _extend(attempt: Attempt, seconds: int, *, now: datetime) -> bool:
    """Move one attempt's deadline; tell whether it was reopened for it."""
    extra = timedelta(seconds=seconds)
    was_closed = attempt.state != AttemptState.IN_PROGRESS
    if was_closed and attempt.deadline_at + extra <= now:
        return False
    attempt.deadline_at += extra
    attempt.closes_at += extra
    if was_closed:
        attempt.state, attempt.submitted_at, attempt.is_forced = AttemptState.IN_PROGRESS, None, False
        attempt.receipt_number = attempt.receipt_sha256 = attempt.answered = None
        attempt.grading_retry_count, attempt.grading_began_at = 0, None
    return was_closed


MAX_REOPENING_S = 4 * 3600


def reopen_attempt(
    context: ActionContext,
    attempt: Attempt,
    *,
    seconds: int,
    reason: str,
    request_key: str,
    is_after_keys: bool = False,
) -> bool:
    """Open a locked, closed attempt again with its answers for so many seconds from now; return False where this request was made before.

    The grade that was made meanwhile is withdrawn by grading. Raises ConflictError, BadRequestError.
    """
    session, now = context.session, context.now
    granted = session.scalar(
        insert(AttemptReopening)
        .values(
            attempt_id=attempt.id,
            request_key=request_key,
            seconds=seconds,
            reason=reason.strip(),
            reopened_by_id=context.actor.person_id,
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
    """Check that an attempt may be reopened; raises ConflictError, BadRequestError."""
    if not 0 < seconds <= MAX_REOPENING_S or not reason.strip():
        raise BadRequestError("请填写 1 至 240 分钟的作答时间和原因。")
    if attempt.state == AttemptState.IN_PROGRESS:
        raise ConflictError("这次作答还没有交卷，不需要重新打开。需要加时间请用“延长、另行安排”。")
    if attempt_queries.has_newer_attempt(session, attempt):
        raise ConflictError("这名考生已经开始了下一次作答，不能再打开这一次。")


def open_again(attempt: Attempt) -> None:
    """Put a closed attempt back in progress, with its answers; it is graded again after the next hand-in."""
    attempt.state, attempt.submitted_at, attempt.is_forced = AttemptState.IN_PROGRESS, None, False
    attempt.receipt_number = attempt.receipt_sha256 = attempt.answered = None
    attempt.grading_retry_count, attempt.grading_began_at, attempt.quarantined_at = 0, None, None


def judge_quarantined_save(
    context: ActionContext, attempt: Attempt, kept: QuarantinedSave, *, is_accepted: bool, reason: str
) -> Saved | None:
    """Accept quarantined answers (they become a further change of the closed attempt) or reject them; None where it was judged before.

    An accepted answer replaces what is stored where it came later on the device; content of an older device replaces it in any case, since
    a person has looked at it. Receipt number and time of the hand-in stay, its digest and count are computed again. Raises ConflictError.
    """
    if kept.judged_at is not None:
        return None
    if not reason.strip():
        raise BadRequestError("请填写采纳或不采纳的理由。")
    if attempt.state == AttemptState.IN_PROGRESS:
        raise ConflictError("这名考生还在作答，请等交卷后再处理。")
    saved = _merge(context.session, attempt, kept, now=context.now) if is_accepted else Saved()
    kept.judged_at, kept.judged_by_id, kept.is_accepted, kept.judged_reason = (
        context.now,
        context.actor.person_id,
        is_accepted,
        reason.strip(),
    )
    context.session.flush()
    return saved


def _merge(session: Session, attempt: Attempt, kept: QuarantinedSave, *, now: datetime) -> Saved:
    stored = {item: answer[:2] for item, answer in attempt_queries.read_sheet(session, attempt.id).items()}
    earlier = session.scalars(
        select(QuarantinedSave).where(QuarantinedSave.attempt_id == attempt.id, QuarantinedSave.is_accepted.is_(True))
    )
    accepted = attempt_rules.newest_places((one.epoch, one.changes) for one in earlier)
    changes = attempt_rules.takeable(
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
        execute_in(session),
        attempt.id,
        person_id=attempt.person_id,
        epoch=attempt.epoch,
        changes=changes,
        now=now,
    )
    assert saved is not None
    submitted_at, is_forced, number, closes_at = before
    assert submitted_at is not None
    submit(session, attempt, submitted_at=submitted_at, is_forced=is_forced)
    attempt.receipt_number, attempt.closes_at = number, closes_at
    session.flush()
    return saved


def note_contacts(session: Session, contacts: Mapping[int, datetime]) -> None:
    """Note when these attempts were last heard of; an earlier instant changes nothing."""
    if not contacts:
        return
    rows = [{"attempt_id": attempt_id, "seen_at": at} for attempt_id, at in sorted(contacts.items())]
    statement = insert(AttemptContact)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["attempt_id"],
            set_={"seen_at": func.greatest(AttemptContact.seen_at, statement.excluded.seen_at)},
        ),
        rows,
    )
