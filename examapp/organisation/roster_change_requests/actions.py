"""Lists of changes of the roster: a unit drafts and submits one, the office decides it line by line or whole, the roster follows.

What is agreed to takes effect on its day: at once where that day has come, else by the sweep on that day. What cannot be carried out
(the unit was closed, the person has gone) waits again, with the reason beside it; nothing is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.roster_change_application.actions import InvalidRosterChangeError, apply_line, find_subject
from examapp.organisation.roster_change_requests.models import (
    ChangeKind,
    LineState,
    RosterChangeItem,
    RosterChangeListState,
    RosterChangeRequest,
)
from examapp.organisation.roster_change_requests.queries import get_change_list, list_due_lines, list_waiting_lines
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, Actor, record
from examapp.security.ciphers import FieldCipher

AUDIT_ACTS = {
    "roster_changes.approve": "同意人员变动",
    "roster_changes.draft": "填报人员变动名单",
    "roster_changes.reject": "不同意人员变动",
    "roster_changes.return": "退回人员变动名单",
    "roster_changes.submit": "提交人员变动名单",
    "roster_changes.recall": "收回人员变动名单",
    "roster_changes.withdraw": "作废人员变动名单",
}
AUDIT_OBJECTS = {"change_list": "人员变动名单"}

_MAX_LINES = 200
_EARLIEST, _DAYS_AHEAD = date(2000, 1, 1), 366


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterChange:
    """A change as a unit writes it down; `unit` is where the person goes, None where they leave the county or stay."""

    kind: ChangeKind
    staff_number: str
    name: str = ""
    rank: str = ""
    position: str = ""
    unit: Unit | None = None
    effective_on: date
    note: str = ""


def draft_list(context: ActionContext, *, unit_id: int, access: AccessScope) -> RosterChangeRequest:
    """Begin a list for a unit within the access scope, or go on with an empty one that this person has begun."""
    session, actor = context.session, context.actor
    unit = get_unit_within(session, unit_id, access)
    if unit.closed_at is not None:
        raise InvalidRosterChangeError(f"“{unit.name}”已撤销，不能再提交变动名单。")
    begun = session.scalars(
        select(RosterChangeRequest).where(
            RosterChangeRequest.unit_id == unit.id,
            RosterChangeRequest.state == RosterChangeListState.DRAFT,
            RosterChangeRequest.created_by_id == actor.person_id,
            ~RosterChangeRequest.lines.any(),
        )
    ).first()
    if begun is not None:
        return begun
    row = RosterChangeRequest(unit_id=unit.id, created_by_id=actor.person_id, created_at=context.now)
    session.add(row)
    session.flush()
    _record(context, "roster_changes.draft", row)
    return row


def add_line(
    session: Session, *, list_id: int, change: RosterChange, access: AccessScope, now: datetime
) -> RosterChangeItem:
    """Add a change; raises InvalidRosterChangeError for what cannot be, or what stands in the list already."""
    row = _lock_changeable(session, list_id, access)
    if len(row.lines) >= _MAX_LINES:
        raise InvalidRosterChangeError(f"一份名单最多 {_MAX_LINES} 项，请另建一份。")
    if change.effective_on < _EARLIEST or (change.effective_on - day_of(now)).days > _DAYS_AHEAD:
        raise InvalidRosterChangeError("生效日期不对，请填写实际调动、退休等的日期，最晚为一年以内。")
    remaining = [line for line in row.lines if line.state != LineState.REJECTED]
    if any(line.staff_number == change.staff_number and line.kind == change.kind for line in remaining):
        raise InvalidRosterChangeError("名单里已有此人的同一项变动。要改动时，请先删除原来那一项。")
    subject = find_subject(session, change.kind, staff_number=change.staff_number, unit_id=row.unit_id)
    if change.kind == ChangeKind.CORRECTION and not (change.name or change.rank or change.position):
        raise InvalidRosterChangeError("请至少填写一项要更正的内容。")
    line = RosterChangeItem(
        list_id=row.id,
        kind=change.kind,
        person_id=subject.id if subject else None,
        staff_number=change.staff_number,
        name=change.name or (subject.name if subject and change.kind != ChangeKind.CORRECTION else ""),
        rank=change.rank,
        position=change.position,
        to_unit_id=change.unit.id if change.unit else None,
        effective_on=change.effective_on,
        note=change.note,
    )
    session.add(line)
    session.flush()
    return line


def remove_line(session: Session, *, list_id: int, line_id: int, access: AccessScope) -> None:
    """Take a line out of a list that is not submitted; one that was decided stays."""
    row = _lock_changeable(session, list_id, access)
    line = _line(row, line_id)
    if line.state != LineState.WAITING:
        raise ConflictError("这一项已经审批过，不能删除。")
    session.delete(line)
    session.flush()


def submit_list(context: ActionContext, *, list_id: int, access: AccessScope) -> RosterChangeRequest:
    """Hand a list to the office; raises InvalidRosterChangeError where nothing in it waits."""
    row = _lock_changeable(context.session, list_id, access)
    if not any(line.state == LineState.WAITING for line in row.lines):
        raise InvalidRosterChangeError("名单里还没有要审批的变动，请先添加。")
    row.state, row.submitted_at, row.submitted_by_id = (
        RosterChangeListState.SUBMITTED,
        context.now,
        context.actor.person_id,
    )
    _record(context, "roster_changes.submit", row, details={"count": len(row.lines)})
    return row


def take_back_list(context: ActionContext, *, list_id: int, access: AccessScope) -> None:
    """Take a submitted list back to mend it; what is decided already stays decided."""
    row = _lock_list(context.session, list_id, access)
    if row.state != RosterChangeListState.SUBMITTED:
        raise ConflictError("这份名单已经处理过，请刷新页面查看。")
    row.state = RosterChangeListState.DRAFT
    _record(context, "roster_changes.recall", row)


def discard_list(context: ActionContext, *, list_id: int, access: AccessScope) -> None:
    """Give a list up that was not submitted and in which nothing is decided; it stays to be read."""
    row = _lock_changeable(context.session, list_id, access)
    if any(line.state != LineState.WAITING for line in row.lines):
        raise ConflictError("名单里有已经审批的变动，不能作废。不再需要的项可以逐项删除。")
    row.state = RosterChangeListState.WITHDRAWN
    _record(context, "roster_changes.withdraw", row)


def return_list(context: ActionContext, *, list_id: int, answer: str, access: AccessScope) -> None:
    """Send a list back to the unit with words; what is decided already stays decided."""
    row = _lock_submitted(context, list_id, access)
    if not answer.strip():
        raise InvalidRosterChangeError("退回时请写明要改什么，便于单位修改。")
    row.state, row.answer = RosterChangeListState.RETURNED, answer.strip()
    row.decided_at, row.decided_by_id = context.now, context.actor.person_id
    _record(context, "roster_changes.return", row)


def approve_list(context: ActionContext, *, list_id: int, access: AccessScope, cipher: FieldCipher) -> tuple[int, int]:
    """Agree to all that waits; gives how many were agreed to and how many could not be carried out, which wait on with the reason."""
    row = _lock_submitted(context, list_id, access)
    waiting = [line for line in row.lines if line.state == LineState.WAITING]
    done = 0
    for line in waiting:
        try:
            with context.session.begin_nested():
                _agree(context, row, line, cipher=cipher)
            done += 1
        except DomainError as error:
            line.answer = error.text
    _close_if_done(context, row)
    return done, len(waiting) - done


def approve_line(
    context: ActionContext, *, list_id: int, line_id: int, access: AccessScope, cipher: FieldCipher
) -> RosterChangeItem:
    """Agree to one line and carry it out on its day; raises what stands in the way, ConflictError where it is decided already."""
    row = _lock_submitted(context, list_id, access)
    line = _waiting_line(row, line_id)
    with context.session.begin_nested():
        _agree(context, row, line, cipher=cipher)
    _close_if_done(context, row)
    return line


def reject_line(context: ActionContext, *, list_id: int, line_id: int, answer: str, access: AccessScope) -> None:
    """Reject one line, with words for the unit."""
    row = _lock_submitted(context, list_id, access)
    line = _waiting_line(row, line_id)
    if not answer.strip():
        raise InvalidRosterChangeError("不同意时请写明理由，便于单位处理。")
    line.state, line.answer = LineState.REJECTED, answer.strip()
    line.decided_at, line.decided_by_id = context.now, context.actor.person_id
    _record(context, "roster_changes.reject", row, line=line)
    _close_if_done(context, row)


def apply_due_lines(session: Session, *, cipher: FieldCipher, now: datetime, limit: int = 50) -> int:
    """Carry out what was agreed to and whose day has come; gives how many. What cannot be carried out waits for the office again."""
    done = 0
    for line in list_due_lines(session, day_of(now), limit=limit):
        actor = Actor(person_id=line.decided_by_id)
        try:
            with session.begin_nested():
                apply_line(ActionContext(session, actor, now), line.list, line, cipher=cipher)
            done += 1
        except DomainError as error:
            line.state, line.answer = LineState.WAITING, error.text
            line.list.state = RosterChangeListState.SUBMITTED
    return done


def _agree(context: ActionContext, row: RosterChangeRequest, line: RosterChangeItem, *, cipher: FieldCipher) -> None:
    line.answer, line.decided_at, line.decided_by_id = "", context.now, context.actor.person_id
    if line.person_id is not None and line.person_id == context.actor.person_id:
        raise InvalidRosterChangeError("不能审批自己的变动，请由其他同事办理。")
    if line.effective_on <= day_of(context.now):
        apply_line(context, row, line, cipher=cipher)
    else:
        line.state = LineState.APPROVED
    _record(context, "roster_changes.approve", row, line=line)


def _close_if_done(context: ActionContext, row: RosterChangeRequest) -> None:
    if not list_waiting_lines(row):
        row.state, row.decided_at, row.decided_by_id = (
            RosterChangeListState.APPROVED,
            context.now,
            context.actor.person_id,
        )


def _lock_list(session: Session, list_id: int, access: AccessScope) -> RosterChangeRequest:
    return get_change_list(session, list_id, access, with_lock=True)


def _lock_changeable(session: Session, list_id: int, access: AccessScope) -> RosterChangeRequest:
    row = _lock_list(session, list_id, access)
    if not row.may_be_changed:
        raise ConflictError("这份名单已经提交或办结，不能再改。需要改动时先收回。")
    return row


def _lock_submitted(context: ActionContext, list_id: int, access: AccessScope) -> RosterChangeRequest:
    row = _lock_list(context.session, list_id, access)
    if row.state != RosterChangeListState.SUBMITTED:
        raise ConflictError("这份名单已经处理过，或者单位已收回，请刷新页面查看。")
    if context.actor.person_id is not None and row.submitted_by_id == context.actor.person_id:
        raise InvalidRosterChangeError("这份名单是您自己提交的，请由其他同事审批。")
    return row


def _line(row: RosterChangeRequest, line_id: int) -> RosterChangeItem:
    found = next((line for line in row.lines if line.id == line_id), None)
    if found is None:
        raise NotFoundError
    return found


def _waiting_line(row: RosterChangeRequest, line_id: int) -> RosterChangeItem:
    line = _line(row, line_id)
    if line.state != LineState.WAITING:
        raise ConflictError("这一项已经审批过，请刷新页面查看。")
    return line


def _record(
    context: ActionContext,
    act: str,
    row: RosterChangeRequest,
    *,
    line: RosterChangeItem | None = None,
    details: dict[str, object] | None = None,
) -> None:
    said = {"unit_id": row.unit_id, **(details or {})}
    if line is not None:
        said |= {"kind": line.kind, "on": line.effective_on.isoformat()}
    record(
        context,
        act,
        object_type="change_list",
        object_id=row.id,
        person_id=line.person_id if line else None,
        details=said,
    )
