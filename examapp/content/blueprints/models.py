"""Blueprints, and papers frozen from them."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.session import Base, BigInt, Id, JsonB, Points, Str, UtcDateTime


class Blueprint(Base):
    """How papers are drawn (组卷规则): sections in order."""

    __tablename__ = "blueprints"

    id: Mapped[Id]
    name: Mapped[Str]
    is_shuffled: Mapped[bool] = mapped_column(default=True)
    """Whether each person's options are shuffled (never those of true/false)."""
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]
    archived_at: Mapped[UtcDateTime | None]
    sections: Mapped[list[BlueprintSection]] = relationship(
        back_populates="blueprint", order_by="BlueprintSection.position", cascade="all, delete-orphan"
    )


class BlueprintSection(Base):
    """One section: so many questions of a kind, so many points each, from a part of the bank."""

    __tablename__ = "blueprint_sections"
    __table_args__ = (
        CheckConstraint("count > 0", name="count"),
        CheckConstraint("points_each > 0", name="points_each"),
        CheckConstraint("part_count > 0", name="part_count"),
    )

    id: Mapped[Id]
    blueprint_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("blueprints.id"), index=True)
    blueprint: Mapped[Blueprint] = relationship(back_populates="sections")
    position: Mapped[int]
    title: Mapped[Str]
    instructions: Mapped[Str] = mapped_column(default="")
    kind: Mapped[Str]
    count: Mapped[int]
    """Questions; a case counts as one, its sub-questions are items of the paper."""
    scoring: Mapped[Str] = mapped_column(default="")
    """A code of the kind's `section_scoring`; empty for its first, and where it offers none."""
    part_count: Mapped[int | None]
    """How many sub-questions each case must have, so that full marks are the same for everybody; null for kinds that are one item."""
    points_each: Mapped[Points]
    """Per item: for a case per sub-question."""
    laws: Mapped[JsonB] = mapped_column(default=list)
    """Short names; empty for the whole bank."""
    knowledge_points: Mapped[JsonB] = mapped_column(default=list)
    topics: Mapped[JsonB] = mapped_column(default=list)
    codes: Mapped[JsonB] = mapped_column(default=list)
    """Codes of hand-picked questions; with as many as `count`, every paper holds exactly these."""
    difficulties: Mapped[JsonB] = mapped_column(default=dict)
    """Counts per difficulty, `{"easy": 10, "medium": 8, "hard": 2}`; what they leave open is drawn from any."""


class Paper(Base):
    """A paper frozen to question versions and to one order of options; never changed."""

    __tablename__ = "papers"

    id: Mapped[Id]
    blueprint_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("blueprints.id"), index=True)
    sections: Mapped[JsonB]
    """`[{"title", "instructions", "scoring", "items": [[question_version_id, part, option_order, points]…]}]`: `scoring` only where the
    section chose a rule; `part` from 0 within the
    version; `option_order` a string of stored letters in display order (`"CABD"`), empty for texts; `points` a decimal string."""
    response_schema: Mapped[Str]
    """What a response to each item may be, three characters an item (see question_bank.kinds.response_schema); a save is checked
    against it in one statement."""
    total_points: Mapped[Points]
    created_at: Mapped[UtcDateTime]
