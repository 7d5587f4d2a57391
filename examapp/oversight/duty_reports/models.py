"""A report of a unit and year: what its leader says of the rule of law (述法), or the unit of its duties (履职报告)."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import DUTY, OTHERS, TECHNICAL, shown
from examapp.db.session import Base, BigInt, DateCol, Id, JsonB, Str, UtcDateTime


class DutyReport(Base):
    """A report that a unit owes for a year; it is there from the day the office asks for it."""

    __tablename__ = "duty_reports"
    __personal_data__ = DUTY.of(
        "述法和履职报告",
        "第一责任人依规每年述法，由上级审阅",
        order="submitted_at",
        seen_by="本人、本单位管理员、普法办",
    )
    __table_args__ = (
        UniqueConstraint("unit_id", "year", "kind"),
        CheckConstraint("kind IN ('leader', 'unit')", name="kind"),
        CheckConstraint("state IN ('open', 'submitted', 'read')", name="state"),
        CheckConstraint("state = 'open' OR submitted_at IS NOT NULL", name="submitted"),
        Index("ix_duty_reports_year_kind", "year", "kind"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("单位"))
    year: Mapped[int] = mapped_column(info=shown("年度"))
    kind: Mapped[Str] = mapped_column(info=TECHNICAL)
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("persons.id"), index=True)
    """The first responsible person (第一责任人) of the unit in that year."""
    due_on: Mapped[DateCol] = mapped_column(info=shown("报送期限"))
    state: Mapped[Str] = mapped_column(default="open", info=TECHNICAL)
    texts: Mapped[JsonB] = mapped_column(default=dict, info=shown("内容"))
    """What stands under each head, by the head's key."""
    submitted_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("报送时间"))
    submitted_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    read_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("审阅时间"))
    read_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    remark: Mapped[Str] = mapped_column(default="", info=shown("审阅意见"))
    """What the superior said when reading, or why it was sent back."""
    version: Mapped[int] = mapped_column(default=1, info=TECHNICAL)
    updated_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)
