"""Walks over all views of the application, with the people and things of the access matrix's scene."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from sqlalchemy import func, select

from examapp.db.session import Base
from examapp.organisation.accounts.guards import access_rule
from tests.matrix.calls import calls_of, path_of
from tests.matrix.policy import HOLDERS, POLICY, ROLES
from tests.matrix.scenario import MISSING

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True, slots=True)
class RoleCall:
    """A call that a role may make: of its own thing where it has one, of its unit's else."""

    endpoint: str
    method: str
    path: str
    role: str

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    def __str__(self) -> str:
        return f"{self.role} {self.method} {self.endpoint}"


def roles_of(app, endpoint: str) -> str:
    """Say which roles may enter a view, by the policy table or, for one without a row yet, by its permission's holders."""
    if endpoint in POLICY:
        return POLICY[endpoint].roles
    rule = access_rule(app.view_functions[endpoint]) or ""
    everybody = {"public": "-" + ROLES, "signed_in": ROLES, "signed_in_with_any_password": ROLES}
    return everybody.get(rule) or HOLDERS.get(rule, "")


def all_calls(app, scenario, *, every_role=False) -> Iterator[RoleCall]:
    """Give every call of the application; by one role that may make it, or by all roles there are."""
    for endpoint, rule, method in calls_of(app):
        may_enter = roles_of(app, endpoint)
        roles = "-" + ROLES if every_role else (may_enter.replace("-", "")[:1] or "C")
        for role in roles:
            yield RoleCall(endpoint, method, address(rule, endpoint, scenario, role), role)


def address(rule: str, endpoint: str, scenario, role: str) -> str:
    """Fill an address: with one's own things, else those of the same unit; what the scene has none of with a number that nothing has."""
    things = POLICY[endpoint].things if endpoint in POLICY else {}
    if things:
        for relation in ("own", "same"):
            if (path := path_of(rule, scenario, things, role, relation)) is not None:
                return path
    path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule)
    for name, kind in things.items():
        if (known := scenario.things[kind].get("same")) is not None:
            path = re.sub(rf"<(?:\w+:)?{name}>", str(known), path)
    path = re.sub(r"<int:\w+>", str(MISSING), path)
    return re.sub(r"<[^>]+>", "none", path)


def count_rows(connection) -> dict[str, int]:
    """Count the rows of every table but the log, which tells of rejections; one statement."""
    return dict(connection.execute(_count_of_every_table()).mappings().one())


@cache
def _count_of_every_table():
    tables = [table for table in Base.metadata.sorted_tables if table.name != "audit_events"]
    return select(*(select(func.count()).select_from(table).scalar_subquery().label(table.name) for table in tables))
