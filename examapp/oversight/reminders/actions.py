"""Reminding whoever has still to sit, and the list by which a unit calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert

from examapp.clock import day_of, local
from examapp.documents.spreadsheets import Column, Sheet, write_xlsx
from examapp.errors import DomainError
from examapp.organisation.dual_control import actions as dual_control_actions
from examapp.organisation.people.models import Approval
from examapp.organisation.units.models import Tree
from examapp.oversight.reminders.models import ExamReminder
from examapp.oversight.reminders.queries import left_among, list_chased, list_chased_ids
from examapp.oversight.reminders.rules import (
    CHASE_KIND,
    CHASED,
    MAX_CALLED,
    MAX_REMINDED,
    once_key,
    reminder_fault,
    reminder_text,
)
from examapp.oversight.report_files.queries import remarks, status_words
from examapp.oversight.statistics_people.queries import PersonRow
from examapp.oversight.statistics_scope.queries import ReportContext, UnitTree
from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.outgoing_messages.actions import send_out_many

AUDIT_ACTS = {"reminders.export_call_list": "导出催考电话名单", "reminders.send": "提醒参加考试"}
AUDIT_DETAILS = {"group": "人员范围"}

CALLS = "reminders.export_call_list"
CALLS_OPEN_FOR = timedelta(days=1)
"""How long a list that was allowed may be taken out."""


class ChaseRefusedError(DomainError):
    """Nobody can be reminded, or listed, so."""

    code = "chase_refused"


def remind(context: ActionContext, basis: ReportContext, units: UnitTree, *, group: str, organisation: str) -> int:
    """Remind a group of a unit within reach, on the site and through the gateway; gives how many had not been reminded today.

    A second press, or a colleague at the same time, reminds nobody twice. Raises ChaseRefusedError.
    """
    session, now = context.session, context.now
    if fault := reminder_fault(group, (basis.exam, *basis.makeups), now=now):
        raise ChaseRefusedError(fault)
    people = list_chased_ids(session, basis, units, group=group, most=MAX_REMINDED + 1, now=now)
    if len(people) > MAX_REMINDED:
        raise ChaseRefusedError(f"一次最多提醒 {MAX_REMINDED} 人，请按下级单位分别提醒。")
    new = _note_reminders(context, basis.exam.id, people, group=group)
    exams = (*basis.makeups, basis.exam)
    exam = next((e for e in exams if e.opens_at <= now < e.closes_at), basis.exam)
    send_out_many(
        session,
        [(person_id, once_key(basis.exam.id, day_of(now), person_id)) for person_id in new],
        kind=CHASE_KIND,
        text=reminder_text(group, exam, organisation=organisation),
        now=now,
        until=max(e.closes_at for e in exams) if group == "failed" else exam.closes_at,
    )
    details = {"exam_id": basis.exam.id, "unit_id": units.top.unit_id, "group": group, "count": len(new)}
    record(context, "reminders.send", object_type="exam", object_id=basis.exam.id, details=details)
    return len(new)


def _note_reminders(context: ActionContext, exam_id: int, people: Sequence[int], *, group: str) -> list[int]:
    if not people:
        return []
    rows = [
        {
            "exam_id": exam_id,
            "person_id": person_id,
            "reminded_on": day_of(context.now),
            "group": group,
            "reminded_by_id": context.actor.person_id,
            "reminded_at": context.now,
        }
        for person_id in people
    ]
    statement = insert(ExamReminder).on_conflict_do_nothing().returning(ExamReminder.person_id)
    return list(context.session.scalars(statement, rows))


CALL_COLUMNS = (
    Column(head="单位编码", width=12),
    Column(head="单位", width=28),
    Column(head="姓名", width=12),
    Column(head="职务", width=14),
    Column(head="手机号", width=16),
    Column(head="情况", width=16),
    Column(head="通话结果", width=24),
)


def request_call_list(
    context: ActionContext, basis: ReportContext, units: UnitTree, tree: Tree, *, group: str, reason: str
) -> None:
    """Ask for the list with mobiles of a group; a second person allows it. Raises ChaseRefusedError, AlreadyAskedError."""
    if not reason.strip():
        raise ChaseRefusedError("名单里有手机号，请先填写用途，例如「电话通知参加考试」。")
    _, count = list_chased(context.session, basis, units, group=group, offset=0, limit=1)
    if count > MAX_CALLED:
        raise ChaseRefusedError(f"一次最多导出 {MAX_CALLED} 人，请按下级单位分别导出。")
    dual_control_actions.ask(
        context,
        CALLS,
        request_key=call_key(basis, units, tree, group=group, person_id=context.actor.person_id),
        unit_id=units.top.unit_id,
        details={
            "exam_id": basis.exam.id,
            "exam_title": basis.exam.title,
            "unit_id": units.top.unit_id,
            "group": group,
            "tree": tree,
            "scope": basis.scope,
        },
        reason=reason,
    )


def call_key(basis: ReportContext, units: UnitTree, tree: Tree, *, group: str, person_id: int | None) -> str:
    """Name the list that somebody asks for: the consent to one is none to another."""
    return f"{person_id}:{basis.exam.id}:{units.top.unit_id}:{group}:{tree}:{basis.scope}"


def allow_call_list(approval: Approval, *, now: datetime) -> None:
    """Let the asker take the list out within a day."""
    approval.expires_at = now + CALLS_OPEN_FOR


def list_to_call(
    context: ActionContext, basis: ReportContext, units: UnitTree, approval: Approval, *, group: str
) -> list[PersonRow]:
    """Give the people of a group to be called, and leave in the log who took their numbers out and why; raises ChaseRefusedError."""
    rows, count = list_chased(context.session, basis, units, group=group, offset=0, limit=MAX_CALLED)
    if count > MAX_CALLED:
        raise ChaseRefusedError(f"一次最多导出 {MAX_CALLED} 人，请按下级单位分别导出。")
    left = left_among(context.session, [row.person_id for row in rows])
    rows = [row for row in rows if row.person_id not in left]
    details = {
        "exam_id": basis.exam.id,
        "unit_id": units.top.unit_id,
        "group": group,
        "count": len(rows),
        "reason": approval.reason,
        "approval_id": approval.id,
    }
    record(context, CALLS, object_type="exam", object_id=basis.exam.id, details=details)
    return rows


def write_call_list(
    path: Path,
    basis: ReportContext,
    units: UnitTree,
    rows: Sequence[PersonRow],
    mobiles: Mapping[int, str],
    *,
    group: str,
) -> None:
    """Write the list by which a unit calls its people: never an ID number."""
    sheet = Sheet(
        name="催考电话名单",
        columns=CALL_COLUMNS,
        rows=(
            [
                row.unit_code,
                row.unit_name,
                row.name,
                row.position,
                mobiles.get(row.person_id, "未登记"),
                CHASED[group] if group == "failed" else status_words(row),
                "",
            ]
            for row in rows
        ),
        title=f"{basis.exam.title}催考电话名单（{CHASED[group]}）",
        remarks=remarks(basis, units.top.name),
        closing=[
            f"共 {len(rows)} 人。截止时间：{local(basis.exam.closes_at):%Y-%m-%d %H:%M}。",
            "名单含手机号，仅限电话通知使用，用后请销毁。",
        ],
    )
    write_xlsx(path, [sheet])
