"""A campaign and the units that take part; what they did stands in events and in the ledger, and is not written a second time."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, BigInt, DateCol, Id, Str, UtcDateTime


class Campaign(Base):
    """A campaign (专项宣传) of a year, such as the month of the Civil Code."""

    __tablename__ = "campaigns"
    __table_args__ = (
        UniqueConstraint("year", "name"),
        CheckConstraint("starts_on <= ends_on", name="days"),
    )

    id: Mapped[Id]
    year: Mapped[int]
    name: Mapped[Str]
    starts_on: Mapped[DateCol]
    ends_on: Mapped[DateCol]
    laws: Mapped[Str] = mapped_column(default="")
    """Names of laws, as in an event."""
    task: Mapped[Str] = mapped_column(default="")
    """What every unit is to do."""
    version: Mapped[int] = mapped_column(default=1)
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]


class CampaignUnit(Base):
    """A unit that takes part in a campaign, with its own words about it, if any."""

    __tablename__ = "campaign_units"

    campaign_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), primary_key=True, index=True)
    note: Mapped[Str] = mapped_column(default="")
    noted_by_id: Mapped[BigInt | None]
    noted_at: Mapped[UtcDateTime | None]
