"""The chain over the log: every line gets a link within seconds, keyed by a secret that is not in the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent, AuditSeal
from examapp.audit.queries import EventFacts, facts_of
from examapp.audit.rules import FIRST_LINK, LATE_IDS, LATEST_COMMIT, link_text

_LOCK = 0x61756469
_BATCH = 5000


def seal_events(session: Session, *, mac: Callable[[str], bytes], now: datetime) -> int:
    """Link up to 5,000 lines that have committed since the last time; gives how many. One at a time: a second caller gives 0 at once.

    Lines commit in another order than their ids; a late one is linked where it turns up, but only while it is young: what appears among
    old lines afterwards stays without a link, and the check finds it.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        return 0
    last = session.scalars(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1)).first()
    number, previous = (last.number, last.digest) if last else (0, FIRST_LINK)
    events = _unsealed(session, now=now)
    for event in events:
        number += 1
        digest = mac(link_text(number, previous, event.as_list()))
        session.add(AuditSeal(number=number, event_id=event.id, previous=previous, digest=digest, sealed_at=now))
        previous = digest
    return len(events)


def _unsealed(session: Session, *, now: datetime) -> list[EventFacts]:
    through = session.scalar(select(func.max(AuditSeal.event_id))) or 0
    is_sealed = select(AuditSeal.number).where(AuditSeal.event_id == AuditEvent.id).exists()
    is_new = (AuditEvent.id > through) | (AuditEvent.at > now - LATEST_COMMIT)
    events = session.scalars(
        select(AuditEvent)
        .where(AuditEvent.id > through - LATE_IDS, is_new, ~is_sealed)
        .order_by(AuditEvent.id)
        .limit(_BATCH)
        .execution_options(populate_existing=True)
    )
    return [facts_of(event) for event in events]
