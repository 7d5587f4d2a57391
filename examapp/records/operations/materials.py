"""Attach files to an event, and take them away."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.uploads.models import FileKind, StoredFile
from examapp.core.uploads.storing import drop_file, store_file
from examapp.people.rules import Reach
from examapp.records.models import EventMaterial
from examapp.records.operations.events import EventRefusedError
from examapp.records.queries.events import get_event, get_material

_ROOM = "records"
_KINDS = frozenset({FileKind.PDF, FileKind.DOCX, FileKind.XLSX, FileKind.IMAGE, FileKind.MP3})
MOST_FILES = 20


def add_material(
    session: Session, *, event_id: int, name: str, content: bytes, reach: Reach, actor: Actor, now: datetime
) -> StoredFile:
    """Attach a file that came at once; raises FileRefusedError, and EventRefusedError where there are twenty already."""
    get_event(session, event_id, reach, is_locked=True)
    count = session.scalar(select(func.count()).where(EventMaterial.event_id == event_id)) or 0
    if count >= MOST_FILES:
        raise EventRefusedError(f"一次活动最多 {MOST_FILES} 份资料，请先删除不用的。")
    file = store_file(session, room=_ROOM, name=name, content=content, by_id=actor.person_id, now=now, kinds=_KINDS)
    session.add(EventMaterial(event_id=event_id, file_id=file.id))
    session.flush()
    record(session, "records.add_material", actor=actor, now=now, object_type="study_event", object_id=event_id)
    return file


def drop_material(session: Session, *, event_id: int, file_id: int, reach: Reach, actor: Actor, now: datetime) -> None:
    """Take a file away for good; raises NotFoundError."""
    get_event(session, event_id, reach, is_locked=True)
    material = get_material(session, event_id, file_id)
    file = material.file
    session.delete(material)
    session.flush()
    drop_file(session, file)
    record(session, "records.drop_material", actor=actor, now=now, object_type="study_event", object_id=event_id)
