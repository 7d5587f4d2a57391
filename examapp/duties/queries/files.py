"""Files that hang on records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.core.errors import NotFoundError
from examapp.core.uploads.models import StoredFile
from examapp.duties.models import DutyRecordFile

ROOM = "duties"


def files_of(session: Session, record_ids: Sequence[int]) -> dict[int, list[StoredFile]]:
    """Give the files of records by record, the oldest first."""
    found: dict[int, list[StoredFile]] = defaultdict(list)
    rows = session.execute(
        select(DutyRecordFile.record_id, StoredFile)
        .join(StoredFile, StoredFile.id == DutyRecordFile.file_id)
        .where(DutyRecordFile.record_id.in_(record_ids))
        .order_by(StoredFile.id)
    )
    for record_id, file in rows:
        found[record_id].append(file)
    return dict(found)


def get_record_file(session: Session, record_id: int, token: str) -> StoredFile:
    """Get a file of a record that was found within reach; raises NotFoundError."""
    file = session.scalar(
        select(StoredFile)
        .join(DutyRecordFile, DutyRecordFile.file_id == StoredFile.id)
        .where(DutyRecordFile.record_id == record_id, StoredFile.token == token, StoredFile.room == ROOM)
    )
    if file is None:
        raise NotFoundError
    return file
