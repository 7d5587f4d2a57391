"""Grades: a log, of which one row an attempt is current; and results that were got on another platform."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import EXAM, OTHERS, TECHNICAL, WITH_KEYS, shown
from examapp.db.session import Base, BigInt, Id, JsonB, Points, Str, UtcDateTime


class Grade(Base):
    """One grading of an attempt; a correction adds a row and takes `is_current` over.

    It names everything it is made of: paper and answers by the attempt, `key_ids`, `ruling_ids`, `mark_ids` and `rules`. None of these rows ever
    changes (the database refuses it), so that the grade can be made again from them by anybody.
    """

    __tablename__ = "grades"
    __personal_data__ = EXAM.of(
        "成绩",
        "公布成绩，统计合格率；更正答案后重新评分",
        owner="attempt_id",
        order="graded_at",
        needs_release=True,
        first="attempt_id points points_possible percent band is_passed",
    )
    __table_args__ = (
        UniqueConstraint("attempt_id", "number"),
        Index(
            "uq_grades_current",
            "attempt_id",
            unique=True,
            postgresql_where=text("is_current"),
            postgresql_include=["points", "points_possible", "percent", "band", "is_passed"],
        ),
        Index("ix_grades_graded_again", "attempt_id", postgresql_where=text("is_current AND number > 1")),
        Index("ix_grades_correction_id", "correction_id", postgresql_where=text("correction_id IS NOT NULL")),
        CheckConstraint("points >= 0 AND points <= points_possible", name="points"),
        CheckConstraint("band IN ('excellent', 'good', 'pass', 'fail')", name="band"),
    )

    id: Mapped[Id]
    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"), info=shown("作答编号"))
    number: Mapped[int] = mapped_column(info=TECHNICAL)
    is_current: Mapped[bool] = mapped_column(default=True, info=shown("现行成绩"))
    points: Mapped[Points] = mapped_column(info=shown("得分"))
    points_possible: Mapped[Points] = mapped_column(info=shown("总分"))
    percent: Mapped[Points] = mapped_column(info=shown("百分比"))
    band: Mapped[Str] = mapped_column(info=shown("等次"))
    is_passed: Mapped[bool] = mapped_column(info=shown("合格"))
    item_points: Mapped[JsonB] = mapped_column(info=WITH_KEYS)
    """Points per item as decimal strings, in the paper's order."""
    key_ids: Mapped[JsonB] = mapped_column(info=TECHNICAL)
    """The answer_keys rows it was graded by, per question version, where no ruling says otherwise."""
    rules: Mapped[JsonB] = mapped_column(info=TECHNICAL)
    """The exam's scoring rule, pass mark and bands of that day (grading.rules.GradingRules)."""
    ruling_ids: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), default=list, server_default=text("'{}'"), info=TECHNICAL
    )
    """The item_rulings rows that touched the paper, rising."""
    mark_ids: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), default=list, server_default=text("'{}'"), info=TECHNICAL
    )
    """The item_marks rows it counts, rising."""
    sheet: Mapped[bytes] = mapped_column(LargeBinary, info=WITH_KEYS)
    """The responses in stored letters, item after item, as their kinds pack them: one read gives all answers of an exam; texts are in `answers`."""
    reason: Mapped[Str] = mapped_column(default="first", info=shown("评分原因"))
    graded_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    graded_at: Mapped[UtcDateTime] = mapped_column(info=shown("评分时间"))
    correction_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("corrections.id"), info=TECHNICAL)
    """The correction that made it; what counted before is the grade with the number below."""


class Correction(Base):
    """A change of what grades are made of in chosen exams, asked for with its dry run.

    One other person decides on it, or two where results are published; it is applied at once, and undone only by another correction.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        CheckConstraint("kind IN ('item', 'rules', 'annulment')", name="kind"),
        CheckConstraint("state IN ('asked', 'checked', 'applied', 'rejected')", name="state"),
        CheckConstraint(
            "asked_by_id <> checked_by_id AND asked_by_id <> approved_by_id AND checked_by_id <> approved_by_id",
            name="persons",
        ),
        CheckConstraint(
            "state <> 'applied' OR (approved_by_id IS NOT NULL AND (checked_by_id IS NOT NULL OR NOT is_published))",
            name="applied",
        ),
        CheckConstraint("cardinality(exam_ids) > 0 OR kind = 'item'", name="exams"),
    )

    id: Mapped[Id]
    kind: Mapped[Str]
    change: Mapped[JsonB]
    """A corrections.rules.GradeChange."""
    exam_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """The exams that were chosen, rising; none where only the bank's key is corrected."""
    kept_exam_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)
    """The exams with graded attempts that were left out of a new key, rising: they go on counting by the key of before."""
    reason: Mapped[Str]
    public_reason: Mapped[Str]
    """What candidates read."""
    is_published: Mapped[bool]
    """Whether it changes results that were visible when it was asked for: then three persons are needed."""
    fingerprint: Mapped[Str]
    """SHA-256 of what the dry run came to (corrections.rules.fingerprint)."""
    summary: Mapped[JsonB]
    """The dry run in figures."""
    attempt_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """The attempts that the dry run touched, rising."""
    state: Mapped[Str]
    asked_by_id: Mapped[BigInt]
    asked_at: Mapped[UtcDateTime]
    checked_by_id: Mapped[BigInt | None]
    checked_at: Mapped[UtcDateTime | None]
    approved_by_id: Mapped[BigInt | None]
    decided_at: Mapped[UtcDateTime | None]
    """When it was applied or rejected."""
    notified_at: Mapped[UtcDateTime | None]
    """When the messages to whom it concerns were put down; written by oversight.reminders."""


