"""What a person keeps for oneself, and the question of the day."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from examapp.core.db import Base, Day, Instant, Words


class QuestionNote(Base):
    """A question that a person has kept as a favourite, or written a note to.

    Personal data: the person's own words, shown to nobody else, kept until the person deletes them.
    """

    __tablename__ = "question_notes"
    __table_args__ = (CheckConstraint("is_favourite OR note <> ''", name="something"),)

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), primary_key=True)
    is_favourite: Mapped[bool]
    note: Mapped[Words] = mapped_column(default="")
    updated_at: Mapped[Instant]


class DailyQuestion(Base):
    """The question of a day (每日一题), the same for all; nobody has to answer it, and nobody counts who does."""

    __tablename__ = "daily_questions"

    day: Mapped[Day] = mapped_column(Date, primary_key=True)
    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"))
