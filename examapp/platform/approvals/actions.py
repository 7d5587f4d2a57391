"""The second person's consent, and the deed that follows from it in the same transaction: one table of who does what."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from examapp.delivery.evidence.actions import enqueue_pack
from examapp.organisation.access.rules import Grant
from examapp.organisation.dual_control import actions as dual_control_actions
from examapp.organisation.dual_control.rules import ACCOUNT_ACTS
from examapp.organisation.passwords import actions as password_actions
from examapp.organisation.people.models import Approval
from examapp.organisation.roles import actions as role_actions
from examapp.oversight.reminders.actions import allow_call_list
from examapp.oversight.report_exports.actions import export_numbers
from examapp.platform.audit.actions import ActionContext
from examapp.platform.exam_day.actions import reopen_attempt

HasActiveAttempt = Callable[[Session, int | None], bool]


def approve(
    context: ActionContext, approval_id: int, *, grants: tuple[Grant, ...], has_active_attempt: HasActiveAttempt
) -> Approval:
    """Allow a request as its second person and do what it asks for.

    Raises NotFoundError, SamePersonError, ConflictError, and whatever the deed rejects with; then nothing has been decided.
    """
    session, now = context.session, context.now
    approval = dual_control_actions.approve(context, approval_id, grants=grants)
    match approval.act:
        case "people.grant_role":
            is_busy = has_active_attempt(session, approval.person_id)
            role_actions.put_in_force(context, approval, has_active_attempt=is_busy)
        case "grading.reopen_attempt":
            reopen_attempt(context, approval)
        case "evidence.export_pack":
            enqueue_pack(session, approval, now=now)
        case "reports.export_numbers":
            export_numbers(session, approval, now=now)
        case "reminders.export_call_list":
            allow_call_list(approval, now=now)
        case act if act in ACCOUNT_ACTS:
            password_actions.allow(approval, now=now)
        case act:
            raise LookupError(act)
    return approval
