"""Assign questions to units, take what they write, accept it into the bank as drafts or send it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from examapp.clock import day_of
from examapp.content.question_assignments.models import AssignmentFile, AssignmentState, QuestionAssignment
from examapp.content.question_assignments.queries import count_written, get_assignment
from examapp.content.question_imports.actions import confirm_import, discard_import, upload_import
from examapp.content.questions.models import QuestionState
from examapp.errors import BadRequestError, ConflictError, NotFoundError
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import AccessScope
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "questions.accept_assignment": "采用单位出的题",
    "questions.assign": "布置出题任务",
    "questions.return_assignment": "退回单位出的题",
    "questions.submit_assignment": "提交出题任务",
    "questions.withdraw_assignment": "作废出题任务",
}
AUDIT_OBJECTS = {"question_assignment": "出题任务"}
AUDIT_DETAILS = {"subject": "主题", "due_on": "截止日期"}

MAX_FILES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentTerms:
    """What a unit is asked for."""

    subject: str
    kind: str = ""
    count: int
    due_on: date
    text: str = ""


def assign_questions(
    context: ActionContext, *, unit_ids: Sequence[int], terms: AssignmentTerms, access: AccessScope
) -> int:
    """Ask each unit for questions; return how many units. Raises NotFoundError, BadRequestError."""
    today = day_of(context.now)
    if not unit_ids:
        raise BadRequestError("请至少勾选一个单位。")
    if not today <= terms.due_on <= today + timedelta(days=366):
        raise BadRequestError("截止日期应在今天以后、一年以内。")
    for unit_id in dict.fromkeys(unit_ids):
        unit = get_unit_within(context.session, unit_id, access)
        if unit.closed_at is not None:
            raise BadRequestError(f"“{unit.name}”已撤销，不能布置任务。请去掉这个单位。")
        row = QuestionAssignment(
            unit_id=unit.id, subject=terms.subject.strip(), kind=terms.kind, count=terms.count, due_on=terms.due_on,
            text=terms.text.strip(), created_by_id=context.actor.person_id, created_at=context.now,
        )  # fmt: skip
        context.session.add(row)
        context.session.flush()
        details = {"unit_id": unit.id, "subject": row.subject, "count": row.count, "due_on": row.due_on.isoformat()}
        record(context, "questions.assign", object_type="question_assignment", object_id=row.id, details=details)
    return len(set(unit_ids))


def add_file(
    context: ActionContext,
    *,
    assignment_id: int,
    access: AccessScope,
    content: bytes,
    file_name: str,
    format_name: str,
) -> None:
    """Add a file of questions to an assignment and enqueue its reading; raises NotFoundError, ConflictError."""
    row = _get_answerable(context, assignment_id, access)
    if len(row.files) >= MAX_FILES:
        raise ConflictError(f"一个任务最多 {MAX_FILES} 份，请把题目合在一个文件里上传。")
    added = upload_import(context, content=content, file_name=file_name, format_name=format_name)
    context.session.flush()
    context.session.add(AssignmentFile(import_id=added.id, assignment_id=row.id))


def remove_file(context: ActionContext, *, assignment_id: int, import_id: int, access: AccessScope) -> None:
    """Take a file out of an assignment that is not submitted; raises NotFoundError, ConflictError."""
    row = _get_answerable(context, assignment_id, access)
    file = next((file for file in row.files if file.import_id == import_id), None)
    if file is None:
        raise NotFoundError
    context.session.delete(file)
    context.session.flush()
    discard_import(context, import_id=import_id)


def submit_assignment(context: ActionContext, *, assignment_id: int, access: AccessScope) -> None:
    """Hand an assignment in; raises ConflictError while a file is being read, or where nothing can be used."""
    row = _get_answerable(context, assignment_id, access)
    if any(file.question_import.client_state in {"waiting", "running"} for file in row.files):
        raise ConflictError("有文件还在读取，请等读完、看过结果后再提交。")
    if not count_written(row):
        raise ConflictError("还没有可以用的题。请先填写或上传题目。")
    row.state, row.submitted_at, row.submitted_by_id = AssignmentState.SUBMITTED, context.now, context.actor.person_id
    _record(context, "questions.submit_assignment", row)


def accept_assignment(context: ActionContext, *, assignment_id: int, access: AccessScope) -> int:
    """Accept what a unit has written: its questions become drafts of their writer, for another person to review. Return how many."""
    row = _get_submitted(context, assignment_id, access)
    for file in row.files:
        added = file.question_import
        if added.is_done and not added.is_confirmed and added.content is not None:
            confirm_import(context, import_id=added.id, state=QuestionState.DRAFT, is_census_seen=True)
            added.summary = {**added.summary, "confirmed_by": added.created_by_id}  # who wrote them may not review them
    row.state, row.answer = AssignmentState.ACCEPTED, ""
    row.decided_at, row.decided_by_id = context.now, context.actor.person_id
    _record(context, "questions.accept_assignment", row)
    return count_written(row)


def return_assignment(context: ActionContext, *, assignment_id: int, answer: str, access: AccessScope) -> None:
    """Send an assignment back to the unit with words; raises BadRequestError without."""
    row = _get_submitted(context, assignment_id, access)
    if not answer.strip():
        raise BadRequestError("退回时请写明要改什么，便于单位修改。")
    row.state, row.answer = AssignmentState.RETURNED, answer.strip()[:500]
    row.decided_at, row.decided_by_id = context.now, context.actor.person_id
    _record(context, "questions.return_assignment", row)


def withdraw_assignment(context: ActionContext, *, assignment_id: int, access: AccessScope) -> None:
    """Withdraw an assignment that was not accepted; it stays to be read."""
    row = get_assignment(context.session, assignment_id, access, is_locked=True)
    if row.state in {AssignmentState.ACCEPTED, AssignmentState.WITHDRAWN}:
        raise ConflictError("这个任务已经办结，不能作废。")
    row.state = AssignmentState.WITHDRAWN
    _record(context, "questions.withdraw_assignment", row)


def _get_answerable(context: ActionContext, assignment_id: int, access: AccessScope) -> QuestionAssignment:
    row = get_assignment(context.session, assignment_id, access, is_locked=True)
    if not row.may_be_answered:
        raise ConflictError("这个任务已经提交或办结，不能再改。需要修改时请普法办退回。")
    return row


def _get_submitted(context: ActionContext, assignment_id: int, access: AccessScope) -> QuestionAssignment:
    row = get_assignment(context.session, assignment_id, access, is_locked=True)
    if row.state != AssignmentState.SUBMITTED:
        raise ConflictError("这个任务没有待采用的题，可能已由同事办理。请刷新页面查看。")
    return row


def _record(context: ActionContext, act: str, row: QuestionAssignment) -> None:
    details = {"unit_id": row.unit_id, "subject": row.subject, "count": count_written(row)}
    record(context, act, object_type="question_assignment", object_id=row.id, details=details)
