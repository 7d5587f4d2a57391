"""Reads about reports: who owes one, where each stands, and what is recorded for it already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.errors import NotFoundError
from examapp.learning.study_events.rules import KIND_NAMES as EVENT_NAMES
from examapp.learning.study_events.rules import EventFigures, events_by_kind, totals
from examapp.learning.study_record.queries import StudyRecord, study_record
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.oversight.assessments.rules import STUDY_GROUPS_A_YEAR
from examapp.oversight.duty_lists.rules import DutyListState, Progress
from examapp.oversight.duty_reports import rules
from examapp.oversight.duty_reports.models import DutyReport
from examapp.oversight.duty_reports.rules import STATUS_NAMES, DutyCheck, ReportState, ReportStatus, report_status
from examapp.oversight.own_duties.queries import UnitPage, unit_page

ABOUT_THE_CONSTITUTION = "宪法"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """A report with its unit and who answers, as it stands on a day."""

    report: DutyReport
    unit: Unit
    leader: str
    status: ReportStatus

    @property
    def is_late(self) -> bool:
        """Whether it came after its due day."""
        report = self.report
        return rules.is_late(report.state, due_on=report.due_on, submitted_at=report.submitted_at)

    @property
    def status_text(self) -> str:
        """The status in words; of one that was read, that it came late."""
        is_read_late = self.status is ReportStatus.READ and self.is_late
        return f"{STATUS_NAMES[self.status]}（逾期报送）" if is_read_late else STATUS_NAMES[self.status]


def list_reports(
    session: Session, year: int, access: AccessScope, *, today: date, kind: str = "leader"
) -> list[ReportRow]:
    """List the reports of a year of units within the access scope, by unit code."""
    rows = session.execute(
        select(DutyReport, Unit, Person.name)
        .join(Unit, Unit.id == DutyReport.unit_id)
        .outerjoin(Person, Person.id == DutyReport.person_id)
        .where(within(access), DutyReport.year == year, DutyReport.kind == kind)
        .order_by(Unit.code)
    )
    return [_row(report, unit, leader, today=today) for report, unit, leader in rows]


def _row(report: DutyReport, unit: Unit, leader: str | None, *, today: date) -> ReportRow:
    status = report_status(
        report.state,
        due_on=report.due_on,
        submitted_at=report.submitted_at,
        is_closed=unit.closed_at is not None,
        today=today,
    )
    return ReportRow(report=report, unit=unit, leader=leader or "", status=status)


def list_own_reports(session: Session, person_id: int, *, today: date) -> list[ReportRow]:
    """List the reports that a person answers for, the latest year first."""
    rows = session.execute(
        select(DutyReport, Unit, Person.name)
        .join(Unit, Unit.id == DutyReport.unit_id)
        .join(Person, Person.id == DutyReport.person_id)
        .where(DutyReport.person_id == person_id)
        .order_by(DutyReport.year.desc(), DutyReport.kind)
    )
    return [_row(report, unit, leader, today=today) for report, unit, leader in rows]


def get_report(
    session: Session,
    report_id: int,
    access: AccessScope | None,
    *,
    person_id: int | None = None,
    has_lock: bool = False,
) -> tuple[DutyReport, Unit]:
    """Get a report of a unit within the access scope, or that a person answers for; raises NotFoundError."""
    query = select(DutyReport, Unit).join(Unit, Unit.id == DutyReport.unit_id).where(DutyReport.id == report_id)
    if has_lock:
        query = query.with_for_update(of=DutyReport).execution_options(populate_existing=True)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFoundError
    report, unit = row
    is_near = access is not None and access.covers(region_path=unit.region_path, sector_path=unit.sector_path)
    if not is_near and (person_id is None or report.person_id != person_id):
        raise NotFoundError
    return report, unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What is recorded of a unit's year and its leader's: the source of a report and of the list of duties."""

    page: UnitPage
    record: StudyRecord | None

    @property
    def study_groups(self) -> list[EventFigures]:
        """The unit's meetings of its study group."""
        return [event for event in self.page.events if event.kind == "study_group"]


def leader_of(session: Session, report: DutyReport) -> Person | None:
    """Find the person whose report it is; None for a unit's."""
    return session.get(Person, report.person_id) if report.person_id else None


