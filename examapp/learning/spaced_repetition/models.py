"""What a person remembers: a card for each part of a question that was answered, and what units lack after an exam."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import STUDY, TECHNICAL, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, Str, UtcDateTime


class ReviewCard(Base):
    """A person's card of a part of a question: how it was last answered and, once it was wrong or unsure, when it comes back."""

    __tablename__ = "review_cards"
    __personal_data__ = STUDY.of(
        "错题本",
        "安排复习",
        order="answered_at",
        term=RetentionPolicy.RESULTS,
        seen_by="本人；单位只看 5 人以上的合计",
        first="question_id exam_id",
    )
    __table_args__ = (
        CheckConstraint("(due_at IS NULL) = (stability IS NULL)", name="scheduled"),
        Index("ix_review_cards_person_id_due_at", "person_id", "due_at"),
    )

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("questions.id"), primary_key=True, info=shown("试题")
    )
    part: Mapped[int] = mapped_column(SmallInteger, primary_key=True, info=TECHNICAL)
    """The sub-question, from 0."""
    is_right: Mapped[bool] = mapped_column(info=shown("上次答对"))
    """Whether the last answer was right."""
    lapses: Mapped[int] = mapped_column(SmallInteger, default=0, info=shown("答错次数"))
    """How often it was answered wrong."""
    answered_at: Mapped[UtcDateTime] = mapped_column(info=shown("上次作答"))
    due_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("下次复习"))
    """When it comes back; null where it was never wrong nor unsure."""
    stability: Mapped[Decimal | None] = mapped_column(Numeric(12, 4), info=TECHNICAL)
    """In days: after so many it is remembered with nine chances in ten."""
    difficulty: Mapped[Decimal | None] = mapped_column(Numeric(6, 4), info=TECHNICAL)
    """From 1 to 10."""
    item_id: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    """The practised item that it was last answered in; null where that was an exam."""
    exam_id: Mapped[BigInt | None] = mapped_column(info=shown("考试"))
    """The exam that it was last answered in."""


class DueCount(Base):
    """How many cards of a person are due on a day, as the night's count found them; overwritten each night. For sums over units only."""

    __tablename__ = "due_counts"
    __personal_data__ = STUDY.of("待复习题数", "首页提示", order="counted_at")

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    due: Mapped[int] = mapped_column(info=shown("题数"))
    counted_at: Mapped[UtcDateTime] = mapped_column(info=shown("统计时间"))


class HarvestedAttempt(Base):
    """A graded attempt whose answers have become cards, after the release of its keys. Holds no answer itself."""

    __tablename__ = "harvested_attempts"
    __personal_data__ = STUDY.of(
        "记入错题本的考试",
        "一次考试的错题只记入一次",
        order="harvested_at",
        term=RetentionPolicy.RESULTS,
        seen_by="无人",
    )

    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"), primary_key=True, info=TECHNICAL)
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), index=True)
    harvested_at: Mapped[UtcDateTime] = mapped_column(info=shown("记入时间"))
    grade_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("grades.id"), info=TECHNICAL)
    """The grade that cards and sums stand on; where another counts now, they are made again."""


class UnitWeakness(Base):
    """How a unit's people fared in one exam with one law or knowledge point: sums, no names."""

    __tablename__ = "unit_weaknesses"
    __table_args__ = (CheckConstraint("asked >= right_count AND right_count >= 0", name="right_count"),)

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), primary_key=True)
    """The unit of the moment of attempt."""
    kind: Mapped[Str] = mapped_column(primary_key=True)
    """`law` or `point`."""
    name: Mapped[Str] = mapped_column(primary_key=True)
    candidate_count: Mapped[int]
    """People who had it in their first attempt that was taken up."""
    asked: Mapped[int]
    right_count: Mapped[int]


class UnitMastery(Base):
    """How a unit's people stand to a law or knowledge point by their last answers: sums, no names; written again by the count of due reviews."""

    __tablename__ = "unit_mastery"
    __table_args__ = (CheckConstraint("answered >= right_count AND right_count >= 0", name="right_count"),)

    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), primary_key=True)
    """The people's unit at the count; each person belongs to one, so that sums over sub-units count nobody twice."""
    kind: Mapped[Str] = mapped_column(primary_key=True)
    """`law` or `point`."""
    name: Mapped[Str] = mapped_column(primary_key=True)
    people: Mapped[int]
    answered: Mapped[int]
    right_count: Mapped[int]
    counted_at: Mapped[UtcDateTime]
