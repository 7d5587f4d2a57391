"""What a person keeps for oneself, and the question of the day."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import STUDY, shown
from examapp.db.session import Base, BigInt, DateCol, Str, UtcDateTime


class QuestionNote(Base):
    """A question that a person has kept as a favourite, or written a note to."""

    __tablename__ = "question_notes"
    __personal_data__ = STUDY.of("收藏和笔记", "本人自用", order="updated_at")
    __table_args__ = (CheckConstraint("is_favourite OR note <> ''", name="something"),)

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("questions.id"), primary_key=True, info=shown("试题")
    )
    is_favourite: Mapped[bool] = mapped_column(info=shown("收藏"))
    note: Mapped[Str] = mapped_column(default="", info=shown("笔记"))
    updated_at: Mapped[UtcDateTime] = mapped_column(info=shown("更新时间"))


class DailyQuestion(Base):
    """The question of a day (每日一题), the same for all; nobody has to answer it, and nobody counts who does."""

    __tablename__ = "daily_questions"

    day: Mapped[DateCol] = mapped_column(Date, primary_key=True)
    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"))


class PracticeMark(Base):
    """The office's word on a question: open for practice whatever exam comes, or never practised. Without a row the holds decide."""

    __tablename__ = "practice_marks"

    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), primary_key=True)
    is_open: Mapped[bool]
    marked_by_id: Mapped[BigInt | None]
    marked_at: Mapped[UtcDateTime]


class PracticeHold(Base):
    """A question that a coming exam draws so often that practice would give it away; gone once the exam is over."""

    __tablename__ = "practice_holds"

    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), primary_key=True)
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True, index=True)
