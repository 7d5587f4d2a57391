"""Figures that are kept per unit, and read so that none is ever old: what an invalidation names is counted again in the same statement.

Triggers write the invalidations (`StatsInvalidation`); who counts again deletes them in the same transaction. So in each
snapshot the kept figures of every unit without one are those that counting would give.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CompoundSelect,
    Date,
    Integer,
    Numeric,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    union,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.orm import Session

from examapp import clock
from examapp.clock import LOCAL, day_of
from examapp.content.blueprints.models import Paper
from examapp.content.questions.models import BankQuestion, KnowledgePoint, QuestionVersion, question_knowledge_points
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import Exam, RosterSnapshotPerson
from examapp.delivery.grading.models import Grade
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Tree, Unit
from examapp.oversight.statistics.models import StatsInvalidation, UnitStatsCache
from examapp.oversight.statistics_definitions.rules import (
    Counts,
    CurvePoint,
    UnitNode,
    UnitStatsRow,
    curve,
    rollup,
    tidy_bins,
)
from examapp.oversight.statistics_population.queries import (
    CHOSEN_UNITS,
    array_of,
    of_whichever_units,
    people_of,
    select_counts,
)
from examapp.oversight.statistics_scope.queries import (
    EVERYBODY,
    PeopleFilter,
    ReportContext,
    RosterQueryKey,
    UnitTree,
    get_report_context,
    get_tree_of,
    roster_query_key,
)
from examapp.points import percentage

MAX_MARKED_UNITS = 2000
"""From here on everybody is counted: it is no slower."""
_LOOKS = 3
_ALL_UNITS = 0
"""Stands for a mark at the exam itself, and for figures that are not kept any more."""
_ROSTER_KEY = bindparam("roster_key", type_=Text)
_AMONG = bindparam("among", type_=ARRAY(BigInteger))


@lru_cache(maxsize=256)
def digest(roster_key: RosterQueryKey) -> str:
    """Give the name under which the figures of a ground are kept: another as soon as the program counts in another way."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types
    counting = select_counts(roster_key, EVERYBODY).compile(dialect=dialect)
    return hashlib.sha256(f"{roster_key}\n{counting}\n{counting.params}".encode()).hexdigest()[:32]


def find_kept_counts(
    session: Session, roster_key: RosterQueryKey, unit_ids: Collection[int] | None
) -> dict[int, Counts] | None:
    """Give the counts of all units (or these) that have people, from what is kept and what has to be counted again.

    Two statements, more where somebody marks a unit just between them. None where nothing is kept, or too much is marked.
    """
    among = None if unit_ids is None else list(unit_ids)
    given: dict[str, Any] = {"roster_key": digest(roster_key), "among": among}
    marked = set(session.scalars(_marked(roster_key).limit(MAX_MARKED_UNITS + 1), given))
    for _ in range(_LOOKS):
        chosen = marked if among is None else marked.intersection(among)
        if _ALL_UNITS in marked or len(chosen) > MAX_MARKED_UNITS:
            return None
        given["chosen_units"] = list(chosen)
        rows = session.connection().execute(_reading(roster_key, among is not None), given).all()
        new = {unit_id for unit_id, roster, *_ in rows if roster is None}
        if not new:
            return {unit_id: Counts._make(values) for unit_id, *values in rows}
        marked |= new
    return None


@lru_cache(maxsize=64)
def _marked(roster_key: RosterQueryKey) -> CompoundSelect[Any]:
    """Select the units whose kept figures are not sound, and `_ALL_UNITS` where none are."""
    marked = array_of(select(StatsInvalidation.person_id).where(StatsInvalidation.person_id.is_not(None)))
    of_person = select(Person.unit_id).where(Person.id == any_(marked))
    if roster_key.audience is None:
        of_person = select(RosterSnapshotPerson.unit_id).where(
            RosterSnapshotPerson.exam_id == roster_key.exam_id, RosterSnapshotPerson.person_id == any_(marked)
        )
    everything = select(literal(_ALL_UNITS, BigInteger))
    return union(
        select(StatsInvalidation.unit_id.label("unit_id")).where(StatsInvalidation.unit_id.is_not(None)),
        of_person,
        everything.where(select(StatsInvalidation.id).where(StatsInvalidation.exam_id == roster_key.exam_id).exists()),
        everything.where(
            ~select(Exam.id).where(Exam.id == roster_key.exam_id, any_(Exam.cached_roster_keys) == _ROSTER_KEY).exists()
        ),
    )


@lru_cache(maxsize=64)
def _reading(roster_key: RosterQueryKey, is_among: bool) -> CompoundSelect[Any]:
    """Select kept counts where no unit is chosen, fresh ones of the chosen, and without counts the units that are marked but not chosen."""
    kept = select(UnitStatsCache.unit_id, *(getattr(UnitStatsCache, name) for name in Counts._fields)).where(
        UnitStatsCache.roster_key == _ROSTER_KEY, UnitStatsCache.unit_id != all_(CHOSEN_UNITS)
    )
    marked = _marked(roster_key).subquery("marked")
    nothing = [cast(null(), Numeric if name == "points_total" else Integer) for name in Counts._fields]
    missed = select(marked.c.unit_id, *nothing).where(marked.c.unit_id != all_(CHOSEN_UNITS))
    if is_among:
        kept = kept.where(UnitStatsCache.unit_id == any_(_AMONG))
        missed = missed.where((marked.c.unit_id == any_(_AMONG)) | (marked.c.unit_id == _ALL_UNITS))
    return union_all(kept, select_counts(roster_key, EVERYBODY, is_of_chosen_units=True), missed)


