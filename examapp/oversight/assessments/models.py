"""The yearly assessment: the office's score table, a sheet a unit, what it and the reviewers say, sealed versions, and the vote."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.personal_data import DUTY, OTHERS, TECHNICAL, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, DateCol, Id, JsonB, Points, Str, UtcDateTime


class Assessment(Base):
    """The assessment (考核) of a year: one score table for every unit."""

    __tablename__ = "duty_assessments"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'open')", name="state"),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year"),
        CheckConstraint("appeal_days BETWEEN 1 AND 60", name="appeal_days"),
    )

    id: Mapped[Id]
    year: Mapped[int] = mapped_column(unique=True)
    title: Mapped[Str]
    exam_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("exams.id"))
    """The exam whose participation and passes count."""
    state: Mapped[Str] = mapped_column(default="draft")
    bands: Mapped[JsonB] = mapped_column(default=list)
    """`[[name, least per cent as text], …]` from the highest."""
    self_due_on: Mapped[DateCol | None]
    appeal_days: Mapped[int] = mapped_column(default=7)
    vote_until: Mapped[DateCol | None]
    """The last day of the vote (社会评议); without it there is none."""
    version: Mapped[int] = mapped_column(default=1)
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]
    opened_at: Mapped[UtcDateTime | None]
    items: Mapped[list[AssessmentItem]] = relationship(
        back_populates="assessment",
        order_by="[AssessmentItem.position, AssessmentItem.id]",
        cascade="all, delete-orphan",
    )


class AssessmentItem(Base):
    """A line of the score table: item, content, points, standard, and the indicator that fills it, if any."""

    __tablename__ = "duty_assessment_items"
    __table_args__ = (
        CheckConstraint("points > 0", name="points"),
        CheckConstraint("full_from > 0 AND full_from <= 100", name="full_from"),
    )

    id: Mapped[Id]
    assessment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_assessments.id"), index=True)
    assessment: Mapped[Assessment] = relationship(back_populates="items")
    position: Mapped[int]
    section: Mapped[Str]
    content: Mapped[Str]
    points: Mapped[Points]
    standard: Mapped[Str] = mapped_column(default="")
    indicator: Mapped[Str] = mapped_column(default="")
    full_from: Mapped[Points]


class AssessmentReviewer(Base):
    """Who reviews the sheets of a year."""

    __tablename__ = "duty_assessment_reviewers"
    __personal_data__ = DUTY.of("担任评议人", "安排评议", order="added_at")

    assessment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("duty_assessments.id"), primary_key=True, info=shown("考核编号")
    )
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True, index=True)
    added_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))


class AssessmentSheet(Base):
    """A unit's score sheet of a year, from self score to seal."""

    __tablename__ = "duty_assessment_sheets"
    __table_args__ = (
        UniqueConstraint("assessment_id", "unit_id"),
        CheckConstraint("state IN ('self', 'submitted', 'fed_back', 'appealed', 'sealed')", name="state"),
        CheckConstraint("state IN ('self', 'submitted') OR total IS NOT NULL", name="total"),
    )

    id: Mapped[Id]
    assessment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_assessments.id"))
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), index=True)
    state: Mapped[Str] = mapped_column(default="self")
    version: Mapped[int] = mapped_column(default=1)
    """Goes up with every change, so that nobody decides on what he has not seen."""
    remark: Mapped[Str] = mapped_column(default="")
    """Why the office sent the sheet back; empty otherwise."""
    submitted_at: Mapped[UtcDateTime | None]
    submitted_by_id: Mapped[BigInt | None]
    fed_back_at: Mapped[UtcDateTime | None]
    total: Mapped[Points | None]
    band: Mapped[Str] = mapped_column(default="")
    appeal: Mapped[Str] = mapped_column(default="")
    appealed_at: Mapped[UtcDateTime | None]
    appeal_answer: Mapped[Str] = mapped_column(default="")
    appeal_answered_at: Mapped[UtcDateTime | None]
    sealed_at: Mapped[UtcDateTime | None]
    updated_at: Mapped[UtcDateTime]


