"""Roles: asked for by the security administrator, put in force by a second one, never two of the three separated ones to one person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from examapp.documents.tables import Grid, cell_text, find_head
from examapp.errors import BadRequestError, DomainError, NotFoundError
from examapp.organisation.access.queries import list_grants
from examapp.organisation.access.rules import (
    MAX_DEPUTYSHIP_LENGTH,
    ROLE_NAMES,
    SEPARATED_ROLES,
    UNIT_ROLES,
    Role,
    access_of,
)
from examapp.organisation.accounts.actions import end_sign_ins
from examapp.organisation.dual_control import actions as dual_control_actions
from examapp.organisation.passwords.actions import end_grants, in_force, note_grant
from examapp.organisation.people.models import Account, Approval, Person, PersonState, RoleGrant
from examapp.organisation.roster.actions import InvalidPersonError
from examapp.organisation.units.models import Tree, Unit
from examapp.platform.audit.actions import ActionContext

AUDIT_ACTS = {"people.grant_role": "授予角色"}
AUDIT_VALUES = {
    "audit_admin": "审计管理员",
    "leader": "领导",
    "publicity_office": "普法办",
    "security_admin": "安全管理员",
    "system_admin": "系统管理员",
    "unit_admin": "单位管理员",
}

ACT = "people.grant_role"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRequest:
    """A role as it is asked for: over a unit's subtree in a tree, or over everything without a unit, until an instant or for good."""

    role: Role
    unit_id: int | None
    tree: Tree = Tree.REGION
    ends_at: datetime | None = None
    deputy_of_id: int | None = None

    @property
    def key(self) -> str:
        """What identifies the same request for the same person."""
        return f"{self.role}:{self.unit_id or 0}:{self.tree}"

    def as_details(self) -> dict[str, Any]:
        """Give the request as it stands in the request's row."""
        return {
            "role": self.role,
            "unit_id": self.unit_id,
            "tree": self.tree,
            "ends_at": self.ends_at.isoformat() if self.ends_at else None,
            "deputy_of_id": self.deputy_of_id,
        }

    @classmethod
    def from_details(cls, details: dict[str, Any]) -> RoleRequest:
        """Read a request's row."""
        return cls(
            role=Role(details["role"]),
            unit_id=details["unit_id"],
            tree=Tree(details["tree"]),
            ends_at=datetime.fromisoformat(details["ends_at"]) if details["ends_at"] else None,
            deputy_of_id=details["deputy_of_id"],
        )


MakeRoleRequest = Callable[[Session, Person], RoleRequest]
"""Reads a form into a request, within the transaction that asks."""


def request_role(context: ActionContext, person: Person, role_request: RoleRequest, *, reason: str) -> int:
    """Ask for a role for a person; it comes in force when another administrator approves. Gives the request's id.

    Raises InvalidPersonError where it could not be granted, AlreadyRequestedError.
    """
    if person.id == context.actor.person_id:
        raise InvalidPersonError("role", "不能给自己授权，请由另一名安全管理员办理。")
    _check(context.session, person, role_request, now=context.now)
    return dual_control_actions.ask(
        context,
        ACT,
        request_key=f"{person.id}:{role_request.key}",
        person_id=person.id,
        details=role_request.as_details(),
        reason=reason,
    )


ROLE_HEADS: dict[str, tuple[str, ...]] = {
    "unit": ("单位", "单位名称", "管理单位", "单位编码"),
    "name": ("姓名", "管理员", "人员"),
    "role": ("角色", "身份"),
    "staff_number": ("工号", "登录名", "编号"),
}
"""Heads of a table of roles, as people write them."""
_MAX_ROWS = 1_000
_ROLES = {"": Role.UNIT_ADMIN, "领导": Role.LEADER} | {name: role for role, name in ROLE_NAMES.items()}


def request_roles(
    context: ActionContext, grids: Sequence[Grid], *, scope: ColumnElement[bool], reason: str
) -> tuple[int, list[str]]:
    """Ask for the roles of a table, a row each; give how many were asked for, and the other rows with their reasons.

    A row names a unit, a person of it by name or staff number, and a role, 单位管理员 where none; one that waits already is passed over.
    Raises BadRequestError without a head.
    """
    asked, problems = 0, []
    for line, says in _read_roles(grids):
        try:
            person, role_request = _role_of_row(context.session, says, scope=scope)
            request_role(context, person, role_request, reason=reason)
        except dual_control_actions.AlreadyRequestedError:
            continue
        except DomainError as rejection:
            problems.append(f"第 {line} 行（{says.get('unit', '')}　{says.get('name', '')}）：{rejection.text}")
        else:
            asked += 1
    return asked, problems


