"""Reads about accounts and their sign-ins."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from examapp.core.crypto import Sealer
from examapp.org.models import Unit
from examapp.people.models import Account, Person, PersonState, SignIn
from examapp.people.rules import (
    ID_NUMBER_PURPOSE,
    MOBILE_PURPOSE,
    is_id_number,
    is_mobile,
    normalise_id_number,
    normalise_mobile,
)


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
    is_candidate: bool
    """Whether the person stands on the roster."""


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
        (Person.state == PersonState.ON_ROSTER).label("is_candidate"),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountToCheck:
    """What the comparison of a password needs, read before it so that no transaction is open meanwhile."""

    account_id: int
    person_id: int
    login_name: str
    password_hash: str
    first_password_sealed: bytes | None


def find_account_to_check(session: Session, login_name: str, sealer: Sealer) -> AccountToCheck | None:
    """Find the account of a staff number, ID number or mobile number, in one statement.

    A mobile number that two persons share signs in neither of them; a staff number goes before the other two.
    """
    names = {login_name, login_name.upper()}
    conditions: list[ColumnElement[bool]] = [Account.login_name.in_(names)]
    if is_id_number(number := normalise_id_number(login_name)):
        conditions.append(Person.id_number_index == sealer.blind_index(number, purpose=ID_NUMBER_PURPOSE))
    if is_mobile(mobile := normalise_mobile(login_name)):
        conditions.append(Person.mobile_index == sealer.blind_index(mobile, purpose=MOBILE_PURPOSE))
    rows = session.execute(
        select(
            Account.id.label("account_id"),
            Account.person_id,
            Account.login_name,
            Account.password_hash,
            Account.first_password_sealed,
        )
        .join(Person, Account.person_id == Person.id)
        .where(or_(*conditions))
        .limit(4)
    ).all()
    named = [row for row in rows if row.login_name == login_name] or [row for row in rows if row.login_name in names]
    found = named or rows
    return AccountToCheck(**found[0]._mapping) if len(found) == 1 else None  # noqa: SLF001 – as above


def get_password_hash(session: Session, account_id: int) -> str:
    """Get what a password of the account is compared with."""
    return session.execute(select(Account.password_hash).where(Account.id == account_id)).scalar_one()
