"""Reads about persons: signing in, access scope, the roster, first passwords, and imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Exists, Row, Select, and_, bindparam, exists, false, func, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, contains_eager

from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import GUARDED_ROLES, SEPARATED_ROLES, AccessScope
from examapp.organisation.people.models import Account, Person, PersonState, PlannedMove, RoleGrant, RosterMove
from examapp.organisation.people.rules import (
    ID_NUMBER_PURPOSE,
    MOBILE_PURPOSE,
    first_password_binding,
    id_number_binding,
    is_id_number,
    is_mobile,
    mask_id_number,
    mask_mobile,
    mobile_binding,
    normalise_id_number,
    normalise_mobile,
)
from examapp.organisation.units.models import AREA_KINDS, Tree, Unit, UnitKind
from examapp.organisation.units.queries import IS_ROOT, list_units
from examapp.security.ciphers import DecryptionError, FieldCipher

AnySelect = Select[*tuple[Any, ...]]
PAGE_SIZE = 50
UNREADABLE = "无法显示"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleListFilter:
    """What a list of people is filtered by; empty means not at all."""

    text: str = ""
    unit: Unit | None = None
    state: str = ""
    account: str = ""
    """`waiting` (first password not yet changed), `disabled`, `open` (may sign in), or empty."""


def list_people(
    session: Session, access: AccessScope, chosen: PeopleListFilter, *, cipher: FieldCipher, page: int
) -> tuple[list[Row[Any]], int]:
    """List a page of people by unit code and staff number, and the number of all that match; two statements."""
    query = _filtered(
        select(
            Person.id,
            Person.staff_number,
            Person.name,
            Person.rank,
            Person.position,
            Person.state,
            Person.unit_id,
            Unit.name.label("unit_name"),
            Account.must_change_password,
            Account.disabled_at,
        ),
        access,
        chosen,
        cipher,
    )
    total = session.scalar(_filtered(select(func.count()), access, chosen, cipher)) or 0
    rows = session.execute(
        query.order_by(Unit.code, Person.staff_number).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    )
    return list(rows), total


def _filtered(query: AnySelect, access: AccessScope, chosen: PeopleListFilter, cipher: FieldCipher) -> AnySelect:
    query = (
        query.select_from(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .outerjoin(Account, Account.person_id == Person.id)
        .where(within(access), Person.state != PersonState.ANONYMOUS)
    )
    if chosen.unit is not None:
        query = query.where(Unit.region_path.startswith(chosen.unit.region_path))
    if chosen.state:
        query = query.where(Person.state == chosen.state)
    if chosen.account == "waiting":
        query = query.where(Account.must_change_password, Account.disabled_at.is_(None))
    elif chosen.account == "open":
        query = query.where(Account.id.is_not(None), Account.disabled_at.is_(None), Person.state != PersonState.LEFT)
    elif chosen.account == "disabled":
        query = query.where(Account.disabled_at.is_not(None))
    return query.where(_matches(chosen.text, cipher)) if chosen.text else query


def _matches(text: str, cipher: FieldCipher) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [
        Person.staff_number.istartswith(text, autoescape=True),
        Person.name.contains(text, autoescape=True),
    ]
    if is_id_number(number := normalise_id_number(text)):
        conditions.append(Person.id_number_index.in_(cipher.blind_indexes(number, purpose=ID_NUMBER_PURPOSE)))
    if is_mobile(mobile := normalise_mobile(text)):
        conditions.append(Person.mobile_index.in_(cipher.blind_indexes(mobile, purpose=MOBILE_PURPOSE)))
    return or_(*conditions)


def get_person_within(session: Session, person_id: int, access: AccessScope) -> Person:
    """Get a person whose unit lies within an access scope; raises NotFoundError."""
    person = session.scalar(
        select(Person)
        .join(Person.unit)
        .options(contains_eager(Person.unit))
        .where(Person.id == person_id, within(access))
    )
    if person is None:
        raise NotFoundError
    return person


def find_account(session: Session, person_id: int) -> Account | None:
    """Find a person's account."""
    return session.scalar(select(Account).where(Account.person_id == person_id))


def list_moves(session: Session, person_id: int) -> list[Row[Any]]:
    """List a person's moves, the latest first, with the names of the units."""
    left, reached = aliased(Unit), aliased(Unit)
    return list(
        session.execute(
            select(
                RosterMove.kind,
                RosterMove.effective_on,
                RosterMove.note,
                left.name.label("from_name"),
                reached.name.label("to_name"),
            )
            .outerjoin(left, RosterMove.from_unit_id == left.id)
            .outerjoin(reached, RosterMove.to_unit_id == reached.id)
            .where(RosterMove.person_id == person_id)
            .order_by(RosterMove.effective_on.desc(), RosterMove.id.desc())
        )
    )


