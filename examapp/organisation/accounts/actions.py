"""Sign-ins: judged under the account's lock, so that parallel tries are all counted; begun, and ended."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.errors import DomainError, NotFoundError, TryAgainError
from examapp.organisation.accounts.queries import SIGNED_IN_COLUMNS, SignedIn
from examapp.organisation.accounts.rules import MAX_FAILURES_OF_A_KNOWN_DEVICE, Failures, digest
from examapp.organisation.captcha.actions import note_address_failure
from examapp.organisation.captcha.rules import MAX_FAILED_ACCOUNTS
from examapp.organisation.people.models import Account, SignIn, UnknownSignIn
from examapp.platform.audit.actions import ActionContext, Actor, record

_ACT = "people.reject_sign_in"
_MAX_A_MINUTE = MAX_FAILED_ACCOUNTS
"""Lines of one address a minute: as many as bring the captcha; who tries without end shows in the log, and cannot fill it."""


_NOTED = text("""
INSERT INTO audit_events (at, act, object_type, object_id, person_id, address, details)
SELECT :now, :act, 'account', CAST(:account_id AS bigint), CAST(:person_id AS bigint), CAST(:address AS text), jsonb_build_object('why', CAST(:why AS text))
WHERE (SELECT count(*) FROM (SELECT FROM audit_events WHERE at > :since AND act = :act
  AND address IS NOT DISTINCT FROM CAST(:address AS text) LIMIT :most) AS lately) < :most
""")
"""Plain text, since whoever floods the sign-in makes it run at each rejection."""


def note_rejected_sign_in(
    session: Session,
    why: str,
    *,
    address: str | None,
    now: datetime,
    account_id: int | None = None,
    person_id: int | None = None,
) -> None:
    """Write down why a sign-in was rejected, in one statement that costs the same whether an account has the name or not."""
    given = {
        "now": now,
        "since": now - timedelta(minutes=1),
        "act": _ACT,
        "address": address,
        "account_id": account_id,
        "person_id": person_id,
        "why": why,
        "most": _MAX_A_MINUTE,
    }
    session.connection().execute(_NOTED, given)


_DEVICE_CHARACTERS = 200
_ALL_FAILURES = 2**15 - 1
"""More than an account's row can count."""


class WrongCredentialsError(DomainError):
    """Name and password do not belong together; which of the two is wrong is not said."""

    code = "wrong_credentials"
    status = 401
    message = "登录名或密码不对。请核对后再试；忘记密码的，请联系本单位管理员重置。"


class WaitBeforeSignInError(DomainError):
    """Too many wrong passwords: the next try has to wait."""

    code = "slow_down"
    status = 429

    def __init__(self, wait_s: int) -> None:
        wait = f"{wait_s} 秒" if wait_s < 120 else f"{-(-wait_s // 60)} 分钟"
        super().__init__(
            f"密码输错次数较多，请等 {wait}后再试。忘记密码的，请联系本单位管理员重置。", retry_after=wait_s
        )


class WrongSetUpCodeError(DomainError):
    """Not the set-up code of this site."""

    code = "wrong_setup_code"
    status = 422
    message = "设置码不对。请看启动程序的窗口，或数据目录中的 setup_code 文件。"


class WaitBeforeSetUpError(DomainError):
    """Too many wrong set-up codes from this address."""

    code = "slow_down"
    status = 429

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            f"设置码输错次数较多，请等 {wait_s} 秒后再试。设置码在启动程序的窗口里，也在数据目录的 setup_code 文件中。",
            retry_after=wait_s,
        )


class AccountDisabledError(DomainError):
    """The password is right, but the account is closed."""

    code = "account_disabled"
    status = 403
    message = "这个账号已停用。如有疑问，请联系本单位管理员。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The browser that wants in, as far as the sign-in's row remembers it."""

    address: str | None
    name: str
    is_known: bool
    """It has signed in to this very account before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the comparison outside the transaction found: the account as it was read, and whether the password is right."""

    account_id: int
    password_hash: str
    is_right: bool
    new_hash: str | None = None
    """The hash of a first password that was right and had none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInResult:
    """How a sign-in ended: the token of the new sign-in, and whose it is, or the rejection to raise once it is committed."""

    token: str | None = None
    user: SignedIn | None = None
    rejection: DomainError | None = None
    awaits_code: bool = False
    """The token opens nothing before the one-time code has come."""


_LOCKED = (
    select(Account)
    .where(Account.id == bindparam("account_id"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_BEGIN = text(f"""
