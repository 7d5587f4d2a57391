"""Figures: per unit in one statement, by day, by points; and what the home pages show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Date, cast, func, select
from sqlalchemy.orm import Session

from examapp.core import clock
from examapp.core.clock import LOCAL, day_of
from examapp.org.models import Tree, Unit
from examapp.people.rules import Reach
from examapp.reports.queries.basis import Basis, UnitTree, get_basis, get_tree_of
from examapp.reports.queries.counting import select_counts
from examapp.reports.queries.ground import EVERYBODY, PeopleFilter, ground_of
from examapp.reports.queries.kept import find_kept_counts
from examapp.reports.queries.people import of_whichever_units, people_of
from examapp.reports.rules import Counts, CurvePoint, UnitNode, UnitRow, curve, rollup, tidy_bins


def counts_by_unit(session: Session, basis: Basis, wanted: PeopleFilter = EVERYBODY) -> dict[int, Counts]:
    """Count the roster's people per unit, in one statement; for a large roster from what is kept of it, in two."""
    ground = ground_of(session, basis)
    if basis.exam.kept_grounds and wanted.is_of_units_alone:
        kept = find_kept_counts(session, ground, wanted.unit_ids)
        if kept is not None:
            return kept
    wanted, chosen = of_whichever_units(wanted)
    rows = session.execute(select_counts(ground, wanted, is_of_chosen_units=chosen is not None), chosen)
    return {unit_id: Counts._make(values) for unit_id, *values in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTable:
    """The unit table: what it stands on, and its rows, the whole first."""

    basis: Basis
    tree: Tree
    units: UnitTree
    rows: list[UnitRow]

    @property
    def total(self) -> Counts:
        """The counts of the top with its whole subtree."""
        return self.rows[0].counts


def get_unit_table(
    session: Session,
    basis: Basis,
    unit_id: int,
    *,
    tree: Tree,
    depth: int,
    reach: Reach,
    wanted: PeopleFilter = EVERYBODY,
) -> UnitTable:
    """Get the figures of a unit within reach and of what is below it, in two statements; raises NotFoundError."""
    units = get_tree_of(session, basis, unit_id, tree=tree, reach=reach)
    is_all = reach.is_everything and tree is Tree.REGION and not units.above
    wanted = replace(wanted, unit_ids=None if is_all else units.unit_ids)
    counts = counts_by_unit(session, basis, wanted)
    return UnitTable(basis=basis, tree=tree, units=units, rows=rollup(units.nodes, counts, depth=depth))


def get_curve(session: Session, basis: Basis, wanted: PeopleFilter) -> list[CurvePoint]:
    """Get who took part by the county's day of the first hand-in, cumulated, from the opening to the close or today."""
    people = people_of(session, basis, wanted)
    day = cast(func.timezone(str(LOCAL), people.of.c.first_submitted_at), Date)
    rows = session.execute(
        select(day.label("day"), people.participated.label("has_sat"), func.count().label("people"))
        .where(people.eligible)
        .group_by("day", "has_sat")
    ).all()
    by_day: dict[date, int] = {row.day: row.people for row in rows if row.has_sat}
    eligible = sum(row.people for row in rows)
    last = min(max(exam.closes_at for exam in basis.exams), basis.as_of)
    return curve(by_day, first=day_of(basis.exam.opens_at), last=day_of(last), eligible=eligible)


def get_hours(session: Session, basis: Basis, wanted: PeopleFilter, day: date) -> list[int]:
    """Count the first hand-ins of a county's day by its 24 hours."""
    people = people_of(session, basis, wanted)
    here = func.timezone(str(LOCAL), people.of.c.first_submitted_at)
    hour = func.extract("hour", here)
    rows = session.execute(
        select(hour, func.count()).where(people.participated, cast(here, Date) == day).group_by(hour)
    )
    counted = {int(hour): count for hour, count in rows}
    return [counted.get(hour, 0) for hour in range(24)]


def get_distribution(session: Session, basis: Basis, wanted: PeopleFilter) -> list[int]:
    """Count those who took part and have their points by ten-point bands of the score in a hundred."""
    people = people_of(session, basis, wanted)
    index = func.floor(people.of.c.percent / 10)
    rows = session.execute(
        select(index, func.count()).where(people.participated, people.of.c.percent.is_not(None)).group_by(index)
    )
    return tidy_bins({int(low): count for low, count in rows})


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFigures:
    """What a home page shows of an exam: the whole of a unit, the units just below it, and the curve so far."""

    basis: Basis
    unit: UnitNode
    counts: Counts
    below: list[UnitRow]
    curve: list[CurvePoint]

    def lagging(self, *, most: int = 10) -> list[UnitRow]:
        """Give the units below whose participation is under that of the whole, by unit code; never a ranking."""
        whole = self.counts.participation_rate
        rates = ((row, row.counts.participation_rate) for row in self.below)
        return [row for row, rate in rates if whole is not None and rate is not None and rate < whole][:most]


def home_figures(
    session: Session, exam_id: int, reach_unit: Unit | int, *, tree: Tree = Tree.REGION, now: datetime | None = None
) -> HomeFigures:
    """Get what a home page shows of an exam for a unit that the caller has found to be within reach, in four statements.

    Raises NotFoundError for an exam that is not published or a unit that is not there.
    """
    unit_id = reach_unit if isinstance(reach_unit, int) else reach_unit.id
    basis = get_basis(session, exam_id, scope=None, now=now or clock.now())
    table = get_unit_table(session, basis, unit_id, tree=tree, depth=1, reach=Reach(is_everything=True))
    wanted = PeopleFilter(unit_ids=table.units.unit_ids)
    return HomeFigures(
        basis=basis,
        unit=table.rows[0].unit,
        counts=table.total,
        below=table.rows[1:],
        curve=get_curve(session, basis, wanted),
    )
