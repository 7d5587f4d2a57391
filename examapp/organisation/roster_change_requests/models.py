"""Reminders to people who have still to sit, lists of changes of the roster that units submit, and results from other platforms on their way in."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.personal_data import OTHERS, ROSTER, TECHNICAL, shown
from examapp.db.session import Base, BigInt, DateCol, Id, Str, UtcDateTime


class RosterChangeListState(StrEnum):
    """The life of a list of changes."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    """Sent back with words; the unit mends and submits it again."""
    APPROVED = "approved"
    """Nothing in it waits any more; each line says what became of it."""
    WITHDRAWN = "withdrawn"


LIST_STATE_NAMES = {
    RosterChangeListState.DRAFT: "草稿",
    RosterChangeListState.SUBMITTED: "待审批",
    RosterChangeListState.RETURNED: "已退回",
    RosterChangeListState.APPROVED: "已办结",
    RosterChangeListState.WITHDRAWN: "已作废",
}


class ChangeKind(StrEnum):
    """What changes on the roster."""

    JOIN = "join"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    SECONDMENT = "secondment"
    RETIRE = "retire"
    LEAVE = "leave"
    CORRECTION = "correction"


CHANGE_KIND_NAMES = {
    ChangeKind.JOIN: "新进",
    ChangeKind.TRANSFER_IN: "调入",
    ChangeKind.TRANSFER_OUT: "调出",
    ChangeKind.SECONDMENT: "借调",
    ChangeKind.RETIRE: "退休",
    ChangeKind.LEAVE: "离职",
    ChangeKind.CORRECTION: "信息更正",
}


class LineState(StrEnum):
    """The life of a line."""

    WAITING = "waiting"
    APPROVED = "approved"
    """Agreed to; the roster moves on its day."""
    APPLIED = "applied"
    REJECTED = "refused"


LINE_STATE_NAMES = {
    LineState.WAITING: "待审批",
    LineState.APPROVED: "已同意，到日办理",
    LineState.APPLIED: "已办理",
    LineState.REJECTED: "未同意",
}


class RosterChangeRequest(Base):
    """A list of changes (人员变动名单) of a unit: drafted, submitted, decided line by line or whole."""

    __tablename__ = "roster_change_requests"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'submitted', 'returned', 'approved', 'withdrawn')", name="state"),
        CheckConstraint("state NOT IN ('submitted', 'approved') OR submitted_at IS NOT NULL", name="submitted"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), index=True)
    state: Mapped[Str] = mapped_column(default=RosterChangeListState.DRAFT)
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]
    submitted_by_id: Mapped[BigInt | None]
    submitted_at: Mapped[UtcDateTime | None]
    decided_by_id: Mapped[BigInt | None]
    decided_at: Mapped[UtcDateTime | None]
    answer: Mapped[Str] = mapped_column(default="")
    """Why it was sent back."""

    lines: Mapped[list[RosterChangeItem]] = relationship(back_populates="list", order_by="RosterChangeItem.id")

    @property
    def may_be_changed(self) -> bool:
        """Whether the unit may still add and take out lines."""
        return self.state in {RosterChangeListState.DRAFT, RosterChangeListState.RETURNED}


class RosterChangeItem(Base):
    """One change of one person."""

    __tablename__ = "roster_change_items"
    __personal_data__ = ROSTER.of(
        "名册变动的申报", "单位申报调入、调出、退休，由普法办核对后改名册", order="effective_on"
    )
    __table_args__ = (
        CheckConstraint(
            "kind IN ('join', 'transfer_in', 'transfer_out', 'secondment', 'retire', 'leave', 'correction')",
            name="kind",
        ),
        CheckConstraint("state IN ('waiting', 'approved', 'applied', 'refused')", name="state"),
        CheckConstraint("(state = 'applied') = (applied_at IS NOT NULL)", name="applied"),
        Index("ix_change_lines_due", "effective_on", postgresql_where=text("state = 'approved'")),
    )

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("roster_change_requests.id"), index=True, info=TECHNICAL
    )
    list: Mapped[RosterChangeRequest] = relationship(back_populates="lines")
    kind: Mapped[Str] = mapped_column(info=shown("事项"))
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("persons.id"))
    """Null for a joiner, and for who comes from beyond the unit's access scope: found by staff number and name on approval."""
    staff_number: Mapped[Str] = mapped_column(info=shown("工号"))
    name: Mapped[Str] = mapped_column(info=shown("姓名"))
    """Of a correction, this and the next two as they should be, empty for what stays."""
    rank: Mapped[Str] = mapped_column(default="", info=shown("职级"))
    position: Mapped[Str] = mapped_column(default="", info=shown("职务"))
    to_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("现单位"))
    """Null where the person leaves the county, or stays where they are."""
    effective_on: Mapped[DateCol] = mapped_column(Date, info=shown("生效日期"))
    note: Mapped[Str] = mapped_column(default="", info=shown("说明"))
    state: Mapped[Str] = mapped_column(default=LineState.WAITING, info=shown("结果"))
    answer: Mapped[Str] = mapped_column(default="", info=shown("答复"))
    """Why it was rejected, or what stood in the way of carrying it out."""
    decided_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    decided_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("答复时间"))
    applied_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("办理时间"))
