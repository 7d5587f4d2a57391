"""Which attempt of each person counts, and who is sitting now: the part of the select of people that reads attempts, grades and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    any_,
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

from examapp.attempts.models import Attempt, AttemptState
from examapp.exams.models import CountingRule
from examapp.grading.models import Grade, OutsideResult
from examapp.reports.queries.ground import Ground, PeopleFilter


def live_attempts(ground: Ground, only: ColumnElement[Sequence[int]] | None) -> Subquery:
    """Select who sits now (or who `only` of these people), with the start."""
    is_of_one_of_them = true() if only is None else Attempt.person_id == any_(only)
    return (
        select(Attempt.person_id, func.max(Attempt.started_at).label("started_at"))
        .where(Attempt.exam_id.in_(ground.exam_ids), Attempt.state == AttemptState.IN_PROGRESS, is_of_one_of_them)
        .group_by(Attempt.person_id)
        .subquery("live")
    )


def counted_attempts(
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
