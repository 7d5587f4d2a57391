"""Reminding anyone who has still to sit, and the list by which a unit calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import day_of, local
from examapp.delivery.corrections.queries import list_outcomes, lock_unnotified_corrections, person_ids_of
from examapp.delivery.exams.models import Exam
from examapp.delivery.exams.rules import results_visible_at
from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_xlsx
from examapp.errors import DomainError
from examapp.organisation.dual_control import actions as dual_control_actions
from examapp.organisation.issuers.queries import issuer_line
from examapp.organisation.people.models import Approval
from examapp.organisation.units.models import Tree
from examapp.oversight.reminders.models import ExamMessageRun, ExamReminder
from examapp.oversight.reminders.queries import (
    left_among,
    list_closing,
    list_graded_ids,
    list_overdue,
    list_overdue_ids,
    list_released,
)
from examapp.oversight.reminders.rules import (
    MAX_CALLED,
    MAX_CALLED_ALONE,
    MAX_REMINDED,
    OVERDUE,
    REMINDER_KINDS,
    RESULTS_RULE,
    due_rules,
    find_reminder_issue,
    is_last_call,
    once_key,
    reminder_parameters,
    reminder_text,
)
from examapp.oversight.report_files.queries import remarks, status_label
from examapp.oversight.statistics_definitions.rules import Scope
from examapp.oversight.statistics_people.queries import PersonRow
from examapp.oversight.statistics_scope.queries import ReportContext, UnitTree, get_report_context
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.platform.outgoing_messages.actions import send_out_many

AUDIT_ACTS = {
    "reminders.export_call_list": "导出催考电话名单",
    "reminders.send": "提醒参加考试",
    "reminders.send_by_rule": "按规则发送考试消息",
}
AUDIT_DETAILS = {"group": "人员范围", "rule": "规则"}

CALLS = "reminders.export_call_list"
CALLS_OPEN_FOR = timedelta(days=1)
"""How long a list that was allowed may be taken out."""


class InvalidReminderError(DomainError):
    """Nobody can be reminded, or listed, so."""

    code = "chase_refused"


def remind(
    context: ActionContext, report_context: ReportContext, units: UnitTree, *, group: str, organisation: str
) -> int:
    """Remind a group of a unit within the access scope, on the site and through the gateway; gives how many had not been reminded today.

    A second press, or a colleague at the same time, reminds nobody twice. Raises InvalidReminderError.
    """
    session, now = context.session, context.now
    if issue := find_reminder_issue(group, (report_context.exam, *report_context.makeups), now=now):
        raise InvalidReminderError(issue)
    people = list_overdue_ids(session, report_context, units, group=group, limit=MAX_REMINDED + 1, now=now)
    if len(people) > MAX_REMINDED:
        raise InvalidReminderError(f"一次最多提醒 {MAX_REMINDED} 人，请按下级单位分别提醒。")
    new = _note_reminders(context, report_context.exam.id, people, group=group)
    exams = (*report_context.makeups, report_context.exam)
    exam = next((e for e in exams if e.opens_at <= now < e.closes_at), report_context.exam)
    send_out_many(
        session,
        [(person_id, once_key(report_context.exam.id, day_of(now), person_id)) for person_id in new],
        kind=REMINDER_KINDS[group],
        text=reminder_text(group, exam, organisation=organisation),
        parameters=reminder_parameters(group, exam),
        now=now,
        until=max(e.closes_at for e in exams) if group == "failed" else exam.closes_at,
    )
    details = {"exam_id": report_context.exam.id, "unit_id": units.top.unit_id, "group": group, "count": len(new)}
    record(context, "reminders.send", object_type="exam", object_id=report_context.exam.id, details=details)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderRules:
    """How people are reminded by rule: so many hours before the close, outside quiet hours, in whose name."""

    hours: Sequence[int]
    quiet: tuple[time, time] | None
    organisation: str


def remind_by_rule(session: Session, rules: ReminderRules, *, now: datetime) -> int:
    """Remind everybody who still lacks an exam that closes soon, each rule once an exam; gives how many messages. Safe to run twice.

    Where several rules have come due meanwhile, as after an outage, only the one nearest to the close writes.
    """
    count = 0
    longest = timedelta(hours=max(rules.hours, default=0)) + _MAX_ADVANCE
    for exam in list_closing(session, within=longest, now=now) if rules.hours else ():
        due = due_rules(exam, rules.hours, quiet=rules.quiet, now=now)
        new = [(hours, name) for hours, name in due if _claim_rule(session, exam.id, name, now=now)]
        if not new or new[-1] != due[-1]:
            continue
        hours, name = new[-1]
        sent = _remind_everybody(session, exam, rules, is_last=is_last_call(hours, rules.hours), now=now)
        _end_rule(session, exam.id, name, sent, now=now)
        count += sent
    return count


_MAX_ADVANCE = timedelta(days=1)
"""A last call that would fall into quiet hours comes due before them."""


def _claim_rule(session: Session, exam_id: int, rule: str, *, now: datetime) -> bool:
    statement = insert(ExamMessageRun).values(exam_id=exam_id, rule=rule, ran_at=now).on_conflict_do_nothing()
    return session.scalar(statement.returning(ExamMessageRun.exam_id)) is not None


def _end_rule(session: Session, exam_id: int, rule: str, count: int, *, now: datetime) -> None:
    session.get_one(ExamMessageRun, (exam_id, rule)).message_count = count
    details = {"exam_id": exam_id, "rule": rule, "count": count}
    record(
        ActionContext(session, SYSTEM, now),
        "reminders.send_by_rule",
        object_type="exam",
        object_id=exam_id,
        details=details,
    )


def _remind_everybody(session: Session, exam: Exam, rules: ReminderRules, *, is_last: bool, now: datetime) -> int:
    report_context, count = get_report_context(session, exam.id, scope=None, now=now), 0
    for group in ("not_started", "in_progress"):
        people = list_overdue_ids(session, report_context, None, group=group, limit=_EVERYBODY, now=now)
        new = _note_reminders(ActionContext(session, SYSTEM, now), exam.id, people, group=group)
        keys = [
            (person_id, once_key(exam.id, day_of(now), person_id, is_last_call=is_last))
            for person_id in (people if is_last else new)
        ]
        count += send_out_many(
            session,
            keys,
            kind=REMINDER_KINDS[group],
            text=reminder_text(group, exam, organisation=rules.organisation),
            parameters=reminder_parameters(group, exam),
            last_call=is_last,
            until=exam.closes_at,
            now=now,
        )
    return count


_EVERYBODY = 1_000_000


def send_results_messages(session: Session, *, organisation: str, now: datetime) -> int:
    """Put a message down for everybody whose results have come out, once an exam; gives how many. It says no points. Safe to run twice.

    While papers are still being graded it waits, a day at most; an exam that shows each result at once needs no message.
    """
    count = 0
    for exam in list_released(session, since=now - _NOTICE_PERIOD, now=now):
        report_context = get_report_context(session, exam.id, scope=Scope.THIS, now=now)
        people, is_grading = list_graded_ids(session, report_context)
        visible_at = results_visible_at(exam)
        if is_grading and visible_at is not None and now - visible_at < _GRADING_LIMIT:
            continue
        if not _claim_rule(session, exam.id, RESULTS_RULE, now=now):
            continue
        text = f"【{organisation}】《{exam.title}》的成绩已经公布，请登录学法考试平台查看。"
        keys = [(person_id, f"results:{exam.id}:{person_id}") for person_id in people]
        sent = send_out_many(session, keys, kind="results.opened", text=text, parameters=[exam.title], now=now)
        _end_rule(session, exam.id, RESULTS_RULE, sent, now=now)
        count += sent
    return count


_NOTICE_PERIOD, _GRADING_LIMIT = timedelta(days=2), timedelta(days=1)


def send_correction_messages(session: Session, *, now: datetime) -> int:
    """Put a message down for everybody whose visible result a correction has changed, up or down; gives how many. Safe to run twice."""
    count = 0
    for correction in lock_unnotified_corrections(session):
        changed = [each.attempt_id for each in list_outcomes(session, correction.id) if each.is_changed]
        people = person_ids_of(session, changed) if correction.is_published else []
        recipients = [(person_id, f"correction:{correction.id}:{person_id}") for person_id in people]
        count += send_out_many(session, recipients, kind="grading.correction", text=_CORRECTED, now=now)
        correction.notified_at = now
    return count


_CORRECTED = "您参加的考试成绩作了更正，请登录学法考试平台，在“考试”中查看现在的成绩和更正的原因。"


CALL_COLUMNS = (
    SheetColumn(head="单位编码", width=12),
    SheetColumn(head="单位", width=28),
    SheetColumn(head="姓名", width=12),
    SheetColumn(head="职务", width=14),
    SheetColumn(head="手机号", width=16),
    SheetColumn(head="情况", width=16),
    SheetColumn(head="通话结果", width=24),
)


def request_call_list(
    context: ActionContext, report_context: ReportContext, units: UnitTree, tree: Tree, *, group: str, reason: str
) -> None:
    """Ask for the list with mobiles of a group; a second person allows it. Raises InvalidReminderError, AlreadyRequestedError."""
    if not reason.strip():
        raise InvalidReminderError("名单里有手机号，请先填写用途，例如“电话通知参加考试”。")
    _, count = list_overdue(context.session, report_context, units, group=group, offset=0, limit=1)
    if count > MAX_CALLED:
        raise InvalidReminderError(f"一次最多导出 {MAX_CALLED} 人，请按下级单位分别导出。")
    dual_control_actions.ask(
        context,
        CALLS,
        request_key=call_key(report_context, units, tree, group=group, person_id=context.actor.person_id),
        unit_id=units.top.unit_id,
        details={
            "exam_id": report_context.exam.id,
            "exam_title": report_context.exam.title,
            "unit_id": units.top.unit_id,
            "group": group,
            "tree": tree,
            "scope": report_context.scope,
        },
        reason=reason,
    )


def call_key(report_context: ReportContext, units: UnitTree, tree: Tree, *, group: str, person_id: int | None) -> str:
    """Name the list that somebody asks for: the consent to one is none to another."""
    return f"{person_id}:{report_context.exam.id}:{units.top.unit_id}:{group}:{tree}:{report_context.scope}"


def allow_call_list(approval: Approval, *, now: datetime) -> None:
    """Let the requester take the list out within a day."""
    approval.expires_at = now + CALLS_OPEN_FOR


def list_to_call(
    context: ActionContext,
    report_context: ReportContext,
    units: UnitTree,
    approval: Approval | None,
    *,
    group: str,
    reason: str = "",
) -> list[PersonRow]:
    """Give the people of a group to be called, and leave in the log who took their numbers out and why; raises InvalidReminderError.

    `reason` is the purpose of a unit that needs no approval: a list of its own people, no longer than MAX_CALLED_ALONE.
    """
    rows, count = list_overdue(context.session, report_context, units, group=group, offset=0, limit=MAX_CALLED)
    limit = MAX_CALLED_ALONE if approval is None else MAX_CALLED
    if count > limit:
        raise InvalidReminderError(f"一次最多导出 {limit} 人，请按下级单位分别导出。")
    left = left_among(context.session, [row.person_id for row in rows])
    rows = [row for row in rows if row.person_id not in left]
    details = {
        "exam_id": report_context.exam.id,
        "unit_id": units.top.unit_id,
        "group": group,
        "count": len(rows),
        "reason": approval.reason if approval else reason,
    } | ({"approval_id": approval.id} if approval else {})
    record(context, CALLS, object_type="exam", object_id=report_context.exam.id, details=details)
    return rows


def write_call_list(
    path: Path,
    report_context: ReportContext,
    units: UnitTree,
    rows: Sequence[PersonRow],
    mobiles: Mapping[int, str],
    *,
    group: str,
    issuer: str,
) -> None:
    """Write the list by which a unit calls its people: never an ID number."""
    sheet = SheetLayout(
        name="催考电话名单",
        columns=CALL_COLUMNS,
        rows=(
            [
                row.unit_code,
                row.unit_name,
                row.name,
                row.position,
                mobiles.get(row.person_id, "未登记"),
                OVERDUE[group] if group == "failed" else status_label(row, is_over=report_context.is_over),
                "",
            ]
            for row in rows
        ),
        title=f"{report_context.exam.title}催考电话名单（{OVERDUE[group]}）",
        remarks=remarks(report_context, units.top),
        closing=[
            f"共 {len(rows)} 人。截止时间：{local(report_context.exam.closes_at):%Y-%m-%d %H:%M}。",
            "名单含手机号，仅限电话通知使用，用后请销毁。",
            issuer_line(issuer, report_context.as_of),
        ],
    )
    write_xlsx(path, [sheet])
