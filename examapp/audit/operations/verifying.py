"""Look whether the log is as it was written, and say so in the log and outside of it."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent
from examapp.audit.operations import SYSTEM, record
from examapp.audit.queries import ChainCheck, check_chain, find_last_archive
from examapp.core.crypto import Sealer

log = structlog.get_logger()
ACT = "audit.verify"


def verify(session: Session, *, sealer: Sealer, now: datetime, head: tuple[int, bytes] | None = None) -> ChainCheck:
    """Walk along the chain; the outcome and the chain's head stand in a line of the log and, outside the database, in the program's own.

    Without a `head` that somebody has kept elsewhere, the head that the last good check wrote down is looked for.
    """
    found = check_chain(session, sealer=sealer, head=head or _last_head(session), now=now)
    told = f"{found.count}:{found.head.hex()}"
    if found.faults:
        log.error("audit_log_changed", faults=len(found.faults), head=told)
    else:
        log.info("audit_log_verified", head=told)
    details = {"count": found.count, "failures": len(found.faults), "head": told}
    record(session, ACT, actor=SYSTEM, now=now, object_type="audit_event", details=details)
    return found


def _last_head(session: Session) -> tuple[int, bytes] | None:
    """Give the head of the last check that found nothing wrong; None where it has been archived since."""
    told = session.scalar(
        select(AuditEvent.details["head"].astext)
        .where(AuditEvent.act == ACT, AuditEvent.details["failures"].astext == "0")
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    archived = find_last_archive(session)
    if not told or (archived is not None and read_head(told)[0] < archived.last_number):
        return None
    return read_head(told)


def read_head(told: str) -> tuple[int, bytes]:
    """Read NUMBER:DIGEST; raises ValueError."""
    number, _, digest = told.partition(":")
    return int(number), bytes.fromhex(digest)
