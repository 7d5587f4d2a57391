"""Reminders to people who have still to sit, lists of changes of the roster that units submit, and results from other platforms on their way in."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from examapp.core.db import Base, BigInt, Day, Id, Instant, Json, Points, Words
from examapp.core.jobs import JobColumns
from examapp.core.sealed import SealedColumn, name_sealed
from examapp.unitbook.rules import result_file_binding


class ExamReminder(Base):
    """A reminder of an exam that a person is shown on the site, one a day; the one to the phone is made from the same row.

    Personal data: that somebody had not sat yet on a day, and who reminded; kept with the exam's other records, so that the office
    can show that everybody was told.
    """

    __tablename__ = "exam_reminders"
    __table_args__ = (Index("ix_exam_reminders_person_id", "person_id", "exam_id"),)

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    reminded_on: Mapped[Day] = mapped_column(Date, primary_key=True)
    group: Mapped[Words]
    """Why: `not_started`, `in_progress`, `failed`."""
    reminded_by_id: Mapped[BigInt | None]
    reminded_at: Mapped[Instant]


class ListState(StrEnum):
    """The life of a list of changes."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    """Sent back with words; the unit mends and submits it again."""
    APPROVED = "approved"
    """Nothing in it waits any more; each line says what became of it."""
    WITHDRAWN = "withdrawn"


LIST_STATE_NAMES = {
    ListState.DRAFT: "草稿",
    ListState.SUBMITTED: "待审批",
    ListState.RETURNED: "已退回",
    ListState.APPROVED: "已办结",
    ListState.WITHDRAWN: "已作废",
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
    REFUSED = "refused"


LINE_STATE_NAMES = {
    LineState.WAITING: "待审批",
    LineState.APPROVED: "已同意，到日办理",
    LineState.APPLIED: "已办理",
    LineState.REFUSED: "未同意",
}


class ChangeList(Base):
    """A list of changes (人员变动名单) of a unit: drafted, submitted, decided line by line or whole."""

    __tablename__ = "change_lists"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'submitted', 'returned', 'approved', 'withdrawn')", name="state"),
        CheckConstraint("state NOT IN ('submitted', 'approved') OR submitted_at IS NOT NULL", name="submitted"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), index=True)
    state: Mapped[Words] = mapped_column(default=ListState.DRAFT)
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[Instant]
    submitted_by_id: Mapped[BigInt | None]
    submitted_at: Mapped[Instant | None]
    decided_by_id: Mapped[BigInt | None]
    decided_at: Mapped[Instant | None]
    answer: Mapped[Words] = mapped_column(default="")
    """Why it was sent back."""

    lines: Mapped[list[ChangeLine]] = relationship(back_populates="list", order_by="ChangeLine.id")

    @property
    def may_be_changed(self) -> bool:
        """Whether the unit may still add and take out lines."""
        return self.state in {ListState.DRAFT, ListState.RETURNED}


class ChangeLine(Base):
    """One change of one person. Personal data: name, staff number, rank, position; kept with the roster's moves."""

    __tablename__ = "change_lines"
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
    list_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("change_lists.id"), index=True)
    list: Mapped[ChangeList] = relationship(back_populates="lines")
    kind: Mapped[Words]
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("persons.id"))
    """Null for a joiner, and for who comes from beyond the unit's reach: found by staff number and name on approval."""
    staff_number: Mapped[Words]
    name: Mapped[Words]
    """Of a correction, this and the next two as they should be, empty for what stays."""
    rank: Mapped[Words] = mapped_column(default="")
    position: Mapped[Words] = mapped_column(default="")
    to_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """Null where the person leaves the county, or stays where they are."""
    effective_on: Mapped[Day] = mapped_column(Date)
    note: Mapped[Words] = mapped_column(default="")
    state: Mapped[Words] = mapped_column(default=LineState.WAITING)
    answer: Mapped[Words] = mapped_column(default="")
    """Why it was refused, or what stood in the way of carrying it out."""
    decided_by_id: Mapped[BigInt | None]
    decided_at: Mapped[Instant | None]
    applied_at: Mapped[Instant | None]


