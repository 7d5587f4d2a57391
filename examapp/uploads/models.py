"""The table of stored files, and that of uploads under way."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

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

    Personal data: who stored it, so that a wrong file can be traced; the content may name people where an owner lets them put papers
    there. Kept as long as the owning row; the owner deletes it with `storing.drop_file`.
    """

    __tablename__ = "stored_files"
    __table_args__ = (CheckConstraint("size > 0", name="size"),)

    id: Mapped[Id]
    token: Mapped[Str] = mapped_column(unique=True)
    """32 random hex digits: its name on the disk, and in addresses."""
    room: Mapped[Str]
    """The room that owns it and decides about it."""
    name: Mapped[Str]
    """As people know it, with the ending that its content has."""
    kind: Mapped[Str]
    media_type: Mapped[Str]
    size: Mapped[BigInt]
    sha256: Mapped[Str]
    stored_by_id: Mapped[BigInt | None]
    stored_at: Mapped[UtcDateTime]


class PendingUpload(Base):
    """A file that comes in pieces; forgotten a day after its last piece. Personal data: who sends it."""

    __tablename__ = "pending_uploads"
    __table_args__ = (
        CheckConstraint("received >= 0 AND received <= size", name="received"),
        Index("ix_pending_uploads_touched_at", "touched_at"),
    )

    id: Mapped[Id]
    token: Mapped[Str] = mapped_column(unique=True)
    room: Mapped[Str]
    name: Mapped[Str]
    kind: Mapped[Str]
    """As its name's ending promises; the content must keep the promise at the end."""
    size: Mapped[BigInt]
    """As announced, in bytes."""
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    sent_by_id: Mapped[BigInt]
    touched_at: Mapped[UtcDateTime]
