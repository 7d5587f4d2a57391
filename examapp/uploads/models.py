"""The table of stored files, and that of uploads under way."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import STAFF, TECHNICAL, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, Id, Str, UtcDateTime


class FileKind(StrEnum):
    """What a file is, by its content."""

    IMAGE = "image"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    MP3 = "mp3"
    MP4 = "mp4"


class StoredFile(Base):
    """A file as it was checked and kept.

    Kept as long as the owning row; the owner deletes it with `storing.drop_file`.
    """

    __tablename__ = "stored_files"
    __personal_data__ = STAFF.of(
        "上传的文件",
        "课程、活动、履职记录、免考申请、通知的附件",
        owner=None,
        term=RetentionPolicy.OFFICE,
        seen_by="有权查看所属事项的人",
    )
    __table_args__ = (CheckConstraint("size > 0", name="size"),)

    id: Mapped[Id]
    token: Mapped[Str] = mapped_column(unique=True, info=TECHNICAL)
    """32 random hex digits: its name on the disk, and in addresses."""
    room: Mapped[Str] = mapped_column(info=TECHNICAL)
    """The feature that owns it and decides about it."""
    name: Mapped[Str] = mapped_column(info=shown("文件名"))
    """As people know it, with the ending that its content has."""
    kind: Mapped[Str] = mapped_column(info=TECHNICAL)
    media_type: Mapped[Str] = mapped_column(info=TECHNICAL)
    size: Mapped[BigInt] = mapped_column(info=TECHNICAL)
    sha256: Mapped[Str] = mapped_column(info=TECHNICAL)
    stored_by_id: Mapped[BigInt | None] = mapped_column(info=shown("上传人"))
    stored_at: Mapped[UtcDateTime] = mapped_column(info=shown("上传时间"))


class PendingUpload(Base):
    """A file that comes in pieces; forgotten a day after its last piece."""

    __tablename__ = "pending_uploads"
    __personal_data__ = STAFF.of("正在上传的文件", "断点续传", owner=None, term=RetentionPolicy.DAYS, seen_by="上传人")
    __table_args__ = (
        CheckConstraint("received >= 0 AND received <= size", name="received"),
        Index("ix_pending_uploads_touched_at", "touched_at"),
    )

    id: Mapped[Id]
    token: Mapped[Str] = mapped_column(unique=True, info=TECHNICAL)
    room: Mapped[Str] = mapped_column(info=TECHNICAL)
    name: Mapped[Str] = mapped_column(info=shown("文件名"))
    kind: Mapped[Str] = mapped_column(info=TECHNICAL)
    """As its name's ending promises; the content must keep the promise at the end."""
    size: Mapped[BigInt] = mapped_column(info=TECHNICAL)
    """As announced, in bytes."""
    received: Mapped[int] = mapped_column(BigInteger, default=0, info=TECHNICAL)
    sent_by_id: Mapped[BigInt] = mapped_column(info=shown("上传人"))
    touched_at: Mapped[UtcDateTime] = mapped_column(info=shown("最近上传"))