class Outcome(StrEnum):
    """What became of a row of a file of results."""

    MATCHED = "matched"
    """One person for certain: it counts once the import is approved."""
    SAME = "same"
    DOUBTFUL = "doubtful"
    UNMATCHED = "unmatched"
    ABSENT = "absent"
    FAULTY = "faulty"
    SKIPPED = "skipped"
    """Left out by whoever reviewed it."""


OUTCOME_NAMES = {
    Outcome.MATCHED: "可以计入",
    Outcome.SAME: "已有相同成绩",
    Outcome.DOUBTFUL: "待核对",
    Outcome.UNMATCHED: "未找到",
    Outcome.ABSENT: "缺考",
    Outcome.FAULTY: "有问题",
    Outcome.SKIPPED: "不计入",
}


class ResultImport(JobColumns, Base):
    """A file of results from another platform: read and matched first, reviewed, then approved as one act and undone as one.

    Personal data: the file is kept, sealed, only until it has been read; the rows as long as the results that they brought.
    """

    __tablename__ = "result_imports"

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), index=True)
    created_by_id: Mapped[BigInt]
    file_name: Mapped[Words]
    digest: Mapped[Words]
    """Of the file's bytes: the same file is not taken twice."""
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    source: Mapped[Words]
    """The other platform's name, as reports say it."""
    taken_on: Mapped[Day] = mapped_column(Date)
    points_possible: Mapped[Points]
    remarks: Mapped[Json] = mapped_column(default=list)
    approved_by_id: Mapped[BigInt | None]
    approved_at: Mapped[Instant | None]
    taken_count: Mapped[int] = mapped_column(default=0)
    undone_by_id: Mapped[BigInt | None]
    undone_at: Mapped[Instant | None]


name_sealed(
    SealedColumn("其他平台的成绩文件", ResultImport.content, ResultImport.id, ResultImport.id, result_file_binding)
)


class ResultImportRow(Base):
    """A row of a file of results, with the person it was matched to, or those it may be. No ID number but its last four places."""

    __tablename__ = "result_import_rows"
    __table_args__ = (
        CheckConstraint(
            "outcome IN ('matched', 'same', 'doubtful', 'unmatched', 'absent', 'faulty', 'skipped')", name="outcome"
        ),
        CheckConstraint("outcome <> 'matched' OR (person_id IS NOT NULL AND points IS NOT NULL)", name="matched"),
        Index("ix_result_import_rows_import_id", "import_id", "outcome"),
    )

    id: Mapped[Id]
    import_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("result_imports.id"))
    line: Mapped[int]
    """As Excel counts."""
    name: Mapped[Words]
    unit_name: Mapped[Words] = mapped_column(default="")
    staff_number: Mapped[Words] = mapped_column(default="")
    id_tail: Mapped[Words] = mapped_column(default="")
    points: Mapped[Points | None]
    outcome: Mapped[Words]
    reason: Mapped[Words] = mapped_column(default="")
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("persons.id"))
    candidates: Mapped[Json] = mapped_column(default=list)
    """Ids of the persons it may be, at most five."""
    is_decided: Mapped[bool] = mapped_column(default=False)
    """Whether a person said who it is, or that it is left out."""


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
    kind: Mapped[Words]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    other_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """Merged into; or split off."""
    unit_name: Mapped[Words]
    """As it was before."""
    other_name: Mapped[Words] = mapped_column(default="")
    """The other unit's name, or the new name."""
    people: Mapped[int] = mapped_column(default=0)
    """How many moved with it."""
    effective_on: Mapped[Day]
    reason: Mapped[Words]
    changed_by_id: Mapped[BigInt | None]
    changed_at: Mapped[Instant]
