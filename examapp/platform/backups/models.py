"""Requests for a base backup."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import STAFF, TECHNICAL, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, Id, Str, UtcDateTime
from examapp.platform.backups.rules import RequestState


class BackupRequest(Base):
    """A request for a base backup: the page writes it, the backup process (ops.backup_requests) takes it and writes what came of it."""

    __tablename__ = "backup_requests"
    __personal_data__ = STAFF.of(
        "备份请求",
        "在网页上提交的立即备份和结果",
        owner="requested_by_id",
        order="requested_at",
        term=RetentionPolicy.OFFICE,
        seen_by="系统管理员",
    )
    __table_args__ = (CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),)

    id: Mapped[Id]
    requested_by_id: Mapped[BigInt | None]
    requested_at: Mapped[UtcDateTime] = mapped_column(info=shown("提交时间"))
    state: Mapped[Str] = mapped_column(default=RequestState.WAITING, info=TECHNICAL)
    taken_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    finished_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("结束时间"))
    size_bytes: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    message: Mapped[Str] = mapped_column(default="", server_default="", info=shown("结果"))
    """Why it failed, in Chinese."""
