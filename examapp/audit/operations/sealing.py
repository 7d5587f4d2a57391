"""The chain over the log: every line gets a link within seconds, keyed by a secret that is not in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent, AuditSeal
from examapp.audit.queries import EventFacts, facts_of, find_last_archive
from examapp.audit.rules import CHAIN_PURPOSE, FIRST_LINK, LATE_IDS, LATEST_COMMIT, link_text
from examapp.core.crypto import Sealer

_LOCK = 0x61756469
_BATCH = 5000


def seal_events(session: Session, *, sealer: Sealer, now: datetime) -> int:
    """Link up to 5,000 lines that have committed since the last time; gives how many. One at a time: a second caller gives 0 at once.

    Lines commit in another order than their ids; a late one is linked where it turns up, but only while it is young: what appears among
    old lines afterwards stays without a link, and the check finds it.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        return 0
    last = session.scalars(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1)).first()
    archived = find_last_archive(session) if last is None else None
    number, previous = (last.number, last.digest) if last else (0, FIRST_LINK)
    if archived is not None:
        number, previous = archived.last_number, archived.last_digest
    events = _unsealed(session, now=now)
    for event in events:
        number += 1
        digest = sealer.blind_index(link_text(number, previous, event.as_list()), purpose=CHAIN_PURPOSE)
        link = AuditSeal(number=number, event_id=event.id, previous=previous, digest=digest, sealed_at=now)
        link.key_id = sealer.current
        session.add(link)
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
