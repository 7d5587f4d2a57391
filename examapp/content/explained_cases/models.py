"""Cases that explain law."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, BigInt, Id, Str, UtcDateTime


class ExplainedCase(Base):
    """A case (以案释法案例) of a unit, without names of people; others may use it once it was reviewed."""

    __tablename__ = "explained_cases"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'submitted', 'published')", name="state"),
        CheckConstraint("state <> 'published' OR is_anonymised", name="anonymised"),
        Index("ix_explained_cases_unit_id_state", "unit_id", "state"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    title: Mapped[Str]
    laws: Mapped[Str]
    facts: Mapped[Str]
    holding: Mapped[Str]
    lesson: Mapped[Str]
    state: Mapped[Str] = mapped_column(default="draft")
    is_anonymised: Mapped[bool] = mapped_column(default=False)
    """A reviewer has confirmed that no person can be known from it (已隐去)."""
    remark: Mapped[Str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    created_by_id: Mapped[BigInt | None]
    reviewed_by_id: Mapped[BigInt | None]
    reviewed_at: Mapped[UtcDateTime | None]
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]
