"""Keep a checked file, find it again, drop it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.core.db import after_commit
from examapp.core.errors import NotFoundError
from examapp.core.pictures import Picture, UnfitImageError, encode_picture
from examapp.core.uploads.limits import EVERY_KIND, FileRefusedError, display_name, promised_kind, refuse_size
from examapp.core.uploads.models import FileKind, StoredFile
from examapp.core.uploads.places import kept_path, new_token, part_path
from examapp.core.uploads.structure import flush_to_disk, refuse_other_content

_ENDING_OF_TYPE = {"image/png": ".png", "image/jpeg": ".jpg", "video/mp4": ".mp4", "audio/mp4": ".m4a"}


def store_file(
    session: Session,
    *,
    room: str,
    name: str,
    content: bytes,
    by_id: int | None,
    now: datetime,
    kinds: Collection[FileKind] = EVERY_KIND,
) -> StoredFile:
    """Check a small file that came at once and keep it; raises FileRefusedError. Images are drawn anew."""
    kind = promised_kind(name, kinds)
    refuse_size(kind, len(content))
    part = part_path(new_token())
    try:
        part.write_bytes(content)
        return keep(session, part, room=room, name=name, kind=kind, by_id=by_id, now=now)
    finally:
        part.unlink(missing_ok=True)


def keep(
    session: Session, part: Path, *, room: str, name: str, kind: FileKind, by_id: int | None, now: datetime
) -> StoredFile:
    """Check what lies in `part` and put it in its place, with its row; raises FileRefusedError.

    The part stays as it is: until the transaction has committed nothing else may take its place, since a rollback brings no file back.
    """
    picture = _draw_anew(part) if kind is FileKind.IMAGE else None
    media_type = picture.media_type if picture else refuse_other_content(kind, part)
    token = new_token()
    path = kept_path(token)
    if picture:
        path.write_bytes(picture.content)
    else:
        _copy(part, path)
    with path.open("r+b") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        flush_to_disk(file)
    stored = StoredFile(
        token=token,
        room=room,
        name=display_name(name, _ENDING_OF_TYPE.get(media_type, f".{kind}")),
        kind=kind,
        media_type=media_type,
        size=path.stat().st_size,
        sha256=sha256,
        stored_by_id=by_id,
        stored_at=now,
    )
    session.add(stored)
    session.flush()
    return stored


def _copy(part: Path, path: Path) -> None:
    """Give the bytes a second name, which costs nothing whatever their size; copy them where the file system knows no such thing."""
    try:
        path.hardlink_to(part)
    except OSError:
        shutil.copyfile(part, path)


def _draw_anew(part: Path) -> Picture:
    try:
        return encode_picture(part.read_bytes())
    except UnfitImageError as error:
        raise FileRefusedError(error.text) from error


def get_file(session: Session, token: str, *, room: str) -> StoredFile:
    """Get a room's file by its token; raises NotFoundError."""
    found = session.scalars(select(StoredFile).where(StoredFile.token == token, StoredFile.room == room)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def drop_file(session: Session, file: StoredFile) -> None:
    """Delete a file that its room no longer names; its bytes go after the commit."""
    path = kept_path(file.token)
    session.delete(file)
    session.flush()
    after_commit(session, lambda: path.unlink(missing_ok=True))
