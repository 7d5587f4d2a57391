"""Which barred questions an exam's papers were searched for, and what came of it."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, Id, Str, UtcDateTime


class PaperCheck(Base):
    """The barred questions that an exam's papers not yet started are known not to hold."""

    __tablename__ = "paper_checks"

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    question_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """Those without papers stand here too. One that may be drawn again leaves, so that it is searched for when it is barred a second time."""
    checked_at: Mapped[UtcDateTime]


class PaperRedraw(Base):
    """One time that papers of an exam were taken back for barred questions, or could not be."""

    __tablename__ = "paper_redraws"
    __table_args__ = (CheckConstraint("replaced >= 0 AND begun >= 0", name="counts"),)

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), index=True)
    question_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    replaced: Mapped[int]
    """Papers not yet started, to be drawn again."""
    begun: Mapped[int]
    """Papers begun or handed in, which stay as they are."""
    reason: Mapped[Str]
    shortage: Mapped[Str] = mapped_column(default="")
    """Why the papers stay as they are: the bank does not suffice without the questions. It is tried again every minute."""
    created_at: Mapped[UtcDateTime]
