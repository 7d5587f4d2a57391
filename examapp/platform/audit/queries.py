"""Reads of the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, union_all
from sqlalchemy.orm import Session

from examapp.platform.audit.models import AuditArchive, AuditEvent, AuditSeal
from examapp.platform.audit.rules import (
    ACCEPT_LINE,
    ARCHIVE_PURPOSE,
    CHAIN_PURPOSE,
    FIRST_LINK,
    LATEST_COMMIT,
    ChainHead,
    link_text,
)
from examapp.security.ciphers import FieldCipher


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which lines somebody asks for; `people` are the persons within the access scope or looked for, as a subquery, None for all."""

    act: str = ""
    since: datetime | None = None
    until: datetime | None = None
    people: Select[int] | None = None
    is_with_system: bool = True
    """Whether lines of the program itself are meant too, which touch nobody."""


def list_events(session: Session, wanted: AuditFilter, *, limit: int, skip: int = 0) -> Sequence[AuditEvent]:
    """List lines, newest first."""
    return session.scalars(
        select(AuditEvent)
        .where(*_conditions(wanted))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(limit)
        .offset(skip)
    ).all()


def count_events(session: Session, wanted: AuditFilter, *, limit: int) -> int:
    """Count lines, up to `limit`: nobody turns ten thousand pages, and counting them all would be slow."""
    some = select(AuditEvent.id).where(*_conditions(wanted)).limit(limit).subquery()
    return session.execute(select(func.count()).select_from(some)).scalar_one()


def iter_events(session: Session, wanted: AuditFilter, *, limit: int) -> Iterator[AuditEvent]:
    """Stream lines, newest first, for a file."""
    statement = (
        select(AuditEvent)
        .where(*_conditions(wanted))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(limit)
        .execution_options(yield_per=1000)
    )
    yield from session.scalars(statement)


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.act:
        conditions.append(AuditEvent.act == wanted.act)
    if wanted.since is not None:
        conditions.append(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AuditEvent.at < wanted.until)
    if wanted.people is not None:
        meant: list[ColumnElement[bool]] = [
            AuditEvent.actor_id.in_(wanted.people),
            AuditEvent.person_id.in_(wanted.people),
        ]
        if wanted.is_with_system:
            meant.append((AuditEvent.actor_id.is_(None)) & (AuditEvent.person_id.is_(None)))
        conditions.append(or_(*meant))
    return conditions