WITH account AS (
  SELECT id, person_id, login_name, must_change_password, password_changed_at, has_second_factor, has_elder_mode, failures FROM accounts
  WHERE id = :account_id AND disabled_at IS NULL AND password_hash = coalesce(:password_hash, password_hash)
    AND (failures < :forgiven OR locked_until IS NULL OR locked_until <= :now)
  FOR UPDATE
), forgotten AS (
  UPDATE accounts AS a SET failures = 0, first_failure_at = NULL, locked_until = NULL, password_hash = coalesce(:new_hash, a.password_hash)
  FROM account WHERE a.id = account.id AND (account.failures > 0 OR CAST(:new_hash AS text) IS NOT NULL)
), begun AS (
  INSERT INTO sign_ins (account_id, token_digest, started_at, address, device, ticket_id, awaits_code)
  SELECT id, :token_digest, :now, :address, :device, CAST(:ticket_id AS bigint), has_second_factor FROM account RETURNING id
), noted AS (
  INSERT INTO audit_events (at, actor_id, act, object_type, object_id, person_id, address, details)
  SELECT :now, account.person_id, 'people.sign_in', 'sign_in', begun.id, account.person_id, :address, CAST(:details AS jsonb) FROM begun, account
)
SELECT {SIGNED_IN_COLUMNS}
FROM (
  SELECT begun.id AS sign_in_id, account.id AS account_id, account.*, CAST(:now AS timestamptz) AS started_at, CAST(NULL AS timestamptz) AS seen_at
  FROM begun, account
) AS s JOIN persons AS p ON p.id = s.person_id JOIN units AS u ON u.id = p.unit_id
""")  # noqa: S608 – our own words
"""Begin a sign-in of an account that is open and not locked, and note it in the log, in one statement: thirty sign in a second on the day of an exam."""


def begin_sign_in(
    session: Session,
    account_id: int,
    *,
    device: Device,
    now: datetime,
    checked: Checked | None = None,
    ticket_id: int | None = None,
) -> SignInResult | None:
    """Begin a sign-in in one statement, with a one-time-password device half of one; failures are forgotten.

    None where the account is closed; by a password that was `checked`, also where it has changed since or a wait is due.
    """
    token = secrets.token_urlsafe(24)
    waiting_from = MAX_FAILURES_OF_A_KNOWN_DEVICE if device.is_known else 0
    values = {
        "account_id": account_id,
        "password_hash": checked.password_hash if checked else None,
        "new_hash": checked.new_hash if checked else None,
        "forgiven": waiting_from if checked else _ALL_FAILURES,
        "token_digest": digest(token),
        "now": now,
        "address": device.address,
        "device": device.name[:_DEVICE_CHARACTERS],
        "ticket_id": ticket_id,
        "details": json.dumps({"ticket_id": ticket_id} if ticket_id else {}),
    }
    row = session.connection().execute(_BEGIN, values).one_or_none()
    if row is None:
        return None
    user = SignedIn(**row._mapping)  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping
    return SignInResult(token=token, user=user, awaits_code=user.has_second_factor)


def judge_password(session: Session, checked: Checked, *, device: Device, now: datetime) -> SignInResult:
    """Begin a sign-in where the password is right and no wait is due; count the failure where it is wrong."""
    begun = None
    if checked.is_right:
        begun = begin_sign_in(session, checked.account_id, device=device, now=now, checked=checked)
    return begun or _reject_password(session, checked, device=device, now=now)


def _reject_password(session: Session, checked: Checked, *, device: Device, now: datetime) -> SignInResult:
    """Find out why a password signs nobody in, under the account's lock; count the failure where it is wrong."""
    account = session.scalars(_LOCKED, {"account_id": checked.account_id}).one()
    failures = Failures(count=account.failures, first_at=account.first_failure_at, locked_until=account.locked_until)
    if wait := failures.wait_s(now=now, is_known_device=device.is_known):
        return reject_sign_in(session, WaitBeforeSignInError(wait), account=account, device=device, now=now)
    if not checked.is_right or account.password_hash != checked.password_hash:
        return count_failure(session, account, failures.after_another(now=now), device=device, now=now)
    if account.disabled_at is not None:
        return reject_sign_in(session, AccountDisabledError(), account=account, device=device, now=now)
    return SignInResult(rejection=TryAgainError(retry_after=1))  # opened again by now


