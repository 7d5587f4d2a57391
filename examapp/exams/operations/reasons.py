"""The reasons that a request for an exemption may name, as the office words them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import DomainError, NotFoundError
from examapp.exams.models import ExemptionReason


class ReasonRefusedError(DomainError):
    """A reason cannot be so."""

    code = "reason_refused"
    status = 422


def add_reason(session: Session, *, words: str, needs_details: bool, actor: Actor, now: datetime) -> ExemptionReason:
    """Offer a reason from now on; raises ReasonRefusedError where it stands already."""
    _refuse_double(session, words, own_id=0)
    reason = ExemptionReason(words=words, needs_details=needs_details)
    session.add(reason)
    session.flush()
    _record(session, "exams.add_reason", reason, actor=actor, now=now)
    return reason


def change_reason(
    session: Session, *, reason_id: int, words: str, needs_details: bool, actor: Actor, now: datetime
) -> None:
    """Word a reason anew; requests that named it keep the words of their day. Raises ReasonRefusedError."""
    reason = _lock(session, reason_id)
    _refuse_double(session, words, own_id=reason.id)
    reason.words, reason.needs_details = words, needs_details
    _record(session, "exams.change_reason", reason, actor=actor, now=now)


def offer_reason(session: Session, *, reason_id: int, is_offered: bool, actor: Actor, now: datetime) -> None:
    """Offer a reason no longer, or again; one at least stays. A second press changes nothing. Raises ReasonRefusedError."""
    reason = _lock(session, reason_id)
    if is_offered == (reason.retired_at is None):
        return
    others = select(ExemptionReason.id).where(ExemptionReason.retired_at.is_(None), ExemptionReason.id != reason_id)
    if not is_offered and session.scalars(others.limit(1)).first() is None:
        raise ReasonRefusedError("至少要保留一个原因，否则无法提出申请。请先增加新的原因。")
    reason.retired_at = None if is_offered else now
    _record(session, "exams.offer_reason" if is_offered else "exams.retire_reason", reason, actor=actor, now=now)


def _lock(session: Session, reason_id: int) -> ExemptionReason:
    # All of them, so that two hands at once cannot take the last two away.
    reasons = session.scalars(
        select(ExemptionReason).order_by(ExemptionReason.id).with_for_update().execution_options(populate_existing=True)
    )
    found = next((reason for reason in reasons if reason.id == reason_id), None)
    if found is None:
        raise NotFoundError
    return found


def _refuse_double(session: Session, words: str, *, own_id: int) -> None:
    same = select(ExemptionReason.id).where(ExemptionReason.words == words, ExemptionReason.id != own_id)
    if session.scalar(same) is not None:
        raise ReasonRefusedError(f"已有「{words}」这个原因。停用的可以恢复使用，不用重复增加。")


def _record(session: Session, act: str, reason: ExemptionReason, *, actor: Actor, now: datetime) -> None:
    details = {"words": reason.words}
    record(session, act, actor=actor, now=now, object_type="exemption_reason", object_id=reason.id, details=details)
