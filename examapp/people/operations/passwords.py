"""Passwords: changed by their holder, issued anew by an administrator."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import ConflictError
from examapp.people.models import Account
from examapp.people.operations.signing_in import end_sign_ins


def change_password(
    session: Session,
    account_id: int,
    *,
    old_hash: str,
    new_hash: str,
    sign_in_id: int,
    actor: Actor,
    now: datetime,
) -> None:
    """Put a new password of the holder's own in force: the first one is forgotten, all other browsers are signed out.

    `old_hash` is the one that the old password was compared with; raises ConflictError where it has changed since.
    """
    account = session.scalars(
        select(Account).where(Account.id == account_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if account.password_hash != old_hash:
        raise ConflictError("密码刚刚已被修改或重置，请用新密码重新登录。")
    account.password_hash, account.first_password_sealed = new_hash, None
    account.must_change_password, account.password_changed_at = False, now
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
