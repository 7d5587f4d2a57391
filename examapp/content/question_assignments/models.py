"""Questions that the office asks a unit to write, and the files in which the unit hands them in."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.content.questions.models import QuestionImport
from examapp.db.session import Base, BigInt, DateCol, Id, Str, UtcDateTime


class AssignmentState(StrEnum):
    """Where an assignment stands."""

    OPEN = "open"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    """Sent back with words; the unit mends and submits it again."""
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


ASSIGNMENT_STATE_NAMES = {
    AssignmentState.OPEN: "待出题",
    AssignmentState.SUBMITTED: "待采用",
    AssignmentState.RETURNED: "已退回",
    AssignmentState.ACCEPTED: "已采用",
    AssignmentState.WITHDRAWN: "已作废",
}


class QuestionAssignment(Base):
    """So many questions about something that a unit is to write by a day."""

    __tablename__ = "question_assignments"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'submitted', 'returned', 'accepted', 'withdrawn')", name="state"),
        CheckConstraint("count > 0", name="count"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), index=True)
    subject: Mapped[Str]
    """A law or a topic."""
    kind: Mapped[Str] = mapped_column(default="")
    """A word of question_bank.model.Kind; empty for any."""
    count: Mapped[int]
    due_on: Mapped[DateCol] = mapped_column(Date)
    text: Mapped[Str] = mapped_column(default="")
    state: Mapped[Str] = mapped_column(default=AssignmentState.OPEN, index=True)
    answer: Mapped[Str] = mapped_column(default="")
    """Why it was sent back."""
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]
    submitted_by_id: Mapped[BigInt | None]
    submitted_at: Mapped[UtcDateTime | None]
    decided_by_id: Mapped[BigInt | None]
    decided_at: Mapped[UtcDateTime | None]

    files: Mapped[list[AssignmentFile]] = relationship(
        back_populates="assignment", order_by="AssignmentFile.import_id", passive_deletes=True
    )

    @property
    def may_be_answered(self) -> bool:
        """Return whether the unit may still add and take out questions."""
        return self.state in {AssignmentState.OPEN, AssignmentState.RETURNED}


class AssignmentFile(Base):
    """A question file of an assignment: an import that enters the bank only when the office accepts it."""

    __tablename__ = "question_assignment_files"

    import_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("question_imports.id", ondelete="CASCADE"), primary_key=True
    )
    assignment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("question_assignments.id"), index=True)

    assignment: Mapped[QuestionAssignment] = relationship(back_populates="files")
    question_import: Mapped[QuestionImport] = relationship()
