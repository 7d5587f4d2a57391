"""A forgotten password, without an administrator: a code through the gateway to the phone on the roster.

Asking costs the same whether an account has the name or not: one row. A worker makes the code and hands it to the gateway afterwards.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from examapp.audit.operations import SYSTEM, record
from examapp.core.crypto import Sealer
from examapp.core.nudge import nudge_after_commit
from examapp.messages.operations.outgoing import send_out
from examapp.people.models import Account, Person, PersonState, ResetRequest, SignInTicket
from examapp.people.operations.signing_in import (
    AccountDisabledError,
    Device,
    Verdict,
    WaitBeforeSignInError,
    begin_sign_in,
    count_failure,
    refuse_sign_in,
)
from examapp.people.queries import AccountToCheck, guarded_role_of
from examapp.people.rules import (
    MOST_RESETS_OF_AN_ACCOUNT,
    MOST_RESETS_OF_AN_ADDRESS,
    RESET_CODE_LIFE,
    RESET_WINDOW,
    TICKET_PURPOSE,
    Failures,
    new_reset_code,
    office_of,
    reset_code_key,
)

_BATCH = 50
_KEPT = timedelta(days=1)


def ask_reset(session: Session, account: AccountToCheck | None, *, address: str | None, now: datetime) -> None:
    """Put down that somebody forgot the password of a name."""
    account_id = account.account_id if account else None
    session.add(ResetRequest(account_id=account_id, address=office_of(address), asked_at=now))
    session.flush()
    nudge_after_commit(session, "people.send_reset_codes")


def are_many(session: Session, address: str | None, *, now: datetime) -> bool:
    """Tell whether an address has asked so often lately that unknown devices solve a captcha. Never a block: a county may be one address."""
    lately = select(ResetRequest.id).where(
        ResetRequest.address == office_of(address), ResetRequest.asked_at > now - RESET_WINDOW
    )
    counted = lately.limit(MOST_RESETS_OF_AN_ADDRESS).subquery()
    return session.execute(select(func.count()).select_from(counted)).scalar_one() >= MOST_RESETS_OF_AN_ADDRESS


def send_reset_codes(session: Session, *, sealer: Sealer, now: datetime) -> int:
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
        is_fresh = now - row.asked_at < RESET_CODE_LIFE
        if row.account_id is not None and is_fresh and _may_have_code(session, row.account_id, now=now):
            _send(session, row.account_id, sealer=sealer, now=now)
            sent += 1
    session.execute(delete(ResetRequest).where(ResetRequest.asked_at < now - _KEPT))
    return sent


def use_reset_code(
    session: Session, account_id: int, typed: str, *, sealer: Sealer, device: Device, now: datetime
) -> Verdict:
    """Begin a sign-in by the code that came to the phone; wrong ones count as wrong passwords do."""
    account = session.scalars(
        select(Account).where(Account.id == account_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    failures = Failures(count=account.failures, first_at=account.first_failure_at, locked_until=account.locked_until)
    if wait := failures.wait_s(now=now, is_known_device=device.is_known):
        return refuse_sign_in(session, WaitBeforeSignInError(wait), account=account, device=device, now=now)
    indexes = sealer.blind_indexes(reset_code_key(account_id, typed), purpose=TICKET_PURPOSE)
    ticket = session.scalar(
        select(SignInTicket)
        .where(
            SignInTicket.code_index.in_(indexes),
            SignInTicket.account_id == account_id,
            SignInTicket.used_at.is_(None),
            SignInTicket.expires_at > now,
        )
        .with_for_update()
    )
    if ticket is None:
        return count_failure(session, account, failures.after_another(now=now), device=device, now=now)
    if account.disabled_at is not None:
        return refuse_sign_in(session, AccountDisabledError(), account=account, device=device, now=now)
    ticket.used_at = now
    return begin_sign_in(session, account, device=device, now=now, ticket_id=ticket.id)


def _may_have_code(session: Session, account_id: int, *, now: datetime) -> bool:
    """Tell whether a code may go out: to a phone on the roster, not to administrators, not again and again."""
    person = session.scalar(
        select(Person)
        .join(Account, Account.person_id == Person.id)
        .where(
            Account.id == account_id,
            Account.disabled_at.is_(None),
            Person.state != PersonState.LEFT,
            Person.mobile_sealed.is_not(None),
        )
    )
    if person is None or session.scalar(select(guarded_role_of(person.id, now=now))):
        return False
    lately = select(func.count()).where(
        SignInTicket.account_id == account_id, SignInTicket.is_reset_code, SignInTicket.made_at > now - RESET_WINDOW
    )
    return session.execute(lately).scalar_one() < MOST_RESETS_OF_AN_ACCOUNT


def _send(session: Session, account_id: int, *, sealer: Sealer, now: datetime) -> None:
    person_id = session.execute(select(Account.person_id).where(Account.id == account_id)).scalar_one()
    still_good = SignInTicket.used_at.is_(None), SignInTicket.expires_at > now, SignInTicket.is_reset_code
    session.execute(
        update(SignInTicket).where(SignInTicket.account_id == account_id, *still_good).values(expires_at=now)
    )
    code = new_reset_code()
    ticket = SignInTicket(
        account_id=account_id,
        code_index=sealer.blind_index(reset_code_key(account_id, code), purpose=TICKET_PURPOSE),
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
        once_key=f"reset:{ticket.id}",
        now=now,
        urgent=True,
    )
    record(
        session,
        "people.send_reset_code",
        actor=SYSTEM,
        now=now,
        object_type="ticket",
        object_id=ticket.id,
        person_id=person_id,
    )
