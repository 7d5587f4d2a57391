"""The accounts of the three administrators (三员): nobody alone gives them a way in, takes their device off, closes or opens them.

Else one system administrator could become the security and the audit administrator, and the three would be one (GB/T 22239, level 3).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.people.models import Approval, Person
from examapp.people.operations import approvals
from examapp.people.queries import find_allowed, separated_role_of
from examapp.people.rules import ACCOUNT_ACTS

_OPEN_FOR = timedelta(days=1)
"""How long the asker may do what was allowed: once."""


def is_separated(session: Session, person_id: int, *, now: datetime) -> bool:
    """Tell whether a person holds one of the three roles."""
    return bool(session.scalar(select(separated_role_of(person_id, now=now))))


def is_allowed(session: Session, act: str, person: Person, *, reason: str, actor: Actor, now: datetime) -> bool:
    """Tell whether an act on a person's account may be done now, and use the consent up; asks for it where it is missing.

    Everybody but the three needs none. Raises AlreadyAskedError while the same request waits.
    """
    if not is_separated(session, person.id, now=now):
        return True
    found = find_allowed(session, act, str(person.id), person_id=actor.person_id or 0, now=now)
    if found is not None:
        session.refresh(found, with_for_update=True)
        if found.expires_at > now:
            found.expires_at = now
            session.flush()
            return True
    approvals.ask(
        session,
        act,
        request_key=str(person.id),
        person_id=person.id,
        details={},
        reason=reason,
        actor=actor,
        now=now,
    )
    return False


def allow(approval: Approval, *, now: datetime) -> None:
    """Let the asker do once, within a day, what a second person has allowed."""
    if approval.act not in ACCOUNT_ACTS:
        raise LookupError(approval.act)
    approval.expires_at = now + _OPEN_FOR