def counts_by_unit(
    session: Session, report_context: ReportContext, wanted: PeopleFilter = EVERYBODY
) -> dict[int, Counts]:
    """Count the roster's people per unit, in one statement; for a large roster from what is kept of it, in two."""
    roster_key = roster_query_key(session, report_context)
    if report_context.exam.cached_roster_keys and wanted.is_of_units_alone:
        kept = find_kept_counts(session, roster_key, wanted.unit_ids)
        if kept is not None:
            return kept
    wanted, chosen = of_whichever_units(wanted)
    rows = session.execute(select_counts(roster_key, wanted, is_of_chosen_units=chosen is not None), chosen)
    return {unit_id: Counts._make(values) for unit_id, *values in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTable:
    """The unit table: what it stands on, and its rows, the whole first."""

    report_context: ReportContext
    tree: Tree
    units: UnitTree
    rows: list[UnitStatsRow]

    @property
    def total(self) -> Counts:
        """The counts of the top with its whole subtree."""
        return self.rows[0].counts


def get_unit_table(
    session: Session,
    report_context: ReportContext,
    unit_id: int,
    *,
    tree: Tree,
    depth: int,
    access: AccessScope,
    wanted: PeopleFilter = EVERYBODY,
) -> UnitTable:
    """Get the figures of a unit within the access scope and of what is below it, in two statements; raises NotFoundError."""
    units = get_tree_of(session, report_context, unit_id, tree=tree, access=access)
    is_all = access.is_everything and tree is Tree.REGION and not units.above
    wanted = replace(wanted, unit_ids=None if is_all else units.unit_ids)
    counts = counts_by_unit(session, report_context, wanted)
    return UnitTable(
        report_context=report_context, tree=tree, units=units, rows=rollup(units.nodes, counts, depth=depth)
    )


def get_curve(session: Session, report_context: ReportContext, wanted: PeopleFilter) -> list[CurvePoint]:
    """Get who took part by the county's day of the first hand-in, cumulated, from the opening to the close or today."""
    people = people_of(session, report_context, wanted)
    day = cast(func.timezone(str(LOCAL), people.of.c.first_submitted_at), Date)
    rows = session.execute(
        select(day.label("day"), people.participated.label("has_submitted"), func.count().label("people"))
        .where(people.eligible)
        .group_by("day", "has_submitted")
    ).all()
    by_day: dict[date, int] = {row.day: row.people for row in rows if row.has_submitted}
    eligible = sum(row.people for row in rows)
    last = min(max(exam.closes_at for exam in report_context.exams), report_context.as_of)
    return curve(by_day, first=day_of(report_context.exam.opens_at), last=day_of(last), eligible=eligible)


def get_hours(session: Session, report_context: ReportContext, wanted: PeopleFilter, day: date) -> list[int]:
    """Count the first hand-ins of a county's day by its 24 hours."""
    people = people_of(session, report_context, wanted)
    here = func.timezone(str(LOCAL), people.of.c.first_submitted_at)
    hour = func.extract("hour", here)
    rows = session.execute(
        select(hour, func.count()).where(people.participated, cast(here, Date) == day).group_by(hour)
    )
    counted = {int(hour): count for hour, count in rows}
    return [counted.get(hour, 0) for hour in range(24)]


def get_distribution(session: Session, report_context: ReportContext, wanted: PeopleFilter) -> list[int]:
    """Count those who took part and have their points by ten-point bands of the score in a hundred."""
    people = people_of(session, report_context, wanted)
    index = func.floor(people.of.c.percent / 10)
    rows = session.execute(
        select(index, func.count()).where(people.participated, people.of.c.percent.is_not(None)).group_by(index)
    )
    return tidy_bins({int(low): count for low, count in rows})


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFigures:
    """What a home page shows of an exam: the whole of a unit, the units just below it, and the curve so far."""

    report_context: ReportContext
    unit: UnitNode
    counts: Counts
    below: list[UnitStatsRow]
    curve: list[CurvePoint]

    def lagging(self, *, limit: int = 10) -> list[UnitStatsRow]:
        """Give the units below whose participation is under that of the whole, by unit code; never a ranking."""
        whole = self.counts.participation_rate
        rates = ((row, row.counts.participation_rate) for row in self.below)
        return [row for row, rate in rates if whole is not None and rate is not None and rate < whole][:limit]


def home_figures(
    session: Session,
    exam_id: int,
    load_unit_in_scope: Unit | int,
    *,
    tree: Tree = Tree.REGION,
    now: datetime | None = None,
) -> HomeFigures:
    """Get what a home page shows of an exam for a unit that the caller has found to be within the access scope, in four statements.

    Raises NotFoundError for an exam that is not published or a unit that is not there.
    """
    unit_id = load_unit_in_scope if isinstance(load_unit_in_scope, int) else load_unit_in_scope.id
    report_context = get_report_context(session, exam_id, scope=None, now=now or clock.now())
    table = get_unit_table(session, report_context, unit_id, tree=tree, depth=1, access=AccessScope(is_everything=True))
    wanted = PeopleFilter(unit_ids=table.units.unit_ids)
    return HomeFigures(
        report_context=report_context,
        unit=table.rows[0].unit,
        counts=table.total,
        below=table.rows[1:],
        curve=get_curve(session, report_context, wanted),
    )


MAX_SHEETS = 10_000
"""Of more answer sheets than these, every n-th is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakTopic:
    """A law or knowledge point with how its items were answered."""

    name: str
    items: int
    points: Decimal
    points_possible: Decimal

    @property
    def rate(self) -> Decimal | None:
        """得分率: points got of those possible, in per cent."""
        return percentage(self.points, self.points_possible)


@dataclass(frozen=True, slots=True)
class Weaknesses:
    """Laws and knowledge points from the weakest on, and whether all sheets were looked at or every n-th."""

    laws: list[WeakTopic]
    knowledge_points: list[WeakTopic]
    every: int


NO_WEAKNESSES = Weaknesses([], [], 1)


def find_weaknesses(
    session: Session, report_context: ReportContext, wanted: PeopleFilter, *, participated: int
) -> Weaknesses:
    """Find what the counted sheets of these people show; `participated` says how many there are.

    The sheets are unpacked once, by version of a question; laws and knowledge points are summed from that.
    """
    every = max(1, -(-participated // MAX_SHEETS))
    counts = _counts_by_version(session, report_context, wanted, every)
    return Weaknesses(
        laws=_weakest(counts, _law_names(session, counts)),
        knowledge_points=_weakest(counts, _knowledge_point_names(session, counts)),
        every=every,
    )


_Counts = dict[int, tuple[int, Decimal, Decimal]]
"""Items, points and points possible by version of a question."""


def _counts_by_version(session: Session, report_context: ReportContext, wanted: PeopleFilter, every: int) -> _Counts:
    """Unpack sheets beside the points of their items; what is equal is counted in the database, and added up here: half a million sums of numerics take seconds."""
    people = people_of(session, report_context, wanted)
    unpacked = select(
        func.jsonb_path_query(Paper.sections, cast("$[*].items[*]", JSONPATH), type_=JSONB).label("item"),
        func.jsonb_array_elements_text(Grade.item_points, type_=Text).label("got"),
    )
    sheet = unpacked.correlate(Paper, Grade).lateral("sheet")
    version_id, worth = (sheet.c.item.op("->>", return_type=Text())(place) for place in (0, 3))
    query = (
        select(version_id, sheet.c.got, worth, func.count())
        .select_from(people.of)
        .join(Attempt, Attempt.id == people.of.c.attempt_id)
        .join(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .join(Paper, Paper.id == Attempt.paper_id)
        .join(sheet, and_(sheet.c.item.is_not(None), sheet.c.got.is_not(None)))
        .where(people.participated, people.of.c.attempt_id % every == 0)
        .group_by(version_id, sheet.c.got, worth)
    )
    counts: _Counts = {}
    for version, got, possible, count in session.execute(query):
        items, points, points_possible = counts.get(int(version), (0, Decimal(0), Decimal(0)))
        counts[int(version)] = (
            items + count,
            points + Decimal(got) * count,
            points_possible + Decimal(possible) * count,
        )
    return counts


def _law_names(session: Session, counts: _Counts) -> list[tuple[int, str]]:
    rows = session.execute(
        select(QuestionVersion.id, BankQuestion.law_name)
        .join(BankQuestion, BankQuestion.id == QuestionVersion.question_id)
        .where(QuestionVersion.id.in_(counts), BankQuestion.law_name != "")
    )
    return [(version_id, name) for version_id, name in rows]


def _knowledge_point_names(session: Session, counts: _Counts) -> list[tuple[int, str]]:
    rows = session.execute(
        select(QuestionVersion.id, KnowledgePoint.name)
        .join(question_knowledge_points, question_knowledge_points.c.question_id == QuestionVersion.question_id)
        .join(KnowledgePoint, KnowledgePoint.id == question_knowledge_points.c.knowledge_point_id)
        .where(QuestionVersion.id.in_(counts))
    )
    return [(version_id, name) for version_id, name in rows]


def _weakest(counts: _Counts, names: list[tuple[int, str]]) -> list[WeakTopic]:
    """Sum the counts of versions by name, from the weakest on."""
    found: dict[str, WeakTopic] = {}
    for version_id, name in names:
        items, points, possible = counts[version_id]
        before = found.get(name) or WeakTopic(name=name, items=0, points=Decimal(0), points_possible=Decimal(0))
        found[name] = WeakTopic(
            name=name,
            items=before.items + items,
            points=before.points + points,
            points_possible=before.points_possible + possible,
        )
    return sorted((one for one in found.values() if one.rate is not None), key=lambda one: (one.rate, one.name))
