"""Reads about persons, their sign-ins and their reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from examapp.org.models import Tree, Unit
from examapp.people.models import Account, Person, RoleGrant, SignIn
from examapp.people.rules import Grant, Reach, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who sits behind a request, as far as every request must know."""

    sign_in_id: int
    account_id: int
    person_id: int
    name: str
    login_name: str
    unit_id: int
    unit_name: str
    must_change_password: bool


_SIGNED_IN = (
    select(
        SignIn.id.label("sign_in_id"),
        SignIn.account_id,
        Account.person_id,
        Person.name,
        Account.login_name,
        Person.unit_id,
        Unit.name.label("unit_name"),
        Account.must_change_password,
    )
    .join(Account, SignIn.account_id == Account.id)
    .join(Person, Account.person_id == Person.id)
    .join(Unit, Person.unit_id == Unit.id)
    .where(SignIn.ended_at.is_(None), Account.disabled_at.is_(None))
)


def find_signed_in(session: Session, token_digest: bytes) -> SignedIn | None:
    """Find who holds a live sign-in, in one statement; None where it has ended or the account is disabled."""
    row = session.execute(_SIGNED_IN.where(SignIn.token_digest == token_digest)).one_or_none()
    return None if row is None else SignedIn(**row._mapping)  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def list_grants(session: Session, person_id: int, *, now: datetime) -> tuple[Grant, ...]:
    """List a person's roles that are in force, with the paths of their units."""
    rows = session.execute(
        select(RoleGrant.role, RoleGrant.unit_id, RoleGrant.tree, Unit.region_path, Unit.sector_path)
        .outerjoin(Unit, RoleGrant.unit_id == Unit.id)
        .where(RoleGrant.person_id == person_id, or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now))
    )
    return tuple(_grant(row.role, row.unit_id, Tree(row.tree), row.region_path, row.sector_path) for row in rows)


def _grant(role: str, unit_id: int | None, tree: Tree, region_path: str | None, sector_path: str | None) -> Grant:
    path = None if unit_id is None else (region_path if tree is Tree.REGION else sector_path) or f"/{unit_id}/"
    return Grant(role=Role(role), unit_id=unit_id, tree=tree, path=path)


def within(reach: Reach) -> ColumnElement[bool]:
    """Give the condition on `Unit` that a query within a reach carries."""
    if reach.is_everything:
        return true()
    conditions = [Unit.region_path.startswith(path, autoescape=True) for path in reach.region_paths]
    conditions += [Unit.sector_path.startswith(path, autoescape=True) for path in reach.sector_paths]
    return or_(*conditions) if conditions else false()
