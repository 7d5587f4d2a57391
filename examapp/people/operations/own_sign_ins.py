"""One's own sign-ins ended from afar: a forgotten office PC, a lost phone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import NotFoundError
from examapp.people.models import SignIn
from examapp.people.operations.signing_in import end_sign_ins


def end_own_sign_in(session: Session, sign_in_id: int, *, account_id: int, actor: Actor, now: datetime) -> None:
    """End one of an account's own sign-ins: dead at its next request; raises NotFoundError for another's, or one that has ended."""
    row = session.scalar(
        select(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.account_id == account_id, SignIn.ended_at.is_(None))
        .with_for_update()
    )
    if row is None:
        raise NotFoundError
    row.ended_at = now
    record(
        session,
        "people.end_sign_in",
        actor=actor,
        now=now,
        object_type="sign_in",
        object_id=sign_in_id,
        person_id=actor.person_id,
    )


def end_other_sign_ins(session: Session, *, account_id: int, but: int, actor: Actor, now: datetime) -> None:
    """End all of an account's sign-ins but the one that asks."""
    end_sign_ins(session, account_id, now=now, but=but)
    record(
        session,
        "people.end_other_sign_ins",
        actor=actor,
        now=now,
        object_type="account",
        object_id=account_id,
        person_id=actor.person_id,
    )


_SEEN = text("UPDATE sign_ins SET seen_at = :now WHERE id = :sign_in_id")


def note_seen(session: Session, sign_in_id: int, *, now: datetime) -> None:
    """Write down that an administrator is at work; the idle limit counts from here."""
    session.connection().execute(_SEEN, {"sign_in_id": sign_in_id, "now": now})
