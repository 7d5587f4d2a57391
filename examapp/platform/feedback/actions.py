"""Files of notices: the owner's name of a notice's files in the store of uploads, so that no table need say whose they are."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.notices.actions import NoticeStateError
from examapp.platform.notices.queries import lock_notice
from examapp.uploads.actions import drop_file, get_file, store_file
from examapp.uploads.models import FileKind, StoredFile

AUDIT_ACTS = {"messages.attach_file": "上传通知附件", "messages.remove_file": "删除通知附件"}
MAX_FILES = 5
_KINDS = (FileKind.PDF, FileKind.DOCX, FileKind.XLSX, FileKind.IMAGE)


def room_of(notice_id: int) -> str:
    """Name the owner of a notice's files."""
    return f"notice-{notice_id}"


def list_notice_files(session: Session, notice_id: int) -> list[StoredFile]:
    """List a notice's files, the oldest first."""
    return list(
        session.scalars(select(StoredFile).where(StoredFile.room == room_of(notice_id)).order_by(StoredFile.id))
    )


def attach_file(
    context: ActionContext, notice_id: int, *, name: str, content: bytes, unit_ids: Select[int] | None
) -> None:
    """Keep a file with a notice; raises NotFoundError, NoticeStateError for a withdrawn notice or too many files, InvalidFileError."""
    if lock_notice(context.session, notice_id, unit_ids).withdrawn_at is not None:
        raise NoticeStateError("这份通知已撤回，不能再加附件。请另写一份。")
    if len(list_notice_files(context.session, notice_id)) >= MAX_FILES:
        raise NoticeStateError(f"一份通知最多 {MAX_FILES} 个附件。请先删除不需要的。")
    room, by_id = room_of(notice_id), context.actor.person_id
    store_file(context.session, room=room, name=name, content=content, by_id=by_id, now=context.now, kinds=_KINDS)
    record(context, "messages.attach_file", object_type="notice", object_id=notice_id)


def remove_file(context: ActionContext, notice_id: int, token: str, *, unit_ids: Select[int] | None) -> None:
    """Take a file off a notice and delete it; raises NotFoundError."""
    lock_notice(context.session, notice_id, unit_ids)
    drop_file(context.session, get_file(context.session, token, room=room_of(notice_id)))
    record(context, "messages.remove_file", object_type="notice", object_id=notice_id)