@dataclass(frozen=True, slots=True)
class EventFacts:
    """All of a line, as its link holds it."""

    id: int
    at: datetime
    actor_id: int | None
    act: str
    object_type: str
    object_id: int | None
    person_id: int | None
    address: str | None
    details: Any

    def as_list(self) -> list[Any]:
        """Give the line in what JSON knows; the instant in UTC to the microsecond."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        rest = [self.object_type, self.object_id, self.person_id, self.address, self.details]
        return [self.id, at, self.actor_id, self.act, *rest]


def facts_of(event: AuditEvent) -> EventFacts:
    """Take all of a line."""
    return EventFacts(
        event.id,
        event.at,
        event.actor_id,
        event.act,
        event.object_type,
        event.object_id,
        event.person_id,
        event.address,
        event.details,
    )


@dataclass(slots=True, kw_only=True)
class ChainCheck:
    """What a walk along the chain found; `issues` are sentences in Chinese."""

    count: int = 0
    head: bytes = FIRST_LINK
    newest_at: datetime | None = None
    """The latest instant of a linked line that was gone over."""
    unchained: int = 0
    """Lines since the last link: no fault."""
    issues: list[str]


_MAX_ISSUES = 100
_KEEP = "请保留数据库和数据目录的现状，与备份、抄存的链首核对"


def check_chain(
    session: Session,
    *,
    cipher: FieldCipher,
    now: datetime,
    head: tuple[int, bytes] | None = None,
    kept: ChainHead | None = None,
) -> ChainCheck:
    """Walk along the whole chain: a changed, removed or inserted line, or a broken link, is named; the first 100 faults.

    `kept` is what the file outside the database holds, `head` the number and digest of a link that an earlier check gave: without them,
    lines taken off the end together with their links would not be missed.
    """
    found = ChainCheck(issues=[])
    _walk_archives(session, found, cipher)
    wanted = _wanted(found, head, kept)
    for link in walk_links(session, found, cipher=cipher):
        wanted.discard(link)
        if len(found.issues) >= _MAX_ISSUES:
            return found
    if kept is not None and (kept.count, kept.digest) in wanted:
        found.issues.append(_find_stored_head_issue(found, kept))
    elif wanted:
        found.issues.append(f"上次校验的链尾不在链上：末尾的记录被删除，或链被整段重做。{_KEEP}。")
    _look_for_lines_without_link(session, found, cipher=cipher, kept=kept, now=now)
    return found


def _wanted(found: ChainCheck, head: tuple[int, bytes] | None, kept: ChainHead | None) -> set[tuple[int, bytes]]:
    """Give the links that must be met after the archived pieces; what is older than those is covered by their signatures."""
    wanted = set() if head is None or head == (found.count, found.head) else {head}
    if kept is not None and kept.count > found.count:
        wanted.add((kept.count, kept.digest))
    return wanted


def _find_stored_head_issue(found: ChainCheck, kept: ChainHead) -> str:
    if found.count < kept.count:
        lost = f"链上只到第 {found.count} 环，第 {found.count + 1} 至 {kept.count} 环已被删除，其记录被删除或改动"
    else:
        lost = f"链上第 {kept.count} 环与它不同，链被整段重做"
    return f"链首文件记到第 {kept.count} 环，{lost}。{_KEEP}；数据库是从备份恢复的，执行 flask audit accept-head --reason 原因。"


def walk_links(session: Session, found: ChainCheck, *, cipher: FieldCipher) -> Iterator[tuple[int, bytes]]:
    """Go over the links after `found.count`, write what is wrong with them into `found`, and give each as number and digest."""
    statement = (
        select(AuditSeal, AuditEvent)
        .outerjoin(AuditEvent, AuditEvent.id == AuditSeal.event_id)
        .where(AuditSeal.number > found.count)
        .order_by(AuditSeal.number)
        .execution_options(yield_per=2000, populate_existing=True)
    )
    for seal, event in session.execute(statement):
        if issue := _find_link_issue(found, seal, event, cipher):
            found.issues.append(issue)
        found.count, found.head = seal.number, seal.digest
        if event is not None:
            found.newest_at = max(found.newest_at or event.at, event.at)
        yield seal.number, seal.digest


def _walk_archives(session: Session, found: ChainCheck, cipher: FieldCipher) -> None:
    """Go over the archived pieces, each of which must be ours and follow the one before; the chain goes on from the last."""
    for archive in session.scalars(select(AuditArchive).order_by(AuditArchive.last_number)):
        if issue := find_archive_issue(found, archive, cipher):
            found.issues.append(issue)
        found.count, found.head = archive.last_number, archive.last_digest


def find_archive_issue(found: ChainCheck, archive: AuditArchive, cipher: FieldCipher) -> str | None:
    """Say what is wrong with the row of an archived piece, None where it is ours and follows what was gone over."""
    name = f"归档 {archive.file_name}（第 {archive.first_number} 至 {archive.last_number} 环）"
    if archive.first_number != found.count + 1:
        return f"{name}与前面接不上：第 {found.count + 1} 环起的记录缺失。"
    if archive.key_id is None:
        return f"{name}的登记没有签名，不能证明记录是归档后清除的。请用 audit sign-archives 凭归档文件补签。"
    if archive.key_id not in cipher.keys:
        return f"{name}由密钥 {archive.key_id} 签名，DATA_KEYS 中没有这个密钥，无法核对。请补上后重新校验。"
    if archive_digest(archive, cipher, key_id=archive.key_id) != archive.digest:
        return f"{name}的登记不是本程序写的，或已被改动：记录可能未经归档就被删除。"
    return None


def archive_digest(archive: AuditArchive, cipher: FieldCipher, *, key_id: str) -> bytes:
    """Give the keyed digest of the row that stands for an archived piece."""
    at = archive.archived_at.astimezone(UTC).isoformat(timespec="microseconds")
    place = [archive.first_number, archive.last_number, archive.last_digest.hex(), archive.through_event_id]
    text = json.dumps([*place, archive.file_name, archive.sha256, at], separators=(",", ":"))
    return cipher.blind_index(text, purpose=ARCHIVE_PURPOSE, key_id=key_id)


def _find_link_issue(found: ChainCheck, seal: AuditSeal, event: AuditEvent | None, cipher: FieldCipher) -> str | None:
    if seal.number != found.count + 1:
        return f"第 {found.count + 1} 至 {seal.number - 1} 环缺失：记录和校验值可能已被一起删除。"
    if seal.previous != found.head:
        return f"第 {seal.number} 环与前一环接不上：校验值被改动。"
    if event is None:
        return f"第 {seal.number} 环对应的记录 {seal.event_id} 已被删除。"
    if seal.key_id not in cipher.keys:
        return f"第 {seal.number} 环由密钥 {seal.key_id} 生成，DATA_KEYS 中没有这个密钥，无法核对。请补上后重新校验。"
    text = link_text(seal.number, seal.previous, facts_of(event).as_list())
    if cipher.blind_index(text, purpose=CHAIN_PURPOSE, key_id=seal.key_id) != seal.digest:
        return f"第 {seal.number} 环对应的记录 {event.id} 已被改动。"
    return None


def _look_for_lines_without_link(
    session: Session, found: ChainCheck, *, cipher: FieldCipher, kept: ChainHead | None, now: datetime
) -> None:
    through = session.scalar(select(func.max(AuditSeal.event_id))) or 0
    without_link = ~select(AuditSeal.number).where(AuditSeal.event_id == AuditEvent.id).exists()
    newest = kept.newest_at if kept is not None and kept.newest_at is not None else found.newest_at
    oldest = ChainHead(newest_at=newest).oldest_allowed or datetime.min.replace(tzinfo=UTC)
    is_early, is_future = AuditEvent.at < oldest, AuditEvent.at > now + LATEST_COMMIT
    is_among = (AuditEvent.id < through) & (AuditEvent.at < now - LATEST_COMMIT)
    without_link &= AuditEvent.id.not_in(_accepted(session, cipher))
    rows = session.execute(
        select(AuditEvent.id, AuditEvent.at, AuditEvent.act, is_early.label("is_early"), is_future.label("is_future"))
        .where(without_link, is_early | is_future | is_among)
        .order_by(AuditEvent.id)
        .limit(_MAX_ISSUES)
    )
    for row in rows:
        why = "日期早于已上链的记录，是补写的旧日期" if row.is_early else "日期在将来" if row.is_future else "事后插入"
        found.issues.append(
            f"记录 {row.id} 不在链上：{why}（{row.act}，{row.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC）。"
            f"{_KEEP}；确属误报的，执行 flask audit accept-line {row.id} --reason 原因。"
        )
    waiting = select(func.count()).select_from(AuditEvent).where(without_link, ~(is_early | is_future | is_among))
    found.unchained = session.execute(waiting).scalar_one()


def _accepted(session: Session, cipher: FieldCipher) -> list[int]:
    """List the lines without a link that somebody at the console has accounted for, and that are still what they were then."""
    rows = session.execute(
        select(AuditEvent.object_id, AuditEvent.details["mac"].astext).where(AuditEvent.act == ACCEPT_LINE)
    )
    reported = {(row[0], row[1]) for row in rows}
    events = session.scalars(select(AuditEvent).where(AuditEvent.id.in_([number for number, _ in reported])))
    return [e.id for e in events if any((e.id, mac) in reported for mac in acceptances(e, cipher))]


def acceptances(event: AuditEvent, cipher: FieldCipher) -> list[str]:
    """Give the keyed digests of a line by which its acceptance is known, by the current key first."""
    text = json.dumps(facts_of(event).as_list(), sort_keys=True, separators=(",", ":"))
    return [digest.hex() for digest in cipher.blind_indexes(text, purpose=ACCEPT_LINE)]


def find_last_archive(session: Session) -> AuditArchive | None:
    """Find the last piece of the chain that was archived, None where nothing was."""
    return session.scalars(select(AuditArchive).order_by(AuditArchive.last_number.desc()).limit(1)).first()


def archived_through(session: Session) -> ChainHead | None:
    """Give the last link that was archived; None where nothing was."""
    archive = find_last_archive(session)
    return None if archive is None else ChainHead(archive.last_number, archive.last_digest)


def is_on_chain(session: Session, kept: ChainHead, *, cipher: FieldCipher) -> bool:
    """Tell whether a kept head is a link of the chain, or older than what a row of the archive stands for that we have signed."""
    if kept.count == 0:
        return True
    digest = session.scalar(select(AuditSeal.digest).where(AuditSeal.number == kept.count))
    if digest is not None:
        return digest == kept.digest
    archive = find_last_archive(session)
    if archive is None or archive.last_number < kept.count or archive.key_id not in cipher.keys:
        return False
    return archive_digest(archive, cipher, key_id=archive.key_id) == archive.digest


def iter_links(session: Session, *, after: int, before: datetime) -> Iterator[tuple[AuditSeal, AuditEvent]]:
    """Stream the links after a number with their lines, up to the first line that is not older than an instant."""
    young = select(func.min(AuditSeal.number)).join(AuditEvent, AuditEvent.id == AuditSeal.event_id)
    limit = session.scalar(young.where(AuditSeal.number > after, AuditEvent.at >= before))
    statement = (
        select(AuditSeal, AuditEvent)
        .join(AuditEvent, AuditEvent.id == AuditSeal.event_id)
        .where(AuditSeal.number > after, AuditEvent.at < before)
        .order_by(AuditSeal.number)
        .execution_options(yield_per=2000, populate_existing=True)
    )
    rows = session.execute(statement if limit is None else statement.where(AuditSeal.number < limit))
    yield from ((row[0], row[1]) for row in rows)


def count_links_by_key(session: Session) -> dict[str, int]:
    """Count the links of the chain, and the rows of its archived pieces, by the key that made them."""
    archived = select(AuditArchive.key_id).where(AuditArchive.key_id.is_not(None))
    made = union_all(select(AuditSeal.key_id), archived).subquery()
    rows = session.execute(select(made.c.key_id, func.count().label("links")).group_by(made.c.key_id))
    return {row.key_id: row.links for row in rows}
