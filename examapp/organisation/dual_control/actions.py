"""Acts that need two persons: one asks, another allows or rejects; the database itself holds that they are two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.organisation.access.rules import Grant
from examapp.organisation.dual_control.rules import TWO_PERSON_ACTS, may_decide
from examapp.organisation.people.models import Approval, ApprovalState
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "people.approve": "同意申请",
    "people.request_approval": "提交审批申请",
    "people.reject_approval": "退回申请",
    "people.withdraw_approval": "撤回申请",
}
AUDIT_OBJECTS = {"approval": "审批"}
AUDIT_DETAILS = {"act": "事项", "approval_id": "审批编号"}
AUDIT_VALUES = {
    "evidence.export_pack": "制作考试证据包",
    "grading.reopen_attempt": "重新打开作答",
    "people.grant_role": "授予角色",
    "reports.export_numbers": "导出完整号码",
    "reminders.export_call_list": "导出电话名单",
}


class SamePersonError(DomainError):
    """Who asked, or whom it is about, cannot be the second person."""

    code = "same_person"
    status = 409
    message = "提出申请的人和涉及的本人都不能审批，请由另一名有审批权限的同事办理。"


class AlreadyRequestedError(ConflictError):
    """The same is waiting already."""

    message = "同样的申请已经提交，正在等另一人审批，不需要重复提交。"


def ask(
    context: ActionContext,
    act: str,
    *,
    request_key: str,
    person_id: int | None = None,
    unit_id: int | None = None,
    details: dict[str, Any],
    reason: str,
) -> int:
    """Put a request down for a second person and give its id; raises AlreadyRequestedError while the same one waits."""
    session, now = context.session, context.now
    of_key = Approval.act == act, Approval.request_key == request_key
    session.execute(
        update(Approval)
        .where(*of_key, Approval.state == ApprovalState.WAITING, Approval.expires_at <= now)
        .values(state=ApprovalState.EXPIRED)
        .execution_options(synchronize_session=False)
    )
    approval_id = session.execute(
        insert(Approval)
        .values(
            act=act,
            request_key=request_key,
            person_id=person_id,
            unit_id=unit_id,
            details=details,
            reason=reason.strip()[:500],
            state=ApprovalState.WAITING,
            requested_by_id=context.actor.person_id,
            requested_at=now,
            expires_at=now + TWO_PERSON_ACTS[act].waits,
        )
        .on_conflict_do_nothing()
        .returning(Approval.id)
    ).scalar_one_or_none()
    if approval_id is None:
        raise AlreadyRequestedError
    _note(context, "people.request_approval", approval_id, act, person_id)
    return approval_id


def approve(context: ActionContext, approval_id: int, *, grants: tuple[Grant, ...]) -> Approval:
    """Allow a waiting request as its second person and give it locked, for the act to be done in the same transaction.

    Raises NotFoundError beyond these roles' access scope, SamePersonError, and ConflictError where it has been decided already or its time is over.
    """
    return _decide(context, approval_id, ApprovalState.APPROVED, grants=grants)


def reject(context: ActionContext, approval_id: int, *, grants: tuple[Grant, ...]) -> Approval:
    """Reject a waiting request as its second person; raises as `approve` does."""
    return _decide(context, approval_id, ApprovalState.REJECTED, grants=grants)


def withdraw(context: ActionContext, approval_id: int) -> None:
    """Take one's own waiting request back; raises NotFoundError for another's, ConflictError where it has been decided."""
    approval, _ = _lock(context.session, approval_id)
    if approval is None or approval.requested_by_id != context.actor.person_id:
        raise NotFoundError
    _settle(context, approval, ApprovalState.WITHDRAWN)


def _decide(context: ActionContext, approval_id: int, state: ApprovalState, *, grants: tuple[Grant, ...]) -> Approval:
    approval, paths = _lock(context.session, approval_id)
    if approval is None or not may_decide(approval.act, grants, paths=paths):
        raise NotFoundError
    if context.actor.person_id in {None, approval.requested_by_id, approval.person_id}:
        raise SamePersonError
    _settle(context, approval, state)
    return approval


def _lock(session: Session, approval_id: int) -> tuple[Approval | None, tuple[str, str | None] | None]:
    """Get and lock a request, with the paths of the unit that it concerns."""
    row = session.execute(
        select(Approval, Unit.region_path, Unit.sector_path)
        .outerjoin(Unit, Approval.unit_id == Unit.id)
        .where(Approval.id == approval_id)
        .with_for_update(of=Approval)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None, None
    return row[0], None if row[0].unit_id is None else (row[1], row[2])


def _settle(context: ActionContext, approval: Approval, state: ApprovalState) -> None:
    if approval.state not in {ApprovalState.WAITING, ApprovalState.EXPIRED}:
        raise ConflictError("这项申请刚才已经处理过了，请刷新页面查看结果。")
    if approval.state == ApprovalState.EXPIRED or approval.expires_at <= context.now:
        raise ConflictError("这项申请超过期限没有审批，已经作废。需要办理的，请申请人重新提交。")
    approval.state, approval.decided_by_id, approval.decided_at = state, context.actor.person_id, context.now
    context.session.flush()
    acts = {
        ApprovalState.APPROVED: "people.approve",
        ApprovalState.REJECTED: "people.reject_approval",
        ApprovalState.WITHDRAWN: "people.withdraw_approval",
    }
    _note(context, acts[state], approval.id, approval.act, approval.person_id)


def _note(context: ActionContext, act: str, approval_id: int, about: str, person_id: int | None) -> None:
    record(context, act, object_type="approval", object_id=approval_id, person_id=person_id, details={"act": about})