def _read_roles(grids: Sequence[Grid]) -> list[tuple[int, dict[str, str]]]:
    rows = []
    for grid in grids:
        head = find_head(grid.rows, ROLE_HEADS)
        if (
            grid.is_hidden
            or head is None
            or "unit" not in head.columns
            or not {"name", "staff_number"} & {*head.columns}
        ):
            continue
        for at, row in enumerate(grid.rows[head.at + 1 :], head.at + 2):
            says = {field: cell_text(row[index]) for field, index in head.columns.items() if index < len(row)}
            if any(says.values()):
                rows.append((at, says))
    if not rows or len(rows) > _MAX_ROWS:
        raise BadRequestError(f"没有找到名单：表头要有单位、姓名（或工号），表头下面至少一行，最多 {_MAX_ROWS:,} 行。")
    return rows


def _role_of_row(session: Session, says: dict[str, str], *, scope: ColumnElement[bool]) -> tuple[Person, RoleRequest]:
    role = _ROLES.get(says.get("role", ""))
    if role is None or role in SEPARATED_ROLES:
        raise InvalidPersonError("role", "角色请写单位管理员、普法办或领导；系统、安全、审计三员请逐个办理。")
    named = says.get("unit", "")
    units = session.scalars(
        select(Unit).where(scope, or_(Unit.name == named, Unit.code == named), Unit.closed_at.is_(None)).limit(2)
    ).all()
    if len(units) != 1:
        raise InvalidPersonError(
            "unit_id", "没有找到这个单位。" if not units else "有几个单位叫这个名称，请改写单位编码。"
        )
    is_named = [
        column == says[field]
        for field, column in (("name", Person.name), ("staff_number", Person.staff_number))
        if says.get(field)
    ]
    people = session.scalars(
        select(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Unit.region_path.startswith(units[0].region_path), Person.state != PersonState.LEFT, *is_named)
        .limit(2)
    ).all()
    if not is_named or not people:
        raise InvalidPersonError("name", "这个单位（含下级）没有这个人，请核对姓名、工号。")
    if len(people) > 1:
        raise InvalidPersonError("name", "有几个人同名，请在“工号”一列写明工号。")
    return people[0], RoleRequest(role=role, unit_id=units[0].id if role in UNIT_ROLES else None)


def deputy_request(session: Session, deputy_of_id: int, *, ends_at: datetime | None, now: datetime) -> RoleRequest:
    """Give the request to stand in for a grant's holder; raises InvalidPersonError without an end within a quarter, or where it has ended."""
    grant = session.scalar(select(RoleGrant).where(RoleGrant.id == deputy_of_id, in_force(now)))
    if grant is None:
        raise InvalidPersonError("deputy_of_id", "要代理的角色已经收回或到期，请重新选择。")
    if ends_at is None or ends_at > now + MAX_DEPUTYSHIP_LENGTH:
        raise InvalidPersonError("ends_on", f"代理须写明到期日期，最长 {MAX_DEPUTYSHIP_LENGTH.days} 天。")
    last = min(ends_at, grant.ends_at or ends_at)
    return RoleRequest(
        role=Role(grant.role), unit_id=grant.unit_id, tree=Tree(grant.tree), ends_at=last, deputy_of_id=grant.id
    )


