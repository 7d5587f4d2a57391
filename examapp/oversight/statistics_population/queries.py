"""Which attempt of each person counts, and who is attempt now: the part of the select of people that reads attempts, grades and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
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
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.exams.models import (
    CountingRule,
    Exemption,
    ExemptionKind,
    RosterSnapshotPerson,
    RosterSnapshotUnit,
)
from examapp.delivery.exams.queries import Audience, clause_of
from examapp.delivery.grading.models import ExternalResult, Grade
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit
from examapp.oversight.statistics_definitions.rules import ZERO, Counts
from examapp.oversight.statistics_scope.queries import (
    EVERYBODY,
    PeopleFilter,
    ReportContext,
    RosterQueryKey,
    roster_query_key,
)


def live_attempts(key: RosterQueryKey, only: ColumnElement[Sequence[int]] | None) -> Subquery:
    """Select who sits now (or who `only` of these people), with the start."""
    is_of_one_of_them = true() if only is None else Attempt.person_id == any_(only)
    return (
        select(Attempt.person_id, func.max(Attempt.started_at).label("started_at"))
        .where(Attempt.exam_id.in_(key.exam_ids), Attempt.state == AttemptState.IN_PROGRESS, is_of_one_of_them)
        .group_by(Attempt.person_id)
        .subquery("live")
    )


def counted_attempts(
    key: RosterQueryKey, wanted: PeopleFilter, *, has_attempts: bool, only: ColumnElement[Sequence[int]] | None
) -> Select[*tuple[Any, ...]]:
    """Select the attempt that counts of everybody (or `only` of these people) who handed in, by the exam's counting rule.

    Where the best counts in every exam, the best over all of them is the same in one pass.
    """
    handed_in = _handed_in(key, wanted, has_attempts=has_attempts, only=only)
    if {rule for _, rule in key.counting_rules} == {CountingRule.BEST}:
        return _best_of(handed_in, by_exam=False, key=key)
    counted = _best_of(handed_in, by_exam=True, key=key)
    is_one = len(key.counting_rules) == 1
    return counted if is_one else _best_of(counted.subquery("of_exam"), by_exam=False, key=key)


def _handed_in(
    key: RosterQueryKey, wanted: PeopleFilter, *, has_attempts: bool, only: ColumnElement[Sequence[int]] | None
) -> Subquery:
    """Select all that was handed in, and beside it what came from another platform where the exam has such results."""
    submitted = _attempts_of(key).where(*_when(Attempt.person_id, Attempt.submitted_at, wanted, only))
    if key.has_external_results:
        outside = _external_results(key).where(*_when(ExternalResult.person_id, ExternalResult.taken_at, wanted, only))
        both = union_all(submitted, outside).subquery("sat")
        submitted = select(both)
        person_id, submitted_at = both.c.person_id, both.c.submitted_at
    else:
        person_id, submitted_at = Attempt.person_id, Attempt.submitted_at  # type: ignore[assignment]  # columns either way
    if has_attempts:
        submitted = submitted.add_columns(
            func.count().over(partition_by=person_id).label("attempts"),
            func.min(submitted_at).over(partition_by=person_id).label("first_submitted_at"),
        )
    return submitted.subquery("handed_in")


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


def _attempts_of(key: RosterQueryKey) -> Select[*tuple[Any, ...]]:
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
        .where(Attempt.exam_id.in_(key.exam_ids), Attempt.submitted_at.is_not(None))
    )


def _external_results(key: RosterQueryKey) -> Select[*tuple[Any, ...]]:
    """Select the standing results from other platforms as the columns of attempts say it; by number they come before every attempt."""
    return select(
        ExternalResult.person_id,
        ExternalResult.exam_id,
        literal(0).label("number"),
        cast(null(), BigInteger).label("attempt_id"),
        ExternalResult.unit_id.label("sat_unit_id"),
        ExternalResult.taken_at.label("submitted_at"),
        false().label("is_forced"),
        ExternalResult.points,
        ExternalResult.points_possible,
        ExternalResult.percent,
        ExternalResult.band,
        ExternalResult.is_passed,
        ExternalResult.source,
    ).where(ExternalResult.exam_id.in_(key.exam_ids), ExternalResult.undone_at.is_(None))


def _best_of(source: Subquery, *, by_exam: bool, key: RosterQueryKey) -> Select[*tuple[Any, ...]]:
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
        (columns.exam_id.in_(key.exams_with(CountingRule.LAST)), -columns.number),
        (columns.exam_id.in_(key.exams_with(CountingRule.FIRST)), columns.number),
        else_=literal(0),
    )
    return select(source).ext(distinct_on(*keys)).order_by(*keys, by_number, *goodness)


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
        has_submitted = columns.submitted_at.is_not(None)
        object.__setattr__(self, "exempt", columns.excuse == ExemptionKind.EXEMPTION)
        object.__setattr__(self, "deferred", columns.excuse == ExemptionKind.DEFERRAL)
        object.__setattr__(self, "eligible", columns.excuse.is_(None))
        object.__setattr__(self, "participated", and_(columns.excuse.is_(None), has_submitted))
        object.__setattr__(self, "excused_sat", and_(columns.excuse.is_not(None), has_submitted))

        object.__setattr__(self, "_groups", self._conditions_of_groups())

    def group(self, name: str) -> ColumnElement[bool]:
        """Give the condition of a group of people as `rules.GROUP_NAMES` names it; KeyError for another."""
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


def people_of(session: Session, report_context: ReportContext, wanted: PeopleFilter = EVERYBODY) -> People:
    """Select each person of the roster of a basis once, as `select_people` does."""
    return select_people(roster_query_key(session, report_context), wanted)


_FEW_UNITS = 20
"""Of so many the people's attempts are looked up one by one; of more all of an exam's are read."""
CHOSEN_UNITS = bindparam("chosen_units", type_=ARRAY(BigInteger))
"""The units of a select of people that is built once and run for few units, now these, now those."""


def of_whichever_units(wanted: PeopleFilter) -> tuple[PeopleFilter, dict[str, list[int]] | None]:
    """Give a filter of few units as one of whichever units, and the parameter that names them, so that one select serves all units.

    Another filter is given as it is, with None. Either can be kept by: its units are a tuple.
    """
    if wanted.unit_ids is None:
        return wanted, None
    if len(wanted.unit_ids) > _FEW_UNITS:
        return replace(wanted, unit_ids=tuple(wanted.unit_ids)), None
    return replace(wanted, unit_ids=None), {CHOSEN_UNITS.key: list(wanted.unit_ids)}


def array_of(numbers: Select[int] | Select[int | None]) -> ColumnElement[Sequence[int]]:
    """Turn few numbers that are selected into an array: what is compared with it is looked up by index, whatever the planner guesses."""
    return func.array(numbers.scalar_subquery(), type_=ARRAY(BigInteger))


def select_people(
    key: RosterQueryKey, wanted: PeopleFilter, *, is_for_counting: bool = False, is_of_chosen_units: bool = False
) -> People:
    """Select each person of the roster once; with `is_of_chosen_units` those of the units that the parameter `CHOSEN_UNITS` will hold.

    Columns: person_id, staff_number, name, rank, position, unit_id, unit_code, unit_name (of the roster), excuse (kind of exemption or
    null), started_at (of an attempt in progress), of the attempt that counts attempt_id, exam_id, sat_unit_id, unit_name_at_attempt,
    submitted_at, is_forced, source (of a result from another platform, which has no attempt_id), points, points_possible, percent, band, is_passed, and over all that were handed in attempts (how many) and
    first_submitted_at.

    It is materialised: the planner takes "has no exemption" for rare, and would join in nested loops for minutes. Plain counting puts
    no condition on it, so there it is left open, and has the columns of `_FOR_COUNTING` and started_at alone.
    """
    roster = _snapshot_roster(key) if key.audience is None else _present_roster(key, key.audience)
    of_units, are_few = _of_units(roster, wanted, is_of_chosen_units=is_of_chosen_units)
    only = array_of(roster.ids.where(of_units)) if are_few else None
    counted = counted_attempts(key, wanted, has_attempts=not is_for_counting, only=only)
    submitted = counted.subquery("counted") if is_for_counting else counted.cte("counted").prefix_with("MATERIALIZED")
    live = live_attempts(key, only)
    counted_columns = [column for column in submitted.c if column.key != "person_id"]
    rows = roster.rows
    if is_for_counting:
        counted_columns = [column for column in counted_columns if column.key in _FOR_COUNTING]
        rows = rows.with_only_columns(*(c for c in rows.exported_columns if c.key in _FOR_COUNTING))
    query = (
        rows.add_columns(live.c.started_at, *counted_columns)
        .outerjoin(submitted, submitted.c.person_id == Person.id)
        .outerjoin(live, live.c.person_id == Person.id)
        .where(of_units, *wanted.conditions(roster.rank, roster.position))
    )
    if is_for_counting:
        return People(query.subquery("people"))
    unit_at_attempt = aliased(Unit, name="unit_at_attempt")
    query = query.outerjoin(unit_at_attempt, unit_at_attempt.id == submitted.c.sat_unit_id).add_columns(
        unit_at_attempt.name.label("unit_name_at_attempt")
    )
    return People(query.cte("people").prefix_with("MATERIALIZED"))


def _of_units(
    roster: _Population, wanted: PeopleFilter, *, is_of_chosen_units: bool
) -> tuple[ColumnElement[bool], bool]:
    """Give the condition on the roster's unit, and whether it leaves few units."""
    if is_of_chosen_units:
        return roster.unit_id == any_(CHOSEN_UNITS), True
    if wanted.unit_ids is None:
        return true(), False
    return roster.unit_id.in_(wanted.unit_ids), len(wanted.unit_ids) <= _FEW_UNITS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Population:
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


