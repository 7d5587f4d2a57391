"""Reads about roles, the condition that an access scope puts on a query, and the person within an access scope that words name."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, false, or_, select, text, true
from sqlalchemy.orm import Session, aliased

from examapp.errors import DomainError, NotFoundError
from examapp.organisation.access.rules import AccessScope, Grant, Role
from examapp.organisation.people.models import Person, PersonState, RoleGrant
from examapp.organisation.units.models import Tree, Unit

_GRANTS = text("""
SELECT g.role, g.unit_id, g.tree, u.region_path, u.sector_path FROM role_grants AS g LEFT JOIN units AS u ON u.id = g.unit_id
WHERE g.person_id = :person_id AND (g.ends_at IS NULL OR g.ends_at > :now)
""")
"""Plain text, as whatever every request of an administrator pays for."""
_PATHS = text("SELECT region_path, sector_path FROM units WHERE id = :unit_id")


def list_grants(session: Session, person_id: int, *, now: datetime) -> tuple[Grant, ...]:
    """List a person's roles that are in force, with the paths of their units."""
    session.flush()  # as a select through the mapper would
    rows = session.connection().execute(_GRANTS, {"person_id": person_id, "now": now})
    return tuple(_grant(row.role, row.unit_id, Tree(row.tree), row.region_path, row.sector_path) for row in rows)


def _grant(role: str, unit_id: int | None, tree: Tree, region_path: str | None, sector_path: str | None) -> Grant:
    path = None if unit_id is None else (region_path if tree is Tree.REGION else sector_path) or f"/{unit_id}/"
    return Grant(role=Role(role), unit_id=unit_id, tree=tree, path=path)


def within(access: AccessScope) -> ColumnElement[bool]:
    """Give the condition on `Unit` that a query within an access scope carries."""
    if access.is_everything:
        return true()
    conditions = [Unit.region_path.startswith(path, autoescape=True) for path in access.region_paths]
    conditions += [Unit.sector_path.startswith(path, autoescape=True) for path in access.sector_paths]
    return or_(*conditions) if conditions else false()


def get_unit_within(session: Session, unit_id: int, access: AccessScope) -> Unit:
    """Get a unit within an access scope; raises NotFoundError for what is beyond it as for what is not there."""
    unit = session.get(Unit, unit_id)
    if unit is None or not access.covers(region_path=unit.region_path, sector_path=unit.sector_path):
        raise NotFoundError
    return unit


def person_ids_within(session: Session, person_ids: Collection[int], access: AccessScope) -> set[int]:
    """Give those of these people whose present unit is within an access scope."""
    statement = select(Person.id).join(Unit, Person.unit_id == Unit.id).where(Person.id.in_(person_ids), within(access))
    return set(session.scalars(statement))


def ensure_unit_in_scope(session: Session, unit_id: int, access: AccessScope) -> None:
    """Raise NotFoundError for a unit beyond an access scope, as for one that is not there."""
    paths = session.connection().execute(_PATHS, {"unit_id": unit_id}).one_or_none()
    if paths is None or not access.covers(region_path=paths.region_path, sector_path=paths.sector_path):
        raise NotFoundError


_MAX_CHOICES = 300


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
            .limit(_MAX_CHOICES)
        )
    )


class PersonUnclearError(DomainError):
    """Words name nobody within the access scope, or several people; the message lists those."""

    code = "person_unclear"
    status = 422


_MAX_LISTED = 5
_BETWEEN_PARTS = re.compile(r"[\s（）()，,、]+")


def get_named_person(session: Session, text: str, access: AccessScope) -> Person:
    """Get the one person within an access scope that words name: a staff number, or a name, with a unit's beside it where several have it.

    Raises PersonUnclearError.
    """
    parts = [part for part in _BETWEEN_PARTS.split(text) if part][:4]
    of_scope = select(Person, Unit.name).join(Unit, Person.unit_id == Unit.id).where(within(access))
    numbered: Person | None = session.scalar(of_scope.where(Person.staff_number == text.strip()))
    if numbered is not None:
        return numbered
    fits = [or_(Person.name == w, Person.staff_number == w, Unit.name.contains(w, autoescape=True)) for w in parts]
    is_named = or_(Person.name.in_(parts), Person.staff_number.in_(parts))
    matching = of_scope.where(*fits, is_named, Person.state.in_([PersonState.ON_ROSTER, PersonState.OFF_ROSTER]))
    found = session.execute(matching.order_by(Unit.code, Person.staff_number).limit(_MAX_LISTED + 1)).all()
    if len(found) == 1:
        return found[0][0]
    if not found:
        raise PersonUnclearError(f"没有找到“{text.strip()[:40]}”。请填写姓名或工号；同名的写成“张三 财政局”这样。")
    listed = "、".join(f"{one.name}（{unit_name}，工号 {one.staff_number}）" for one, unit_name in found[:_MAX_LISTED])
    more = "等" if len(found) > _MAX_LISTED else ""
    raise PersonUnclearError(f"有几个人都符合：{listed}{more}。请在姓名后面写单位，或改写工号。")
