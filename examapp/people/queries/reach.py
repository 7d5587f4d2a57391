"""Reads about roles, and the condition that a reach puts on a query."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from examapp.core.errors import NotFoundError
from examapp.org.models import Tree, Unit
from examapp.people.models import RoleGrant
from examapp.people.rules import Grant, Reach, Role


def list_grants(session: Session, person_id: int, *, now: datetime) -> tuple[Grant, ...]:
    """List a person's roles that are in force, with the paths of their units."""
    rows = session.execute(
        select(RoleGrant.role, RoleGrant.unit_id, RoleGrant.tree, Unit.region_path, Unit.sector_path)
        .outerjoin(Unit, RoleGrant.unit_id == Unit.id)
        .where(RoleGrant.person_id == person_id, or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now))
    )
    return tuple(_grant(row.role, row.unit_id, Tree(row.tree), row.region_path, row.sector_path) for row in rows)


def _grant(role: str, unit_id: int | None, tree: Tree, region_path: str | None, sector_path: str | None) -> Grant:
    path = None if unit_id is None else (region_path if tree is Tree.REGION else sector_path) or f"/{unit_id}/"
    return Grant(role=Role(role), unit_id=unit_id, tree=tree, path=path)


def within(reach: Reach) -> ColumnElement[bool]:
    """Give the condition on `Unit` that a query within a reach carries."""
    if reach.is_everything:
        return true()
    conditions = [Unit.region_path.startswith(path, autoescape=True) for path in reach.region_paths]
    conditions += [Unit.sector_path.startswith(path, autoescape=True) for path in reach.sector_paths]
    return or_(*conditions) if conditions else false()


def get_unit_within(session: Session, unit_id: int, reach: Reach) -> Unit:
    """Get a unit within a reach; raises NotFoundError for what is beyond it as for what is not there."""
    unit = session.get(Unit, unit_id)
    if unit is None or not reach.covers(region_path=unit.region_path, sector_path=unit.sector_path):
        raise NotFoundError
    return unit
