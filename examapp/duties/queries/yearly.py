"""A unit's year on one page: its duties and what was done, its exams, its score."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.core.clock import day_of, local
from examapp.duties.models import AssessmentSheet, DutyItem, DutyList, DutyRecord
from examapp.duties.queries import ItemRow, find_list, item_rows
from examapp.duties.queries.assessment import Sheet, find_sheet_row, whole_sheet
from examapp.duties.rules import Progress
from examapp.duties.rules.assessment import SheetState
from examapp.exams.models import Exam, ExamKind, ExamState
from examapp.org.models import Tree, Unit
from examapp.people.rules import Reach
from examapp.reports.queries.basis import get_basis
from examapp.reports.queries.figures import get_unit_table
from examapp.reports.rules import Counts

_SHOWN = {SheetState.FED_BACK, SheetState.APPEALED, SheetState.SEALED}
_COUNTED_KINDS = (ExamKind.ANNUAL, ExamKind.PRE_APPOINTMENT, ExamKind.ENFORCEMENT_QUALIFICATION)
_MOST_EXAMS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamLine:
    """An exam of the year with the unit's counts."""

    exam: Exam
    scope: str
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage:
    """Everything on a unit's yearly page."""

    unit: Unit
    year: int
    duty_list: DutyList | None
    items: list[ItemRow]
    progress: Counter[Progress]
    records: int
    reached: int
    exams: list[ExamLine]
    sheet: Sheet | None
    """The score sheet once it was fed back; None before."""


def unit_page(session: Session, unit: Unit, year: int, *, now: datetime) -> UnitPage:
    """Give the yearly page of a unit that was found within reach."""
    duty_list = find_list(session, unit.id, year)
    items = item_rows(session, duty_list.id, today=day_of(now)) if duty_list else []
    records, reached = _done(session, duty_list.id) if duty_list else (0, 0)
    row = find_sheet_row(session, year, unit.id)
    return UnitPage(
        unit=unit,
        year=year,
        duty_list=duty_list,
        items=items,
        progress=Counter(item.progress for item in items),
        records=records,
        reached=reached,
        exams=_exams(session, unit, year, now=now),
        sheet=_shown(session, row, now=now),
    )


def _done(session: Session, list_id: int) -> tuple[int, int]:
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(DutyRecord.reached), 0))
        .join(DutyItem, DutyItem.id == DutyRecord.item_id)
        .where(DutyItem.list_id == list_id, DutyRecord.withdrawn_at.is_(None))
    ).one()
    return row[0], int(row[1])


def _shown(session: Session, row: AssessmentSheet | None, *, now: datetime) -> Sheet | None:
    return whole_sheet(session, row, now=now) if row is not None and row.state in _SHOWN else None


def _exams(session: Session, unit: Unit, year: int, *, now: datetime) -> list[ExamLine]:
    found = session.scalars(
        select(Exam)
        .where(
            Exam.state == ExamState.PUBLISHED,
            Exam.main_exam_id.is_(None),
            Exam.kind.in_(_COUNTED_KINDS),
            Exam.opens_at <= now,
        )
        .order_by(Exam.opens_at, Exam.id)
    )
    of_year = [exam for exam in found if local(exam.opens_at).year == year][:_MOST_EXAMS]
    lines = []
    for exam in of_year:
        basis = get_basis(session, exam.id, scope=None, now=now)
        table = get_unit_table(session, basis, unit.id, tree=Tree.REGION, depth=0, reach=Reach(is_everything=True))
        if table.total.roster:
            lines.append(ExamLine(exam=exam, scope=basis.scope, counts=table.total))
    return lines
