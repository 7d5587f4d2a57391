"""What the office concludes of a plan period: its figures are counted, its conclusion is written."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, BigInt, Str, UtcDateTime


class PlanEvaluation(Base):
    """The conclusion of a period at half its time or at its end."""

    __tablename__ = "duty_plan_evaluations"
    __table_args__ = (CheckConstraint("stage IN ('midterm', 'final')", name="stage"),)

    first_year: Mapped[int] = mapped_column(primary_key=True)
    """The period's first year, which names it even where the office changes its words."""
    stage: Mapped[Str] = mapped_column(primary_key=True)
    text: Mapped[Str]
    version: Mapped[int] = mapped_column(default=1)
    written_by_id: Mapped[BigInt | None]
    written_at: Mapped[UtcDateTime]
