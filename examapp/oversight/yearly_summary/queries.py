"""What a year's report says: exams, events, campaigns, lists, reports and the assessment of the units within the access scope, from the same counts as their pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import NotFoundError
from examapp.learning.study_events.queries import EventFilter, list_figures
from examapp.learning.study_events.rules import EventTotals, events_by_kind, totals
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Tree, Unit
from examapp.oversight.assessments.models import Assessment, AssessmentSheet
from examapp.oversight.campaigns.models import Campaign
from examapp.oversight.campaigns.queries import list_campaigns, list_lines
from examapp.oversight.campaigns.rules import CampaignProgress
from examapp.oversight.duty_lists.queries import ListFigures, count_lists
from examapp.oversight.duty_reports.queries import list_reports
from examapp.oversight.duty_reports.rules import MISSING, ReportStatus
from examapp.oversight.own_duties.queries import ExamLine, exam_lines
from examapp.oversight.statistics_scope.queries import list_tops


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFigures:
    """A campaign: its units, those that did something, events and records, and people reached."""

    campaign: Campaign
    units: int
    done: int
    events: int
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFigures:
    """How many leaders owe a report, how many have submitted it, and how many of these late."""

    owed: int
    submitted: int
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearSummary:
    """Everything of a year for one access scope."""

    unit: Unit
    year: int
    tree: Tree
    """Along which its exams are counted."""
    exams: list[ExamLine]
    events: EventTotals
    by_kind: list[EventTotals]
    campaigns: list[CampaignFigures]
    lists: ListFigures
    reports: ReportFigures
    sheets: int
    bands: Counter[str]
    """Sheets with a result by their band."""
    as_of: datetime


def year_summary(session: Session, year: int, access: AccessScope, *, now: datetime) -> YearSummary:
    """Read a year for an access scope; its exams are those of the unit at which the access scope begins, with its system where it reaches that.

    Raises NotFoundError for an empty access scope.
    """
    tops = list_tops(session, access)
    if not tops:
        raise NotFoundError
    events = list_figures(session, access, EventFilter(year=year))
    sheets, bands = count_assessed(session, year, access)
    return YearSummary(
        unit=tops[0],
        year=year,
        exams=exam_lines(session, tops[0], year, now=now, tree=tree_of(tops[0], access)),
        tree=tree_of(tops[0], access),
        events=totals("", "合计", events),
        by_kind=events_by_kind(events),
        campaigns=[
            _campaign(session, row, access, now=now)
            for row, _ in list_campaigns(session, year)
            if row.starts_on <= day_of(now)
        ],
        lists=count_lists(session, year, access, today=day_of(now)),
        reports=count_reports(session, year, access, now=now),
        sheets=sheets,
        bands=bands,
        as_of=now,
    )


def tree_of(top: Unit, access: AccessScope) -> Tree:
    """Tell along which tree an access scope that begins at a unit goes: a supervising bureau's along its system."""
    return Tree.SECTOR if not access.is_everything and top.sector_path in access.sector_paths else Tree.REGION


def _campaign(session: Session, campaign: Campaign, access: AccessScope, *, now: datetime) -> CampaignFigures:
    lines = list_lines(session, campaign, access, today=day_of(now))
    return CampaignFigures(
        campaign=campaign,
        units=len(lines),
        done=sum(line.progress == CampaignProgress.DONE for line in lines),
        events=sum(len(line.events) + len(line.records) for line in lines),
        people=sum(line.present + line.outside for line in lines),
    )


def count_reports(session: Session, year: int, access: AccessScope, *, now: datetime) -> ReportFigures:
    """Count the leaders of a year within the access scope who owe a report and who have submitted it."""
    rows = list_reports(session, year, access, today=day_of(now))
    counts = Counter(row.status for row in rows)
    owed = counts.total() - counts[ReportStatus.CLOSED]
    missing = sum(counts[status] for status in MISSING)
    return ReportFigures(owed=owed, submitted=owed - missing, late=sum(row.is_late for row in rows))


def count_assessed(session: Session, year: int, access: AccessScope) -> tuple[int, Counter[str]]:
    """Count the sheets of a year within the access scope, and those with a result by their band."""
    rows = session.execute(
        select(AssessmentSheet.band, AssessmentSheet.total.is_not(None), func.count())
        .join(Assessment, Assessment.id == AssessmentSheet.assessment_id)
        .join(Unit, Unit.id == AssessmentSheet.unit_id)
        .where(Assessment.year == year, within(access))
        .group_by(AssessmentSheet.band, AssessmentSheet.total.is_not(None))
    ).all()
    bands: Counter[str] = Counter()
    for band, has_result, count in rows:
        if has_result:
            bands[band] += count
    return sum(count for *_, count in rows), bands
