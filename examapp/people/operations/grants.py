"""Roles that end: taken back, or left behind by who leaves the roster or the unit; what has ended does not come back by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.org.models import Tree, Unit
from examapp.people.models import RoleGrant
from examapp.people.rules import UNIT_ROLES


def in_force(now: datetime) -> ColumnElement[bool]:
    """Give the condition that a grant is in force."""
    return or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)


def end_grants(session: Session, grant_ids: Sequence[int], *, actor: Actor, now: datetime) -> list[RoleGrant]:
    """End grants that are in force, and their deputies' with them; gives all that ended, each with its line in the log."""
    if not grant_ids:
        return []
    meant = or_(RoleGrant.id.in_(grant_ids), RoleGrant.deputy_of_id.in_(grant_ids))
    ended = session.scalars(
        select(RoleGrant)
        .where(meant, in_force(now))
        .order_by(RoleGrant.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for grant in ended:
        grant.ends_at = now
        note_grant(session, "people.revoke_role", grant, actor=actor, now=now)
    session.flush()
    return list(ended)


def end_grants_of(session: Session, person_id: int, *, actor: Actor, now: datetime) -> None:
    """End all roles of who leaves the roster: coming back, a person is asked for and approved anew."""
    held = session.scalars(select(RoleGrant.id).where(RoleGrant.person_id == person_id, in_force(now))).all()
    end_grants(session, held, actor=actor, now=now)


def end_grants_left_behind(
    session: Session, moves: Mapping[int, tuple[int | None, int]], *, actor: Actor, now: datetime
) -> None:
    """End the roles over a unit that their holders have left; `moves` says for each person from which unit to which.

    A role stays that reaches the new unit too, and one over a unit that has nothing to do with the one that was left.
    """
    held = session.execute(
        select(RoleGrant.id, RoleGrant.person_id, RoleGrant.tree, Unit)
        .join(Unit, RoleGrant.unit_id == Unit.id)
        .where(RoleGrant.person_id.in_(moves), RoleGrant.role.in_(UNIT_ROLES), in_force(now))
    ).all()
    behind = [row.id for row in held if _is_left_behind(session, row.Unit, Tree(row.tree), *moves[row.person_id])]
    end_grants(session, behind, actor=actor, now=now)


def _is_left_behind(session: Session, over: Unit, tree: Tree, left_id: int | None, to_id: int) -> bool:
    left = session.get(Unit, left_id) if left_id is not None else None
    path, to_path = over.path_in(tree), session.get_one(Unit, to_id).path_in(tree)
    left_path = left.path_in(tree) if left is not None else None
    if path is None or left_path is None:
        return over.id == left_id
    is_of_the_left = left_path.startswith(path) or path.startswith(left_path)
    return is_of_the_left and not (to_path or "").startswith(path)


def note_grant(session: Session, act: str, grant: RoleGrant, *, actor: Actor, now: datetime) -> None:
    """Write down what became of a role."""
    record(
        session,
        act,
        actor=actor,
        now=now,
        object_type="role_grant",
        object_id=grant.id,
        person_id=grant.person_id,
        details={
            "role": grant.role,
            "unit_id": grant.unit_id,
            "tree": grant.tree,
            "ends_at": grant.ends_at.isoformat() if grant.ends_at else None,
            "deputy_of_id": grant.deputy_of_id,
        },
    )