def list_planned(session: Session, person_id: int) -> list[Row[Any]]:
    """List a person's moves that wait for their day, and those that could not be carried out; with the name of the unit."""
    return list(
        session.execute(
            select(
                PlannedMove.id,
                PlannedMove.kind,
                PlannedMove.effective_on,
                PlannedMove.note,
                PlannedMove.ended_at,
                PlannedMove.outcome,
                Unit.name.label("to_name"),
            )
            .outerjoin(Unit, PlannedMove.to_unit_id == Unit.id)
            .where(PlannedMove.person_id == person_id, PlannedMove.outcome.not_in(("done", "cancelled")))
            .order_by(PlannedMove.effective_on, PlannedMove.id)
        )
    )


def masked_numbers(person: Person, cipher: FieldCipher) -> tuple[str, str]:
    """Give a person's ID number and mobile number as they may be shown; a broken seal is said, and logged."""
    id_number = _opened(person.id_number_encrypted, id_number_binding(person.id), cipher)
    mobile = _opened(person.mobile_encrypted, mobile_binding(person.id), cipher)
    return (
        id_number if id_number in {"", UNREADABLE} else mask_id_number(id_number),
        mobile if mobile in {"", UNREADABLE} else mask_mobile(mobile),
    )


def find_mobiles(session: Session, person_ids: Collection[int], *, cipher: FieldCipher) -> dict[int, str]:
    """Find the mobile numbers of people who have not left, by person; only for what hands messages to them, never for a page."""
    rows = session.execute(
        select(Person.id, Person.mobile_encrypted).where(
            Person.id.in_(person_ids), Person.mobile_encrypted.is_not(None), Person.state != PersonState.LEFT
        )
    )
    opened = {row.id: _opened(row.mobile_encrypted, mobile_binding(row.id), cipher) for row in rows}
    return {person_id: mobile for person_id, mobile in opened.items() if mobile not in {"", UNREADABLE}}


def numbers_of(
    session: Session, person_ids: Collection[int], cipher: FieldCipher, *, is_whole: bool
) -> dict[int, tuple[str, str]]:
    """Give the ID number and mobile of people in one statement, `{person_id: (id number, mobile)}`; masked unless they are to be whole."""
    query = select(Person.id, Person.id_number_encrypted, Person.mobile_encrypted).where(Person.id.in_(person_ids))
    shown = {}
    for person_id, encrypted_id_number, encrypted_mobile in session.execute(query):
        id_number = _opened(encrypted_id_number, id_number_binding(person_id), cipher)
        mobile = _opened(encrypted_mobile, mobile_binding(person_id), cipher)
        if not is_whole:
            id_number = id_number if id_number in {"", UNREADABLE} else mask_id_number(id_number)
            mobile = mobile if mobile in {"", UNREADABLE} else mask_mobile(mobile)
        shown[person_id] = (id_number, mobile)
    return shown


_NAME = select(Person.name).where(Person.id == bindparam("person_id"))


def find_name(session: Session, person_id: int) -> str:
    """Give a person's name; empty for none."""
    return session.connection().execute(_NAME, {"person_id": person_id}).scalar() or ""


def _opened(encrypted: bytes | None, associated_data: str, cipher: FieldCipher) -> str:
    if encrypted is None:
        return ""
    try:
        return cipher.decrypt(encrypted, associated_data=associated_data)
    except DecryptionError:
        return UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedFirstPassword:
    """A line of the sheet that the unit admin cuts into strips."""

    unit_code: str
    unit_name: str
    name: str
    login_name: str
    password: str


def guarded_role_of(
    person_id: int | InstrumentedAttribute[int], *, now: datetime, access: AccessScope | None = None
) -> Exists:
    """Give the condition that a person holds a role which only a system administrator's hand may come near.

    Else a unit admin could give the office's people in the own unit a new password, and be them. With an access scope, a role over more than that
    is guarded too: whoever administers the county may sit in any of its units.
    """
    is_guarded: ColumnElement[bool] = RoleGrant.role.in_(GUARDED_ROLES)
    if access is not None and not access.is_everything:
        over = select(Unit.id).where(_is_covered(access), Unit.id == RoleGrant.unit_id)
        is_guarded = or_(is_guarded, ~exists(over.correlate(RoleGrant)))
    return exists().where(
        RoleGrant.person_id == person_id, is_guarded, or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)
    )


def separated_role_of(person_id: int | InstrumentedAttribute[int], *, now: datetime) -> Exists:
    """Give the condition that a person is one of the three administrators, whose accounts are not in one person's hand."""
    return exists().where(
        RoleGrant.person_id == person_id,
        RoleGrant.role.in_(SEPARATED_ROLES),
        or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now),
    )


