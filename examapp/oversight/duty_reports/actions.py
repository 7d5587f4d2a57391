"""The office asks for the reports of a year and reads them; leaders and units write and submit them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.errors import ConflictError, DomainError
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit
from examapp.oversight.duty_reports.models import DutyReport
from examapp.oversight.duty_reports.queries import facts_of, get_report, recorded_of
from examapp.oversight.duty_reports.rules import HEADS, KIND_NAMES, ReportState, missing_heads
from examapp.oversight.event_statistics.queries import list_answering_units
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "reports.ask_duty_reports": "布置述法和履职报告",
    "reports.read_duty_report": "审阅述法和履职报告",
    "reports.return_duty_report": "退回述法和履职报告",
    "reports.set_leader": "设置第一责任人",
    "reports.submit_duty_report": "报送述法和履职报告",
    "reports.write_duty_report": "填写述法和履职报告",
}
AUDIT_OBJECTS = {"duty_report": "述法和履职报告"}


class InvalidReportError(DomainError):
    """A report cannot be taken so; the message says what to do."""

    code = "duty_report_refused"


def ask_for_reports(context: ActionContext, *, year: int, due_on: date) -> int:
    """Ask the units that answer for themselves for both reports of a year, or move the due day of those not submitted; gives how many are new."""
    session, now = context.session, context.now
    everything = AccessScope(is_everything=True)
    known = _last_leaders(session, year)
    rows: list[dict[str, Any]] = [
        {
            "unit_id": unit.id,
            "year": year,
            "kind": kind,
            "person_id": known.get(unit.id),
            "due_on": due_on,
            "state": ReportState.OPEN,
            "texts": {},
            "remark": "",
            "version": 1,
            "updated_at": now,
        }
        for unit in list_answering_units(session, everything)
        for kind in KIND_NAMES
    ]
    session.execute(
        update(DutyReport)
        .where(DutyReport.year == year, DutyReport.state == ReportState.OPEN)
        .values(due_on=due_on, updated_at=now)
    )
    new = insert(DutyReport).on_conflict_do_nothing().returning(DutyReport.id)
    added = len(session.scalars(new, rows).all()) if rows else 0
    details = {"year": year, "added": added}
    record(context, "reports.ask_duty_reports", object_type="duty_report", details=details)
    return added


def _last_leaders(session: Session, year: int) -> dict[int, int]:
    """Give who answered the year before and is still on the unit's roster, or on that of a part of it, by unit."""
    own = select(Unit.region_path).where(Unit.id == DutyReport.unit_id).correlate(DutyReport).scalar_subquery()
    rows = session.execute(
        select(DutyReport.unit_id, Person.id)
        .join(Person, Person.id == DutyReport.person_id)
        .join(Unit, Unit.id == Person.unit_id)
        .where(
            DutyReport.year == year - 1,
            DutyReport.kind == "leader",
            Person.state == PersonState.ON_ROSTER,
            Unit.region_path.startswith(own),
        )
    )
    return {unit_id: person_id for unit_id, person_id in rows}  # noqa: C416 – mypy knows no dict of rows


def set_leader(context: ActionContext, *, report_id: int, person: Person, access: AccessScope) -> None:
    """Name the first responsible person of a report that is open; both reports of the year have the same one."""
    report, _ = _open_report(context.session, report_id, access, None)
    context.session.execute(
        update(DutyReport)
        .where(
            DutyReport.unit_id == report.unit_id, DutyReport.year == report.year, DutyReport.state == ReportState.OPEN
        )
        .values(person_id=person.id, updated_at=context.now, version=DutyReport.version + 1)
    )
    record(context, "reports.set_leader", object_type="duty_report", object_id=report_id, person_id=person.id)


def _open_report(
    session: Session, report_id: int, access: AccessScope | None, person_id: int | None
) -> tuple[DutyReport, Unit]:
    report, unit = get_report(session, report_id, access, person_id=person_id, has_lock=True)
    if report.state != ReportState.OPEN:
        raise ConflictError(f"{KIND_NAMES[report.kind]}已报送，不能再改。需要修改的，请普法办退回。")
    if unit.closed_at is not None:
        raise InvalidReportError("单位已撤并，不用再报。合并后的单位另有一份。")
    return report, unit


def write_report(
    context: ActionContext, *, report_id: int, version: int, texts: dict[str, str], access: AccessScope | None
) -> DutyReport:
    """Keep what was written so far, in a report that is still as the form showed it."""
    report, _ = _open_report(context.session, report_id, access, context.actor.person_id)
    if report.version != version:
        raise ConflictError("报告刚才已被他人修改。请复制您写的内容，刷新页面后再填。")
    report.texts = {key: texts.get(key, "") for key in HEADS[report.kind]}
    report.version, report.updated_at = version + 1, context.now
    record(context, "reports.write_duty_report", object_type="duty_report", object_id=report.id)
    return report


def submit_report(context: ActionContext, *, report_id: int, access: AccessScope | None) -> DutyReport:
    """Submit a report whose heads are all filled in, those empty first from what is recorded; after its due day too, and then it is late."""
    report, unit = _open_report(context.session, report_id, access, context.actor.person_id)
    if report.person_id is None:
        raise InvalidReportError("还没有填写第一责任人。请先填写，再报送。")
    facts = facts_of(recorded_of(context.session, report, unit, now=context.now), report.kind)
    texts = {key: report.texts.get(key, "").strip() or facts.get(key, "") for key in HEADS[report.kind]}
    if missing := missing_heads(report.kind, texts):
        raise InvalidReportError(f"还没有写：{'、'.join(missing)}。写好保存后再报送。")
    report.texts, report.state, report.remark = texts, ReportState.SUBMITTED, ""
    report.submitted_at, report.submitted_by_id = context.now, context.actor.person_id
    report.version, report.updated_at = report.version + 1, context.now
    record(context, "reports.submit_duty_report", object_type="duty_report", object_id=report.id)
    return report


def read_report(context: ActionContext, *, report_id: int, remark: str, access: AccessScope) -> None:
    """Mark a submitted report as read, with a remark if any."""
    _decide(context, report_id, remark, access, to=ReportState.READ)
    record(context, "reports.read_duty_report", object_type="duty_report", object_id=report_id)


def return_report(context: ActionContext, *, report_id: int, remark: str, access: AccessScope) -> None:
    """Give a report back to be changed, with the reason."""
    if not remark:
        raise InvalidReportError("请写明退回理由，让单位知道改什么。")
    _decide(context, report_id, remark, access, to=ReportState.OPEN)
    record(context, "reports.return_duty_report", object_type="duty_report", object_id=report_id)


def _decide(context: ActionContext, report_id: int, remark: str, access: AccessScope, *, to: ReportState) -> None:
    report, _ = get_report(context.session, report_id, access, has_lock=True)
    if report.state == ReportState.OPEN:
        raise ConflictError("单位还没有报送。请等报送后再审阅。")
    report.state, report.remark = to, remark
    report.read_at, report.read_by_id = context.now, context.actor.person_id
    report.version, report.updated_at = report.version + 1, context.now