def reject_sign_in(
    session: Session, rejection: DomainError, *, device: Device, now: datetime, account: Account | None = None
) -> SignInResult:
    """Reject a sign-in, with its line in the log."""
    account_id, person_id = (account.id, account.person_id) if account else (None, None)
    note_rejected_sign_in(
        session, rejection.code, account_id=account_id, person_id=person_id, address=device.address, now=now
    )
    return SignInResult(rejection=rejection)


def count_failure(
    session: Session, account: Account, failures: Failures, *, device: Device, now: datetime
) -> SignInResult:
    """Write a failure down on a locked account and give what to answer: a wait where one is due."""
    account.failures, account.first_failure_at = failures.count, failures.first_at
    account.locked_until = failures.locked_until
    note_address_failure(session, digest(f"account {account.id}"), address=device.address, now=now)
    note_rejected_sign_in(
        session,
        WrongCredentialsError.code,
        account_id=account.id,
        person_id=account.person_id,
        address=device.address,
        now=now,
    )
    wait = failures.wait_s(now=now, is_known_device=device.is_known)
    if wait:
        _note_delay(session, failures, wait, account=account, address=device.address, now=now)
    return SignInResult(rejection=WaitBeforeSignInError(wait) if wait else WrongCredentialsError())


def prove_password(context: ActionContext, account_id: int, *, old_hash: str, is_right: bool) -> DomainError | None:
    """Judge the current password that somebody who is signed in typed: a wrong one counts as at a sign-in, and a right one tells nothing while a wait is due.

    Gives the rejection to answer once the count is committed.
    """
    session, now = context.session, context.now
    account = session.scalars(_LOCKED, {"account_id": account_id}).one()
    failures = Failures(count=account.failures, first_at=account.first_failure_at, locked_until=account.locked_until)
    if wait := failures.wait_s(now=now, is_known_device=False):
        return WaitBeforeSignInError(wait)
    if is_right and account.password_hash == old_hash:
        return None
    record(
        context, "people.fail_own_password", object_type="account", object_id=account.id, person_id=account.person_id
    )
    device = Device(address=context.actor.address, name="", is_known=False)
    return count_failure(session, account, failures.after_another(now=now), device=device, now=now).rejection


def _note_delay(
    session: Session, failures: Failures, wait: int, *, account: Account | None, address: str | None, now: datetime
) -> None:
    record(
        ActionContext(session, Actor(person_id=None, address=address), now),
        "people.delay_sign_in",
        object_type="account",
        object_id=account.id if account else None,
        person_id=account.person_id if account else None,
        details={"failures": failures.count, "wait_s": wait},
    )


def note_unknown_sign_in(session: Session, name_digest: bytes, *, address: str | None, now: datetime) -> SignInResult:
    """Count a failure under a name that no account has; the answer is an account's, and so is the number of exchanges with the database."""
    row, failures = _lock_unknown(session, name_digest, now=now)
    if wait := failures.wait_s(now=now, is_known_device=False):
        note_rejected_sign_in(session, WaitBeforeSignInError.code, address=address, now=now)
        return SignInResult(rejection=WaitBeforeSignInError(wait))
    after = _count_unknown(row, failures, now=now)
    note_address_failure(session, name_digest, address=address, now=now)
    note_rejected_sign_in(session, WrongCredentialsError.code, address=address, now=now)
    wait = after.wait_s(now=now, is_known_device=False)
    if wait:
        _note_delay(session, after, wait, account=None, address=address, now=now)
    return SignInResult(rejection=WaitBeforeSignInError(wait) if wait else WrongCredentialsError())


