"""Rows copied in by thousands: what the demo county has too much of to insert."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from examapp.organisation.access.rules import Role
from examapp.organisation.people.models import Account, Person, PersonState, RoleGrant, RosterMove
from examapp.organisation.units.models import Unit, UnitKind
from examapp.platform.demo_county.rules import CountyPlan, PersonPlan

NULL = r"\N"


def copy_rows(session: Session, target: str, lines: Iterable[str]) -> None:
    """Copy lines of PostgreSQL's text form, each with its line break, into a table's columns."""
    driver = session.connection().connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        copy.write("".join(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """An account to print: its role, how to sign in, who it is."""

    role: str
    login_name: str
    name: str
    unit: str
    person_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """What was made: ids in the order of the plan."""

    plan: CountyPlan
    unit_ids: list[int]
    person_ids: list[int]
    accounts: list[DemoAccount]
    office_id: int


_STAFF = (
    (Role.PUBLICITY_OFFICE, "puban", "普法办小林"),
    (Role.LEADER, "lingdao", "领导老周"),
    (Role.SYSTEM_ADMIN, "xitong", "系统管理员小吴"),
    (Role.SECURITY_ADMIN, "anquan", "安全管理员小郑"),
    (Role.AUDIT_ADMIN, "shenji", "审计管理员小钱"),
)
_SHOWN_UNIT_ADMINS = ("县水利局", "长岭镇")


def add_county(session: Session, plan: CountyPlan, *, now: datetime, candidate_hash: str, admin_hash: str) -> County:
    """Insert units, officials with one shared password hash, the administrators, and one unit admin a unit."""
    unit_ids = _add_units(session, plan, now=now)
    person_ids = _add_people(session, plan, unit_ids, now=now, password_hash=candidate_hash)
    home = next(index for index, unit in enumerate(plan.units) if unit.name == "县司法局")
    accounts = [
        _add_staff(
            session, role, login_name=login, name=name, unit_id=unit_ids[home], now=now, password_hash=admin_hash
        )
        for role, login, name in _STAFF
    ]
    accounts[1:1] = _add_unit_admins(session, plan, unit_ids, person_ids, now=now)
    first = plan.people[-1]
    accounts.append(_candidate_account(plan, first, person_ids[-1]))
    session.flush()
    return County(
        plan=plan, unit_ids=unit_ids, person_ids=person_ids, accounts=accounts, office_id=accounts[0].person_id
    )


def _candidate_account(plan: CountyPlan, person: PersonPlan, person_id: int) -> DemoAccount:
    return DemoAccount(
        role="candidate",
        login_name=person.staff_number,
        name=person.name,
        unit=plan.units[person.unit].name,
        person_id=person_id,
    )


def _add_units(session: Session, plan: CountyPlan, *, now: datetime) -> list[int]:
    rows: list[Unit] = []
    for unit in plan.units:
        parent = rows[unit.parent] if unit.parent is not None else None
        supervisor = rows[unit.sector_parent] if unit.sector_parent is not None else None
        row = Unit(
            code=unit.code, name=unit.name, kind=unit.kind, parent_id=parent.id if parent else None,
            sector_parent_id=supervisor.id if supervisor else None, region_path="/0/", created_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        row.region_path = f"{parent.region_path if parent else '/'}{row.id}/"
        if supervisor is not None or unit.kind is UnitKind.SECTOR:
            row.sector_path = f"{supervisor.sector_path if supervisor else '/'}{row.id}/"
        rows.append(row)
    session.flush()
    return [row.id for row in rows]


def _add_people(
    session: Session, plan: CountyPlan, unit_ids: list[int], *, now: datetime, password_hash: str
) -> list[int]:
    people = [
        {
            "staff_number": person.staff_number, "name": person.name, "unit_id": unit_ids[person.unit], "state": PersonState.ON_ROSTER,
            "rank": person.rank, "position": person.position, "created_at": now, "updated_at": now,
        }
        for person in plan.people
    ]  # fmt: skip
    ids = list(session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), people))
    accounts = [
        {
            "person_id": person_id,
            "login_name": person["staff_number"],
            "password_hash": password_hash,
            "must_change_password": False,
            "is_demo": True,
        }
        for person_id, person in zip(ids, people, strict=True)
    ]
    session.execute(insert(Account), accounts)
    moves = [
        {
            "person_id": person_id,
            "kind": "join",
            "to_unit_id": person["unit_id"],
            "effective_on": now.date(),
            "recorded_at": now,
        }
        for person_id, person in zip(ids, people, strict=True)
    ]
    session.execute(insert(RosterMove), moves)
    return ids


def _add_staff(
    session: Session, role: Role, *, login_name: str, name: str, unit_id: int, now: datetime, password_hash: str
) -> DemoAccount:
    person = Person(
        staff_number=login_name,
        name=name,
        unit_id=unit_id,
        state=PersonState.OFF_ROSTER,
        position=name,
        created_at=now,
        updated_at=now,
    )
    session.add(person)
    session.flush()
    session.add(
        Account(
            person_id=person.id,
            login_name=login_name,
            password_hash=password_hash,
            must_change_password=False,
            is_demo=True,
        )
    )
    session.add(RoleGrant(person_id=person.id, role=role, unit_id=None, granted_at=now))
    return DemoAccount(role=role, login_name=login_name, name=name, unit="县司法局", person_id=person.id)


def _add_unit_admins(
    session: Session, plan: CountyPlan, unit_ids: list[int], person_ids: list[int], *, now: datetime
) -> list[DemoAccount]:
    seen: set[int] = set()
    shown: dict[str, DemoAccount] = {}
    for person, person_id in zip(plan.people, person_ids, strict=True):
        unit = plan.units[person.unit]
        top = person.unit if unit.kind is not UnitKind.SUB_UNIT else unit.parent or 0
        if top in seen:
            continue
        seen.add(top)
        session.add(RoleGrant(person_id=person_id, role=Role.UNIT_ADMIN, unit_id=unit_ids[top], granted_at=now))
        name = plan.units[top].name
        shown[name] = DemoAccount(
            role=Role.UNIT_ADMIN, login_name=person.staff_number, name=person.name, unit=name, person_id=person_id
        )
    return [shown[name] for name in _SHOWN_UNIT_ADMINS]
