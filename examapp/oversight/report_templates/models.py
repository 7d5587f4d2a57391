"""Report templates of the office's own, each version a row."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, BigInt, Id, Str, UtcDateTime


class ReportTemplate(Base):
    """A version of the form of a report; none is ever changed, one a content is current, without a file it is the shipped one."""

    __tablename__ = "report_templates"
    __table_args__ = (
        UniqueConstraint("content", "number"),
        Index("uq_report_templates_current", "content", unique=True, postgresql_where=text("is_current")),
    )

    id: Mapped[Id]
    content: Mapped[Str]
    """`circular` (docx) or `score_sheet` (xlsx)."""
    number: Mapped[int]
    file: Mapped[bytes | None] = mapped_column(LargeBinary)
    file_name: Mapped[Str] = mapped_column(default="")
    note: Mapped[Str] = mapped_column(default="")
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]
    is_current: Mapped[bool] = mapped_column(default=True)
