"""What a person remembers: a card for each part of a question that was answered, and what units lack after an exam."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, BigInt, Str, UtcDateTime


class ReviewCard(Base):
    """A person's card of a part of a question: how it was last answered and, once it was wrong or unsure, when it comes back.

    Personal data: which questions of law a person gets wrong. For the person alone; units see sums over at least five people. Kept while
    the person is on the roster, and taken away with the person's practice.
    """

    __tablename__ = "review_cards"
    __table_args__ = (
        CheckConstraint("(due_at IS NULL) = (stability IS NULL)", name="scheduled"),
        Index("ix_review_cards_person_id_due_at", "person_id", "due_at"),
    )

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), primary_key=True)
    part: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """The sub-question, from 0."""
    is_right: Mapped[bool]
    """Whether the last answer was right."""
    lapses: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often it was answered wrong."""
    answered_at: Mapped[UtcDateTime]
    due_at: Mapped[UtcDateTime | None]
    """When it comes back; null where it was never wrong nor unsure."""
    stability: Mapped[Decimal | None] = mapped_column(Numeric(12, 4))
    """In days: after so many it is remembered with nine chances in ten."""
    difficulty: Mapped[Decimal | None] = mapped_column(Numeric(6, 4))
    """From 1 to 10."""
    item_id: Mapped[BigInt | None]
    """The practised item that it was last answered in; null where that was an exam."""
    exam_id: Mapped[BigInt | None]
    """The exam that it was last answered in."""


class DueCount(Base):
    """How many cards of a person are due on a day, as the night's count found them; overwritten each night. For sums over units only."""

    __tablename__ = "due_counts"

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    due: Mapped[int]
    counted_at: Mapped[UtcDateTime]


class HarvestedAttempt(Base):
    """A graded attempt whose answers have become cards, after the release of its keys. Holds no answer itself."""

    __tablename__ = "harvested_attempts"

    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"), primary_key=True)
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), index=True)
    harvested_at: Mapped[UtcDateTime]
    grade_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("grades.id"))
    """The grade that cards and sums stand on; where another counts now, they are made anew."""


class UnitWeakness(Base):
    """How a unit's people fared in one exam with one law or knowledge point: sums, no names."""

    __tablename__ = "unit_weaknesses"
    __table_args__ = (CheckConstraint("asked >= right_count AND right_count >= 0", name="right_count"),)

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), primary_key=True)
    """The unit of the moment of sitting."""
    kind: Mapped[Str] = mapped_column(primary_key=True)
    """`law` or `point`."""
    name: Mapped[Str] = mapped_column(primary_key=True)
    sitters: Mapped[int]
    """People who had it in their first sitting that was taken up."""
    asked: Mapped[int]
    right_count: Mapped[int]


class UnitMastery(Base):
    """How a unit's people stand to a law or knowledge point by their last answers: sums, no names; written anew by the count of due reviews."""

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
