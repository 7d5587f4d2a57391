"""What practice may draw: the office's marks, and what is held back for a coming exam (docs/decisions/0010)."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from examapp.core.db import Base, BigInt, Instant


class PracticeMark(Base):
    """The office's word on a question: open for practice whatever exam comes, or never practised. Without a row the holds decide."""

    __tablename__ = "practice_marks"

    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), primary_key=True)
    is_open: Mapped[bool]
    marked_by_id: Mapped[BigInt | None]
    marked_at: Mapped[Instant]


class PracticeHold(Base):
    """A question that a coming exam draws so often that practice would give it away; gone once the exam is over."""

    __tablename__ = "practice_holds"

    question_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("questions.id"), primary_key=True)
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True, index=True)