class AssessmentScore(Base):
    """A sheet's line: what the unit gave itself and why, and the points that stand once they are fed back."""

    __tablename__ = "duty_assessment_scores"

    sheet_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_assessment_sheets.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_assessment_items.id"), primary_key=True)
    self_points: Mapped[Points | None]
    self_reason: Mapped[Str] = mapped_column(default="")
    rate: Mapped[Points | None]
    """The indicator as it stood when the points were fixed."""
    points: Mapped[Points | None]


class AssessmentReview(Base):
    """What one reviewer gives a line."""

    __tablename__ = "duty_assessment_reviews"
    __personal_data__ = DUTY.of("评议打分", "计算考核得分", owner="reviewer_id", order="reviewed_at")

    sheet_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("duty_assessment_sheets.id"), primary_key=True, info=shown("考核表")
    )
    item_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("duty_assessment_items.id"), primary_key=True, info=shown("项目")
    )
    reviewer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    points: Mapped[Points] = mapped_column(info=shown("打分"))
    remark: Mapped[Str] = mapped_column(default="", info=shown("意见"))
    reviewed_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))


class AssessmentOpinion(Base):
    """What a supervising bureau (主管单位) proposes for a unit of its system, beside the reviewers' points; the county decides."""

    __tablename__ = "duty_assessment_opinions"

    sheet_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_assessment_sheets.id"), primary_key=True)
    bureau_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), primary_key=True)
    points: Mapped[Points | None]
    """The whole sheet's points that it proposes, None without a proposal."""
    text: Mapped[Str]
    given_by_id: Mapped[BigInt | None]
    given_at: Mapped[UtcDateTime]


class AssessmentRevision(Base):
    """A sealed version of a sheet, whole: the first from the seal, each later one from a correction with its reason."""

    __tablename__ = "duty_assessment_revisions"
    __table_args__ = (UniqueConstraint("sheet_id", "number"),)

    id: Mapped[Id]
    sheet_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_assessment_sheets.id"))
    number: Mapped[int]
    reason: Mapped[Str] = mapped_column(default="")
    lines: Mapped[JsonB]
    """`[{section, content, possible, self, rate, points}, …]`, marks as text."""
    total: Mapped[Points]
    band: Mapped[Str]
    made_at: Mapped[UtcDateTime]
    made_by_id: Mapped[BigInt | None]


class VoteTaken(Base):
    """That somebody has voted on a unit: so that it is once."""

    __tablename__ = "duty_votes_taken"
    __personal_data__ = DUTY.of("已参加民主测评", "一人一票；投了什么不记名，查不出来", seen_by="无人")

    assessment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("duty_assessments.id"), primary_key=True, info=shown("考核编号")
    )
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), primary_key=True, info=shown("单位"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)


class VoteTally(Base):
    """How many gave a unit an opinion; who, is not kept."""

    __tablename__ = "duty_vote_tallies"
    __table_args__ = (
        CheckConstraint("opinion IN ('good', 'fair', 'bad')", name="opinion"),
        CheckConstraint("votes >= 0", name="votes"),
    )

    assessment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_assessments.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), primary_key=True)
    opinion: Mapped[Str] = mapped_column(primary_key=True)
    votes: Mapped[int] = mapped_column(default=0)


class DutyReminder(Base):
    """A reminder to who answers for an item, once a stage and day."""

    __tablename__ = "duty_reminders"
    __personal_data__ = DUTY.of("普法事项提醒", "到期前提醒责任人", order="created_at", term=RetentionPolicy.STUDY)
    __table_args__ = (
        UniqueConstraint("item_id", "person_id", "stage", "for_day"),
        CheckConstraint("stage IN ('soon', 'overdue', 'asked')", name="stage"),
    )

    id: Mapped[Id]
    item_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("duty_items.id", ondelete="CASCADE"), info=TECHNICAL)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), index=True)
    stage: Mapped[Str] = mapped_column(info=shown("阶段"))
    for_day: Mapped[DateCol] = mapped_column(info=shown("日期"))
    """The due date it is about; for one that somebody asked for, its day."""
    requested_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    created_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))
