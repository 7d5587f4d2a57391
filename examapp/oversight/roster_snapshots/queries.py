"""The roster of an exam: who belongs to it on a day, and where the frozen one and the present one differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from examapp.clock import day_of
from examapp.delivery.exams.models import Exam, Exemption, RosterCorrection, RosterSnapshotPerson, RosterSnapshotUnit
from examapp.delivery.exams.queries import ON_ROSTER, audience_clause
from examapp.organisation.people.models import Person
from examapp.organisation.roster_moves.queries import roster_on
from examapp.organisation.units.models import Unit


def select_roster(session: Session, exam: Exam, *, at: datetime, is_present: bool) -> Select[*tuple[Any, ...]]:
    """Select the people of an exam's roster: person_id, unit_id, rank, position, excuse (kind of what was approved and stood at `at`).

    `is_present` takes the roster as it stands; else it is the one of the day of `at`. Reads the audience's parts at once.
    """
    excuse = (
        select(Exemption.kind)
        .where(
            Exemption.exam_id == exam.id,
            Exemption.person_id == Person.id,
            Exemption.approved_at <= at,
            Exemption.rejected_at.is_(None),
            or_(Exemption.withdrawn_at.is_(None), Exemption.withdrawn_at > at),
        )
        .order_by(Exemption.id.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
        .label("excuse")
    )
    belongs = audience_clause(session, exam)
    if is_present:
        return _columns(Person.unit_id, excuse).select_from(Person).join(Unit).where(ON_ROSTER, belongs)
    then = roster_on(day_of(at))
    return (
        _columns(then.unit_id, excuse)
        .select_from(Person)
        .outerjoin(then.later, then.joins)
        .join(Unit, Unit.id == then.unit_id)
        .where(then.was_on_roster, belongs)
    )


def _columns(unit_id: Any, excuse: ColumnElement[str]) -> Select[*tuple[Any, ...]]:
    return select(Person.id.label("person_id"), unit_id.label("unit_id"), Person.rank, Person.position, excuse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A person in whom the frozen and the present roster differ; a unit of None stands for "not on it"."""

    person_id: int
    staff_number: str
    name: str
    old_unit_id: int | None
    old_unit: str | None
    """The unit's name as it was at the freeze."""
    old_excuse: str | None
    new_unit_id: int | None
    new_unit: str | None
    new_excuse: str | None


def list_differences(
    session: Session, exam: Exam, *, now: datetime, unit_ids: list[int] | None = None, person_id: int | None = None
) -> list[Difference]:
    """List the open corrections of an exam's frozen roster that touch these units, by unit code and staff number; None for all units."""
    snapshot = select(RosterSnapshotPerson).where(RosterSnapshotPerson.exam_id == exam.id)
    present = select_roster(session, exam, at=now, is_present=True)
    if person_id is not None:
        snapshot = snapshot.where(RosterSnapshotPerson.person_id == person_id)
        present = present.where(Person.id == person_id)
    old, new = snapshot.subquery("old"), present.subquery("new")
    was, unit = aliased(RosterSnapshotUnit, name="was"), aliased(Unit, name="unit")
    query = (
        select(
            Person.id.label("person_id"),
            Person.staff_number,
            Person.name,
            old.c.unit_id.label("old_unit_id"),
            was.name.label("old_unit"),
            old.c.excuse.label("old_excuse"),
            new.c.unit_id.label("new_unit_id"),
            unit.name.label("new_unit"),
            new.c.excuse.label("new_excuse"),
        )
        .select_from(old)
        .join(new, new.c.person_id == old.c.person_id, full=True)
        .join(Person, Person.id == func.coalesce(old.c.person_id, new.c.person_id))
        .outerjoin(was, and_(was.exam_id == exam.id, was.unit_id == old.c.unit_id))
        .outerjoin(unit, unit.id == new.c.unit_id)
        .where(
            or_(
                old.c.unit_id.is_distinct_from(new.c.unit_id),
                old.c.excuse.is_distinct_from(new.c.excuse),
            )
        )
        .order_by(func.coalesce(was.code, unit.code), Person.staff_number)
    )
    if unit_ids is not None:
        query = query.where(or_(old.c.unit_id.in_(unit_ids), new.c.unit_id.in_(unit_ids)))
    return [Difference(**row._mapping) for row in session.execute(query)]  # noqa: SLF001 – SQLAlchemy's public name


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedCorrection:
    """An accepted correction with the names beside it."""

    staff_number: str
    name: str
    old_unit: str | None
    old_excuse: str | None
    new_unit: str | None
    new_excuse: str | None
    reason: str
    accepted_by: str | None
    accepted_at: datetime


def list_accepted_corrections(
    session: Session, exam: Exam, *, unit_ids: list[int] | None = None
) -> list[AcceptedCorrection]:
    """List the accepted corrections of an exam that touch these units, the newest first; None for all units."""
    row, was, old, new = RosterCorrection, aliased(RosterSnapshotUnit), aliased(Unit), aliased(Unit)
    judge = aliased(Person)
    query = (
        select(
            Person.staff_number,
            Person.name,
            func.coalesce(was.name, old.name).label("old_unit"),
            row.old_excuse,
            new.name.label("new_unit"),
            row.new_excuse,
            row.reason,
            judge.name.label("accepted_by"),
            row.accepted_at,
        )
        .join(Person, Person.id == row.person_id)
        .outerjoin(was, and_(was.exam_id == row.exam_id, was.unit_id == row.old_unit_id))
        .outerjoin(old, old.id == row.old_unit_id)
        .outerjoin(new, new.id == row.new_unit_id)
        .outerjoin(judge, judge.id == row.accepted_by_id)
        .where(row.exam_id == exam.id)
        .order_by(row.id.desc())
    )
    if unit_ids is not None:
        query = query.where(or_(row.old_unit_id.in_(unit_ids), row.new_unit_id.in_(unit_ids)))
    return [AcceptedCorrection(**found._mapping) for found in session.execute(query)]  # noqa: SLF001 – as above
