"""Who gets the reports that are made by themselves, and whether an exam's papers are graded."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from examapp.attempts.models import Attempt, AttemptState
from examapp.core.permissions import Permission
from examapp.org.models import Tree, Unit, UnitKind
from examapp.people.models import Person, RoleGrant
from examapp.people.rules import ROLE_PERMISSIONS


def list_administrators(session: Session, *, now: datetime, state: str) -> list[tuple[int, int, Tree]]:
    """List who may export, with the unit and tree of each role; a role over everything stands at the county. `state` is left out."""
    roles = [role for role, permissions in ROLE_PERMISSIONS.items() if Permission.REPORTS_EXPORT in permissions]
    county = (
        select(Unit.id)
        .where(Unit.parent_id.is_(None), Unit.kind == UnitKind.COUNTY)
        .order_by(Unit.code)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(RoleGrant.person_id, RoleGrant.unit_id, RoleGrant.tree, county.label("county_id"))
        .join(Person, Person.id == RoleGrant.person_id)
        .where(
            RoleGrant.role.in_(roles),
            or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now),
            Person.state != state,
        )
        .order_by(RoleGrant.person_id, RoleGrant.id)
    )
    places = ((row.person_id, row.unit_id or row.county_id, Tree(row.tree)) for row in session.execute(query))
    return list(dict.fromkeys(place for place in places if place[1] is not None))


def awaits_grades(session: Session, exam_id: int) -> bool:
    """Tell whether a paper of an exam is still open or waits for its grade; what grading has set aside waits for a person instead."""
    is_waiting = and_(Attempt.state == AttemptState.SUBMITTED, Attempt.set_aside_at.is_(None))
    unfinished = select(Attempt.id).where(
        Attempt.exam_id == exam_id, or_(Attempt.state == AttemptState.IN_PROGRESS, is_waiting)
    )
    return session.scalar(unfinished.limit(1)) is not None
