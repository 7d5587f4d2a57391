"""The chain over the log: every line gets a link within seconds, keyed by a secret that is not in the database."""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import cast, exists, func, literal_column, select
from sqlalchemy.orm import Session
from sqlalchemy.types import UserDefinedType

from examapp.db.session import after_commit
from examapp.errors import DomainError, NotFoundError
from examapp.ops.backup import HEAD_FILE as FILE_NAME
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.platform.audit.models import AuditArchive, AuditEvent, AuditSeal
from examapp.platform.audit.queries import (
    ChainCheck,
    EventFacts,
    acceptances,
    archived_through,
    check_chain,
    facts_of,
    find_last_archive,
    is_on_chain,
    walk_links,
)
from examapp.platform.audit.rules import (
    ACCEPT_LINE,
    CHAIN_PURPOSE,
    HEAD_PURPOSE,
    LATEST_COMMIT,
    SETTLED_AFTER,
    ChainHead,
    link_text,
)
from examapp.security.ciphers import FieldCipher

AUDIT_ACTS = {"audit.verify": "校验审计记录", "audit.accept_head": "认可审计链首"}
AUDIT_OBJECTS = {"audit_event": "审计记录"}
AUDIT_DETAILS = {"head": "链尾"}

_FORMAT = "examapp-audit-head-1"
_ACCEPT = "flask audit accept-head --reason 原因"


class ChainHeadError(DomainError):
    """The kept head is missing, is not ours, or is not on the chain; the message says what to do."""

    code = "audit_head_fault"


def read_kept(folder: Path, *, cipher: FieldCipher) -> ChainHead:
    """Read the head that the data folder keeps; raises ChainHeadError where it is missing or not ours."""
    path = folder / FILE_NAME
    try:
        text = path.read_text("utf-8")
    except OSError:
        raise ChainHeadError(
            f"链首文件 {path} 不在或读不出，没有凭据证明审计记录完整。请从备份目录的 heads 或原数据目录取回；"
            f"确已丢失、或数据库是从别处恢复的，核对记录后执行 {_ACCEPT}。"
        ) from None
    try:
        head, key_id, mac = _parse(json.loads(text))
    except (ValueError, KeyError, TypeError):
        raise ChainHeadError(
            f"链首文件 {path} 已损坏或被改动。请从备份取回；无法取回的，核对记录后执行 {_ACCEPT}。"
        ) from None
    if key_id not in cipher.keys:
        raise ChainHeadError(f"链首文件由密钥 {key_id} 生成，DATA_KEYS 中没有这个密钥。请补上后重新校验。")
    if not hmac.compare_digest(_mac(head, cipher, key_id), mac):
        raise ChainHeadError(
            f"链首文件 {path} 不是本程序写的，或已被改动。请从备份取回；无法取回的，核对记录后执行 {_ACCEPT}。"
        )
    return head


def _parse(content: Any) -> tuple[ChainHead, str, str]:
    if content["format"] != _FORMAT:
        raise ValueError(content["format"])
    at = content["newest_at"]
    newest_at = None if at is None else datetime.fromisoformat(at).astimezone(UTC)
    return (
        ChainHead(int(content["count"]), bytes.fromhex(content["digest"]), newest_at),
        str(content["key_id"]),
        str(content["mac"]),
    )


def advance(folder: Path, head: ChainHead, *, cipher: FieldCipher) -> None:
    """Keep a further head; one that is not further than the kept one changes nothing, whoever else writes at the same time.

    The same head is written again where an older key made it, so that the older can be put away. Raises ChainHeadError where none is kept, and OSError where it can't be written.
    """
    with _locked(folder):
        kept = read_kept(folder, cipher=cipher)
        is_by_older_key = json.loads((folder / FILE_NAME).read_text("utf-8"))["key_id"] != cipher.current
        if kept.count < head.count or (kept == head and is_by_older_key):
            _write(folder, head, cipher)


def begin(folder: Path, head: ChainHead, *, cipher: FieldCipher) -> bool:
    """Keep a first head where none is kept yet; tells whether it did."""
    with _locked(folder):
        if (folder / FILE_NAME).exists():
            return False
        _write(folder, head, cipher)
    return True


