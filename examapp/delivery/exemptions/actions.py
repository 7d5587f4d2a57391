"""Exemptions and deferrals: asked for by the person or the unit, decided by the office; every figure reads the row.

Asked for by the person until the exam closes, by the unit also afterwards (a proof comes late); decided at any time: what is approved
after the exam has closed counts at once like any other, and a person who sat nevertheless stands apart (免考、缓考而参加了考试).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.delivery.exam_candidates.queries import CandidateExam, find_candidate_exam
from examapp.delivery.exams.models import Exemption, ExemptionKind, ExemptionReason
from examapp.delivery.exams.rules import ExamPhase
from examapp.delivery.exemptions.queries import ROOM
from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, record
from examapp.uploads.actions import store_file
from examapp.uploads.models import FileKind

AUDIT_ACTS = {
    "exams.add_reason": "增加免考原因",
    "exams.approve_exemption": "批准免考或缓考",
    "exams.change_reason": "修改免考原因",
    "exams.restore_reason": "恢复免考原因",
    "exams.reject_exemption": "不同意免考或缓考",
    "exams.request_exemption": "申请免考或缓考",
    "exams.retire_reason": "停用免考原因",
    "exams.withdraw_exemption": "撤回免考或缓考申请",
}
AUDIT_OBJECTS = {"exemption": "免考或缓考", "exemption_reason": "免考、缓考原因"}
AUDIT_VALUES = {"deferred": "缓考", "exempt": "免考"}


class InvalidExemptionError(DomainError):
    """An exemption cannot be asked for or decided so."""

    code = "exemption_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A paper that proves a reason, as it was sent."""

    name: str
    content: bytes


PROOF_KINDS = frozenset({FileKind.IMAGE, FileKind.PDF, FileKind.DOCX})


def request_exemption(
    context: ActionContext,
    *,
    exam_id: int,
    person_id: int,
    kind: ExemptionKind,
    reason: str,
    access: AccessScope,
    proof: Attachment | None = None,
) -> Exemption:
    """Ask for a person's exemption or deferral; raises NotFoundError outside the access scope, InvalidExemptionError where one is pending or stands."""
    _get_person(context.session, person_id, access)
    candidate = find_candidate_exam(context.session, exam_id, person_id)
    if candidate is None:
        raise NotFoundError
    if not (candidate.is_on_roster and candidate.is_in_audience):
        raise InvalidExemptionError("此人不在这场考试的应考范围内，不用申请免考、缓考。请核对考试和人员。")
    return _request(context, candidate, kind=kind, reason=reason, proof=proof)


def request_own_exemption(
    context: ActionContext, *, exam_id: int, kind: ExemptionKind, reason: str, proof: Attachment | None = None
) -> Exemption:
    """Ask for one's own exemption or deferral, until the exam closes; raises NotFoundError for an exam that is not one's own."""
    candidate = (
        None
        if context.actor.person_id is None
        else find_candidate_exam(context.session, exam_id, context.actor.person_id)
    )
    if candidate is None or not (candidate.is_on_roster and candidate.is_in_audience):
        raise NotFoundError
    if candidate.phase(context.now) is ExamPhase.CLOSED:
        raise InvalidExemptionError("考试已经结束，本人不能再申请。确需补办的，请联系本单位管理员。")
    return _request(context, candidate, kind=kind, reason=reason, proof=proof)


def _request(
    context: ActionContext, candidate: CandidateExam, *, kind: ExemptionKind, reason: str, proof: Attachment | None
) -> Exemption:
    session, actor, now = context.session, context.actor, context.now
    if not reason.strip():
        raise InvalidExemptionError("请填写申请原因。")
    exemption_id = session.scalar(
        insert(Exemption)
        .values(
            exam_id=candidate.exam.id,
            person_id=candidate.person_id,
            kind=kind,
            reason=reason.strip(),
            requested_by_id=actor.person_id,
            requested_at=now,
            answer="",
        )
        .on_conflict_do_nothing(
            index_elements=["exam_id", "person_id"],
            index_where=text("withdrawn_at IS NULL AND rejected_at IS NULL"),
        )
        .returning(Exemption.id)
    )
    if exemption_id is None:
        raise InvalidExemptionError("此人在这场考试中已有申请，请在列表中查看；需要改动时先撤回原申请。")
    row = session.get_one(Exemption, exemption_id)  # meant: made above
    if proof is not None:
        row.file_id = store_file(
            session,
            room=ROOM,
            name=proof.name,
            content=proof.content,
            by_id=actor.person_id,
            now=now,
            kinds=PROOF_KINDS,
        ).id
    _record(context, "exams.request_exemption", row)
    return row


def approve_exemption(context: ActionContext, *, exemption_id: int, answer: str = "", access: AccessScope) -> Exemption:
    """Approve a pending request: from now on the person is not counted as eligible. Nobody decides on their own."""
    row = _lock_pending(context, exemption_id, access)
    row.approved_at, row.approved_by_id, row.answer = context.now, context.actor.person_id, answer
    _record(context, "exams.approve_exemption", row)
    return row


def reject_exemption(context: ActionContext, *, exemption_id: int, answer: str, access: AccessScope) -> Exemption:
    """Reject a pending request, with a reason for the unit."""
    row = _lock_pending(context, exemption_id, access)
    if not answer.strip():
        raise InvalidExemptionError("不同意时请写明理由，便于单位告知本人。")
    row.rejected_at, row.answer = context.now, answer.strip()
    _record(context, "exams.reject_exemption", row)
    return row


