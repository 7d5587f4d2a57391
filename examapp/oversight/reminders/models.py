"""Reminders to people who have still to sit, lists of changes of the roster that units submit, and results from other platforms on their way in."""

from __future__ import annotations

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import EXAM, OTHERS, shown
from examapp.db.session import Base, BigInt, DateCol, Str, UtcDateTime


class ExamMessageRun(Base):
    """That the people of an exam were written to by a rule, so that each rule runs once an exam."""

    __tablename__ = "exam_message_runs"

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(Text, primary_key=True)
    """`72h@2026-11-30T10:00`: so long before that close, UTC; `results`: the results are out."""
    ran_at: Mapped[UtcDateTime]
    message_count: Mapped[int] = mapped_column(default=0, server_default="0")


class ExamReminder(Base):
    """A reminder of an exam that a person is shown on the site, one a day; the one to the phone is made from the same row."""

    __tablename__ = "exam_reminders"
    __personal_data__ = EXAM.of("考试提醒", "同一天不重复提醒", order="reminded_at")
    __table_args__ = (Index("ix_exam_reminders_person_id", "person_id", "exam_id"),)

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True, info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    reminded_on: Mapped[DateCol] = mapped_column(Date, primary_key=True, info=shown("日期"))
    group: Mapped[Str] = mapped_column(info=shown("提醒时的情况"))
    """Why: `not_started`, `in_progress`, `failed`."""
    reminded_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    reminded_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))
