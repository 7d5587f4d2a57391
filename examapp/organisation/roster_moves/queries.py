"""The roster as it was on a day: what the moves since then lead back to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, exists, func, null, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from examapp.organisation.people.models import Account, Person, PersonState, RoleGrant, RosterMove, SignIn
from examapp.organisation.units.models import Unit

OFF_ROSTER_MOVE = "assign"
"""Kind of a move of somebody who stands off the roster: it says where, and touches no roster."""
TAKEN_OFF = "off_roster"
"""Kind of a move by which somebody goes on working with the platform but is no candidate any more."""


@dataclass(frozen=True, slots=True)
class RosterOnDay:
    """Parts of a query over `Person`: join `later` on `joins`, and `unit_id` is the unit of that day, null for who was on no roster."""

    later: Subquery
    joins: ColumnElement[bool]
    unit_id: ColumnElement[int | None]
    was_on_roster: ColumnElement[bool]


def roster_on(day: date) -> RosterOnDay:
    """Give the roster as it was at the end of a day: where the first move effective after it led away from; without one the present unit.

    Who is off the roster now, an administrator say, was not on it either, unless a move says when it ended.
    """
    later = (
        select(RosterMove.person_id, RosterMove.from_unit_id)
        .where(RosterMove.effective_on > day, RosterMove.kind != OFF_ROSTER_MOVE)
        .ext(distinct_on(RosterMove.person_id))
        .order_by(RosterMove.person_id, RosterMove.effective_on, RosterMove.id)
        .subquery("later_move")
    )
    here = case((Person.state == PersonState.ON_ROSTER, Person.unit_id), else_=null())
    unit_id = case((later.c.person_id.is_not(None), later.c.from_unit_id), else_=here)
    return RosterOnDay(
        later=later,
        joins=later.c.person_id == Person.id,
        unit_id=unit_id,
        was_on_roster=unit_id.is_not(None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterEntry:
    """A person as the roster of a day lists one: the unit of that day; rank and position as they stand now."""

    person_id: int
    unit_code: str
    unit_name: str
    staff_number: str
    name: str
    position: str
    rank: str
    now_unit_name: str | None
    """Where the person stands today, None for off the roster."""

    @property
    def has_moved(self) -> bool:
        """Whether today's roster has the person elsewhere, or not at all."""
        return self.now_unit_name != self.unit_name


def _of_day(unit: Unit, day: date, *columns: Any) -> Select[Any]:
    then = roster_on(day)
    return (
        select(*columns)
        .select_from(Person)
        .outerjoin(then.later, then.joins)
        .join(Unit, Unit.id == then.unit_id)
        .where(then.was_on_roster, Unit.region_path.startswith(unit.region_path))
    )


def count_roster(session: Session, unit: Unit, day: date) -> int:
    """Count who stood on the roster of a unit's subtree on a day."""
    return session.scalar(_of_day(unit, day, func.count())) or 0


def list_roster(
    session: Session, unit: Unit, day: date, *, offset: int = 0, limit: int | None = None
) -> list[RosterEntry]:
    """List who stood on the roster of a unit's subtree on a day, by unit code and staff number."""
    today = aliased(Unit, name="today")
    now_unit = case((Person.state == PersonState.ON_ROSTER, today.name), else_=null()).label("now_unit_name")
    query = _of_day(
        unit,
        day,
        Person.id.label("person_id"),
        Unit.code.label("unit_code"),
        Unit.name.label("unit_name"),
        Person.staff_number,
        Person.name,
        Person.position,
        Person.rank,
        now_unit,
    ).join(today, today.id == Person.unit_id)
    rows = session.execute(query.order_by(Unit.code, Person.staff_number).offset(offset).limit(limit))
    return [RosterEntry(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def select_taken_on(moment: datetime, *, note: str) -> Select[int, str, str, bool]:
    """Select who joined at this moment with this note, and whether nothing has happened to them since: no change, no role, no sign-in."""
    joined = exists().where(
        RosterMove.person_id == Person.id,
        RosterMove.kind == "join",
        RosterMove.recorded_at == moment,
        RosterMove.note == note,
    )
    signed_in = exists().where(SignIn.account_id == Account.id, Account.person_id == Person.id)
    granted = exists().where(RoleGrant.person_id == Person.id)
    moved = exists().where(RosterMove.person_id == Person.id, RosterMove.recorded_at > moment)
    is_untouched = and_(
        Person.state == PersonState.ON_ROSTER, Person.updated_at == moment, ~signed_in, ~granted, ~moved
    )
    rows = select(Person.id, Person.name, Person.staff_number, is_untouched.label("is_untouched"))
    return rows.where(Person.created_at == moment, joined).order_by(Person.staff_number)