def withdraw_exemption(
    context: ActionContext, *, exemption_id: int, is_decider: bool, access: AccessScope
) -> Exemption:
    """Take a request back; one that is approved already only by those who may decide."""
    return _withdraw(context, _lock(context.session, exemption_id, access), is_decider=is_decider)


def _withdraw(context: ActionContext, row: Exemption, *, is_decider: bool) -> Exemption:
    if row.withdrawn_at is not None or row.rejected_at is not None:
        raise ConflictError("这份申请已经撤回或答复过，请刷新页面查看。")
    if row.approved_at is not None and not is_decider:
        raise InvalidExemptionError("申请已经批准，如需撤销请联系普法办。")
    row.withdrawn_at = context.now
    _record(context, "exams.withdraw_exemption", row)
    return row


def withdraw_own_exemption(context: ActionContext, *, exemption_id: int) -> Exemption:
    """Take one's own request back, until it is decided; raises NotFoundError for somebody else's."""
    row = context.session.scalar(
        select(Exemption)
        .where(Exemption.id == exemption_id, Exemption.person_id == context.actor.person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFoundError
    return _withdraw(context, row, is_decider=False)


def _lock_pending(context: ActionContext, exemption_id: int, access: AccessScope) -> Exemption:
    row = _lock(context.session, exemption_id, access)
    if row.approved_at is not None or row.rejected_at is not None or row.withdrawn_at is not None:
        raise ConflictError("这份申请已经处理过，请刷新页面查看。")
    if row.person_id == context.actor.person_id:
        raise InvalidExemptionError("不能审批自己的申请，请由其他同事办理。")
    return row


def _lock(session: Session, exemption_id: int, access: AccessScope) -> Exemption:
    row = session.scalar(
        select(Exemption)
        .join(Person, Exemption.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Exemption.id == exemption_id, within(access))
        .with_for_update(of=Exemption)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFoundError
    return row


def _get_person(session: Session, person_id: int, access: AccessScope) -> Person:
    person = session.scalar(
        select(Person).join(Unit, Person.unit_id == Unit.id).where(Person.id == person_id, within(access))
    )
    if person is None:
        raise NotFoundError
    return person


def _record(context: ActionContext, act: str, row: Exemption) -> None:
    record(
        context,
        act,
        object_type="exemption",
        object_id=row.id,
        person_id=row.person_id,
        details={"exam_id": row.exam_id, "kind": row.kind},
    )


class InvalidReasonError(DomainError):
    """A reason cannot be so."""

    code = "reason_refused"
    status = 422


def add_reason(context: ActionContext, *, wording: str, needs_details: bool) -> ExemptionReason:
    """Offer a reason from now on; raises InvalidReasonError where it stands already."""
    session = context.session
    _ensure_reason_is_new(session, wording, own_id=0)
    reason = ExemptionReason(text=wording, needs_details=needs_details)
    session.add(reason)
    session.flush()
    _record_reason(context, "exams.add_reason", reason)
    return reason


def change_reason(context: ActionContext, *, reason_id: int, wording: str, needs_details: bool) -> None:
    """Word a reason again; requests that named it keep the words of their day. Raises InvalidReasonError."""
    reason = _lock_reason(context.session, reason_id)
    _ensure_reason_is_new(context.session, wording, own_id=reason.id)
    reason.text, reason.needs_details = wording, needs_details
    _record_reason(context, "exams.change_reason", reason)


def offer_reason(context: ActionContext, *, reason_id: int, is_offered: bool) -> None:
    """Offer a reason no longer, or again; one at least stays. A second press changes nothing. Raises InvalidReasonError."""
    reason = _lock_reason(context.session, reason_id)
    if is_offered == (reason.retired_at is None):
        return
    others = select(ExemptionReason.id).where(ExemptionReason.retired_at.is_(None), ExemptionReason.id != reason_id)
    if not is_offered and context.session.scalars(others.limit(1)).first() is None:
        raise InvalidReasonError("至少要保留一个原因，否则无法提出申请。请先增加新的原因。")
    reason.retired_at = None if is_offered else context.now
    _record_reason(context, "exams.restore_reason" if is_offered else "exams.retire_reason", reason)


def _lock_reason(session: Session, reason_id: int) -> ExemptionReason:
    # All of them, so that two hands at once cannot take the last two away.
    reasons = session.scalars(
        select(ExemptionReason).order_by(ExemptionReason.id).with_for_update().execution_options(populate_existing=True)
    )
    found = next((reason for reason in reasons if reason.id == reason_id), None)
    if found is None:
        raise NotFoundError
    return found


def _ensure_reason_is_new(session: Session, wording: str, *, own_id: int) -> None:
    same = select(ExemptionReason.id).where(ExemptionReason.text == wording, ExemptionReason.id != own_id)
    if session.scalar(same) is not None:
        raise InvalidReasonError(f"已有“{wording}”这个原因。停用的可以恢复使用，不用重复增加。")


def _record_reason(context: ActionContext, act: str, reason: ExemptionReason) -> None:
    details = {"text": reason.text}
    record(context, act, object_type="exemption_reason", object_id=reason.id, details=details)
