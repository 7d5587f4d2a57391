"""The chain over the log: every line gets a link within seconds, keyed by a secret that is not in the database."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent, AuditSeal
from examapp.audit.operations import heads
from examapp.audit.operations.heads import HeadFaultError
from examapp.audit.queries import ChainCheck, EventFacts, archived_through, facts_of, is_on_chain, walk_links
from examapp.audit.rules import CHAIN_PURPOSE, LATE_IDS, LATEST_COMMIT, Head, link_text
from examapp.core.crypto import Sealer
from examapp.core.db import after_commit

log = structlog.get_logger()
LOCK = 0x61756469
_BATCH = 5000


def seal_events(session: Session, *, sealer: Sealer, folder: Path, now: datetime) -> int:
    """Link up to 5,000 lines that have committed since the last time; gives how many. One at a time: a second caller gives 0 at once.

    Lines commit in another order than their ids; a late one is linked where it turns up, but only while it is young: what appears among
    old lines afterwards, or is dated before the newest linked line, stays without a link, and the check finds it.

    The head of the chain is kept in the folder once the links have committed. Raises HeadFaultError, and links nothing, where the kept
    head is missing or not on the chain: else this program would put its key under what somebody has made of the log.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
        return 0
    head = _go_on_from(session, heads.read_kept(folder, sealer=sealer), sealer)
    heads.advance(folder, head, sealer=sealer)
    count = 0
    for event in _unsealed(session, head, now=now):
        if head.oldest_allowed is not None and event.at < head.oldest_allowed:
            continue
        number = head.count + 1
        digest = sealer.blind_index(link_text(number, head.digest, event.as_list()), purpose=CHAIN_PURPOSE)
        link = AuditSeal(number=number, event_id=event.id, previous=head.digest, digest=digest, sealed_at=now)
        link.key_id = sealer.current
        session.add(link)
        head, count = head.after(number, digest, event.at), count + 1
    if count:
        session.flush()
        after_commit(session, partial(_keep, folder, head, sealer))
    return count


def _keep(folder: Path, head: Head, sealer: Sealer) -> None:
    """Keep the head of links that have committed; where it can't be written the next sealing begins with it, and links nothing before."""
    try:
        heads.advance(folder, head, sealer=sealer)
    except OSError as error:
        log.error("audit_head_not_kept", error=type(error).__name__, head=str(head))  # noqa: TRY400 – the stack says nothing more


def _go_on_from(session: Session, kept: Head, sealer: Sealer) -> Head:
    """Give the head of the chain as it stands: the kept one, and what was linked or archived since, which must be ours."""
    if not is_on_chain(session, kept, sealer=sealer):
        raise HeadFaultError(
            f"链首文件记到第 {kept.count} 环，数据库中没有这一环，停止上链。请执行 flask audit verify 查看。"
        )
    archived = archived_through(session)
    start = archived if archived is not None and archived.count > kept.count else kept
    found = ChainCheck(count=start.count, head=start.digest, newest_at=kept.newest_at, faults=[])
    for _ in walk_links(session, found, sealer=sealer):
        if found.faults:
            raise HeadFaultError(f"{found.faults[0]}停止上链。请执行 flask audit verify 查看。")
    return Head(found.count, found.head, found.newest_at)


def _unsealed(session: Session, head: Head, *, now: datetime) -> list[EventFacts]:
    through = session.scalar(select(func.max(AuditSeal.event_id))) or 0
    is_sealed = select(AuditSeal.number).where(AuditSeal.event_id == AuditEvent.id).exists()
    is_new = (AuditEvent.id > through) | (AuditEvent.at > now - LATEST_COMMIT)
    dated = [AuditEvent.at <= now + LATEST_COMMIT]
    if head.oldest_allowed is not None:
        dated.append(AuditEvent.at >= head.oldest_allowed)
    events = session.scalars(
        select(AuditEvent)
        .where(AuditEvent.id > through - LATE_IDS, is_new, *dated, ~is_sealed)
        .order_by(AuditEvent.id)
        .limit(_BATCH)
        .execution_options(populate_existing=True)
    )
    return [facts_of(event) for event in events]
