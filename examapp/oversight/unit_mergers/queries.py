"""What merging a unit away would do, and what has been merged, split and renamed so far."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session, aliased

from examapp.delivery.exams.models import Exam, ExamState
from examapp.delivery.exams.queries import concerns
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import ROLE_NAMES, AccessScope, Role
from examapp.organisation.people.models import Person, PersonState, PlannedMove, RoleGrant
from examapp.organisation.units.models import Unit
from examapp.oversight.unit_mergers.models import UnitChange

_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What happens to what belongs to a unit that is merged away."""

    people: int
    children: list[str]
    holders: list[str]
    """Who loses a role over the unit: name and role."""
    upcoming: list[str]
    """Exams that have not opened: their audience follows."""
    running: list[str]
    """Exams under way: the same people stay in them."""
    closed: list[str]
    """Exams that have closed without a frozen roster: it is frozen first."""
    planned: int
    """Moves that lead into the unit and whose day has not come."""

    @property
    def mark(self) -> str:
        """A fingerprint: the act is done only while the consequences are those that were shown."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:32]


def get_consequences(session: Session, unit: Unit, *, now: datetime) -> Consequences:
    """Tell what merging a unit away would do."""
    people = session.scalars(select(Person.id).where(Person.unit_id == unit.id, Person.state != PersonState.LEFT)).all()
    children = session.scalars(select(Unit.name).where(Unit.parent_id == unit.id).order_by(Unit.code)).all()
    holders = session.execute(
        select(Person.name, RoleGrant.role)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(RoleGrant.unit_id == unit.id, or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now))
        .order_by(RoleGrant.id)
    ).all()
    planned = session.scalars(
        select(PlannedMove.id).where(PlannedMove.to_unit_id == unit.id, PlannedMove.ended_at.is_(None))
    ).all()
    here = AccessScope(is_everything=False, region_paths=(unit.region_path,))
    exams = session.scalars(
        select(Exam).where(Exam.state == ExamState.PUBLISHED, concerns(here)).order_by(Exam.opens_at, Exam.id)
    ).all()
    return Consequences(
        people=len(people),
        children=list(children),
        holders=[f"{row.name}（{ROLE_NAMES[Role(row.role)]}）" for row in holders],
        upcoming=[exam.title for exam in exams if exam.opens_at > now],
        running=[exam.title for exam in exams if exam.opens_at <= now < exam.closes_at],
        closed=[exam.title for exam in exams if exam.closes_at <= now and exam.snapshot_created_at is None],
        planned=len(planned),
    )


def list_unit_changes(session: Session, access: AccessScope) -> list[Row[Any]]:
    """List what was merged, split and renamed within an access scope, the newest first, with who did it."""
    judge = aliased(Person)
    return list(
        session.execute(
            select(UnitChange, judge.name.label("changed_by"))
            .join(Unit, Unit.id == UnitChange.unit_id)
            .outerjoin(judge, judge.id == UnitChange.changed_by_id)
            .where(within(access))
            .order_by(UnitChange.id.desc())
            .limit(_MAX)
        )
    )
