"""A forgotten password, without an administrator: a code through the gateway to the phone on the roster.

Asking costs the same whether an account has the name or not: one row. A worker makes the code and hands it to the gateway afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from examapp.errors import DomainError
from examapp.jobs.publisher import enqueue_after_commit
from examapp.organisation.accounts.actions import (
    AccountDisabledError,
    Device,
    SignInResult,
    WaitBeforeSignInError,
    begin_sign_in,
    count_failure,
    end_sign_ins,
    reject_sign_in,
)
from examapp.organisation.accounts.models import ResetRequest
from examapp.organisation.accounts.queries import AccountToCheck
from examapp.organisation.accounts.rules import (
    MAX_RESETS_OF_AN_ACCOUNT,
    MAX_RESETS_OF_AN_ADDRESS,
    RESET_CODE_LIFE,
    RESET_WINDOW,
    TICKET_LIFE,
    TICKET_PURPOSE,
    Failures,
    clean_ticket_code,
    new_reset_code,
    new_ticket_code,
    reset_code_key,
)
from examapp.organisation.captcha.rules import office_of
from examapp.organisation.passwords.actions import ensure_not_privileged, is_allowed, is_separated, open_account
from examapp.organisation.people.models import Account, LoginToken, Person, PersonState
from examapp.organisation.people.queries import guarded_role_of
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.platform.outgoing_messages.actions import send_out
from examapp.security.ciphers import FieldCipher
from examapp.security.password_hashing import NO_HASH

AUDIT_ACTS = {
    "people.issue_login_token": "发放一次性登录码",
    "people.reset_password": "重置密码",
    "people.send_reset_code": "发送重设密码验证码",
}
AUDIT_OBJECTS = {"ticket": "一次性登录码"}

_BATCH = 50
_KEPT = timedelta(days=1)


def ask_reset(session: Session, account: AccountToCheck | None, *, address: str | None, now: datetime) -> None:
    """Put down that somebody forgot the password of a name."""
    account_id = account.account_id if account else None
    session.add(ResetRequest(account_id=account_id, address=office_of(address), requested_at=now))
    session.flush()
    enqueue_after_commit(session, "people.send_reset_codes")


def are_many(session: Session, address: str | None, *, now: datetime) -> bool:
    """Tell whether an address has asked so often recently that unknown devices solve a captcha. Never a block: a county may be one address."""
    recently = select(ResetRequest.id).where(
        ResetRequest.address == office_of(address), ResetRequest.requested_at > now - RESET_WINDOW
    )
    counted = recently.limit(MAX_RESETS_OF_AN_ADDRESS).subquery()
    return session.execute(select(func.count()).select_from(counted)).scalar_one() >= MAX_RESETS_OF_AN_ADDRESS


def send_reset_codes(session: Session, *, cipher: FieldCipher, now: datetime) -> int:
    """Make codes for the requests that wait and hand them to the gateway; two workers never take the same one. Gives how many."""
    rows = session.scalars(
        select(ResetRequest)
        .where(ResetRequest.handled_at.is_(None))
        .order_by(ResetRequest.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    sent = 0
    for row in rows:
        row.handled_at = now
        is_fresh = now - row.requested_at < RESET_CODE_LIFE
        if row.account_id is not None and is_fresh and _may_have_code(session, row.account_id, now=now):
            _send(session, row.account_id, cipher=cipher, now=now)
            sent += 1
    session.execute(delete(ResetRequest).where(ResetRequest.requested_at < now - _KEPT))
    return sent


def use_reset_code(
    session: Session, account_id: int, typed: str, *, cipher: FieldCipher, device: Device, now: datetime
) -> SignInResult:
    """Begin a sign-in by the code that came to the phone; wrong ones count as wrong passwords do."""
    account = session.scalars(
        select(Account).where(Account.id == account_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    failures = Failures(count=account.failures, first_at=account.first_failure_at, locked_until=account.locked_until)
    if wait := failures.wait_s(now=now, is_known_device=device.is_known):
        return reject_sign_in(session, WaitBeforeSignInError(wait), account=account, device=device, now=now)
    indexes = cipher.blind_indexes(reset_code_key(account_id, typed), purpose=TICKET_PURPOSE)
    ticket = session.scalar(
        select(LoginToken)
        .where(
            LoginToken.code_index.in_(indexes),
            LoginToken.account_id == account_id,
            LoginToken.used_at.is_(None),
            LoginToken.expires_at > now,
        )
        .with_for_update()
    )
    if ticket is None:
        return count_failure(session, account, failures.after_another(now=now), device=device, now=now)
    begun = begin_sign_in(session, account.id, device=device, now=now, ticket_id=ticket.id)
    if begun is None:
        return reject_sign_in(session, AccountDisabledError(), account=account, device=device, now=now)
    ticket.used_at = now
    return begun


def _may_have_code(session: Session, account_id: int, *, now: datetime) -> bool:
    """Tell whether a code may go out: to a phone on the roster, not to administrators, not again and again."""
    person = session.scalar(
        select(Person)
        .join(Account, Account.person_id == Person.id)
        .where(
            Account.id == account_id,
            Account.disabled_at.is_(None),
            Person.state != PersonState.LEFT,
            Person.mobile_encrypted.is_not(None),
        )
    )
    if person is None or session.scalar(select(guarded_role_of(person.id, now=now))):
        return False
    recently = select(func.count()).where(
        LoginToken.account_id == account_id, LoginToken.is_reset_code, LoginToken.made_at > now - RESET_WINDOW
    )
    return session.execute(recently).scalar_one() < MAX_RESETS_OF_AN_ACCOUNT


def _send(session: Session, account_id: int, *, cipher: FieldCipher, now: datetime) -> None:
    person_id = session.execute(select(Account.person_id).where(Account.id == account_id)).scalar_one()
    still_good = LoginToken.used_at.is_(None), LoginToken.expires_at > now, LoginToken.is_reset_code
    session.execute(update(LoginToken).where(LoginToken.account_id == account_id, *still_good).values(expires_at=now))
    code = new_reset_code()
    ticket = LoginToken(
        account_id=account_id,
        code_index=cipher.blind_index(reset_code_key(account_id, code), purpose=TICKET_PURPOSE),
        made_at=now,
        expires_at=now + RESET_CODE_LIFE,
        is_reset_code=True,
    )
    session.add(ticket)
    session.flush()
    send_out(
        session,
        person_id=person_id,
        kind="sign_in_code",
        text=f"您正在重设学法考试平台的密码，验证码 {code}，10 分钟内有效。不是本人操作的，请不要理会，也不要告诉别人。",
        parameters=[code],
        once_key=f"reset:{ticket.id}",
        now=now,
        urgent=True,
    )
    record(
        ActionContext(session, SYSTEM, now),
        "people.send_reset_code",
        object_type="ticket",
        object_id=ticket.id,
        person_id=person_id,
    )


class WrongTicketError(DomainError):
    """The code is not one of ours, has been used, or is too old; which of the three is not said."""

    code = "wrong_ticket"
    status = 401
    message = "一次性登录码不对，或者已用过、已过期。请核对 12 位代码；仍不行的，请本单位管理员再发一张。"


class NoTicketError(DomainError):
    """One of the chosen people cannot have a ticket."""

    code = "no_ticket"
    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as it goes onto paper, once."""

    name: str
    login_name: str
    unit_name: str
    code: str
    expires_at: datetime