def replace(folder: Path, head: ChainHead, *, cipher: FieldCipher, now: datetime) -> None:
    """Keep this head whatever is kept; the former file stays beside it under the time of its end."""
    with _locked(folder):
        if (path := folder / FILE_NAME).exists():
            path.replace(path.with_name(f"audit-head-until-{now.astimezone(UTC):%Y%m%d-%H%M%S-%f}.json"))
        _write(folder, head, cipher)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    path = folder / f"{FILE_NAME}.lock"
    with path.open("a") as file:
        _give_to_owner_of(folder, path)
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _give_to_owner_of(folder: Path, path: Path) -> None:
    """Let a file that root made belong to the account of the program, which goes on with it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _write(folder: Path, head: ChainHead, cipher: FieldCipher) -> None:
    content = _content(head) | {"key_id": cipher.current, "mac": _mac(head, cipher, cipher.current)}
    unfinished = folder / f"{FILE_NAME}.part"
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.chmod(0o644)  # no secret: the account that makes backups copies it
    _give_to_owner_of(folder, unfinished)
    unfinished.replace(folder / FILE_NAME)
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _content(head: ChainHead) -> dict[str, Any]:
    at = None if head.newest_at is None else head.newest_at.astimezone(UTC).isoformat(timespec="microseconds")
    return {"format": _FORMAT, "count": head.count, "digest": head.digest.hex(), "newest_at": at}


def _mac(head: ChainHead, cipher: FieldCipher, key_id: str) -> str:
    text = json.dumps(_content(head), sort_keys=True, separators=(",", ":"))
    return cipher.blind_index(text, purpose=HEAD_PURPOSE, key_id=key_id).hex()


class _Xid(UserDefinedType[int]):
    """PostgreSQL's 32-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid"


log = structlog.get_logger()
LOCK = 0x61756469
MAX_LINKS = 5000
"""How many lines one call links, in one transaction."""


def seal_events(session: Session, *, cipher: FieldCipher, folder: Path, now: datetime) -> int:
    """Link up to 5,000 lines that have committed since the last time; gives how many. One at a time: a second caller gives 0 at once.

    Lines commit in another order than their ids; a late one is linked where it turns up, but only while it is young: what appears among
    old lines afterwards, or is dated before the newest linked line, stays without a link, and the check finds it.

    The head of the chain is kept in the folder once the links have committed. Raises ChainHeadError, and links nothing, where the kept
    head is missing or not on the chain: else this program would put its key under what somebody has made of the log.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
        return 0
    head = _go_on_from(session, read_kept(folder, cipher=cipher), cipher)
    advance(folder, head, cipher=cipher)
    count = 0
    for event in _unchained(session, head, now=now):
        if head.oldest_allowed is not None and event.at < head.oldest_allowed:
            continue
        number = head.count + 1
        digest = cipher.blind_index(link_text(number, head.digest, event.as_list()), purpose=CHAIN_PURPOSE)
        link = AuditSeal(number=number, event_id=event.id, previous=head.digest, digest=digest, sealed_at=now)
        link.key_id = cipher.current
        session.add(link)
        head, count = head.after(number, digest, event.at), count + 1
    if count:
        session.flush()
        after_commit(session, partial(_keep, folder, head, cipher))
    return count


def _keep(folder: Path, head: ChainHead, cipher: FieldCipher) -> None:
    """Keep the head of links that have committed; where it can't be written the next sealing begins with it, and links nothing before."""
    try:
        advance(folder, head, cipher=cipher)
    except OSError as error:
        log.error("audit_head_not_kept", error=type(error).__name__, head=str(head))  # noqa: TRY400 – the stack says nothing more


def _go_on_from(session: Session, kept: ChainHead, cipher: FieldCipher) -> ChainHead:
    """Give the head of the chain as it stands: the kept one, and what was linked or archived since, which must be ours."""
    if not is_on_chain(session, kept, cipher=cipher):
        raise ChainHeadError(
            f"链首文件记到第 {kept.count} 环，数据库中没有这一环，停止上链。请执行 flask audit verify 查看。"
        )
    archived = archived_through(session)
    start = archived if archived is not None and archived.count > kept.count else kept
    found = ChainCheck(count=start.count, head=start.digest, newest_at=kept.newest_at, issues=[])
    for _ in walk_links(session, found, cipher=cipher):
        if found.issues:
            raise ChainHeadError(f"{found.issues[0]}停止上链。请执行 flask audit verify 查看。")
    return ChainHead(found.count, found.head, found.newest_at)


def _unchained(session: Session, head: ChainHead, *, now: datetime) -> list[EventFacts]:
    through = session.scalar(select(func.max(AuditSeal.event_id))) or 0
    is_sealed = select(AuditSeal.number).where(AuditSeal.event_id == AuditEvent.id).exists()
    is_new = (AuditEvent.id > through) | (AuditEvent.at > now - LATEST_COMMIT)
    dated = [AuditEvent.at <= now + LATEST_COMMIT]
    if head.oldest_allowed is not None:
        dated.append(AuditEvent.at >= head.oldest_allowed)
    events = session.scalars(
        select(AuditEvent)
        .where(AuditEvent.id > _settled_through(session, now=now), is_new, *dated, ~is_sealed)
        .order_by(AuditEvent.id)
        .limit(MAX_LINKS)
        .execution_options(populate_existing=True)
    )
    return [facts_of(event) for event in events]


def _settled_through(session: Session, *, now: datetime) -> int:
    """Find an id up to which no further line can appear, however many are written a second and however long a transaction lasts.

    That is the line of a link whose transaction, and so every one that began before it, has ended by now: whoever still writes took its
    ids later.
    """
    horizon = cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), _Xid)
    has_ended = func.age(literal_column("audit_seals.xmin", _Xid)) > func.age(horizon)
    link = select(AuditSeal.event_id).where(AuditSeal.sealed_at < now - SETTLED_AFTER, has_ended)
    return session.scalar(link.order_by(AuditSeal.number.desc()).limit(1)) or 0