def put_in_force(context: ActionContext, approval: Approval, *, has_active_attempt: bool) -> RoleGrant:
    """Put an approved role in force; its holder signs in again, save in the midst of an exam.

    Raises InvalidPersonError where it can no longer be granted.
    """
    session, now = context.session, context.now
    person = session.scalars(
        select(Person)
        .where(Person.id == approval.person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    role_request = RoleRequest.from_details(approval.details)
    if access_of("people:role:grant", list_grants(session, approval.requested_by_id, now=now)) is None:
        raise InvalidPersonError("role", "提出申请的人已经不是安全管理员，申请不再有效。请由现任安全管理员重新提出。")
    _check(session, person, role_request, now=now)
    grant = RoleGrant(
        person_id=person.id,
        role=role_request.role,
        unit_id=role_request.unit_id,
        tree=role_request.tree,
        granted_at=now,
        granted_by_id=approval.requested_by_id,
        ends_at=role_request.ends_at,
        deputy_of_id=role_request.deputy_of_id,
    )
    session.add(grant)
    session.flush()
    _end_sign_ins(session, person.id, has_active_attempt=has_active_attempt, now=now)
    note_grant(context, "people.grant_role", grant)
    return grant


def revoke_role(
    context: ActionContext, grant_id: int, person: Person, *, has_active_attempt: Callable[[Session, int], bool]
) -> None:
    """Take a role back at once, and its deputies' with it; one person is enough, since less right is no danger.

    `has_active_attempt` is asked for each of them: nobody is signed out in the midst of an exam.

    The last security administrator's role stays, since nobody could ask for it again; raises InvalidPersonError.
    """
    session, now = context.session, context.now
    holders = select(RoleGrant.id).where(RoleGrant.role == Role.SECURITY_ADMIN).order_by(RoleGrant.id)
    session.execute(holders.with_for_update())
    grant = session.scalar(
        select(RoleGrant)
        .where(RoleGrant.id == grant_id, RoleGrant.person_id == person.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if grant is None or (grant.ends_at is not None and grant.ends_at <= now):
        raise NotFoundError
    if grant.role == Role.SECURITY_ADMIN and _count_lasting(session, but=grant.id) == 0:
        raise InvalidPersonError("role", "这是最后一名安全管理员，收回后就没有人能授权了。请先授予另一人。")
    for ended in end_grants(context, [grant.id]):
        _end_sign_ins(
            session, ended.person_id, has_active_attempt=has_active_attempt(session, ended.person_id), now=now
        )


def _check(session: Session, person: Person, role_request: RoleRequest, *, now: datetime) -> None:
    unit = session.get(Unit, role_request.unit_id) if role_request.unit_id else None
    if person.state == PersonState.LEFT:
        raise InvalidPersonError("role", "这个人已离开名册，不能授权。")
    _check_place(role_request, unit)
    if role_request.ends_at is not None and role_request.ends_at <= now:
        raise InvalidPersonError("ends_on", "到期日期已过，请改为以后的日期。")
    if role_request.deputy_of_id is not None:
        _check_deputy(session, person, role_request.deputy_of_id, now=now)
    _check_held(session, person, role_request, now=now)


def _check_place(role_request: RoleRequest, unit: Unit | None) -> None:
    if role_request.role in UNIT_ROLES and unit is None:
        raise InvalidPersonError("unit_id", f"“{ROLE_NAMES[role_request.role]}”须选择单位。")
    if role_request.role in SEPARATED_ROLES and unit is not None:
        raise InvalidPersonError("unit_id", f"“{ROLE_NAMES[role_request.role]}”管全局，请不要选择单位。")
    if unit is not None and unit.path_in(role_request.tree) is None:
        raise InvalidPersonError("unit_id", f"“{unit.name}”不属于垂直系统，请改选“本单位及下级单位”。")


def _check_deputy(session: Session, person: Person, deputy_of_id: int, *, now: datetime) -> None:
    grant = session.scalar(select(RoleGrant).where(RoleGrant.id == deputy_of_id, in_force(now)))
    if grant is None:
        raise InvalidPersonError("deputy_of_id", "要代理的角色已经收回或到期，请重新选择。")
    if grant.person_id == person.id or grant.deputy_of_id is not None:
        raise InvalidPersonError("deputy_of_id", "不能代理自己，也不能代理代理人。请选择角色的原持有人。")


def _check_held(session: Session, person: Person, role_request: RoleRequest, *, now: datetime) -> None:
    held = {
        (Role(row.role), row.unit_id, row.tree)
        for row in session.execute(
            select(RoleGrant.role, RoleGrant.unit_id, RoleGrant.tree).where(
                RoleGrant.person_id == person.id, in_force(now)
            )
        )
    }
    if (role_request.role, role_request.unit_id, role_request.tree) in held:
        raise InvalidPersonError("role", "这个人已经有这项角色。")
    other = next((role for role, _, _ in held if role in SEPARATED_ROLES), None)
    if role_request.role in SEPARATED_ROLES and other is not None:
        raise InvalidPersonError(
            "role", f"这个人已是{ROLE_NAMES[other]}。系统、安全、审计三员不能由一人兼任，请另选一人。"
        )


def _count_lasting(session: Session, *, but: int) -> int:
    """Count the security administrators who stay: a deputy's or a dated role does not keep the application."""
    lasting = RoleGrant.ends_at.is_(None), RoleGrant.role == Role.SECURITY_ADMIN, RoleGrant.id != but
    return session.scalar(select(func.count()).select_from(RoleGrant).where(*lasting)) or 0


def _end_sign_ins(session: Session, person_id: int, *, has_active_attempt: bool, now: datetime) -> None:
    """End the sign-ins of who got or lost a right; never in the midst of an exam, where the next request reads the rights again anyhow."""
    account_id = session.scalar(select(Account.id).where(Account.person_id == person_id))
    if account_id is not None and not has_active_attempt:
        end_sign_ins(session, account_id, now=now)
