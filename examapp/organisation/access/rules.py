"""Which role holds which permission, and how far it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from examapp.organisation.units.models import Tree


class Role(StrEnum):
    """What a person is beside a candidate, within a unit's subtree."""

    UNIT_ADMIN = "unit_admin"
    PUBLICITY_OFFICE = "publicity_office"
    LEADER = "leader"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


ROLE_NAMES = {
    Role.UNIT_ADMIN: "单位管理员",
    Role.PUBLICITY_OFFICE: "普法办",
    Role.LEADER: "领导（只看报表）",
    Role.SYSTEM_ADMIN: "系统管理员",
    Role.SECURITY_ADMIN: "安全管理员",
    Role.AUDIT_ADMIN: "审计管理员",
}

PERMISSION_HOLDERS: dict[str, frozenset[Role]] = {}
"""Which roles hold a permission, `feature:thing:act`; collected from the features' PERMISSIONS by examapp/registry.py."""


def declare_permissions(permissions: Mapping[str, AbstractSet[Role]]) -> None:
    """Add the permissions of a feature; raises ValueError where another feature has declared one of them."""
    for permission, roles in permissions.items():
        if permission in PERMISSION_HOLDERS:
            raise ValueError(f"{permission!r} is declared twice: leave it in the PERMISSIONS of one feature")
        PERMISSION_HOLDERS[permission] = frozenset(roles)


SEPARATED_ROLES = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
"""The three administrators (三员) that one person cannot be together (GB/T 22239, level 3)."""


GUARDED_ROLES = SEPARATED_ROLES | {Role.PUBLICITY_OFFICE}
"""Roles whose holders get a new password only from a system administrator."""

MAX_DEPUTYSHIP_LENGTH = timedelta(days=92)
"""Who stands in for somebody does so for a quarter at most; then it is asked for again."""

UNIT_ROLES = frozenset({Role.UNIT_ADMIN, Role.LEADER})
"""Roles that are always for one unit's subtree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """A view in the menu: shown to who holds one of the permissions; to candidates where there is none."""

    label: str
    position: int = 0
    permissions: tuple[str, ...] = ()
    endpoint: str = ""
    group: str = ""
    """Under which of the menu's groups it stands where there are too many entries for one row; alone without one."""
    is_everywhere: bool = False
    """Whether its page opens only to who holds the permission over everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role of a person as far as it matters for a request: the subtree of `path` in `tree`, everything where `path` is None."""

    role: Role
    unit_id: int | None
    tree: Tree
    path: str | None


@dataclass(frozen=True, slots=True)
class AccessScope:
    """The part of the application's people and units that one permission reaches: prefixes of unit paths in either tree."""

    is_everything: bool
    region_paths: tuple[str, ...] = ()
    sector_paths: tuple[str, ...] = ()

    def covers(self, *, region_path: str, sector_path: str | None) -> bool:
        """Tell whether a unit with these paths lies within the access scope."""
        return (
            self.is_everything
            or region_path.startswith(self.region_paths or ("\0",))
            or (sector_path is not None and sector_path.startswith(self.sector_paths or ("\0",)))
        )


NO_ACCESS = AccessScope(is_everything=False)


def access_of(permission: str, grants: tuple[Grant, ...]) -> AccessScope | None:
    """Give the scope of a permission under these grants; None where no role holds it. Raises KeyError for one that no feature declares."""
    holders = PERMISSION_HOLDERS[permission]
    holding = [grant for grant in grants if grant.role in holders]
    if not holding:
        return None
    return AccessScope(
        is_everything=any(grant.path is None for grant in holding),
        region_paths=tuple(g.path for g in holding if g.path is not None and g.tree is Tree.REGION),
        sector_paths=tuple(g.path for g in holding if g.path is not None and g.tree is Tree.SECTOR),
    )