ACT = "audit.verify"
EMPTY = "网站已有账号，审计记录却一条也没有：整个日志被清空。请保留数据库和数据目录的现状，用备份恢复后与之核对。"


def verify(
    session: Session,
    *,
    cipher: FieldCipher,
    folder: Path,
    now: datetime,
    head: tuple[int, bytes] | None = None,
    has_accounts: bool = False,
) -> ChainCheck:
    """Walk along the chain; the outcome and the chain's head stand in a line of the log and, outside the database, in the program's own.

    The head that the folder keeps must be on the chain, and a `head` that somebody has kept elsewhere; without the latter, the head that
    the last good check wrote down is looked for.
    """
    kept, issue = None, ""
    try:
        kept = read_kept(folder, cipher=cipher)
    except ChainHeadError as error:
        issue = error.text
    found = check_chain(session, cipher=cipher, kept=kept, head=head or _last_head(session), now=now)
    if issue:
        found.issues.insert(0, issue)
    if has_accounts and _is_empty(session):
        found.issues.insert(0, EMPTY)
    head_text = f"{found.count}:{found.head.hex()}"
    if found.issues:
        log.error("audit_log_changed", issues=len(found.issues), head=head_text)
    else:
        log.info("audit_log_verified", head=head_text)
    details = {"count": found.count, "failures": len(found.issues), "head": head_text}
    record(ActionContext(session, SYSTEM, now), ACT, object_type="audit_event", details=details)
    return found


def find_head_issue(session: Session, *, cipher: FieldCipher, folder: Path) -> str:
    """Say in a moment what is wrong with the kept head, without a walk along the chain; empty where it is on the chain."""
    try:
        kept = read_kept(folder, cipher=cipher)
    except ChainHeadError as error:
        return error.text
    if is_on_chain(session, kept, cipher=cipher):
        return ""
    return f"链首文件记到第 {kept.count} 环，数据库中没有这一环：审计记录被删除或改动，已停止上链。请执行 flask audit verify 查看。"


def _is_empty(session: Session) -> bool:
    is_any = select(exists(select(AuditEvent.id)) | exists(select(AuditArchive.last_number)))
    return not session.execute(is_any).scalar_one()


def _last_head(session: Session) -> tuple[int, bytes] | None:
    """Give the head of the last check that found nothing wrong; None where it has been archived since."""
    head_text = session.scalar(
        select(AuditEvent.details["head"].astext)
        .where(AuditEvent.act == ACT, AuditEvent.details["failures"].astext == "0")
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    archived = find_last_archive(session)
    try:
        head = read_head(head_text or "")
    except ValueError:  # none yet, or a line that somebody has changed, which the walk names
        return None
    return None if archived is not None and head[0] < archived.last_number else head


def read_head(head_text: str) -> tuple[int, bytes]:
    """Read NUMBER:DIGEST; raises ValueError."""
    number, _, digest = head_text.partition(":")
    return int(number), bytes.fromhex(digest)


def head_of_chain(session: Session, *, now: datetime) -> ChainHead:
    """Give the head of the chain as the database holds it now; its newest line is taken for no newer than now."""
    newest = session.scalar(select(func.max(AuditEvent.at)).join(AuditSeal, AuditSeal.event_id == AuditEvent.id))
    newest = None if newest is None else min(newest, now)
    last = session.scalars(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1)).first()
    if last is not None:
        return ChainHead(last.number, last.digest, newest)
    return archived_through(session) or ChainHead()


def accept_head(session: Session, *, cipher: FieldCipher, folder: Path, reason: str, now: datetime) -> ChainHead:
    """Keep the head of the chain as the database holds it now, instead of the kept one; both stand in a line of the log with the reason."""
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    head = head_of_chain(session, now=now)
    try:
        before = str(read_kept(folder, cipher=cipher))
    except ChainHeadError as error:
        before = error.text
    details = {"reason": reason, "head": str(head), "before": before}
    record(ActionContext(session, SYSTEM, now), "audit.accept_head", object_type="audit_event", details=details)
    after_commit(session, partial(replace, folder, head, cipher=cipher, now=now))
    return head


def accept_line(session: Session, event_id: int, *, cipher: FieldCipher, reason: str, now: datetime) -> AuditEvent:
    """Account for a line that is not on the chain, as it stands; raises NotFoundError for one that is, or is not there."""
    is_linked = select(AuditSeal.number).where(AuditSeal.event_id == AuditEvent.id).exists()
    event = session.scalars(select(AuditEvent).where(AuditEvent.id == event_id, ~is_linked)).one_or_none()
    if event is None:
        raise NotFoundError(f"没有链外的审计记录 {event_id}。请用 flask audit verify 核对编号。")
    details = {"reason": reason, "mac": acceptances(event, cipher)[0]}
    record(
        ActionContext(session, SYSTEM, now), ACCEPT_LINE, object_type="audit_event", object_id=event.id, details=details
    )
    return event
