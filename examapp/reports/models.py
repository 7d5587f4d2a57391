"""Exports asked for by the organiser."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from examapp.core.db import Base, BigInt, Id, Instant, Words
from examapp.core.jobs import JobColumns


class Export(JobColumns, Base):
    """A file of figures that somebody asked for; built by a worker, safe to build twice, expires."""

    __tablename__ = "exports"
    __table_args__ = (Index("ix_exports_created_by_id", "created_by_id", "created_at"), *JobColumns.__table_args__)

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"))
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    tree: Mapped[Words] = mapped_column(default="region")
    content: Mapped[Words]
    """`scores`, `participation`, `absent`, `score_sheet`."""
    format: Mapped[Words]
    """`xlsx` or `csv`."""
    scope: Mapped[Words] = mapped_column(default="this")
    """`this` (本场) or `final` (最终, with make-ups)."""
    created_by_id: Mapped[BigInt]
    file: Mapped[bytes | None] = mapped_column(LargeBinary)
    file_name: Mapped[Words] = mapped_column(default="")
    as_of: Mapped[Instant | None]
    expires_at: Mapped[Instant | None]
