"""Which role holds which permission, and how far it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from examapp.organisation.units.models import Tree
from examapp.security.permissions import Permission


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

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.UNIT_ADMIN: frozenset(
        {
            Permission.UNITS_READ,
            Permission.PEOPLE_READ,
            Permission.PEOPLE_WRITE,
            Permission.NUMBERS_REVEAL,
            Permission.ROSTER_IMPORT,
            Permission.CHANGES_PROPOSE,
            Permission.PASSWORDS_ISSUE,
            Permission.EXAMS_READ,
            Permission.EXEMPTIONS_REQUEST,
        }
        | {Permission.REPORTS_READ, Permission.REPORTS_EXPORT, Permission.DUTIES_WRITE}
        | {Permission.EVENTS_WRITE, Permission.CERTIFICATES_READ, Permission.CALLS_EXPORT, Permission.APPROVALS_READ}
    ),
    Role.PUBLICITY_OFFICE: frozenset(
        {
            Permission.UNITS_READ,
            Permission.UNITS_WRITE,
            Permission.PEOPLE_READ,
            Permission.PEOPLE_WRITE,
            Permission.NUMBERS_REVEAL,
            Permission.ROSTER_IMPORT,
            Permission.CHANGES_PROPOSE,
            Permission.PASSWORDS_ISSUE,
            Permission.CHANGES_APPROVE,
            Permission.LAWS_WRITE,
            Permission.TRAINING_WRITE,
        }
        | {
            Permission.QUESTIONS_READ,
            Permission.QUESTIONS_WRITE,
            Permission.QUESTIONS_REVIEW,
            Permission.QUESTIONS_IMPORT,
            Permission.QUESTIONS_EXPORT,
        }
        | {
            Permission.PAPERS_READ,
            Permission.PAPERS_WRITE,
            Permission.EXAMS_READ,
            Permission.EXAMS_WRITE,
            Permission.EXEMPTIONS_REQUEST,
            Permission.EXEMPTIONS_APPROVE,
        }
        | {
            Permission.ATTEMPTS_MANAGE,
            Permission.RESULTS_IMPORT,
            Permission.REPORTS_READ,
            Permission.REPORTS_EXPORT,
            Permission.REPORTS_NUMBERS,
            Permission.REPORTS_DESIGN,
            Permission.NOTICES_WRITE,
            Permission.FEEDBACK_ANSWER,
        }
        | {
            Permission.APPROVALS_READ,
            Permission.KEYS_APPROVE,
            Permission.REOPENINGS_APPROVE,
            Permission.NUMBERS_APPROVE,
            Permission.CALLS_EXPORT,
        }
        | {Permission.DUTIES_WRITE, Permission.DUTIES_APPROVE}
        | {Permission.EVENTS_WRITE, Permission.CERTIFICATES_READ, Permission.CERTIFICATES_WRITE}
    ),
    Role.LEADER: frozenset({Permission.UNITS_READ, Permission.EXAMS_READ, Permission.REPORTS_READ}),
    Role.SYSTEM_ADMIN: frozenset(
        {
            Permission.UNITS_READ,
            Permission.UNITS_WRITE,
            Permission.PEOPLE_READ,
            Permission.PEOPLE_WRITE,
            Permission.PASSWORDS_ISSUE,
            Permission.SETTINGS_WRITE,
            Permission.RETENTION_RUN,
            Permission.SECURITY_READ,
            Permission.ROLES_APPROVE,
            Permission.APPROVALS_READ,
        }
    ),
    Role.SECURITY_ADMIN: frozenset(
        {Permission.UNITS_READ, Permission.PEOPLE_READ, Permission.ROLES_GRANT, Permission.ROLES_APPROVE}
        | {
            Permission.APPROVALS_READ,
            Permission.ACCOUNTS_APPROVE,
            Permission.REOPENINGS_APPROVE,
            Permission.NUMBERS_APPROVE,
            Permission.SECURITY_READ,
        }
    ),
    Role.AUDIT_ADMIN: frozenset({Permission.AUDIT_READ}),
}

SEPARATED_ROLES = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
"""The three administrators (三员) that one person cannot be together (GB/T 22239, level 3)."""


GUARDED_ROLES = SEPARATED_ROLES | {Role.PUBLICITY_OFFICE}
"""Roles whose holders get a new password only from a system administrator."""

MAX_DEPUTYSHIP_LENGTH = timedelta(days=92)
"""Who stands in for somebody does so for a quarter at most; then it is asked for again."""

UNIT_ROLES = frozenset({Role.UNIT_ADMIN, Role.LEADER})
"""Roles that are always for one unit's subtree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role of a person as far as it matters for a request: the subtree of `path` in `tree`, everything where `path` is None."""

    role: Role
    unit_id: int | None
    tree: Tree
    path: str | None


@dataclass(frozen=True, slots=True)
class AccessScope:
    """The part of the house's people and units that one permission reaches: prefixes of unit paths in either tree."""

    is_everything: bool
    region_paths: tuple[str, ...] = ()
    sector_paths: tuple[str, ...] = ()

    def covers(self, *, region_path: str, sector_path: str | None) -> bool:
        """Tell whether a unit with these paths lies within the reach."""
        return (
            self.is_everything
            or region_path.startswith(self.region_paths or ("\0",))
            or (sector_path is not None and sector_path.startswith(self.sector_paths or ("\0",)))
        )


NO_REACH = AccessScope(is_everything=False)


def reach_of(permission: Permission, grants: tuple[Grant, ...]) -> AccessScope | None:
    """Give the reach of a permission under these grants; None where no role holds it."""
    holding = [grant for grant in grants if permission in ROLE_PERMISSIONS[grant.role]]
    if not holding:
        return None
    return AccessScope(
        is_everything=any(grant.path is None for grant in holding),
        region_paths=tuple(g.path for g in holding if g.path is not None and g.tree is Tree.REGION),
        sector_paths=tuple(g.path for g in holding if g.path is not None and g.tree is Tree.SECTOR),
    )
