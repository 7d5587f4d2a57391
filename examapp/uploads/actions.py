"""Where stored files and pieces lie: `UPLOADS_DIR/kept/<xx>/<token>` and `UPLOADS_DIR/parts/<token>`."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examapp.db.session import after_commit
from examapp.documents.images import Picture, UnfitImageError, encode_picture
from examapp.errors import NotFoundError
from examapp.uploads.models import FileKind, PendingUpload, StoredFile
from examapp.uploads.rules import (
    EVERY_KIND,
    InvalidFileError,
    WrongOffsetError,
    display_name,
    flush_to_disk,
    promised_kind,
    validate_content,
    validate_size,
)

_TOKEN = re.compile(r"[0-9a-f]{32}")


def root() -> Path:
    """Give the folder of all uploads of this application."""
    path: Path = current_app.config["SETTINGS"].uploads_path
    return path


def new_token() -> str:
    """Make an unguessable name."""
    return secrets.token_hex(16)


def kept_path(token: str) -> Path:
    """Give where a stored file lies; its folder is made. Raises NotFoundError for what is no token of ours."""
    return _in_folder(root() / "kept" / token[:2], token)


def part_path(token: str) -> Path:
    """Give where the pieces of an upload under way lie; its folder is made. Raises NotFoundError for what is no token of ours."""
    return _in_folder(root() / "parts", token)


def _in_folder(folder: Path, name: str) -> Path:
    """Reject a name that leads elsewhere: anyone who can write the database could read or replace any file of the program by it."""
    if not _TOKEN.fullmatch(name):
        raise NotFoundError("这个文件的登记已被改动，不能使用。请联系管理员。")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / name


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
    """Check a small file that came at once and keep it; raises InvalidFileError. Images are drawn again."""
    kind = promised_kind(name, kinds)
    validate_size(kind, len(content))
    part = part_path(new_token())
    try:
        part.write_bytes(content)
        return keep(session, part, room=room, name=name, kind=kind, by_id=by_id, now=now)
    finally:
        part.unlink(missing_ok=True)


def keep(
    session: Session, part: Path, *, room: str, name: str, kind: FileKind, by_id: int | None, now: datetime
) -> StoredFile:
    """Check what lies in `part` and put it in its place, with its row; raises InvalidFileError.

    The part stays as it is: until the transaction has committed nothing else may take its place, since a rollback brings no file back.
    """
    picture = _draw_again(part) if kind is FileKind.IMAGE else None
    media_type = picture.media_type if picture else validate_content(kind, part)
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


def _draw_again(part: Path) -> Picture:
    try:
        return encode_picture(part.read_bytes())
    except UnfitImageError as error:
        raise InvalidFileError(error.text) from error


def get_file(session: Session, token: str, *, room: str) -> StoredFile:
    """Get an owner's file by its token; raises NotFoundError."""
    found = session.scalars(select(StoredFile).where(StoredFile.token == token, StoredFile.room == room)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def drop_file(session: Session, file: StoredFile) -> None:
    """Delete a file that its owner no longer names; its bytes go after the commit."""
    path = kept_path(file.token)
    session.delete(file)
    session.flush()
    after_commit(session, lambda: path.unlink(missing_ok=True))


MAX_BYTES_A_PIECE = 8 * 1024 * 1024
_MAX_AT_ONCE = 5


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
    """Begin an upload of so many bytes, or go on with the same one of this person; raises InvalidFileError at once for one too large."""
    kind = promised_kind(name, kinds)
    validate_size(kind, size)
    own = session.scalars(
        select(PendingUpload)
        .where(PendingUpload.sent_by_id == by_id, PendingUpload.room == room)
        .order_by(PendingUpload.id)
    ).all()
    for upload in own:
        if upload.name == name and upload.size == size:
            upload.received = _received(upload)
            return upload
    if len(own) >= _MAX_AT_ONCE:
        raise InvalidFileError(f"同时最多上传 {_MAX_AT_ONCE} 个文件。请等前面的传完再上传。")
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
    """Add the bytes from `offset`; raises WrongOffsetError with `received` where to go on, InvalidFileError for more than announced."""
    upload = _own(session, token, room, by_id)
    if offset != (received := _received(upload)):
        raise WrongOffsetError(received=received)
    if not piece or len(piece) > MAX_BYTES_A_PIECE or offset + len(piece) > upload.size:
        raise InvalidFileError("收到的内容与登记的文件大小不符。请重新选择文件后再上传。")
    part_path(token).touch()  # lost with the disk, maybe: it begins again
    with part_path(token).open("r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(piece)
    upload.received, upload.touched_at = offset + len(piece), now
    session.flush()
    return upload


def finish_upload(session: Session, *, token: str, room: str, by_id: int, now: datetime) -> StoredFile:
    """Check the whole file and keep it; raises InvalidFileError where bytes are missing or the content is not what the name says.

    Its pieces go after the commit: whatever else of the transaction fails, the upload can be finished again.
    """
    upload = _own(session, token, room, by_id)
    part = part_path(token)
    if (received := _received(upload)) != upload.size:
        raise InvalidFileError("文件还没有传完。请保持页面打开，继续上传。", received=received)
    stored = keep(
        session, part, room=room, name=upload.name, kind=FileKind(upload.kind), by_id=upload.sent_by_id, now=now
    )
    session.delete(upload)
    session.flush()
    after_commit(session, lambda: part.unlink(missing_ok=True))
    return stored


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


FORGOTTEN_AFTER = timedelta(days=1)


def sweep_uploads(session: Session, *, now: datetime) -> int:
    """Delete uploads untouched for a day, and files a day old that no row names; gives how many files went. Safe to run twice."""
    session.execute(delete(PendingUpload).where(PendingUpload.touched_at < now - FORGOTTEN_AFTER))
    named = {*session.scalars(select(StoredFile.token)), *session.scalars(select(PendingUpload.token))}
    gone = [path for path in _files() if path.name not in named and _is_old(path, now)]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _files() -> list[Path]:
    return [path for path in root().rglob("*") if path.is_file()]


def _is_old(path: Path, now: datetime) -> bool:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - FORGOTTEN_AFTER
