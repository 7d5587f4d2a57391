"""Files with whole ID numbers and mobiles: asked for with a reason, made when a second person has allowed them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.core.errors import BadRequestError, ConflictError, DomainError
from examapp.core.permissions import Permission
from examapp.exams.models import Exam
from examapp.org.models import Tree
from examapp.people.models import Approval
from examapp.people.operations import approvals
from examapp.people.queries import list_grants
from examapp.people.rules import Reach, reach_of
from examapp.reports.operations.exports import Asked, Wish, request_export
from examapp.reports.queries.basis import get_basis, get_tree_of
from examapp.reports.rules import CONTENT_FORMATS, Narrowing, Numbers, Scope

ACT = "reports.export_numbers"
LEAST_REASON = 5


class ReasonNeededError(DomainError):
    """Whole ID numbers and mobiles are given only for a reason."""

    code = "reason_needed"
    status = 400
    message = "导出完整的身份证号、手机号，请写明用途（至少 5 个字），会记入审计日志。"


def request_numbers(session: Session, wish: Wish, *, reach: Reach, actor: Actor, now: datetime) -> int:
    """Ask for a file with whole numbers of a unit within reach; gives the request's id. A second person allows it.

    Raises NotFoundError, BadRequestError, ReasonNeededError, AlreadyAskedError.
    """
    if wish.format not in CONTENT_FORMATS.get(wish.content, ()):
        raise BadRequestError
    if len(wish.reason.strip()) < LEAST_REASON:
        raise ReasonNeededError
    basis = get_basis(session, wish.exam_id, scope=wish.scope, now=now, reach=reach)
    unit = get_tree_of(session, basis, wish.unit_id, tree=wish.tree, reach=reach).top
    details = {
        "exam_id": wish.exam_id,
        "exam_title": session.get_one(Exam, wish.exam_id).title,
        "unit_id": unit.unit_id,
        "format": wish.format,
        "tree": wish.tree,
        "scope": basis.scope,
        "narrowing": wish.narrowing.of_content(wish.content).as_json(),
    }
    key = ":".join(str(part) for part in (actor.person_id, *details.values()))
    return approvals.ask(
        session,
        ACT,
        request_key=key,
        unit_id=unit.unit_id,
        details=details,
        reason=wish.reason,
        actor=actor,
        now=now,
    )


def export_numbers(session: Session, approval: Approval, *, now: datetime) -> Asked:
    """Put the file down that a second person has allowed, as its asker's; raises ConflictError where the asker has lost the right."""
    details = approval.details
    grants = list_grants(session, approval.requested_by_id, now=now)
    reach = reach_of(Permission.REPORTS_EXPORT, grants)
    if reach is None or reach_of(Permission.REPORTS_NUMBERS, grants) is None:
        raise ConflictError("申请人现在已没有导出完整号码的权限，不能同意。请退回。")
    wish = Wish(
        exam_id=details["exam_id"],
        unit_id=details["unit_id"],
        content="scores",
        format=details["format"],
        tree=Tree(details["tree"]),
        scope=Scope(details["scope"]),
        narrowing=Narrowing.of_json(details.get("narrowing", {})),
        numbers=Numbers.WHOLE,
        reason=approval.reason,
    )
    asker = Actor(person_id=approval.requested_by_id, address=None)
    return request_export(session, wish, reach=reach, actor=asker, now=now, approval_id=approval.id)
