"""The second person's consent, and the deed that follows from it in the same transaction: one table of who does what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.grading.operations import correct_key, reopen_attempt
from examapp.people.models import Approval
from examapp.people.operations import approvals, roles, separated
from examapp.people.rules import ACCOUNT_ACTS, Grant
from examapp.reports.operations.consent import export_numbers
from examapp.unitbook.operations.chasing import allow_call_list

IsSitting = Callable[[Session, int | None], bool]


def approve(
    session: Session, approval_id: int, *, grants: tuple[Grant, ...], is_sitting: IsSitting, actor: Actor, now: datetime
) -> Approval:
    """Allow a request as its second person and do what it asks for.

    Raises NotFoundError, SamePersonError, ConflictError, and whatever the deed refuses with; then nothing has been decided.
    """
    approval = approvals.approve(session, approval_id, grants=grants, actor=actor, now=now)
    match approval.act:
        case "people.grant_role":
            is_busy = is_sitting(session, approval.person_id)
            roles.put_in_force(session, approval, is_sitting=is_busy, actor=actor, now=now)
        case "questions.correct_key":
            correct_key(session, approval, actor=actor, now=now)
        case "grading.reopen_attempt":
            reopen_attempt(session, approval, actor=actor, now=now)
        case "reports.export_numbers":
            export_numbers(session, approval, now=now)
        case "unitbook.export_calls":
            allow_call_list(approval, now=now)
        case act if act in ACCOUNT_ACTS:
            separated.allow(approval, now=now)
        case act:
            raise LookupError(act)
    return approval
