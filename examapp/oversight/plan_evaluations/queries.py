"""The figures of a plan period by year and by unit, from the same counts as the yearly report; and the office's conclusion."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import NotFoundError
from examapp.learning.study_events.queries import EventFilter, list_figures
from examapp.learning.study_events.rules import EventTotals, totals
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Unit
from examapp.oversight.assessments.models import Assessment, AssessmentSheet
from examapp.oversight.duty_lists.queries import ListFigures, count_lists, list_periods
from examapp.oversight.duty_lists.rules import PlanPeriod
from examapp.oversight.own_duties.queries import ExamLine, exam_lines
from examapp.oversight.plan_evaluations.models import PlanEvaluation
from examapp.oversight.statistics_scope.queries import list_tops
from examapp.oversight.yearly_summary.queries import ReportFigures, count_assessed, count_reports

STAGE_NAMES = {"midterm": "中期评估", "final": "总结验收"}
_MIDTERM_YEARS = 3
"""How many years of a period its mid-term evaluation looks at, as the plan notices have it (the third year)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YearFigures:
    """A year of a period."""

    year: int
    exams: list[ExamLine]
    events: EventTotals
    lists: ListFigures
    reports: ReportFigures
    bands: Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitResults:
    """A unit's results of the period's assessments by year: total and band."""

    unit: Unit
    by_year: dict[int, tuple[Decimal, str]]


def get_period(session: Session, first_year: int) -> PlanPeriod:
    """Get the plan period that begins with a year; raises NotFoundError."""
    for period in list_periods(session):
        if period.first_year == first_year:
            return period
    raise NotFoundError


def years_of(period: PlanPeriod, stage: str, *, now: datetime) -> list[int]:
    """Give the years that a stage looks at, up to the present one."""
    last = min(period.last_year, period.first_year + _MIDTERM_YEARS - 1) if stage == "midterm" else period.last_year
    return list(range(period.first_year, min(last, day_of(now).year) + 1))


def year_figures(session: Session, year: int, access: AccessScope, *, now: datetime) -> YearFigures:
    """Read a year of a period."""
    tops = list_tops(session, access)
    _, bands = count_assessed(session, year, access)
    return YearFigures(
        year=year,
        exams=exam_lines(session, tops[0], year, now=now) if tops else [],
        events=totals(year, str(year), list_figures(session, access, EventFilter(year=year))),
        lists=count_lists(session, year, access, today=day_of(now)),
        reports=count_reports(session, year, access, now=now),
        bands=bands,
    )


def list_results(session: Session, years: list[int], access: AccessScope) -> list[UnitResults]:
    """List the units with a result in one of the years, by code."""
    rows = session.execute(
        select(Unit, Assessment.year, AssessmentSheet.total, AssessmentSheet.band)
        .join(AssessmentSheet, AssessmentSheet.unit_id == Unit.id)
        .join(Assessment, Assessment.id == AssessmentSheet.assessment_id)
        .where(within(access), Assessment.year.in_(years), AssessmentSheet.total.is_not(None))
        .order_by(Unit.code, Assessment.year)
    )
    found: dict[int, UnitResults] = {}
    for unit, year, total, band in rows:
        line = found.setdefault(unit.id, UnitResults(unit=unit, by_year={}))
        line.by_year[year] = (total or Decimal(0), band)
    return list(found.values())


def find_evaluation(session: Session, first_year: int, stage: str) -> PlanEvaluation | None:
    """Find the office's conclusion."""
    return session.get(PlanEvaluation, (first_year, stage))
