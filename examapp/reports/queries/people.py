"""The one select behind every figure: each person of the roster once, with exemption, tries, and the attempt that counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    any_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from examapp.attempts.models import Attempt, AttemptState
from examapp.exams.models import CountingRule, Exemption, ExemptionKind, FrozenPerson, FrozenUnit
from examapp.exams.queries import Audience, clause_of, get_audience
from examapp.grading.models import Grade, OutsideResult
from examapp.org.models import Unit
from examapp.people.models import Person, PersonState
from examapp.reports.queries.basis import Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFilter:
    """Which of the roster's people are looked at; empty for all."""

    unit_ids: Collection[int] | None = None
    """Units of the roster, None for all."""
    rank: str = ""
    position: str = ""
    search: str = ""
    """Part of a name, or a staff number."""
    person_id: int | None = None
    since: datetime | None = None
    """Only what was handed in from this instant on counts."""
    until: datetime | None = None
    """… and before this one."""

    @property
    def is_of_units_alone(self) -> bool:
        """Whether all people of the units are wanted."""
        return replace(self, unit_ids=None) == EVERYBODY

    def conditions(self, rank: ColumnElement[str], position: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """Give the conditions on `Person` and on the roster's rank and position; the unit's stands elsewhere."""
        wanted: list[ColumnElement[bool]] = []
        if self.rank:
            wanted.append(rank == self.rank)
        if self.position:
            wanted.append(position == self.position)
        if self.search:
            wanted.append(or_(Person.name.contains(self.search, autoescape=True), Person.staff_number == self.search))
        if self.person_id is not None:
            wanted.append(Person.id == self.person_id)
        return wanted


EVERYBODY = PeopleFilter()


@dataclass(frozen=True, slots=True)
class People:
    """The select of `people_of`, and the conditions that the county's words stand for."""

    of: CTE | Subquery
    exempt: ColumnElement[bool] = field(init=False)
    deferred: ColumnElement[bool] = field(init=False)
    eligible: ColumnElement[bool] = field(init=False)
    participated: ColumnElement[bool] = field(init=False)
    excused_sat: ColumnElement[bool] = field(init=False)
    _groups: dict[str, ColumnElement[bool]] = field(init=False)

    def __post_init__(self) -> None:
        columns = self.of.c
        has_sat = columns.submitted_at.is_not(None)
        object.__setattr__(self, "exempt", columns.excuse == ExemptionKind.EXEMPTION)
        object.__setattr__(self, "deferred", columns.excuse == ExemptionKind.DEFERRAL)
        object.__setattr__(self, "eligible", columns.excuse.is_(None))
        object.__setattr__(self, "participated", and_(columns.excuse.is_(None), has_sat))
        object.__setattr__(self, "excused_sat", and_(columns.excuse.is_not(None), has_sat))

        object.__setattr__(self, "_groups", self._conditions_of_groups())

    def group(self, name: str) -> ColumnElement[bool]:
        """Give the condition of a group of people as `GROUP_NAMES` names it; KeyError for another."""
        return self._groups[name]

    def _conditions_of_groups(self) -> dict[str, ColumnElement[bool]]:
        columns = self.of.c
        absent = and_(self.eligible, columns.submitted_at.is_(None))
        return {
            "roster": true(),
            "exempt": self.exempt,
            "deferred": self.deferred,
            "eligible": self.eligible,
            "participated": self.participated,
            "passed": and_(self.participated, columns.is_passed.is_(True)),
            "excellent": and_(self.participated, columns.band == "excellent"),
            "good": and_(self.participated, columns.band == "good"),
            "passed_only": and_(self.participated, columns.band == "pass"),
            "failed": and_(self.participated, columns.is_passed.is_(False)),
            "ungraded": and_(self.participated, columns.is_passed.is_(None)),
            "absent": absent,
            "not_started": and_(absent, columns.started_at.is_(None)),
            "in_progress": and_(absent, columns.started_at.is_not(None)),
            "excused_sat": self.excused_sat,
        }


GROUP_NAMES = {
    "roster": "名册人员",
    "exempt": "免考人员",
    "deferred": "缓考人员",
    "eligible": "应考人员",
    "participated": "参考人员",
    "absent": "未参考人员",
    "not_started": "未开始",
    "in_progress": "已开始未交卷",
    "failed": "不合格",
    "passed": "合格人员（含良好、优秀）",
    "excellent": "优秀",
    "good": "良好",
    "passed_only": "合格（不含良好、优秀）",
    "ungraded": "正在评分",
    "excused_sat": "免考、缓考而参加了考试",
}
"""Groups of people that a table's numbers lead to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All of a basis that the select of its people is built from, by value: equal grounds give equal selects."""

    exam_id: int
    audience: Audience | None
    """None where the roster is frozen."""
    counting_rules: tuple[tuple[int, CountingRule], ...]
    has_outside_results: bool

    @property
    def exam_ids(self) -> list[int]:
        """The exams whose attempts count."""
        return [exam_id for exam_id, _ in self.counting_rules]

    def exams_with(self, rule: CountingRule) -> list[int]:
        """Give those of them that count by a rule."""
        return [exam_id for exam_id, its_rule in self.counting_rules if its_rule is rule]


def ground_of(session: Session, basis: Basis) -> Ground:
    """Get what the select of people is built from; the audience's parts are read, in one statement."""
    return Ground(
        exam_id=basis.exam.id,
        audience=get_audience(session, basis.exam) if basis.frozen_at is None else None,
        counting_rules=tuple(basis.counting_rules.items()),
        has_outside_results=any(exam.has_outside_results for exam in basis.exams),
    )


def people_of(session: Session, basis: Basis, wanted: PeopleFilter = EVERYBODY) -> People:
    """Select each person of the roster of a basis once, as `select_people` does."""
    return select_people(ground_of(session, basis), wanted)


CHOSEN_UNITS = bindparam("chosen_units", type_=ARRAY(BigInteger))
"""The units of a select of people that is built once and run for few units, now these, now those."""


def array_of(numbers: Select[int] | Select[int | None]) -> ColumnElement[Sequence[int]]:
    """Turn few numbers that are selected into an array: what is compared with it is looked up by index, whatever the planner guesses."""
    return func.array(numbers.scalar_subquery(), type_=ARRAY(BigInteger))


def select_people(
    ground: Ground, wanted: PeopleFilter, *, is_for_counting: bool = False, is_of_chosen_units: bool = False
) -> People:
    """Select each person of the roster once; with `is_of_chosen_units` those of the units that the parameter `CHOSEN_UNITS` will hold.

    Columns: person_id, staff_number, name, rank, position, unit_id, unit_code, unit_name (of the roster), excuse (kind of exemption or
    null), started_at (of an attempt in progress), of the attempt that counts attempt_id, exam_id, sat_unit_id, sat_unit_name,
    submitted_at, is_forced, source (of a result from another platform, which has no attempt_id), points, points_possible, percent, band, is_passed, and over all that were handed in attempts (how many) and
    first_submitted_at.

    It is materialised: the planner takes "has no exemption" for rare, and would join in nested loops for minutes. Plain counting puts
    no condition on it, so there it is left open, and has the columns of `_FOR_COUNTING` and started_at alone.
    """
    roster = _frozen_roster(ground) if ground.audience is None else _present_roster(ground, ground.audience)
    of_chosen_units = roster.unit_id == any_(CHOSEN_UNITS) if is_of_chosen_units else None
    only = None if of_chosen_units is None else array_of(roster.ids.where(of_chosen_units))
    counted = _counted(ground, wanted, has_tries=not is_for_counting, only=only)
    sat = counted.subquery("counted") if is_for_counting else counted.cte("counted").prefix_with("MATERIALIZED")
    live = _live(ground, only)
    counted_columns = [column for column in sat.c if column.key != "person_id"]
    rows = roster.rows
    if is_for_counting:
        counted_columns = [column for column in counted_columns if column.key in _FOR_COUNTING]
        rows = rows.with_only_columns(*(c for c in rows.exported_columns if c.key in _FOR_COUNTING))
    query = (
        rows.add_columns(live.c.started_at, *counted_columns)
        .outerjoin(sat, sat.c.person_id == Person.id)
        .outerjoin(live, live.c.person_id == Person.id)
        .where(*wanted.conditions(roster.rank, roster.position))
    )
    if wanted.unit_ids is not None:
        query = query.where(roster.unit_id.in_(wanted.unit_ids))
    if of_chosen_units is not None:
        query = query.where(of_chosen_units)
    if is_for_counting:
        return People(query.subquery("people"))
    sat_unit = aliased(Unit, name="sat_unit")
    query = query.outerjoin(sat_unit, sat_unit.id == sat.c.sat_unit_id).add_columns(
        sat_unit.name.label("sat_unit_name")
    )
    return People(query.cte("people").prefix_with("MATERIALIZED"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roster:
    """A roster's people with their unit and excuse, and the columns that filters ask for."""

    rows: Select[*tuple[Any, ...]]
    ids: Select[int]
    """The people alone, before any condition; its table has `unit_id`."""
    unit_id: ColumnElement[int]
    rank: ColumnElement[str]
    position: ColumnElement[str]


_FOR_COUNTING = frozenset({"unit_id", "excuse", "submitted_at", "points", "band", "is_passed"})
"""Columns that plain counting needs: each of the others would be carried through every select within."""
_PERSON = (Person.id.label("person_id"), Person.staff_number, Person.name)


def _present_roster(ground: Ground, audience: Audience) -> _Roster:
    """Select who stands on the roster now and belongs to the audience."""
    excuse = _excuse(ground)
    unit_id: ColumnElement[int] = Person.unit_id  # type: ignore[assignment]  # a mapped column is one
    rows = (
        select(
            *_PERSON,
            Person.rank,
            Person.position,
            Unit.id.label("unit_id"),
            Unit.code.label("unit_code"),
            Unit.name.label("unit_name"),
            excuse.c.kind.label("excuse"),
        )
        .select_from(Person)
        .join(Unit, Unit.id == unit_id)
        .outerjoin(excuse, excuse.c.person_id == Person.id)
        .where(Person.state == PersonState.ON_ROSTER, clause_of(audience))
    )
    return _Roster(rows=rows, ids=select(Person.id), unit_id=unit_id, rank=Person.rank, position=Person.position)  # type: ignore[arg-type]  # as above


def _frozen_roster(ground: Ground) -> _Roster:
    """Select who stood on the roster at the freeze, as it was written down then and corrected since."""
    row, unit = FrozenPerson.__table__.c, FrozenUnit.__table__.c
    rows = (
        select(
            *_PERSON,
            row.rank,
            row.position,
            row.unit_id,
            unit.code.label("unit_code"),
            unit.name.label("unit_name"),
            row.excuse,
        )
        .select_from(FrozenPerson)
        .join(Person, Person.id == row.person_id)
        .join(FrozenUnit, and_(unit.exam_id == row.exam_id, unit.unit_id == row.unit_id))
        .where(row.exam_id == ground.exam_id)
    )
    ids = select(FrozenPerson.person_id).where(FrozenPerson.exam_id == ground.exam_id)
    return _Roster(rows=rows, ids=ids, unit_id=row.unit_id, rank=row.rank, position=row.position)


def _excuse(ground: Ground) -> Subquery:
    return (
        select(Exemption.person_id, Exemption.kind)
        .where(
            Exemption.exam_id == ground.exam_id,
            Exemption.approved_at.is_not(None),
            Exemption.refused_at.is_(None),
            Exemption.withdrawn_at.is_(None),
        )
        .subquery("excuse")
    )


def _live(ground: Ground, only: ColumnElement[Sequence[int]] | None) -> Subquery:
    is_of_one_of_them = true() if only is None else Attempt.person_id == any_(only)
    return (
        select(Attempt.person_id, func.max(Attempt.started_at).label("started_at"))
        .where(Attempt.exam_id.in_(ground.exam_ids), Attempt.state == AttemptState.IN_PROGRESS, is_of_one_of_them)
        .group_by(Attempt.person_id)
        .subquery("live")
    )


def _counted(
    ground: Ground, wanted: PeopleFilter, *, has_tries: bool, only: ColumnElement[Sequence[int]] | None
) -> Select[*tuple[Any, ...]]:
    """Select the attempt that counts of everybody (or `only` of these people) who handed in, as `rules.counted_attempt` chooses it.

    Where the best counts in every exam, the best over all of them is the same in one pass.
    """
    handed_in = _handed_in(ground, wanted, has_tries=has_tries, only=only)
    if {rule for _, rule in ground.counting_rules} == {CountingRule.BEST}:
        return _best_of(handed_in, by_exam=False, ground=ground)
    counted = _best_of(handed_in, by_exam=True, ground=ground)
    is_one = len(ground.counting_rules) == 1
    return counted if is_one else _best_of(counted.subquery("of_exam"), by_exam=False, ground=ground)


def _handed_in(
    ground: Ground, wanted: PeopleFilter, *, has_tries: bool, only: ColumnElement[Sequence[int]] | None
) -> Subquery:
    """Select all that was handed in, and beside it what came from another platform where the exam has such results."""
    sat = _attempts_of(ground).where(*_when(Attempt.person_id, Attempt.submitted_at, wanted, only))
    if ground.has_outside_results:
        outside = _outside_of(ground).where(*_when(OutsideResult.person_id, OutsideResult.taken_at, wanted, only))
        both = union_all(sat, outside).subquery("sat")
        sat = select(both)
        person_id, submitted_at = both.c.person_id, both.c.submitted_at
    else:
        person_id, submitted_at = Attempt.person_id, Attempt.submitted_at  # type: ignore[assignment]  # columns either way
    if has_tries:
        sat = sat.add_columns(
            func.count().over(partition_by=person_id).label("attempts"),
            func.min(submitted_at).over(partition_by=person_id).label("first_submitted_at"),
        )
    return sat.subquery("handed_in")


def _when(
    person_id: Any, submitted_at: Any, wanted: PeopleFilter, only: ColumnElement[Sequence[int]] | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if only is not None:
        conditions.append(person_id == any_(only))
    if wanted.person_id is not None:
        conditions.append(person_id == wanted.person_id)
    if wanted.since is not None:
        conditions.append(submitted_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(submitted_at < wanted.until)
    return conditions


def _attempts_of(ground: Ground) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Attempt.person_id,
            Attempt.exam_id,
            Attempt.number,
            Attempt.id.label("attempt_id"),
            Attempt.unit_id.label("sat_unit_id"),
            Attempt.submitted_at,
            Attempt.is_forced,
            Grade.points,
            Grade.points_possible,
            Grade.percent,
            Grade.band,
            Grade.is_passed,
            literal("").label("source"),
        )
        .outerjoin(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .where(Attempt.exam_id.in_(ground.exam_ids), Attempt.submitted_at.is_not(None))
    )


def _outside_of(ground: Ground) -> Select[*tuple[Any, ...]]:
    """Select the standing results from other platforms as the columns of attempts say it; by number they come before every attempt."""
    return select(
        OutsideResult.person_id,
        OutsideResult.exam_id,
        literal(0).label("number"),
        cast(null(), BigInteger).label("attempt_id"),
        OutsideResult.unit_id.label("sat_unit_id"),
        OutsideResult.taken_at.label("submitted_at"),
        false().label("is_forced"),
        OutsideResult.points,
        OutsideResult.points_possible,
        OutsideResult.percent,
        OutsideResult.band,
        OutsideResult.is_passed,
        OutsideResult.source,
    ).where(OutsideResult.exam_id.in_(ground.exam_ids), OutsideResult.undone_at.is_(None))


def _best_of(source: Subquery, *, by_exam: bool, ground: Ground) -> Select[*tuple[Any, ...]]:
    columns = source.c
    goodness = (
        columns.is_passed.desc().nulls_last(),
        columns.percent.desc().nulls_last(),
        columns.points.desc().nulls_last(),
        columns.submitted_at,
        columns.attempt_id,
    )
    keys: tuple[ColumnElement[object], ...] = (columns.person_id,)
    if not by_exam:
        return select(source).ext(distinct_on(*keys)).order_by(*keys, *goodness)
    keys = (columns.person_id, columns.exam_id)
    by_number = case(
        (columns.exam_id.in_(ground.exams_with(CountingRule.LAST)), -columns.number),
        (columns.exam_id.in_(ground.exams_with(CountingRule.FIRST)), columns.number),
        else_=literal(0),
    )
    return select(source).ext(distinct_on(*keys)).order_by(*keys, by_number, *goodness)
