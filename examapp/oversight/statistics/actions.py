"""Keeping the figures of large rosters per unit: what is marked is counted again, and the marks are taken away with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    any_,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from examapp.delivery.exams.models import Exam, ExamState, RosterSnapshotPerson
from examapp.organisation.people.models import Person
from examapp.oversight.statistics.models import StatsInvalidation, UnitStatsCache
from examapp.oversight.statistics.queries import digest
from examapp.oversight.statistics_definitions.rules import Counts, Scope
from examapp.oversight.statistics_population.queries import select_counts
from examapp.oversight.statistics_scope.queries import EVERYBODY, RosterQueryKey, get_report_context, roster_query_key

_LOCK = func.hashtext("reports.refresh_unit_stats")
_MIN_PEOPLE = 50_000
"""Rosters below this are counted quicker than kept figures are read."""
_MAX_MARKS = 100_000
_BUILT_AT_ONCE = 4
_ROSTER_SIZE = text("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'persons'::regclass")


@dataclass(slots=True)
class _Marks:
    """What has been marked since the last time."""

    is_everything: bool = False
    exam_ids: set[int] = field(default_factory=set)
    unit_ids: set[int] = field(default_factory=set)
    person_ids: set[int] = field(default_factory=set)


def refresh_unit_stats(session: Session, *, now: datetime, min_people: int = _MIN_PEOPLE) -> int:
    """Make the kept figures sound again, and keep those of further exams, the newest first; gives how many exams' figures are kept.

    One at a time does it. The marks go first: what is marked from then on is counted too late or once more, never too early.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        return 0
    session.execute(text("SET LOCAL statement_timeout = '300s'"))
    marks = _take_marks(session)
    is_large = (session.scalar(_ROSTER_SIZE) or 0) >= min_people
    exams = session.scalars(
        select(Exam).where(Exam.state == ExamState.PUBLISHED).order_by(Exam.closes_at.desc(), Exam.id)
    ).all()
    left = _BUILT_AT_ONCE
    for exam in exams:
        wanted = _roster_keys_of(session, exam, now) if is_large else []
        is_sound = not marks.is_everything and exam.id not in marks.exam_ids
        kept = set(exam.cached_roster_keys) if is_sound else set()
        for roster_key in wanted:
            if digest(roster_key) in kept:
                _count_again(session, roster_key, _marked_units(session, roster_key, marks))
            elif left > 0:
                left -= 1
                _count_all(session, roster_key)
                kept.add(digest(roster_key))
        _purge_stale(session, exam, kept.intersection(map(digest, wanted)))
    return sum(bool(exam.cached_roster_keys) for exam in exams)


def _take_marks(session: Session) -> _Marks:
    first = select(StatsInvalidation.id).limit(_MAX_MARKS + 1).subquery()
    if session.execute(select(func.count()).select_from(first)).scalar_one() > _MAX_MARKS:
        session.execute(delete(StatsInvalidation))
        return _Marks(is_everything=True)
    rows = session.execute(
        delete(StatsInvalidation).returning(
            StatsInvalidation.exam_id, StatsInvalidation.unit_id, StatsInvalidation.person_id
        )
    )
    marks = _Marks()
    for exam_id, unit_id, person_id in rows:
        marks.exam_ids.update(_known(exam_id))
        marks.unit_ids.update(_known(unit_id))
        marks.person_ids.update(_known(person_id))
    return marks


def _known(number: int | None) -> Iterable[int]:
    return () if number is None else (number,)


def _array(numbers: Collection[int]) -> ColumnElement[Sequence[int]]:
    """Give many numbers as one parameter."""
    return literal(list(numbers), ARRAY(BigInteger))


def _roster_keys_of(session: Session, exam: Exam, now: datetime) -> list[RosterQueryKey]:
    """Give what the tables of an exam stand on: in both scopes where it has make-ups."""
    bases = [get_report_context(session, exam.id, scope=scope, now=now) for scope in (Scope.THIS, Scope.FINAL)]
    return list(dict.fromkeys(roster_query_key(session, report_context) for report_context in bases))


def _marked_units(session: Session, roster_key: RosterQueryKey, marks: _Marks) -> set[int]:
    """Give the units to be counted again: those that are marked, and those in which marked people stand."""
    of_people = select(Person.unit_id).where(Person.id == any_(_array(marks.person_ids)))
    if roster_key.audience is None:
        of_people = select(RosterSnapshotPerson.unit_id).where(
            RosterSnapshotPerson.exam_id == roster_key.exam_id,
            RosterSnapshotPerson.person_id == any_(_array(marks.person_ids)),
        )
    return marks.unit_ids.union(session.scalars(of_people)) if marks.person_ids else marks.unit_ids


def _count_all(session: Session, roster_key: RosterQueryKey) -> None:
    session.execute(delete(UnitStatsCache).where(UnitStatsCache.roster_key == digest(roster_key)))
    _store(session, roster_key, select_counts(roster_key, EVERYBODY))


def _count_again(session: Session, roster_key: RosterQueryKey, unit_ids: Collection[int]) -> None:
    if unit_ids:
        session.execute(
            delete(UnitStatsCache).where(
                UnitStatsCache.roster_key == digest(roster_key), UnitStatsCache.unit_id == any_(_array(unit_ids))
            )
        )
        counts = select_counts(roster_key, EVERYBODY, is_of_chosen_units=True)
        _store(session, roster_key, counts.params(chosen_units=list(unit_ids)))


def _store(session: Session, roster_key: RosterQueryKey, counts: Select[tuple[int, ...]]) -> None:
    counted = counts.subquery("counted")
    rows = select(literal(digest(roster_key)), literal(roster_key.exam_id), *counted.c)
    session.execute(insert(UnitStatsCache).from_select(["roster_key", "exam_id", "unit_id", *Counts._fields], rows))


def _purge_stale(session: Session, exam: Exam, kept: Collection[str]) -> None:
    """Write down what is kept of an exam; what is not any more is deleted."""
    if set(exam.cached_roster_keys) == set(kept):
        return
    session.execute(
        delete(UnitStatsCache).where(UnitStatsCache.exam_id == exam.id, UnitStatsCache.roster_key.not_in(kept))
    )
    session.execute(update(Exam).where(Exam.id == exam.id).values(cached_roster_keys=sorted(kept)))
