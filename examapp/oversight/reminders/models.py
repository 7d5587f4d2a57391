"""Reminders to people who have still to sit, lists of changes of the roster that units submit, and results from other platforms on their way in."""

from __future__ import annotations

from sqlalchemy import BigInteger, Date, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, BigInt, DateCol, Str, UtcDateTime


class ExamReminder(Base):
    """A reminder of an exam that a person is shown on the site, one a day; the one to the phone is made from the same row.

    Personal data: that somebody had not sat yet on a day, and who reminded; kept with the exam's other records, so that the office
    can show that everybody was told.
    """

    __tablename__ = "exam_reminders"
    __table_args__ = (Index("ix_exam_reminders_person_id", "person_id", "exam_id"),)

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    reminded_on: Mapped[DateCol] = mapped_column(Date, primary_key=True)
    group: Mapped[Str]
    """Why: `not_started`, `in_progress`, `failed`."""
    reminded_by_id: Mapped[BigInt | None]
    reminded_at: Mapped[UtcDateTime]