def recorded_of(session: Session, report: DutyReport, unit: Unit, *, now: datetime) -> Recorded:
    """Read what is recorded for a report."""
    person_id = report.person_id
    record = study_record(session, person_id, year=report.year, access=None, now=now) if person_id else None
    return Recorded(page=unit_page(session, unit, report.year, now=now), record=record)


def _events_text(events: Sequence[EventFigures]) -> str:
    if not events:
        return "本年度没有已办结的普法活动"
    sum_ = totals("", "", events)
    kinds = "、".join(f"{row.label} {row.events} 场" for row in events_by_kind(events))
    return f"开展普法活动 {sum_.events} 场（{kinds}），在册人员 {sum_.present} 人次，群众 {sum_.outside} 人次"


def _list_text(page: UnitPage) -> str:
    if page.duty_list is None:
        return "本年度没有普法责任清单"
    done = page.progress[Progress.DONE] + page.progress[Progress.DONE_LATE]
    return f"普法责任清单 {len(page.items)} 项，已完成 {done} 项，已逾期 {page.progress[Progress.OVERDUE]} 项"


def _exam_text(page: UnitPage) -> str:
    lines = [
        f"{line.exam.title}应考 {line.counts.eligible} 人，参考 {line.counts.participated} 人，参考率 {_rate(line.counts.participation_rate)}，合格率 {_rate(line.counts.pass_rate)}"
        for line in page.exams
    ]
    return "；".join(lines) or "本年度没有计入统计的考试"


def _rate(value: object) -> str:
    return "–" if value is None else f"{value}%"


def _study_text(found: Recorded) -> str:
    own = found.record
    groups = f"组织中心组学法 {len(found.study_groups)} 次"
    if own is None:
        return groups
    return f"{groups}；本人参加学法活动 {len(own.events)} 场，学完课程 {len(own.courses)} 门"


def facts_of(found: Recorded, kind: str) -> dict[str, str]:
    """Give what is recorded as a sentence by head; heads about which nothing is recorded are left out."""
    page = found.page
    cases = [event for event in page.events if event.kind == "case"]
    if kind == "leader":
        publicity = f"{_list_text(page)}；{_events_text(page.events)}；{_exam_text(page)}。"
        return {"study": f"{_study_text(found)}。", "publicity": publicity}
    return {
        "list": f"{_list_text(page)}。",
        "events": f"{_events_text(page.events)}。",
        "study": f"{_exam_text(page)}。",
        "cases": f"开展以案释法 {len(cases)} 场{'：' if cases else ''}{'、'.join(event.theme for event in cases[:5])}。",
    }


def checks_of(found: Recorded, report: DutyReport) -> list[DutyCheck]:
    """Give what is asked of a first responsible person, each with its state and what it was counted from."""
    page, groups = found.page, found.study_groups
    about = [event for event in groups if any(ABOUT_THE_CONSTITUTION in text for text in (*event.laws, event.theme))]
    is_published = page.duty_list is not None and page.duty_list.state == DutyListState.PUBLISHED
    reached = [event for event in page.events if event.kind in {"outreach", "case", "culture"}]
    own = found.record
    return [
        DutyCheck(
            name="公布普法责任清单",
            is_done=is_published,
            found="已公布" if is_published else "没有公布",
            href_kind="list",
        ),
        DutyCheck(
            name="清单事项没有逾期",
            is_done=is_published and not page.progress[Progress.OVERDUE],
            found=_list_text(page),
            href_kind="list",
        ),
        DutyCheck(
            name=f"中心组学法不少于 {STUDY_GROUPS_A_YEAR} 次",
            is_done=len(groups) >= STUDY_GROUPS_A_YEAR,
            found=f"{len(groups)} 次",
            href_kind="study_group",
        ),
        DutyCheck(name="中心组学习宪法", is_done=bool(about), found=f"{len(about)} 次", href_kind="study_group"),
        DutyCheck(
            name="开展宣讲、以案释法或法治文化活动",
            is_done=bool(reached),
            found="、".join(f"{EVENT_NAMES[row.kind]}“{row.theme}”" for row in reached[:3]) or "没有",
            href_kind="events",
        ),
        DutyCheck(
            name="本人参加学法活动",
            is_done=own is not None and bool(own.events),
            found=f"{len(own.events) if own else 0} 场",
        ),
        DutyCheck(
            name="述法",
            is_done=report.state != ReportState.OPEN,
            found="已报送" if report.state != ReportState.OPEN else "没有报送",
        ),
    ]
