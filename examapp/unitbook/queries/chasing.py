"""Whom to chase: counts by unit and people by group, on the very select that every report stands on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.reports.queries.basis import Basis, UnitTree
from examapp.reports.queries.figures import counts_by_unit
from examapp.reports.queries.ground import PeopleFilter
from examapp.reports.queries.lists import PersonRow, list_people
from examapp.reports.queries.people import people_of
from examapp.reports.rules import Counts, UnitRow, rollup
from examapp.unitbook.models import ExamReminder
from examapp.unitbook.rules import CHASED


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaseTable:
    """Whom to chase in a unit: the whole's counts, and the units just below it that have anybody to chase."""

    total: Counts
    below: list[UnitRow]


def get_chase_table(session: Session, basis: Basis, units: UnitTree) -> ChaseTable:
    """Count whom to chase, in one statement; units by code, never by how many."""
    counts = counts_by_unit(session, basis, PeopleFilter(unit_ids=units.unit_ids))
    rows = rollup(units.nodes, counts, depth=1)
    return ChaseTable(
        total=rows[0].counts,
        below=[row for row in rows[1:] if any(getattr(row.counts, group) for group in CHASED)],
    )


def list_chased(
    session: Session, basis: Basis, units: UnitTree, *, group: str, offset: int, limit: int
) -> tuple[list[PersonRow], int]:
    """List a page of a group by unit code and staff number, and count it."""
    return list_people(session, basis, PeopleFilter(unit_ids=units.unit_ids), group=group, offset=offset, limit=limit)


def list_chased_ids(session: Session, basis: Basis, units: UnitTree, *, group: str, most: int) -> list[int]:
    """List the ids of a group's people who still work here, at most so many."""
    people = people_of(session, basis, PeopleFilter(unit_ids=units.unit_ids))
    query = select(people.of.c.person_id).where(people.group(group)).order_by(people.of.c.person_id).limit(most)
    return list(session.scalars(query))


def last_reminders(session: Session, exam_id: int, person_ids: Collection[int]) -> dict[int, date]:
    """Give the day on which each of these people was last reminded of an exam."""
    rows = session.execute(
        select(ExamReminder.person_id, func.max(ExamReminder.reminded_on).label("day"))
        .where(ExamReminder.exam_id == exam_id, ExamReminder.person_id.in_(person_ids))
        .group_by(ExamReminder.person_id)
    )
    return {row.person_id: row.day for row in rows}


def find_reminder(session: Session, *, person_id: int, exam_id: int) -> datetime | None:
    """Find when a person was last reminded of an exam, for the own home page."""
    return session.scalar(
        select(func.max(ExamReminder.reminded_at)).where(
            ExamReminder.person_id == person_id, ExamReminder.exam_id == exam_id
        )
    )
