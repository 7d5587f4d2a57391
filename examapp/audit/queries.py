"""Reads of the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditArchive, AuditEvent, AuditSeal
from examapp.audit.rules import CHAIN_PURPOSE, FIRST_LINK, LATEST_COMMIT, link_text
from examapp.core.crypto import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines somebody asks for; `people` are the persons within reach or looked for, as a subquery, None for all."""

    act: str = ""
    since: datetime | None = None
    until: datetime | None = None
    people: Select[int] | None = None
    is_with_system: bool = True
    """Whether lines of the program itself are meant too, which touch nobody."""


def list_events(session: Session, wanted: Filter, *, most: int, skip: int = 0) -> Sequence[AuditEvent]:
    """List lines, newest first."""
    return session.scalars(
        select(AuditEvent)
        .where(*_conditions(wanted))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(most)
        .offset(skip)
    ).all()


def count_events(session: Session, wanted: Filter, *, most: int) -> int:
    """Count lines, up to `most`: nobody turns ten thousand pages, and counting them all would be slow."""
    some = select(AuditEvent.id).where(*_conditions(wanted)).limit(most).subquery()
    return session.execute(select(func.count()).select_from(some)).scalar_one()


def iter_events(session: Session, wanted: Filter, *, most: int) -> Iterator[AuditEvent]:
    """Stream lines, newest first, for a file."""
    statement = (
        select(AuditEvent)
        .where(*_conditions(wanted))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(most)
        .execution_options(yield_per=1000)
    )
    yield from session.scalars(statement)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
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
    """What a walk along the chain found; `faults` are sentences in Chinese."""

    count: int = 0
    head: bytes = FIRST_LINK
    unsealed: int = 0
    """Lines since the last link: no fault."""
    faults: list[str]


_MOST_FAULTS = 100


def check_chain(
    session: Session, *, sealer: Sealer, now: datetime, head: tuple[int, bytes] | None = None
) -> ChainCheck:
    """Walk along the whole chain: a changed, removed or inserted line, or a broken link, is named; the first 100 faults.

    `head` is the number and digest of a link that an earlier check gave: without it, lines taken off the end together with their links
    would not be missed.
    """
    found = ChainCheck(faults=[])
    archived = find_last_archive(session)
    if archived is not None:
        found.count, found.head = archived.last_number, archived.last_digest
    statement = (
        select(AuditSeal, AuditEvent)
        .outerjoin(AuditEvent, AuditEvent.id == AuditSeal.event_id)
        .order_by(AuditSeal.number)
        .execution_options(yield_per=2000, populate_existing=True)
    )
    is_head_met = head is None or head == (found.count, found.head)
    for seal, event in session.execute(statement):
        is_head_met = is_head_met or head == (seal.number, seal.digest)
        if fault := _link_fault(found, seal, event, sealer):
            found.faults.append(fault)
            if len(found.faults) >= _MOST_FAULTS:
                return found
        found.count, found.head = seal.number, seal.digest
    if not is_head_met:
        found.faults.append("上次校验的链尾不在链上：末尾的记录被删除，或链被整段重做。")
    _look_for_lines_without_link(session, found, now=now)
    return found


def _link_fault(found: ChainCheck, seal: AuditSeal, event: AuditEvent | None, sealer: Sealer) -> str | None:
    if seal.number != found.count + 1:
        return f"第 {found.count + 1} 至 {seal.number - 1} 环缺失：记录和校验值可能已被一起删除。"
    if seal.previous != found.head:
        return f"第 {seal.number} 环与前一环接不上：校验值被改动。"
    if event is None:
        return f"第 {seal.number} 环对应的记录 {seal.event_id} 已被删除。"
    if seal.key_id not in sealer.keys:
        return f"第 {seal.number} 环由密钥 {seal.key_id} 生成，DATA_KEYS 中没有这个密钥，无法核对。请补上后重新校验。"
    text = link_text(seal.number, seal.previous, facts_of(event).as_list())
    if sealer.blind_index(text, purpose=CHAIN_PURPOSE, key_id=seal.key_id) != seal.digest:
        return f"第 {seal.number} 环对应的记录 {event.id} 已被改动。"
    return None


def _look_for_lines_without_link(session: Session, found: ChainCheck, *, now: datetime) -> None:
    through = session.scalar(select(func.max(AuditSeal.event_id))) or 0
    without_link = ~select(AuditSeal.number).where(AuditSeal.event_id == AuditEvent.id).exists()
    is_inserted = (AuditEvent.id < through) & (AuditEvent.at < now - LATEST_COMMIT)
    inserted = session.scalars(
        select(AuditEvent.id).where(without_link, is_inserted).order_by(AuditEvent.id).limit(_MOST_FAULTS)
    )
    found.faults.extend(f"记录 {event_id} 不在链上：事后插入。" for event_id in inserted)
    waiting = select(func.count()).select_from(AuditEvent).where(without_link, ~is_inserted)
    found.unsealed = session.execute(waiting).scalar_one()


def find_last_archive(session: Session) -> AuditArchive | None:
    """Find the last piece of the chain that was archived, None where nothing was."""
    return session.scalars(select(AuditArchive).order_by(AuditArchive.last_number.desc()).limit(1)).first()


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
    """Count the links of the chain by the key that made them."""
    rows = session.execute(select(AuditSeal.key_id, func.count().label("links")).group_by(AuditSeal.key_id))
    return {row.key_id: row.links for row in rows}
