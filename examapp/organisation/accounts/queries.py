"""Reads about accounts and their sign-ins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    LargeBinary,
    Text,
    column,
    func,
    literal,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from examapp.db.session import execute_autocommit
from examapp.organisation.accounts.models import FormerPassword, RecoveryCode
from examapp.organisation.accounts.rules import FORMER_PASSWORDS, RENEWAL_WINDOW, Failures
from examapp.organisation.captcha.rules import ADDRESS_WINDOW, MAX_FAILED_ACCOUNTS, office_of
from examapp.organisation.people.models import Account, SignIn
from examapp.organisation.people.rules import (
    ID_NUMBER_PURPOSE,
    MOBILE_PURPOSE,
    is_id_number,
    is_mobile,
    normalise_id_number,
    normalise_mobile,
)
from examapp.security.ciphers import FieldCipher

_MAX_LISTED = 50


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
    county_name: str
    """Of the county above the unit; empty where there is none."""
    must_change_password: bool
    is_candidate: bool
    """Whether the person stands on the roster."""
    started_at: datetime
    seen_at: datetime
    is_administrator: bool
    """Whether the person holds any role: the idle limit is for these."""
    has_second_factor: bool
    password_changed_at: datetime | None
    has_elder_mode: bool | None


live_sign_ins = table(
    "live_sign_ins",
    column("token_digest", LargeBinary),
    column("person_id", BigInteger),
    column("started_at", DateTime(timezone=True)),
    column("must_change_password", Boolean),
    column("login_name", Text),
    column("has_elder_mode", Boolean),
)
"""The view of sign-ins that are alive, for statements that prove themselves who asks; its definition stands in the migration."""
SIGNED_IN_COLUMNS = """
s.sign_in_id, s.account_id, s.person_id, p.name, s.login_name, p.unit_id, u.name AS unit_name,
  COALESCE((SELECT c.name FROM units AS c WHERE c.id = CAST(split_part(u.region_path, '/', 2) AS bigint) AND c.kind IN ('county', 'prefecture', 'province')), '') AS county_name,
  s.must_change_password,
  p.state = 'on_roster' AS is_candidate, s.started_at, COALESCE(s.seen_at, s.started_at) AS seen_at,
  EXISTS (SELECT FROM role_grants AS g WHERE g.person_id = p.id AND (g.ends_at IS NULL OR g.ends_at > now())) AS is_administrator,
  s.has_second_factor, s.password_changed_at, s.has_elder_mode
