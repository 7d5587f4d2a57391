"""One-use sign-in tickets for people who forgot their password: issued on paper by an administrator, good for one sign-in within a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.crypto import Sealer
from examapp.core.errors import DomainError
from examapp.core.hashing import NO_HASH
from examapp.people.models import Account, Person, PersonState, SignInTicket
from examapp.people.operations.passwords import open_account, refuse_guarded
from examapp.people.operations.separated import is_allowed, is_separated
from examapp.people.operations.signing_in import (
    AccountDisabledError,
    Device,
    Verdict,
    begin_sign_in,
    end_sign_ins,
    refuse_sign_in,
)
from examapp.people.rules import TICKET_LIFE, TICKET_PURPOSE, clean_ticket_code, new_ticket_code


class WrongTicketError(DomainError):
    """The code is not one of ours, has been used, or is too old; which of the three is not said."""

    code = "wrong_ticket"
    status = 401
    message = "登录条不对，或者已用过、已过期。请核对 12 位代码；仍不行的，请本单位管理员再发一张。"


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
    session: Session, people: Sequence[Person], *, sealer: Sealer, may_touch_guarded: bool, actor: Actor, now: datetime
) -> list[Ticket]:
    """Make a ticket for each of these people, in force for a day; older ones of theirs are void.

    Raises GuardedAccountError for an administrator's account save by a system administrator, and NoTicketError.
    """
    for person in people:
        if is_separated(session, person.id, now=now):
            raise NoTicketError(
                f"「{person.name}」是系统、安全或审计管理员，账号须两人办理。请去掉这个人，到其人员页面申请重置密码。"
            )
    return [
        _issue(session, person, sealer=sealer, may_touch_guarded=may_touch_guarded, actor=actor, now=now)
        for person in people
    ]


def reset_password(
    session: Session,
    person: Person,
    *,
    sealer: Sealer,
    may_touch_guarded: bool,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> Ticket | None:
    """Put a person's password out of force and give a one-use ticket instead: nobody but its holder ever knows the next one.

    None where a second person has been asked first. All sign-ins end, locks fall. Raises GuardedAccountError for the account of an administrator, save by a system administrator, and
    NoTicketError for a closed account.
    """
    refuse_guarded(session, person, may_touch_guarded=may_touch_guarded, actor=actor, now=now)
    if not is_allowed(session, "people.reset_password", person, reason=reason, actor=actor, now=now):
        return None
    account = session.scalar(select(Account).where(Account.person_id == person.id).with_for_update())
    if account is None:
        account = open_account(person, sealer=sealer)
        session.add(account)
        session.flush()
    account.password_hash, account.first_password_sealed = NO_HASH, None
    account.must_change_password = True
    account.failures, account.first_failure_at, account.locked_until = 0, None, None
    end_sign_ins(session, account.id, now=now)
    record(
        session,
        "people.reset_password",
        actor=actor,
        now=now,
        object_type="account",
        object_id=account.id,
        person_id=person.id,
    )
    return _issue(session, person, sealer=sealer, may_touch_guarded=may_touch_guarded, actor=actor, now=now)


def _issue(
    session: Session, person: Person, *, sealer: Sealer, may_touch_guarded: bool, actor: Actor, now: datetime
) -> Ticket:
    refuse_guarded(session, person, may_touch_guarded=may_touch_guarded, actor=actor, now=now)
    account = session.scalar(select(Account).where(Account.person_id == person.id).with_for_update())
    if account is None or account.disabled_at is not None or person.state == PersonState.LEFT:
        raise NoTicketError(f"「{person.name}」没有可用的账号，不能发登录条。请去掉这个人，或先启用账号。")
    session.execute(
        update(SignInTicket)
        .where(SignInTicket.account_id == account.id, SignInTicket.used_at.is_(None), SignInTicket.expires_at > now)
        .values(expires_at=now)
    )
    code = new_ticket_code()
    row = SignInTicket(
        account_id=account.id,
        code_index=sealer.blind_index(code, purpose=TICKET_PURPOSE),
        made_at=now,
        made_by_id=actor.person_id,
        expires_at=now + TICKET_LIFE,
    )
    session.add(row)
    session.flush()
    record(
        session,
        "people.issue_ticket",
        actor=actor,
        now=now,
        object_type="ticket",
        object_id=row.id,
        person_id=person.id,
    )
    return Ticket(
        name=person.name,
        login_name=account.login_name,
        unit_name=person.unit.name,
        code=code,
        expires_at=row.expires_at,
    )


def use_ticket(session: Session, typed: str, *, sealer: Sealer, device: Device, now: datetime) -> Verdict:
    """Begin a sign-in by a ticket's code and void the ticket; two that use it at once get one sign-in."""
    code = clean_ticket_code(typed)
    if code is None:
        return refuse_sign_in(session, WrongTicketError(), device=device, now=now)
    indexes = sealer.blind_indexes(code, purpose=TICKET_PURPOSE)
    row = session.scalar(
        select(SignInTicket)
        .where(SignInTicket.code_index.in_(indexes), SignInTicket.used_at.is_(None), SignInTicket.expires_at > now)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        return refuse_sign_in(session, WrongTicketError(), device=device, now=now)
    account = session.scalars(select(Account).where(Account.id == row.account_id).with_for_update()).one()
    if account.disabled_at is not None:
        return refuse_sign_in(session, AccountDisabledError(), account=account, device=device, now=now)
    row.used_at = now
    return begin_sign_in(session, account, device=device, now=now, ticket_id=row.id)
