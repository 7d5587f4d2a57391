"""Look whether the log is as it was written, and say so in the log and outside of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditArchive, AuditEvent
from examapp.audit.operations import SYSTEM, heads, record
from examapp.audit.operations.heads import HeadFaultError
from examapp.audit.queries import ChainCheck, check_chain, find_last_archive, is_on_chain
from examapp.core.crypto import Sealer

log = structlog.get_logger()
ACT = "audit.verify"
EMPTY = "网站已有账号，审计记录却一条也没有：整个日志被清空。请保留数据库和数据目录的现状，用备份恢复后与之核对。"


def verify(
    session: Session,
    *,
    sealer: Sealer,
    folder: Path,
    now: datetime,
    head: tuple[int, bytes] | None = None,
    has_accounts: bool = False,
) -> ChainCheck:
    """Walk along the chain; the outcome and the chain's head stand in a line of the log and, outside the database, in the program's own.

    The head that the folder keeps must be on the chain, and a `head` that somebody has kept elsewhere; without the latter, the head that
    the last good check wrote down is looked for.
    """
    kept, fault = None, ""
    try:
        kept = heads.read_kept(folder, sealer=sealer)
    except HeadFaultError as error:
        fault = error.text
    found = check_chain(session, sealer=sealer, kept=kept, head=head or _last_head(session), now=now)
    if fault:
        found.faults.insert(0, fault)
    if has_accounts and _is_empty(session):
        found.faults.insert(0, EMPTY)
    told = f"{found.count}:{found.head.hex()}"
    if found.faults:
        log.error("audit_log_changed", faults=len(found.faults), head=told)
    else:
        log.info("audit_log_verified", head=told)
    details = {"count": found.count, "failures": len(found.faults), "head": told}
    record(session, ACT, actor=SYSTEM, now=now, object_type="audit_event", details=details)
    return found


def head_fault(session: Session, *, sealer: Sealer, folder: Path) -> str:
    """Say in a moment what is wrong with the kept head, without a walk along the chain; empty where it is on the chain."""
    try:
        kept = heads.read_kept(folder, sealer=sealer)
    except HeadFaultError as error:
        return error.text
    if is_on_chain(session, kept, sealer=sealer):
        return ""
    return f"链首文件记到第 {kept.count} 环，数据库中没有这一环：审计记录被删除或改动，已停止上链。请执行 flask audit verify 查看。"


def _is_empty(session: Session) -> bool:
    is_any = select(exists(select(AuditEvent.id)) | exists(select(AuditArchive.last_number)))
    return not session.execute(is_any).scalar_one()


def _last_head(session: Session) -> tuple[int, bytes] | None:
    """Give the head of the last check that found nothing wrong; None where it has been archived since."""
    told = session.scalar(
        select(AuditEvent.details["head"].astext)
        .where(AuditEvent.act == ACT, AuditEvent.details["failures"].astext == "0")
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    archived = find_last_archive(session)
    try:
        head = read_head(told or "")
    except ValueError:  # none yet, or a line that somebody has changed, which the walk names
        return None
    return None if archived is not None and head[0] < archived.last_number else head


def read_head(told: str) -> tuple[int, bytes]:
    """Read NUMBER:DIGEST; raises ValueError."""
    number, _, digest = told.partition(":")
    return int(number), bytes.fromhex(digest)
