"""Account, at the console, for what the check can't tell from tampering: a restore, a lost file, a clock that ran wrong."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent, AuditSeal
from examapp.audit.operations import SYSTEM, heads, record
from examapp.audit.operations.heads import HeadFaultError
from examapp.audit.operations.sealing import LOCK
from examapp.audit.queries import acceptances, archived_through
from examapp.audit.rules import ACCEPT_LINE, Head
from examapp.core.crypto import Sealer
from examapp.core.db import after_commit
from examapp.core.errors import NotFoundError


def head_of_chain(session: Session, *, now: datetime) -> Head:
    """Give the head of the chain as the database holds it now; its newest line is taken for no newer than now."""
    newest = session.scalar(select(func.max(AuditEvent.at)).join(AuditSeal, AuditSeal.event_id == AuditEvent.id))
    newest = None if newest is None else min(newest, now)
    last = session.scalars(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1)).first()
    if last is not None:
        return Head(last.number, last.digest, newest)
    return archived_through(session) or Head()


def accept_head(session: Session, *, sealer: Sealer, folder: Path, reason: str, now: datetime) -> Head:
    """Keep the head of the chain as the database holds it now, instead of the kept one; both stand in a line of the log with the reason."""
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    head = head_of_chain(session, now=now)
    try:
        before = str(heads.read_kept(folder, sealer=sealer))
    except HeadFaultError as error:
        before = error.text
    details = {"reason": reason, "head": str(head), "before": before}
    record(session, "audit.accept_head", actor=SYSTEM, now=now, object_type="audit_event", details=details)
    after_commit(session, partial(heads.replace, folder, head, sealer=sealer, now=now))
    return head


def accept_line(session: Session, event_id: int, *, sealer: Sealer, reason: str, now: datetime) -> AuditEvent:
    """Account for a line that is not on the chain, as it stands; raises NotFoundError for one that is, or is not there."""
    is_linked = select(AuditSeal.number).where(AuditSeal.event_id == AuditEvent.id).exists()
    event = session.scalars(select(AuditEvent).where(AuditEvent.id == event_id, ~is_linked)).one_or_none()
    if event is None:
        raise NotFoundError(f"没有链外的审计记录 {event_id}。请用 flask audit verify 核对编号。")
    details = {"reason": reason, "mac": acceptances(event, sealer)[0]}
    record(session, ACCEPT_LINE, actor=SYSTEM, now=now, object_type="audit_event", object_id=event.id, details=details)
    return event
