"""The ledger of files that were asked for, the office's own forms of them, and what is made by itself."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from examapp.core.db import Base, BigInt, Id, Instant, Json, Words
from examapp.core.jobs import JobColumns

LIVE = "key IS NOT NULL AND state IN ('waiting', 'running', 'ready')"


class Export(JobColumns, Base):
    """A file of figures that somebody asked for; built by a worker, safe to build twice, expires.

    It is the ledger too: one live row a `key`, so that a second press, a doubled message or an emptied queue ends in one file. The file
    holds scores with names for seven days, then only the line of who asked for what stays.
    """

    __tablename__ = "exports"
    __table_args__ = (
        Index("ix_exports_created_by_id", "created_by_id", "created_at"),
        Index("uq_exports_key", "key", unique=True, postgresql_where=text(LIVE)),
        Index("uq_exports_occasion", "occasion", unique=True),
        CheckConstraint("numbers IN ('none', 'masked', 'whole')", name="numbers"),
        *JobColumns.__table_args__,
    )

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"))
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    tree: Mapped[Words] = mapped_column(default="region")
    content: Mapped[Words]
    """A key of `rules.CONTENT_NAMES`."""
    format: Mapped[Words]
    """`xlsx`, `csv`, `pdf` or `docx`."""
    scope: Mapped[Words] = mapped_column(default="this")
    """`this` (本场) or `final` (最终, with make-ups)."""
    key: Mapped[Words | None]
    """Digest of person, exam, unit, parameters and data version."""
    data_version: Mapped[Words] = mapped_column(default="")
    """The state of the data when it was asked for; while it is the same at the building, the file says it is as of the asking."""
    watermark: Mapped[Words] = mapped_column(default="")
    narrowing: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    """Whom of the unit's people it holds, as `rules.Narrowing` writes it; empty for all."""
    numbers: Mapped[Words] = mapped_column(default="none")
    """Whether ID numbers and mobiles stand in it: `none`, `masked`, or `whole` with a right, a reason and a second person's consent."""
    reason: Mapped[Words] = mapped_column(default="")
    approval_id: Mapped[BigInt | None]
    """The consent to whole numbers."""
    template_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("report_templates.id"))
    """The office's own form that it is made by; null for the shipped one."""
    occasion: Mapped[Words | None]
    """Which scheduled occasion it is for, once only; null where a person asked."""
    created_by_id: Mapped[BigInt]
    file: Mapped[bytes | None] = mapped_column(LargeBinary)
    file_name: Mapped[Words] = mapped_column(default="")
    sha256: Mapped[Words] = mapped_column(default="")
    as_of: Mapped[Instant | None]
    expires_at: Mapped[Instant | None]


class KeptFigures(Base):
    """A unit's own people counted, as `rules.Counts` has it, so that a table over 15,000 units need not count a million people.

    Sound for every unit that no `FigureMark` names; made anew by `operations/keeping.py`.
    """

    __tablename__ = "kept_figures"
    __table_args__ = (Index("ix_kept_figures_exam_id", "exam_id"),)

    ground: Mapped[Words] = mapped_column(primary_key=True)
    """Digest of all that the counting stands on (`queries.kept.digest`)."""
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


class FigureMark(Base):
    """A person, a unit or an exam whose kept figures are no longer sound.

    The database itself writes it (triggers of migration 0025) in the transaction of the change: no code can forget it.
    """

    __tablename__ = "figure_marks"
    __table_args__ = (CheckConstraint("num_nonnulls(exam_id, unit_id, person_id) = 1", name="one"),)

    id: Mapped[Id]
    exam_id: Mapped[BigInt | None]
    """All of an exam's figures."""
    unit_id: Mapped[BigInt | None]
    person_id: Mapped[BigInt | None]
    """Whichever unit the person stands in."""


class ReportTemplate(Base):
    """A version of the form of a report; none is ever changed, one a content is current, without a file it is the shipped one."""

    __tablename__ = "report_templates"
    __table_args__ = (
        UniqueConstraint("content", "number"),
        Index("uq_report_templates_current", "content", unique=True, postgresql_where=text("is_current")),
    )

    id: Mapped[Id]
    content: Mapped[Words]
    """`circular` (docx) or `score_sheet` (xlsx)."""
    number: Mapped[int]
    file: Mapped[bytes | None] = mapped_column(LargeBinary)
    file_name: Mapped[Words] = mapped_column(default="")
    note: Mapped[Words] = mapped_column(default="")
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[Instant]
    is_current: Mapped[bool] = mapped_column(default=True)


class ReportSchedule(Base):
    """What is laid on every administrator's board by itself; without a row the usual of `rules.USUAL_SCHEDULES` holds."""

    __tablename__ = "report_schedules"
    __table_args__ = (CheckConstraint("moment IN ('monday', 'close')", name="moment"),)

    moment: Mapped[Words] = mapped_column(primary_key=True)
    content: Mapped[Words]
    format: Mapped[Words]
    is_on: Mapped[bool]
    changed_by_id: Mapped[BigInt | None]
    changed_at: Mapped[Instant | None]