def issue_tickets(
    context: ActionContext, people: Sequence[Person], *, cipher: FieldCipher, may_touch_guarded: bool
) -> list[Ticket]:
    """Make a ticket for each of these people, in force for a day; older ones of theirs are void.

    Raises GuardedAccountError for an administrator's account save by a system administrator, and NoTicketError.
    """
    for person in people:
        if is_separated(context.session, person.id, now=context.now):
            raise NoTicketError(
                f"“{person.name}”是系统、安全或审计管理员，账号须两人办理。请去掉这个人，到其人员页面申请重置密码。"
            )
    return [_issue(context, person, cipher=cipher, may_touch_guarded=may_touch_guarded) for person in people]


def reset_password(
    context: ActionContext, person: Person, *, cipher: FieldCipher, may_touch_guarded: bool, reason: str = ""
) -> Ticket | None:
    """Put a person's password out of force and give a one-use ticket instead: nobody but its holder ever knows the next one.

    None where a second person has been asked first. All sign-ins end, locks fall. Raises GuardedAccountError for the account of an administrator, save by a system administrator, and
    NoTicketError for a closed account.
    """
    session = context.session
    ensure_not_privileged(context, person, may_touch_guarded=may_touch_guarded)
    if not is_allowed(context, "people.reset_password", person, reason=reason):
        return None
    account = session.scalar(select(Account).where(Account.person_id == person.id).with_for_update())
    if account is None:
        account = open_account(person, cipher=cipher)
        session.add(account)
        session.flush()
    account.password_hash, account.first_password_encrypted = NO_HASH, None
    account.must_change_password = True
    account.failures, account.first_failure_at, account.locked_until = 0, None, None
    end_sign_ins(session, account.id, now=context.now)
    record(context, "people.reset_password", object_type="account", object_id=account.id, person_id=person.id)
    return _issue(context, person, cipher=cipher, may_touch_guarded=may_touch_guarded)


