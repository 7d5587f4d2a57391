"""Passwords: changed by their holder, issued anew by an administrator."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.crypto import Sealer
from examapp.core.errors import ConflictError, DomainError
from examapp.core.hashing import NO_HASH
from examapp.core.permissions import Permission
from examapp.people.models import Account, FormerPassword, Person
from examapp.people.operations.signing_in import end_sign_ins
from examapp.people.queries import guarded_role_of, list_grants
from examapp.people.rules import (
    FIRST_PASSWORD_CHARACTERS,
    FIRST_PASSWORD_LENGTH,
    FORMER_PASSWORDS,
    NO_REACH,
    first_password_binding,
    is_common,
    reach_of,
)


class GuardedAccountError(DomainError):
    """The account belongs to an administrator, out of this one's hands."""

    code = "guarded_account"
    status = 403
    message = "这个人有管理角色，账号只能由系统管理员处理。请与系统管理员联系。"


def refuse_guarded(session: Session, person: Person, *, may_touch_guarded: bool, actor: Actor, now: datetime) -> None:
    """Refuse to touch the account of a holder of a guarded role, or of a role beyond the actor's own reach; raises GuardedAccountError."""
    if may_touch_guarded:
        return
    reach = None
    if actor.person_id is not None:
        reach = reach_of(Permission.PEOPLE_WRITE, list_grants(session, actor.person_id, now=now)) or NO_REACH
    if session.scalar(select(guarded_role_of(person.id, now=now, reach=reach))):
        raise GuardedAccountError


def change_password(
    session: Session,
    account_id: int,
    *,
    old_hash: str,
    new_hash: str,
    sign_in_id: int,
    keeps_history: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Put a new password of the holder's own in force: the first one is forgotten, all other browsers are signed out.

    `old_hash` is the one that the old password was compared with; raises ConflictError where it has changed since. With `keeps_history`
    the old and the new hash join the last ones, none of which may come back; so does a password from before the profile was chosen.
    """
    account = session.scalars(
        select(Account).where(Account.id == account_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if account.password_hash != old_hash:
        raise ConflictError("密码刚刚已被修改或重置，请用新密码重新登录。")
    account.password_hash, account.first_password_sealed = new_hash, None
    account.must_change_password, account.password_changed_at = False, now
    account.failures, account.first_failure_at, account.locked_until = 0, None, None
    if keeps_history:
        _remember(session, account_id, old_hash, new_hash, now=now)
    end_sign_ins(session, account_id, now=now, but=sign_in_id)
    record(
        session,
        "people.change_password",
        actor=actor,
        now=now,
        object_type="account",
        object_id=account_id,
        person_id=actor.person_id,
    )


def _remember(session: Session, account_id: int, old_hash: str, new_hash: str, *, now: datetime) -> None:
    of_account = select(FormerPassword.password_hash).where(FormerPassword.account_id == account_id)
    known = {NO_HASH, *session.scalars(of_account)}
    for password_hash in (old_hash, new_hash):
        if password_hash not in known:
            session.add(FormerPassword(account_id=account_id, password_hash=password_hash, set_at=now))
            session.flush()
    last = select(FormerPassword.id).where(FormerPassword.account_id == account_id)
    kept = last.order_by(FormerPassword.id.desc()).limit(FORMER_PASSWORDS)
    session.execute(
        delete(FormerPassword).where(FormerPassword.account_id == account_id, FormerPassword.id.not_in(kept))
    )


def new_first_password() -> str:
    """Make a random first password that can be read from paper: ten characters, none of 0 O 1 l I."""
    while True:
        password = "".join(secrets.choice(FIRST_PASSWORD_CHARACTERS) for _ in range(FIRST_PASSWORD_LENGTH))
        if (
            any(c.isdigit() for c in password)
            and any(c.islower() for c in password)
            and any(map(str.isupper, password))
            and not is_common(password)
        ):
            return password


def open_account(person: Person, *, sealer: Sealer) -> Account:
    """Make the account of a person who has an id: signed in to by staff number, with a sealed first password."""
    return Account(
        person_id=person.id,
        login_name=person.staff_number,
        password_hash=NO_HASH,
        first_password_sealed=sealer.seal(new_first_password(), bound_to=first_password_binding(person.id)),
        must_change_password=True,
    )


def note_first_passwords_given_out(session: Session, unit_id: int, *, count: int, actor: Actor, now: datetime) -> None:
    """Write down that somebody has taken a unit's first passwords with him."""
    record(
        session,
        "people.export_first_passwords",
        actor=actor,
        now=now,
        object_type="unit",
        object_id=unit_id,
        details={"count": count},
    )
