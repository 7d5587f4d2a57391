"""Take a large file in pieces: begun with its size, gone on with after any break, kept once whole and checked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.core.db import after_commit
from examapp.core.errors import NotFoundError
from examapp.core.uploads.limits import EVERY_KIND, FileRefusedError, WrongOffsetError, promised_kind, refuse_size
from examapp.core.uploads.models import FileKind, PendingUpload, StoredFile
from examapp.core.uploads.places import new_token, part_path
from examapp.core.uploads.storing import keep

MOST_BYTES_A_PIECE = 8 * 1024 * 1024
_MOST_AT_ONCE = 5


def begin_upload(
    session: Session,
    *,
    room: str,
    name: str,
    size: int,
    by_id: int,
    now: datetime,
    kinds: Collection[FileKind] = EVERY_KIND,
) -> PendingUpload:
    """Begin an upload of so many bytes, or go on with the same one of this person; raises FileRefusedError at once for one too large."""
    kind = promised_kind(name, kinds)
    refuse_size(kind, size)
    own = session.scalars(
        select(PendingUpload)
        .where(PendingUpload.sent_by_id == by_id, PendingUpload.room == room)
        .order_by(PendingUpload.id)
    ).all()
    for upload in own:
        if upload.name == name and upload.size == size:
            upload.received = _received(upload)
            return upload
    if len(own) >= _MOST_AT_ONCE:
        raise FileRefusedError(f"同时最多上传 {_MOST_AT_ONCE} 个文件。请等前面的传完再上传。")
    upload = PendingUpload(
        token=new_token(),
        room=room,
        name=name[:300],
        kind=kind,
        size=size,
        received=0,
        sent_by_id=by_id,
        touched_at=now,
    )
    session.add(upload)
    session.flush()
    part_path(upload.token).touch()
    return upload


def add_piece(
    session: Session, *, token: str, room: str, by_id: int, offset: int, piece: bytes, now: datetime
) -> PendingUpload:
    """Add the bytes from `offset`; raises WrongOffsetError with `received` where to go on, FileRefusedError for more than announced."""
    upload = _own(session, token, room, by_id)
    if offset != (received := _received(upload)):
        raise WrongOffsetError(received=received)
    if not piece or len(piece) > MOST_BYTES_A_PIECE or offset + len(piece) > upload.size:
        raise FileRefusedError("收到的内容与登记的文件大小不符。请重新选择文件后再上传。")
    part_path(token).touch()  # lost with the disk, maybe: it begins anew
    with part_path(token).open("r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(piece)
    upload.received, upload.touched_at = offset + len(piece), now
    session.flush()
    return upload


def finish_upload(session: Session, *, token: str, room: str, by_id: int, now: datetime) -> StoredFile:
    """Check the whole file and keep it; raises FileRefusedError where bytes are missing or the content is not what the name says.

    Its pieces go after the commit: whatever else of the transaction fails, the upload can be finished again.
    """
    upload = _own(session, token, room, by_id)
    part = part_path(token)
    if (received := _received(upload)) != upload.size:
        raise FileRefusedError("文件还没有传完。请保持页面打开，继续上传。", received=received)
    stored = keep(
        session, part, room=room, name=upload.name, kind=FileKind(upload.kind), by_id=upload.sent_by_id, now=now
    )
    session.delete(upload)
    session.flush()
    after_commit(session, lambda: part.unlink(missing_ok=True))
    return stored


def give_up_upload(session: Session, *, token: str, room: str, by_id: int) -> None:
    """Forget an upload under way; raises NotFoundError."""
    upload = _own(session, token, room, by_id)
    path = part_path(token)
    session.delete(upload)
    after_commit(session, lambda: path.unlink(missing_ok=True))


def _received(upload: PendingUpload) -> int:
    """Give how many bytes are really here: a folder that was lost or restored holds fewer than the row says."""
    try:
        return min(upload.received, part_path(upload.token).stat().st_size)
    except FileNotFoundError:
        return 0


def _own(session: Session, token: str, room: str, by_id: int) -> PendingUpload:
    upload = session.scalars(
        select(PendingUpload)
        .where(PendingUpload.token == token, PendingUpload.room == room, PendingUpload.sent_by_id == by_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if upload is None:
        raise NotFoundError("没有找到这次上传，可能已经完成或过期。请重新选择文件上传。")
    return upload
