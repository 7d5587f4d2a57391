"""Responsibility lists, their items, what was done on them, the plan periods, and the yearly assessment."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.personal_data import DUTY, TECHNICAL, shown
from examapp.db.session import Base, BigInt, DateCol, Id, Str, UtcDateTime


class PlanPeriodRow(Base):
    """A five-year plan period that the office has added to the shipped ones, or changed."""

    __tablename__ = "duty_plan_periods"
    __table_args__ = (CheckConstraint("first_year <= last_year", name="years"),)

    id: Mapped[Id]
    name: Mapped[Str] = mapped_column(unique=True)
    first_year: Mapped[int]
    last_year: Mapped[int]


class KeyDayRow(Base):
    """A key date (重要时间节点) of every year that the office has added to the shipped ones, named again, or with no name taken off."""

    __tablename__ = "duty_key_days"
    __table_args__ = (
        UniqueConstraint("month", "day", "last_month", "last_day"),
        CheckConstraint("month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31", name="day"),
        CheckConstraint("last_month BETWEEN 1 AND 12 AND last_day BETWEEN 1 AND 31", name="last_day"),
        CheckConstraint("(month, day) <= (last_month, last_day)", name="span"),
    )

    id: Mapped[Id]
    month: Mapped[int]
    day: Mapped[int]
    last_month: Mapped[int]
    last_day: Mapped[int]
    """The last day; the first one again where it is one day."""
    name: Mapped[Str]


class DutyList(Base):
    """A unit's responsibility list (普法责任清单) of a year; without a unit it holds the office's common items."""

    __tablename__ = "duty_lists"
    __table_args__ = (
        UniqueConstraint("unit_id", "year", postgresql_nulls_not_distinct=True),
        CheckConstraint("state IN ('draft', 'proposed', 'published')", name="state"),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    year: Mapped[int] = mapped_column(index=True)
    state: Mapped[Str] = mapped_column(default="draft")
    version: Mapped[int] = mapped_column(default=1)
    """Goes up with every change of the list or its items, so that nobody approves what he has not seen."""
    remark: Mapped[Str] = mapped_column(default="")
    """Why the office sent the list back; empty otherwise."""
    proposed_at: Mapped[UtcDateTime | None]
    proposed_by_id: Mapped[BigInt | None]
    published_at: Mapped[UtcDateTime | None]
    """When the list was published first; it stays when the list is opened again."""
    published_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]
    items: Mapped[list[DutyItem]] = relationship(
        back_populates="duty_list", order_by="[DutyItem.position, DutyItem.id]", cascade="all, delete-orphan"
    )


class DutyItem(Base):
    """One item: which law or theme is taught to whom, how, by when, and who answers for it."""

    __tablename__ = "duty_items"
    __personal_data__ = DUTY.of(
        "责任清单上的责任人",
        "谁执法谁普法责任清单依规须写明责任领导和责任人",
        owner=None,
        seen_by="本单位、普法办；审核公布后向社会公开",
    )
    __table_args__ = (
        CheckConstraint("kind IN ('common', 'own')", name="kind"),
        Index("ix_duty_items_due_on", "due_on", postgresql_where="withdrawn_at IS NULL"),
    )

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_lists.id"), index=True, info=TECHNICAL)
    duty_list: Mapped[DutyList] = relationship(back_populates="items")
    source_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("duty_items.id"), index=True, info=TECHNICAL)
    """The office's common item that this one is the unit's copy of."""
    position: Mapped[int] = mapped_column(info=TECHNICAL)
    kind: Mapped[Str] = mapped_column(info=TECHNICAL)
    content: Mapped[Str] = mapped_column(info=TECHNICAL)
    """Law or theme (内容清单)."""
    audience: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    carrier: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    measures: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    standard: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    leader: Mapped[Str] = mapped_column(default="", info=shown("责任领导"))
    person: Mapped[Str] = mapped_column(default="", info=shown("责任人"))
    department: Mapped[Str] = mapped_column(default="", info=shown("责任科室"))
    key_on: Mapped[DateCol | None] = mapped_column(info=TECHNICAL)
    due_on: Mapped[DateCol | None] = mapped_column(info=TECHNICAL)
    withdrawn_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    """Taken off the list after something had been recorded on it: off every count, kept in the ledger."""
    version: Mapped[int] = mapped_column(default=1, info=TECHNICAL)
    created_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)
    updated_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)
    records: Mapped[list[DutyRecord]] = relationship(
        back_populates="item", order_by="[DutyRecord.done_on, DutyRecord.id]"
    )


class DutyRecord(Base):
    """What was done on an item (履职记录), told once in words; no picture is asked for."""

    __tablename__ = "duty_records"
    __table_args__ = (
        CheckConstraint("reached >= 0", name="reached"),
        Index("uq_duty_records_event_id", "event_id", unique=True, postgresql_where="withdrawn_at IS NULL"),
    )

    id: Mapped[Id]
    item_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_items.id"), index=True)
    item: Mapped[DutyItem] = relationship(back_populates="records")
    done_on: Mapped[DateCol]
    place: Mapped[Str] = mapped_column(default="")
    form: Mapped[Str]
    reached: Mapped[int] = mapped_column(default=0)
    law: Mapped[Str] = mapped_column(default="")
    text: Mapped[Str] = mapped_column(default="")
    event_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("study_events.id"))
    """The study event that it was taken from: recorded once."""
    recorded_by_id: Mapped[BigInt | None]
    withdrawn_at: Mapped[UtcDateTime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]


class DutyRecordFile(Base):
    """A file (附件) that somebody chose to hang on a record."""

    __tablename__ = "duty_record_files"

    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("stored_files.id"), primary_key=True)
    record_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_records.id"), index=True)
