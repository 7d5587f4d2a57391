"""Reminders to people who have still to sit, lists of changes of the roster that units submit, and results from other platforms on their way in."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, BigInt, DateCol, Id, Str, UtcDateTime


class UnitChangeKind(StrEnum):
    """What happened to a unit."""

    MERGE = "merge"
    SPLIT = "split"
    RENAME = "rename"


UNIT_CHANGE_NAMES = {UnitChangeKind.MERGE: "合并", UnitChangeKind.SPLIT: "分设", UnitChangeKind.RENAME: "更名"}


class UnitChange(Base):
    """A merger, a split or a new name, with its day and its grounds; kept for good, since old papers carry the old names."""

    __tablename__ = "unit_changes"
    __table_args__ = (
        CheckConstraint("kind IN ('merge', 'split', 'rename')", name="kind"),
        Index("ix_unit_changes_unit_id", "unit_id"),
    )

    id: Mapped[Id]
    kind: Mapped[Str]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    other_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """Merged into; or split off."""
    unit_name: Mapped[Str]
    """As it was before."""
    other_name: Mapped[Str] = mapped_column(default="")
    """The other unit's name, or the new name."""
    people: Mapped[int] = mapped_column(default=0)
    """How many moved with it."""
    effective_on: Mapped[DateCol]
    reason: Mapped[Str]
    changed_by_id: Mapped[BigInt | None]
    changed_at: Mapped[UtcDateTime]