def _is_covered(access: AccessScope) -> ColumnElement[bool]:
    """Give the condition that a grant over `Unit` reaches no further than an access scope, in the grant's own tree."""
    ways = [
        and_(RoleGrant.tree == Tree.REGION, Unit.region_path.startswith(path, autoescape=True))
        for path in access.region_paths
    ]
    ways += [
        and_(RoleGrant.tree == Tree.SECTOR, Unit.sector_path.startswith(path, autoescape=True))
        for path in access.sector_paths
    ]
    return or_(*ways) if ways else false()


def list_first_passwords(
    session: Session, unit: Unit, access: AccessScope, *, cipher: FieldCipher, with_guarded: bool, now: datetime
) -> list[PrintedFirstPassword]:
    """List the first passwords of a unit's subtree that nobody has changed yet, by unit and staff number; never the three administrators'."""
    rows = session.execute(
        select(
            Unit.code,
            Unit.name.label("unit_name"),
            Person.id,
            Person.name,
            Account.login_name,
            Account.first_password_encrypted,
        )
        .select_from(Account)
        .join(Person, Account.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            *_with_first_password(unit, access),
            ~separated_role_of(Person.id, now=now),
            true() if with_guarded else ~guarded_role_of(Person.id, now=now, access=access),
        )
        .order_by(Unit.code, Person.staff_number)
    )
    return [
        PrintedFirstPassword(
            unit_code=row.code,
            unit_name=row.unit_name,
            name=row.name,
            login_name=row.login_name,
            password=_opened(row.first_password_encrypted, first_password_binding(row.id), cipher),
        )
        for row in rows
    ]


def list_withheld_first_passwords(session: Session, unit: Unit, access: AccessScope, *, now: datetime) -> list[str]:
    """Name those of a unit's subtree whose unchanged first password only a system administrator gives out, for their roles."""
    withheld = or_(
        separated_role_of(Person.id, now=now),
        guarded_role_of(Person.id, now=now, access=access),
    )
    people = select(Person.name).join(Account, Account.person_id == Person.id).join(Unit, Person.unit_id == Unit.id)
    return list(session.scalars(people.where(*_with_first_password(unit, access), withheld).order_by(Person.name)))


def _with_first_password(unit: Unit, access: AccessScope) -> tuple[ColumnElement[bool], ...]:
    return (
        within(access),
        Unit.region_path.startswith(unit.region_path),
        Account.first_password_encrypted.is_not(None),
        Account.must_change_password.is_(True),
        Account.disabled_at.is_(None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitListRow:
    """A unit in a list: how deep it hangs, how many people are on its roster and on that of its whole subtree."""

    unit: Unit
    level: int
    own: int
    with_subtree: int


def count_by_unit(session: Session) -> dict[int, int]:
    """Count the people on the roster, by unit."""
    rows = session.execute(
        select(Person.unit_id, func.count().label("people"))
        .where(Person.state == PersonState.ON_ROSTER)
        .group_by(Person.unit_id)
    )
    return {row.unit_id: row.people for row in rows}


def list_unit_rows(session: Session, access: AccessScope, *, tree: Tree, with_closed: bool) -> list[UnitListRow]:
    """List the units of a tree within an access scope as they hang, siblings by code, with their people; two statements."""
    units = list_units(session, within(access), with_closed=with_closed)
    counts = count_by_unit(session)
    paths = {unit.id: path for unit in units if (path := _place(unit, tree))}
    below: dict[str, int] = defaultdict(int)
    for unit in units:
        parts = paths.get(unit.id, "").strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            below["/" + "/".join(parts[:depth]) + "/"] += counts.get(unit.id, 0)
    codes = {str(unit.id): unit.code for unit in units}
    hanging = sorted(
        (unit for unit in units if unit.id in paths),
        key=lambda unit: [codes.get(part, "") for part in paths[unit.id].strip("/").split("/")],
    )
    return [
        UnitListRow(
            unit=unit,
            level=sum(part in codes for part in paths[unit.id].strip("/").split("/")),
            own=counts.get(unit.id, 0),
            with_subtree=below[paths[unit.id]],
        )
        for unit in hanging
    ]


def _place(unit: Unit, tree: Tree) -> str | None:
    """Give a unit's path in a tree; nodes of the sector tree alone do not show in the region tree."""
    return None if tree is Tree.REGION and unit.kind == UnitKind.SECTOR else unit.path_in(tree)


_Below = aliased(Unit, name="below")
UNCOVERED_UNITS = (
    select(func.array_agg(aggregate_order_by(Unit.name, Unit.code)))
    .where(
        IS_ROOT,
        Unit.kind.not_in(AREA_KINDS),
        select(Person.id)
        .join(_Below, Person.unit_id == _Below.id)
        .where(Person.state == PersonState.ON_ROSTER, _Below.region_path.startswith(Unit.region_path))
        .correlate(Unit)
        .exists(),
    )
    .scalar_subquery()
    .label("uncovered")
)
"""Names of the units with people that hang below no county, for a report to say what it does not cover."""
