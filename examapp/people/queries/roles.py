"""Reads about roles: a person's own, and those that others may stand in for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session, aliased

from examapp.org.models import Unit
from examapp.people.models import Person, RoleGrant

_MOST_CHOICES = 300


def list_role_grants(session: Session, person_id: int, *, now: datetime) -> list[Row[Any]]:
    """List a person's roles that are in force, with the names of the units and of whom the person stands in for."""
    principal, original = aliased(Person), aliased(RoleGrant)
    return list(
        session.execute(
            select(
                RoleGrant.id,
                RoleGrant.role,
                RoleGrant.tree,
                RoleGrant.granted_at,
                RoleGrant.ends_at,
                Unit.name.label("unit_name"),
                principal.name.label("deputy_of"),
            )
            .outerjoin(Unit, RoleGrant.unit_id == Unit.id)
            .outerjoin(original, RoleGrant.deputy_of_id == original.id)
            .outerjoin(principal, original.person_id == principal.id)
            .where(RoleGrant.person_id == person_id, or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now))
            .order_by(RoleGrant.id)
        )
    )


def list_grants_to_stand_in_for(session: Session, person_id: int, *, now: datetime) -> list[Row[Any]]:
    """List the roles of others that a person may stand in for, by role and name."""
    return list(
        session.execute(
            select(RoleGrant.id, RoleGrant.role, Person.name, Unit.name.label("unit_name"))
            .join(Person, RoleGrant.person_id == Person.id)
            .outerjoin(Unit, RoleGrant.unit_id == Unit.id)
            .where(
                RoleGrant.person_id != person_id,
                RoleGrant.deputy_of_id.is_(None),
                or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now),
            )
            .order_by(RoleGrant.role, Person.name, RoleGrant.id)
            .limit(_MOST_CHOICES)
        )
    )