class ItemRuling(Base):
    """How one exam counts one part of a question version since a correction; the newest of a part is in force. Never changed, never deleted."""

    __tablename__ = "item_rulings"
    __table_args__ = (
        Index("ix_item_rulings_exam_id", "exam_id", "question_version_id", "part"),
        CheckConstraint("treatment IN ('key', 'best_of', 'full', 'void')", name="treatment"),
        CheckConstraint("(treatment IN ('key', 'best_of')) = (cardinality(key_ids) > 0)", name="keys"),
    )

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"))
    question_version_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("question_versions.id"))
    part: Mapped[int]
    """From 0 within the version."""
    treatment: Mapped[Str]
    """A grading.rules.Treatment."""
    key_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """The answer_keys rows it is scored by, the best counting; none for `full` and `void`."""
    correction_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("corrections.id"))
    """The correction that made it."""


class ItemMark(Base):
    """The points that a person, or the rule for blanks, gave an item: every one is kept, one is in force."""

    __tablename__ = "item_marks"
    __personal_data__ = EXAM.of(
        "人工评分", "需要人工评阅的题的得分", owner="attempt_id", needs_release=True, seen_by="本人、阅卷员、普法办"
    )
    __table_args__ = (
        UniqueConstraint("attempt_id", "item", "number"),
        Index("uq_item_marks_current", "attempt_id", "item", unique=True, postgresql_where=text("is_current")),
        CheckConstraint("points >= 0", name="points"),
        CheckConstraint("source IN ('marking', 'review', 'blank')", name="source"),
    )

    id: Mapped[Id]
    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"), info=shown("作答编号"))
    item: Mapped[int] = mapped_column(info=shown("题号"))
    number: Mapped[int] = mapped_column(info=TECHNICAL)
    points: Mapped[Points] = mapped_column(info=WITH_KEYS)
    source: Mapped[Str] = mapped_column(info=TECHNICAL)
    is_current: Mapped[bool] = mapped_column(default=True, info=shown("现行评分"))


class ExternalResult(Base):
    """A person's result in an exam as another platform told it: it counts beside the attempts. One stands at most; nothing is deleted."""

    __tablename__ = "external_results"
    __personal_data__ = EXAM.of(
        "其他平台的成绩",
        "省里等统一组织的考试成绩与本平台的一并统计",
        order="taken_at",
        needs_release=True,
        first="exam_id source",
    )
    __table_args__ = (
        Index(
            "uq_external_results_in_force",
            "exam_id",
            "person_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("ix_outside_results_import_id", "import_id"),
        Index("ix_outside_results_replaced_by_id", "replaced_by_id"),
        CheckConstraint("points >= 0 AND points <= points_possible AND points_possible > 0", name="points"),
        CheckConstraint("band IN ('excellent', 'good', 'pass', 'fail')", name="band"),
        CheckConstraint("replaced_by_id IS NULL OR undone_at IS NOT NULL", name="replaced"),
    )

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("计入时单位"))
    """The person's unit when the result came in."""
    import_id: Mapped[BigInt] = mapped_column(info=TECHNICAL)
    """The import that brought it, a row of the unit book."""
    source: Mapped[Str] = mapped_column(info=shown("来源"))
    points: Mapped[Points] = mapped_column(info=shown("得分"))
    points_possible: Mapped[Points] = mapped_column(info=shown("总分"))
    percent: Mapped[Points] = mapped_column(info=shown("百分比"))
    band: Mapped[Str] = mapped_column(info=shown("等次"))
    is_passed: Mapped[bool] = mapped_column(info=shown("合格"))
    taken_at: Mapped[UtcDateTime] = mapped_column(info=shown("考试日期"))
    recorded_at: Mapped[UtcDateTime] = mapped_column(info=shown("计入时间"))
    recorded_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    undone_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("撤销时间"))
    replaced_by_id: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    """The later import whose result took its place; it comes back where that import is undone."""


class Heartbeat(Base):
    """When a process that works by itself was last alive: the sweeper's row must be younger than a minute."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    beat_at: Mapped[UtcDateTime]
