"""Which role holds which permission, how far it reaches, what a password must be, and when a sign-in must wait."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from examapp.core.permissions import Permission
from examapp.org.models import Tree


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
            Permission.ROSTER_IMPORT,
            Permission.PASSWORDS_ISSUE,
            Permission.EXAMS_READ,
            Permission.EXEMPTIONS_REQUEST,
        }
        | {Permission.REPORTS_READ, Permission.REPORTS_EXPORT}
    ),
    Role.PUBLICITY_OFFICE: frozenset(
        {
            Permission.UNITS_READ,
            Permission.UNITS_WRITE,
            Permission.PEOPLE_READ,
            Permission.PEOPLE_WRITE,
            Permission.ROSTER_IMPORT,
            Permission.PASSWORDS_ISSUE,
            Permission.LAWS_WRITE,
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
            Permission.REPORTS_READ,
            Permission.REPORTS_EXPORT,
            Permission.NOTICES_WRITE,
            Permission.FEEDBACK_ANSWER,
        }
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
        }
    ),
    Role.SECURITY_ADMIN: frozenset({Permission.UNITS_READ, Permission.PEOPLE_READ, Permission.ROLES_GRANT}),
    Role.AUDIT_ADMIN: frozenset({Permission.AUDIT_READ}),
}

SEPARATED_ROLES = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
"""The three administrators (三员) that one person cannot be together (GB/T 22239, level 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role of a person as far as it matters for a request: the subtree of `path` in `tree`, everything where `path` is None."""

    role: Role
    unit_id: int | None
    tree: Tree
    path: str | None


@dataclass(frozen=True, slots=True)
class Reach:
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


def reach_of(permission: Permission, grants: tuple[Grant, ...]) -> Reach | None:
    """Give the reach of a permission under these grants; None where no role holds it."""
    holding = [grant for grant in grants if permission in ROLE_PERMISSIONS[grant.role]]
    if not holding:
        return None
    return Reach(
        is_everything=any(grant.path is None for grant in holding),
        region_paths=tuple(g.path for g in holding if g.path is not None and g.tree is Tree.REGION),
        sector_paths=tuple(g.path for g in holding if g.path is not None and g.tree is Tree.SECTOR),
    )


SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 128


def password_fault(password: str, *, login_name: str) -> str | None:
    """Say in Chinese what is wrong with a new password, None where it may stand."""
    if len(password) < SHORTEST_PASSWORD:
        return f"新密码至少 {SHORTEST_PASSWORD} 位，现在是 {len(password)} 位。"
    if len(password) > LONGEST_PASSWORD:
        return f"新密码最多 {LONGEST_PASSWORD} 位。"
    if login_name.lower() in password.lower():
        return "新密码不能包含登录名。"
    if len(set(password)) < 5:
        return "新密码中重复的字符太多，请换一个。"
    return None


MOST_FAILURES = 10
"""Wrong passwords within the window, after which unknown devices are kept out for a while."""
MOST_FAILURES_OF_A_KNOWN_DEVICE = 30
FAILURE_WINDOW = timedelta(minutes=15)
_DELAYS_S = {5: 5, 6: 10, 7: 20, 8: 40, 9: 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """The wrong passwords of one login name that still count."""

    count: int = 0
    first_at: datetime | None = None
    locked_until: datetime | None = None

    def after_another(self, *, now: datetime) -> Failures:
        """Count one more: from the fifth on a growing delay, at the tenth a lock as long as the window."""
        is_fresh = self.first_at is None or now - self.first_at >= FAILURE_WINDOW
        count = 1 if is_fresh else self.count + 1
        delay = FAILURE_WINDOW if count >= MOST_FAILURES else timedelta(seconds=_DELAYS_S.get(count, 0))
        return Failures(count=count, first_at=now if is_fresh else self.first_at, locked_until=now + delay)

    def wait_s(self, *, now: datetime, is_known_device: bool) -> int:
        """Give the seconds to wait before the next try, 0 where it may be made at once.

        A device that has signed in to this account before waits only after far more failures, so that a colleague's typing
        keeps nobody out of an exam.
        """
        if self.locked_until is None or self.locked_until <= now:
            return 0
        if is_known_device and self.count < MOST_FAILURES_OF_A_KNOWN_DEVICE:
            return 0
        return ceil((self.locked_until - now).total_seconds())


def digest(token: str) -> bytes:
    """Give the digest under which a sign-in's token is stored."""
    return hashlib.sha256(token.encode()).digest()


_LOGIN_NAME = re.compile(r"[^\x00-\x20\x7f-\xa0\ud800-\udfff]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def clean_login_name(typed: str) -> str | None:
    """Give a typed login name in its canonical width, None where no account can have it."""
    name = unicodedata.normalize("NFKC", typed[:200]).strip()
    return name if _LOGIN_NAME.fullmatch(name) else None


def safe_next(path: str | None) -> str:
    """Give where to go after signing in: an own page's path, else the home page."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path or _CONTROL.search(path):
        return "/"
    return "/" if path.split("?")[0] in {"/login", "/logout", "/password"} or path.startswith("/api/") else path


_ID_NUMBER = re.compile(r"\d{17}[\dX]")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE = re.compile(r"1[3-9]\d{9}")


def normalise_id_number(typed: str) -> str:
    """Write an ID number in its one form: half width, no spaces or dashes, a capital X."""
    return re.sub(r"[\s\-'‘’`]", "", unicodedata.normalize("NFKC", typed)).upper()


def id_check_character(digits: str) -> str:
    """Give the check character of an ID number's first 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def normalise_mobile(typed: str) -> str:
    """Write a mobile number in its one form: eleven digits, without the country's code."""
    bare = re.sub(r"[\s\-()']", "", unicodedata.normalize("NFKC", typed))
    return re.sub(r"^(\+|00)?86(?=1\d{10}$)", "", bare)


def is_id_number(text: str) -> bool:
    """Tell whether a normalised text has an ID number's shape; its check is another matter."""
    return _ID_NUMBER.fullmatch(text) is not None


def is_mobile(text: str) -> bool:
    """Tell whether a normalised text is a mobile number of the mainland."""
    return _MOBILE.fullmatch(text) is not None


ID_NUMBER_PURPOSE = "id_number"
MOBILE_PURPOSE = "mobile"
"""What blind indexes are keyed for."""


def first_password_binding(person_id: int) -> str:
    """Name the one row that a sealed first password belongs to."""
    return f"person:{person_id}:first_password"


def id_number_binding(person_id: int) -> str:
    """Name the one row that a sealed ID number belongs to."""
    return f"person:{person_id}:id_number"


def mobile_binding(person_id: int) -> str:
    """Name the one row that a sealed mobile number belongs to."""
    return f"person:{person_id}:mobile"
