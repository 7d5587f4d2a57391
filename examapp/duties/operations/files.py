"""Hang a file on a record, or take it off; never asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import NotFoundError
from examapp.core.uploads.models import StoredFile
from examapp.core.uploads.storing import drop_file, store_file
from examapp.duties.models import DutyRecord, DutyRecordFile
from examapp.duties.operations.changing import DutyRefusedError
from examapp.duties.queries import Hands, get_record
from examapp.duties.queries.files import ROOM, get_record_file

MOST_FILES = 6


def attach_file(
    session: Session, *, record_id: int, name: str, content: bytes, hands: Hands, actor: Actor, now: datetime
) -> StoredFile:
    """Keep a file with a record, at most six; raises FileRefusedError for a kind or content that does not come in."""
    _lock(session, record_id, hands)
    count = session.scalar(
        select(func.count()).select_from(DutyRecordFile).where(DutyRecordFile.record_id == record_id)
    )
    if (count or 0) >= MOST_FILES:
        raise DutyRefusedError(f"一条记录最多 {MOST_FILES} 个附件。请先删除不需要的。")
    file = store_file(session, room=ROOM, name=name, content=content, by_id=actor.person_id, now=now)
    session.add(DutyRecordFile(record_id=record_id, file_id=file.id))
    session.flush()
    record(session, "duties.attach_file", actor=actor, now=now, object_type="duty_record", object_id=record_id)
    return file


def remove_file(session: Session, *, record_id: int, token: str, hands: Hands, actor: Actor, now: datetime) -> None:
    """Take a file off a record and delete it; a second press finds nothing."""
    _lock(session, record_id, hands)
    file = get_record_file(session, record_id, token)
    session.delete(session.get_one(DutyRecordFile, file.id))
    session.flush()
    drop_file(session, file)
    record(session, "duties.remove_file", actor=actor, now=now, object_type="duty_record", object_id=record_id)


def _lock(session: Session, record_id: int, hands: Hands) -> None:
    get_record(session, record_id, hands)
    row = session.get(DutyRecord, record_id, populate_existing=True, with_for_update=True)
    if row is None or row.withdrawn_at is not None:
        raise NotFoundError