def _present_roster(key: RosterQueryKey, audience: Audience) -> _Population:
    """Select who stands on the roster now and belongs to the audience."""
    excuse = _excuse(key)
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
    return _Population(rows=rows, ids=select(Person.id), unit_id=unit_id, rank=Person.rank, position=Person.position)  # type: ignore[arg-type]  # as above


def _snapshot_roster(key: RosterQueryKey) -> _Population:
    """Select who stood on the roster at the freeze, as it was written down then and corrected since."""
    row, unit = RosterSnapshotPerson.__table__.c, RosterSnapshotUnit.__table__.c
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
        .select_from(RosterSnapshotPerson)
        .join(Person, Person.id == row.person_id)
        .join(RosterSnapshotUnit, and_(unit.exam_id == row.exam_id, unit.unit_id == row.unit_id))
        .where(row.exam_id == key.exam_id)
    )
    ids = select(RosterSnapshotPerson.person_id).where(RosterSnapshotPerson.exam_id == key.exam_id)
    return _Population(rows=rows, ids=ids, unit_id=row.unit_id, rank=row.rank, position=row.position)


def _excuse(key: RosterQueryKey) -> Subquery:
    return (
        select(Exemption.person_id, Exemption.kind)
        .where(
            Exemption.exam_id == key.exam_id,
            Exemption.approved_at.is_not(None),
            Exemption.rejected_at.is_(None),
            Exemption.withdrawn_at.is_(None),
        )
        .subquery("excuse")
    )


@lru_cache(maxsize=64)
def select_counts(key: RosterQueryKey, wanted: PeopleFilter, *, is_of_chosen_units: bool = False) -> Select[Any]:
    """Select unit_id and the fields of `Counts` for each unit with people; units come from `CHOSEN_UNITS` if asked for.

    Kept, for it is asked for again and again, and building it takes a fifth as long as running it; so `wanted` holds tuples alone.
    """
    people = select_people(key, wanted, is_for_counting=True, is_of_chosen_units=is_of_chosen_units)
    columns = people.of.c
    sums = {
        "roster": func.count(),
        "graded": func.count().filter(and_(people.participated, columns.points.is_not(None))),
        "points_total": func.coalesce(func.sum(columns.points).filter(people.participated), ZERO),
    }
    fields = [sums[f] if f in sums else func.count().filter(people.group(f)) for f in Counts._fields]
    named = (field.label(name) for name, field in zip(Counts._fields, fields, strict=True))
    return select(columns.unit_id, *named).group_by(columns.unit_id)
