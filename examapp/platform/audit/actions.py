"""Write a line of the audit log, in the same transaction as the act."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examapp.errors import DomainError
from examapp.platform.audit.models import AuditArchive, AuditEvent, AuditSeal
from examapp.platform.audit.queries import archive_digest, facts_of, find_last_archive, iter_links
from examapp.platform.audit.rules import CHAIN_PURPOSE, FIRST_LINK, link_text
from examapp.security.ciphers import FieldCipher

AUDIT_ACTS = {"audit.accept_line": "认可链外的审计记录"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and from where; what every operation that changes something is given."""

    person_id: int | None
    address: str | None = None


SYSTEM = Actor(person_id=None)
"""The program itself: sweeps, scheduled work, the demo county."""


@dataclass(frozen=True, slots=True)
class ActionContext:
    """In which transaction, by whom and when something is changed: the first argument of every action."""

    session: Session
    actor: Actor
    now: datetime


WRITTEN_AT = "audit_written_at"
"""The entry in a session's `info` that dates its lines, whenever their acts are said to have been."""


def record(
    context: ActionContext,
    act: str,
    *,
    object_type: str,
    object_id: int | None = None,
    person_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add one audit line; `details` holds ids, counts and settings, never an answer or a number of a person.

    A line is dated when it is written: one that is dated earlier is taken for forged. Where acts are made up for the past, as in the demo
    county, the session's `info` holds the true instant.
    """
    context.session.add(
        AuditEvent(
            at=context.session.info.get(WRITTEN_AT, context.now),
            actor_id=context.actor.person_id,
            act=act,
            object_type=object_type,
            object_id=object_id,
            person_id=person_id,
            address=context.actor.address,
            details=details or {},
        )
    )


MIN_DAYS = 200
"""For so long lines stay in the database, whatever the settings say; the law asks for six months (Cybersecurity Law, article 23)."""
_PURPOSE = "audit_archive"
_FORMAT = "examapp-audit-1"


class InvalidArchiveError(DomainError):
    """The log cannot be archived as asked."""

    code = "archive_refused"


@dataclass(slots=True, kw_only=True)
class FileCheck:
    """What a file of archived lines holds, and what is wrong with it, in Chinese."""

    first: int = 0
    last: int = 0
    sha256: str = ""
    previous_sha256: str = ""
    previous_digest: bytes = FIRST_LINK
    digest: bytes = FIRST_LINK
    through_event_id: int = 0
    issues: list[str] = field(default_factory=list)


def write_archive(session: Session, folder: Path, *, cipher: FieldCipher, days: int, now: datetime) -> Path | None:
    """Write the lines older than so many days into a file of the folder, whole or not at all; gives its path, None where there are none.

    Nothing leaves the database here. Raises InvalidArchiveError for less than 200 days.
    """
    if days < MIN_DAYS:
        raise InvalidArchiveError(f"审计记录在数据库中至少保留 {MIN_DAYS} 天。")
    before = find_last_archive(session)
    first = before.last_number + 1 if before else 1
    links = iter_links(session, after=first - 1, before=now - timedelta(days=days))
    opening = next(links, None)
    if opening is None:
        return None
    head = {
        "format": _FORMAT,
        "first": first,
        "previous_sha256": before.sha256 if before else "",
        "previous_digest": (before.last_digest if before else FIRST_LINK).hex(),
        "made_at": now.isoformat(),
    }
    path = folder / f"audit-{first:010d}.jsonl.gz"
    unfinished = path.with_suffix(".part")
    with gzip.GzipFile(unfinished, "wb", mtime=0) as file:
        digest = hashlib.sha256()
        for line in _lines(head, opening, links):
            digest.update(line)
            file.write(line)
        signature = cipher.blind_index(digest.hexdigest(), purpose=_PURPOSE).hex()
        file.write(_line({"signature": signature, "key_id": cipher.current}))
    return unfinished.replace(path)


def _lines(
    head: Any, opening: tuple[AuditSeal, AuditEvent], links: Iterator[tuple[AuditSeal, AuditEvent]]
) -> Iterator[bytes]:
    yield _line(head)
    for seal, event in (opening, *links):
        yield _line([seal.number, seal.key_id, seal.digest.hex(), facts_of(event).as_list()])


def _line(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def check_file(path: Path, *, cipher: FieldCipher) -> FileCheck:
    """Check a file of archived lines without the database: signature, every link, and that it is whole."""
    found = FileCheck()
    try:
        raw = path.read_bytes()
        found.sha256 = hashlib.sha256(raw).hexdigest()
        *lines, last = gzip.decompress(raw).splitlines(keepends=True)
        head, closing = json.loads(lines[0]), json.loads(last)
        found.first, found.previous_sha256 = head["first"], head["previous_sha256"]
        found.digest = found.previous_digest = bytes.fromhex(head["previous_digest"])
        _check_signature(found, lines, closing, cipher)
        _check_links(found, lines[1:], cipher)
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError):
        found.issues.append(f"{path.name} 打不开，或不是审计归档文件：文件不完整或已被改动。")
    return found


def _check_signature(found: FileCheck, lines: list[bytes], closing: dict[str, str], cipher: FieldCipher) -> None:
    if closing["key_id"] not in cipher.keys:
        found.issues.append(f"签名所用的密钥 {closing['key_id']} 不在 DATA_KEYS 中，无法核对。")
        return
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    expected = cipher.blind_index(digest, purpose=_PURPOSE, key_id=closing["key_id"]).hex()
    if not hmac.compare_digest(expected, closing["signature"]):
        found.issues.append("签名不符：文件已被改动。")


def _check_links(found: FileCheck, lines: list[bytes], cipher: FieldCipher) -> None:
    found.last = found.first - 1
    for line in lines:
        number, key_id, digest, facts = json.loads(line)
        text = link_text(number, found.digest, facts)
        is_right = number == found.last + 1 and key_id in cipher.keys
        if not is_right or cipher.blind_index(text, purpose=CHAIN_PURPOSE, key_id=key_id).hex() != digest:
            found.issues.append(f"第 {found.last + 1} 环对应的记录已被改动或缺失。")
            return
        found.last, found.digest = number, bytes.fromhex(digest)
        found.through_event_id = max(found.through_event_id, facts[0])


def drop_archived(session: Session, path: Path, *, cipher: FieldCipher, days: int, now: datetime) -> int:
    """Take the lines of a checked file out of the database; gives how many. Needs the owner's account: the program's has no such right.

    Raises InvalidArchiveError where the file is not right, does not follow the last one, or holds lines that are too young.
    """
    found, before = check_file(path, cipher=cipher), find_last_archive(session)
    previous = before.last_digest if before else FIRST_LINK
    if found.issues or found.previous_digest != previous:
        raise InvalidArchiveError(
            "归档文件核对不通过，或与上一个归档接不上，没有删除任何记录：" + "；".join(found.issues)
        )
    numbers = select(AuditSeal.event_id).where(AuditSeal.number.between(found.first, found.last))
    young = AuditEvent.at >= now - timedelta(days=max(days, MIN_DAYS))
    if session.scalar(select(AuditEvent.id).where(AuditEvent.id.in_(numbers), young).limit(1)):
        raise InvalidArchiveError(f"归档文件中有不满 {max(days, MIN_DAYS)} 天的记录，没有删除任何记录。")
    ids = list(session.scalars(numbers))
    quiet = {"synchronize_session": False}
    session.execute(delete(AuditEvent).where(AuditEvent.id.in_(ids)), execution_options=quiet)
    session.execute(delete(AuditSeal).where(AuditSeal.number.between(found.first, found.last)), execution_options=quiet)
    row = AuditArchive(
        first_number=found.first,
        last_number=found.last,
        last_digest=found.digest,
        through_event_id=found.through_event_id,
        file_name=path.name,
        sha256=found.sha256,
        archived_at=now,
    )
    _sign(row, cipher)
    session.add(row)
    _sign_again(session, cipher)
    return len(ids)


def _sign(row: AuditArchive, cipher: FieldCipher) -> None:
    row.key_id, row.digest = cipher.current, archive_digest(row, cipher, key_id=cipher.current)


def _sign_again(session: Session, cipher: FieldCipher) -> None:
    """Bring the rows that an older key signed under the current one, so that the older can be put away; what does not hold stays as it is."""
    older = AuditArchive.key_id.in_([key_id for key_id in cipher.keys if key_id != cipher.current])
    for row in session.scalars(select(AuditArchive).where(older)):
        if row.key_id and archive_digest(row, cipher, key_id=row.key_id) == row.digest:
            _sign(row, cipher)


def sign_archive(session: Session, path: Path, *, cipher: FieldCipher) -> None:
    """Sign the row of a piece that was archived before rows were signed: its file, which is signed itself, proves it.

    Needs the owner's account. Raises InvalidArchiveError where the file is not right, or no unsigned row says the same.
    """
    found = check_file(path, cipher=cipher)
    row = session.get(AuditArchive, found.last)
    is_same = (
        not found.issues
        and row is not None
        and (row.sha256, row.first_number, row.last_digest) == (found.sha256, found.first, found.digest)
        and (row.through_event_id, row.key_id) == (found.through_event_id, None)
    )
    if row is None or not is_same:
        raise InvalidArchiveError(
            f"{path.name} 与登记不符，或登记已有签名，没有补签：{'；'.join(found.issues) or '请核对文件。'}"
        )
    _sign(row, cipher)
