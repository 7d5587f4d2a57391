"""Counts kept per unit, and the marks that say which of them are no longer sound (decision 0022)."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import EXAM, TECHNICAL, RetentionPolicy
from examapp.db.session import Base, BigInt, Id, Str


class UnitStatsCache(Base):
    """A unit's own people counted, as `statistics_definitions.rules.Counts` has it, so that a table over 15,000 units need not count a million people.

    Sound for every unit that no `StatsInvalidation` names; the tasks of this feature count it again.
    """

    __tablename__ = "unit_stats_cache"
    __table_args__ = (Index("ix_kept_figures_exam_id", "exam_id"),)

    roster_key: Mapped[Str] = mapped_column(primary_key=True)
    """Digest of all that the counting stands on (`queries.digest`)."""
    unit_id: Mapped[BigInt] = mapped_column(primary_key=True)
    exam_id: Mapped[BigInt]
    roster: Mapped[int]
    exempt: Mapped[int]
    deferred: Mapped[int]
    participated: Mapped[int]
    passed: Mapped[int]
    good: Mapped[int]
    excellent: Mapped[int]
    graded: Mapped[int]
    in_progress: Mapped[int]
    excused_sat: Mapped[int]
    points_total: Mapped[Decimal] = mapped_column(Numeric(14, 2))


class StatsInvalidation(Base):
    """A person, a unit or an exam whose kept counts are no longer sound.

    The database itself writes it (triggers of the initial migration) in the transaction of the change: no code can forget it.
    """

    __tablename__ = "stats_invalidations"
    __personal_data__ = EXAM.of(
        "统计标记",
        "记下谁的作答、成绩或名册刚有变动，以便重算其单位的人数",
        owner=None,
        term=RetentionPolicy.DAYS,
        seen_by="无人查看，由程序在十秒左右用完即删",
    )
    __table_args__ = (CheckConstraint("num_nonnulls(exam_id, unit_id, person_id) = 1", name="one"),)

    id: Mapped[Id]
    exam_id: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    """All of an exam's counts."""
    unit_id: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    person_id: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    """Whichever unit the person stands in."""
