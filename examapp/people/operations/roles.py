"""Roles: granted and taken back by the security administrator, never two of the three separated ones to one person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import NotFoundError
from examapp.org.models import Tree, Unit
from examapp.people.models import Person, PersonState, RoleGrant
from examapp.people.operations.roster import PersonRefusedError
from examapp.people.rules import ROLE_NAMES, SEPARATED_ROLES, UNIT_ROLES, Role


def grant_role(
    session: Session, person: Person, role: Role, unit: Unit | None, *, tree: Tree, actor: Actor, now: datetime
) -> RoleGrant:
    """Give a person a role over a unit's subtree, or over everything without a unit; raises PersonRefusedError."""
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update())
    _check(session, person, role, unit, tree, actor=actor, now=now)
    grant = RoleGrant(
        person_id=person.id,
        role=role,
        unit_id=unit.id if unit else None,
        tree=tree,
        granted_at=now,
        granted_by_id=actor.person_id,
    )
    session.add(grant)
    session.flush()
    _note(session, "people.grant_role", grant, actor=actor, now=now)
    return grant


def revoke_role(session: Session, grant_id: int, person: Person, *, actor: Actor, now: datetime) -> None:
    """Take a role back at once; the last security administrator's cannot be, since nobody could give it again."""
    grant = session.scalar(
        select(RoleGrant).where(RoleGrant.id == grant_id, RoleGrant.person_id == person.id).with_for_update()
    )
    if grant is None or (grant.ends_at is not None and grant.ends_at <= now):
        raise NotFoundError
    if grant.role == Role.SECURITY_ADMIN and _count_in_force(session, Role.SECURITY_ADMIN, now=now) == 1:
        raise PersonRefusedError("role", "这是最后一名安全管理员，收回后就没有人能授权了。请先授予另一人。")
    grant.ends_at = now
    _note(session, "people.revoke_role", grant, actor=actor, now=now)


def _check(
    session: Session, person: Person, role: Role, unit: Unit | None, tree: Tree, *, actor: Actor, now: datetime
) -> None:
    if person.id == actor.person_id:
        raise PersonRefusedError("role", "不能给自己授权，请由另一名安全管理员办理。")
    if person.state == PersonState.LEFT:
        raise PersonRefusedError("role", "这个人已离开名册，不能授权。")
    if role in UNIT_ROLES and unit is None:
        raise PersonRefusedError("unit_id", f"「{ROLE_NAMES[role]}」须选择单位。")
    if role in SEPARATED_ROLES and unit is not None:
        raise PersonRefusedError("unit_id", f"「{ROLE_NAMES[role]}」管全局，请不要选择单位。")
    if unit is not None and unit.path_in(tree) is None:
        raise PersonRefusedError("unit_id", f"「{unit.name}」没有挂在条线上，请改选块。")
    held = {
        (Role(row.role), row.unit_id, row.tree)
        for row in session.execute(
            select(RoleGrant.role, RoleGrant.unit_id, RoleGrant.tree).where(
                RoleGrant.person_id == person.id, or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)
            )
        )
    }
    if (role, unit.id if unit else None, tree) in held:
        raise PersonRefusedError("role", "这个人已经有这项角色。")
    other = next((held_role for held_role, _, _ in held if held_role in SEPARATED_ROLES), None)
    if role in SEPARATED_ROLES and other is not None:
        raise PersonRefusedError(
            "role", f"这个人已是{ROLE_NAMES[other]}。系统、安全、审计三员不能由一人兼任，请另选一人。"
        )


def _count_in_force(session: Session, role: Role, *, now: datetime) -> int:
    in_force = or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)
    return session.scalar(select(func.count()).select_from(RoleGrant).where(RoleGrant.role == role, in_force)) or 0


def _note(session: Session, act: str, grant: RoleGrant, *, actor: Actor, now: datetime) -> None:
    record(
        session,
        act,
        actor=actor,
        now=now,
        object_type="role_grant",
        object_id=grant.id,
        person_id=grant.person_id,
        details={"role": grant.role, "unit_id": grant.unit_id, "tree": grant.tree},
    )