def _issue(context: ActionContext, person: Person, *, cipher: FieldCipher, may_touch_guarded: bool) -> Ticket:
    session, now = context.session, context.now
    ensure_not_privileged(context, person, may_touch_guarded=may_touch_guarded)
    account = session.scalar(select(Account).where(Account.person_id == person.id).with_for_update())
    if account is None or account.disabled_at is not None or person.state == PersonState.LEFT:
        raise NoTicketError(f"“{person.name}”没有可用的账号，不能发一次性登录码。请去掉这个人，或先启用账号。")
    session.execute(
        update(LoginToken)
        .where(LoginToken.account_id == account.id, LoginToken.used_at.is_(None), LoginToken.expires_at > now)
        .values(expires_at=now)
    )
    code = new_ticket_code()
    row = LoginToken(
        account_id=account.id,
        code_index=cipher.blind_index(code, purpose=TICKET_PURPOSE),
        made_at=now,
        made_by_id=context.actor.person_id,
        expires_at=now + TICKET_LIFE,
    )
    session.add(row)
    session.flush()
    record(context, "people.issue_login_token", object_type="ticket", object_id=row.id, person_id=person.id)
    return Ticket(
        name=person.name,
        login_name=account.login_name,
        unit_name=person.unit.name,
        code=code,
        expires_at=row.expires_at,
    )


def use_ticket(session: Session, typed: str, *, cipher: FieldCipher, device: Device, now: datetime) -> SignInResult:
    """Begin a sign-in by a ticket's code and void the ticket; two that use it at once get one sign-in."""
    code = clean_ticket_code(typed)
    if code is None:
        return reject_sign_in(session, WrongTicketError(), device=device, now=now)
    indexes = cipher.blind_indexes(code, purpose=TICKET_PURPOSE)
    row = session.scalar(
        select(LoginToken)
        .where(LoginToken.code_index.in_(indexes), LoginToken.used_at.is_(None), LoginToken.expires_at > now)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        return reject_sign_in(session, WrongTicketError(), device=device, now=now)
    account = session.scalars(select(Account).where(Account.id == row.account_id).with_for_update()).one()
    begun = begin_sign_in(session, account.id, device=device, now=now, ticket_id=row.id)
    if begun is None:
        return reject_sign_in(session, AccountDisabledError(), account=account, device=device, now=now)
    row.used_at = now
    return begun