"""
"""What `SignedIn` holds, of sign-ins `s` (as in the view), persons `p` and units `u`."""
_SIGNED_IN = text(f"""
SELECT {SIGNED_IN_COLUMNS} FROM live_sign_ins AS s JOIN persons AS p ON p.id = s.person_id JOIN units AS u ON u.id = p.unit_id
WHERE s.token_digest = :token_digest
""")  # noqa: S608 – our own words
"""Plain text, since every request pays for it: putting a select() together costs a third of a save."""


_IS_CAPTCHA_DUE = """
SELECT count(*) >= :most AS is_due FROM (SELECT FROM address_failures WHERE address = :address AND failed_at > :since LIMIT :most) AS failed
"""
_HAS_FAILED = text(_IS_CAPTCHA_DUE)


def find_signed_in(session: Session, token_digest: bytes) -> SignedIn | None:
    """Find who holds a live sign-in, in one statement; None where it has ended or the account is disabled."""
    row = session.connection().execute(_SIGNED_IN, {"token_digest": token_digest}).one_or_none()
    return None if row is None else SignedIn(**row._mapping)  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def find_live_sign_in(token_digest: bytes) -> SignedIn | None:
    """The same in a statement of no session, which costs one exchange with the database, where a session's first costs three."""
    return next(
        (SignedIn(**row._asdict()) for row in execute_autocommit(_SIGNED_IN, {"token_digest": token_digest})), None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountToCheck:
    """What the comparison of a password needs, read before it so that no transaction is open meanwhile."""

    account_id: int
    person_id: int
    login_name: str
    password_hash: str
    first_password_encrypted: bytes | None
    failures: Failures


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLimits:
    """What stands in the way of a sign-in beside the account's own failures."""

    is_captcha_due: bool
    unknown_failures: Failures
    """Of the typed name, where no account has it."""


_TO_CHECK = """
SELECT id AS account_id, person_id, login_name, password_hash, first_password_encrypted, failures, first_failure_at, locked_until
FROM accounts WHERE id IN (
  SELECT id FROM accounts WHERE login_name = ANY(CAST(:names AS text[]))
  UNION ALL SELECT a.id FROM accounts AS a JOIN persons AS p ON p.id = a.person_id WHERE p.id_number_index = ANY(CAST(:id_numbers AS bytea[]))
  UNION ALL SELECT a.id FROM accounts AS a JOIN persons AS p ON p.id = a.person_id WHERE p.mobile_index = ANY(CAST(:mobiles AS bytea[]))
) LIMIT 4
"""
"""A union, since an OR over two tables would read both whole."""
_FIND_ACCOUNT = text(_TO_CHECK)
_FIND_ACCOUNT_AND_LIMITS = text(f"""
SELECT account.*, ({_IS_CAPTCHA_DUE}) AS is_captcha_due,
  unknown.failures AS unknown_failures, unknown.first_failure_at AS unknown_first_failure_at, unknown.locked_until AS unknown_locked_until
FROM (SELECT) AS one LEFT JOIN ({_TO_CHECK}) AS account ON true LEFT JOIN unknown_login_names AS unknown ON unknown.name_digest = :name_digest
""")  # noqa: S608 – our own words


def find_account_to_check(login_name: str, cipher: FieldCipher) -> AccountToCheck | None:
    """Find the account of a staff number, ID number or mobile number, in one statement of no session.

    A mobile number that two persons share signs in neither of them; a staff number goes before the other two.
    """
    values = _ways_to_name(login_name, cipher)
    return _account_of(execute_autocommit(_FIND_ACCOUNT, values), login_name)


def find_account_and_limits(
    login_name: str, cipher: FieldCipher, *, name_digest: bytes, address: str | None, now: datetime
) -> tuple[AccountToCheck | None, SignInLimits]:
    """Find the account of a login name, and what a sign-in must wait for, in one statement of no session: the same whether an account has the name or not."""
    values = {
        **_ways_to_name(login_name, cipher),
        "address": office_of(address),
        "since": now - ADDRESS_WINDOW,
        "most": MAX_FAILED_ACCOUNTS,
        "name_digest": name_digest,
    }
    rows = execute_autocommit(_FIND_ACCOUNT_AND_LIMITS, values)
    unknown = Failures(
        count=rows[0].unknown_failures or 0,
        first_at=rows[0].unknown_first_failure_at,
        locked_until=rows[0].unknown_locked_until,
    )
    account = _account_of([row for row in rows if row.account_id is not None], login_name)
    return account, SignInLimits(is_captcha_due=rows[0].is_captcha_due, unknown_failures=unknown)


def _ways_to_name(login_name: str, cipher: FieldCipher) -> dict[str, Any]:
    """Give what a typed name may be, as `_TO_CHECK` compares it."""
    number, mobile = normalise_id_number(login_name), normalise_mobile(login_name)
    return {
        "names": sorted({login_name, login_name.upper()}),
        "id_numbers": cipher.blind_indexes(number, purpose=ID_NUMBER_PURPOSE) if is_id_number(number) else [],
        "mobiles": cipher.blind_indexes(mobile, purpose=MOBILE_PURPOSE) if is_mobile(mobile) else [],
    }


def _account_of(rows: Sequence[Any], login_name: str) -> AccountToCheck | None:
    """Choose the account that was meant: its very staff number, else one that differs in case alone, else the only one."""
    named = [row for row in rows if row.login_name == login_name]
    named = named or [row for row in rows if row.login_name == login_name.upper()]
    found = named or rows
    if len(found) != 1:
        return None
    (row,) = found
    return AccountToCheck(
        account_id=row.account_id,
        person_id=row.person_id,
        login_name=row.login_name,
        password_hash=row.password_hash,
        first_password_encrypted=row.first_password_encrypted,
        failures=Failures(count=row.failures, first_at=row.first_failure_at, locked_until=row.locked_until),
    )


def list_live_sign_ins(
    session: Session, account_id: int, *, has_active_attempt: bool, not_before: datetime
) -> Sequence[SignIn]:
    """List an account's sign-ins that are alive, newest first; those begun before `not_before` are among them while their holder sits."""
    return session.scalars(
        select(SignIn)
        .where(
            SignIn.account_id == account_id,
            SignIn.ended_at.is_(None),
            ~SignIn.awaits_code,
            or_(SignIn.started_at > not_before, literal(has_active_attempt)),
        )
        .order_by(SignIn.started_at.desc(), SignIn.id.desc())
        .limit(_MAX_LISTED)
    ).all()


def may_renew_password(session: Session, sign_in_id: int, *, now: datetime) -> bool:
    """Tell whether a sign-in was begun by ticket just now: its holder may set a new password without the forgotten one."""
    fresh = select(SignIn.id).where(
        SignIn.id == sign_in_id, SignIn.ticket_id.is_not(None), SignIn.started_at > now - RENEWAL_WINDOW
    )
    return bool(session.scalar(select(fresh.exists())))


def is_captcha_due(address: str | None, *, now: datetime) -> bool:
    """Tell whether so many accounts failed from an address recently that unknown devices solve a captcha; one statement of no session."""
    given = {"address": office_of(address), "since": now - ADDRESS_WINDOW, "most": MAX_FAILED_ACCOUNTS}
    return bool(execute_autocommit(_HAS_FAILED, given)[0].is_due)


def find_failures(session: Session, account_id: int) -> Failures:
    """Find the wrong passwords of an account that still count."""
    columns = Account.failures, Account.first_failure_at, Account.locked_until
    row = session.execute(select(*columns).where(Account.id == account_id)).one()
    return Failures(count=row.failures, first_at=row.first_failure_at, locked_until=row.locked_until)


def list_former_hashes(session: Session, account_id: int) -> list[str]:
    """List the hashes of an account's last passwords, as far as they are kept."""
    rows = select(FormerPassword.password_hash).where(FormerPassword.account_id == account_id)
    return list(session.scalars(rows.order_by(FormerPassword.id.desc()).limit(FORMER_PASSWORDS)))


def count_recovery_codes(session: Session, account_id: int) -> int:
    """Count the recovery codes that are left."""
    left = select(func.count()).where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    return session.execute(left).scalar_one()


def get_password_hash(session: Session, account_id: int) -> str:
    """Get what a password of the account is compared with."""
    return session.execute(select(Account.password_hash).where(Account.id == account_id)).scalar_one()