def judge_set_up_code(
    session: Session, code_digest: bytes, *, is_right: bool, address: str | None, now: datetime
) -> DomainError | None:
    """Count a wrong set-up code as a wrong password is counted, and say so; while a wait is due a right one is rejected too.

    `code_digest` stands for who tries, not for what was typed: an address locks only itself.
    """
    row, failures = _lock_unknown(session, code_digest, now=now)
    if wait := failures.wait_s(now=now, is_known_device=False):
        return WaitBeforeSetUpError(wait)
    if is_right:
        return None
    after = _count_unknown(row, failures, now=now)
    note_rejected_sign_in(session, WrongSetUpCodeError.code, address=address, now=now)
    wait = after.wait_s(now=now, is_known_device=False)
    return WaitBeforeSetUpError(wait) if wait else WrongSetUpCodeError()


def _lock_unknown(session: Session, name_digest: bytes, *, now: datetime) -> tuple[UnknownSignIn, Failures]:
    made_or_locked = (
        insert(UnknownSignIn)
        .values(name_digest=name_digest, failures=0, first_failure_at=now, locked_until=now)
        .on_conflict_do_update(index_elements=[UnknownSignIn.name_digest], set_={"name_digest": name_digest})
        .returning(UnknownSignIn)
    )
    row = session.scalars(made_or_locked, execution_options={"populate_existing": True}).one()
    return row, Failures(count=row.failures, first_at=row.first_failure_at, locked_until=row.locked_until)


def _count_unknown(row: UnknownSignIn, failures: Failures, *, now: datetime) -> Failures:
    after = failures.after_another(now=now)
    row.failures, row.locked_until = after.count, after.locked_until or now
    row.first_failure_at = after.first_at or now
    return after


def sign_out(context: ActionContext, sign_in_id: int) -> None:
    """End one sign-in: its cookie is dead at the next request, wherever it was copied to."""
    context.session.execute(
        update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(ended_at=context.now)
    )
    record(context, "people.sign_out", object_type="sign_in", object_id=sign_in_id, person_id=context.actor.person_id)


def end_sign_ins(session: Session, account_id: int, *, now: datetime, but: int | None = None) -> None:
    """End all sign-ins of an account, `but` one where its holder changes the password himself."""
    condition = [SignIn.account_id == account_id, SignIn.ended_at.is_(None)]
    if but is not None:
        condition.append(SignIn.id != but)
    session.execute(update(SignIn).where(*condition).values(ended_at=now))


def end_own_sign_in(context: ActionContext, sign_in_id: int, *, account_id: int) -> None:
    """End one of an account's own sign-ins: dead at its next request; raises NotFoundError for another's, or one that has ended."""
    row = context.session.scalar(
        select(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.account_id == account_id, SignIn.ended_at.is_(None))
        .with_for_update()
    )
    if row is None:
        raise NotFoundError
    row.ended_at = context.now
    record(
        context, "people.end_sign_in", object_type="sign_in", object_id=sign_in_id, person_id=context.actor.person_id
    )


def end_other_sign_ins(context: ActionContext, *, account_id: int, but: int) -> None:
    """End all of an account's sign-ins but the one that asks."""
    end_sign_ins(context.session, account_id, now=context.now, but=but)
    record(
        context,
        "people.end_other_sign_ins",
        object_type="account",
        object_id=account_id,
        person_id=context.actor.person_id,
    )


_SEEN = text("UPDATE sign_ins SET seen_at = :now WHERE id = :sign_in_id")


def note_seen(session: Session, sign_in_id: int, *, now: datetime) -> None:
    """Write down that an administrator is at work; the idle limit counts from here."""
    session.connection().execute(_SEEN, {"sign_in_id": sign_in_id, "now": now})
