"""Tickets of external reviewers, and what they decided on each question."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.personal_data import OTHERS, STAFF, UNREADABLE, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, Id, Str, UtcDateTime


class Verdict(StrEnum):
    """What an external reviewer found."""

    PASSED = "passed"
    DOUBTED = "doubted"


class ReviewTicket(Base):
    """A link by which a named person from outside reads certain drafts; its token is stored as a digest alone."""

    __tablename__ = "review_tickets"
    __personal_data__ = STAFF.of(
        "外部审核人",
        "试题的第二遍阅读要能说清是谁读的",
        owner=None,
        seen_by="普法办、审计管理员",
        term=RetentionPolicy.OFFICE,
    )

    id: Mapped[Id]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True, info=UNREADABLE)
    """SHA-256 of the token."""
    reviewer: Mapped[Str] = mapped_column(info=shown("姓名"))
    workplace: Mapped[Str] = mapped_column(info=shown("工作单位"))
    created_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    created_at: Mapped[UtcDateTime] = mapped_column(info=shown("发出时间"))
    expires_at: Mapped[UtcDateTime] = mapped_column(info=shown("有效期至"))
    revoked_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("收回时间"))
    opened_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("打开时间"))
    """When the link was opened first."""

    questions: Mapped[list[TicketQuestion]] = relationship(
        back_populates="ticket", order_by="TicketQuestion.question_id"
    )

    def is_valid(self, now: datetime) -> bool:
        """Return whether the link still opens the questions."""
        return self.revoked_at is None and now < self.expires_at


class TicketQuestion(Base):
    """A question that a ticket's holder may read, and the verdict."""

    __tablename__ = "review_ticket_questions"
    __table_args__ = (
        CheckConstraint("(verdict IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("verdict IN ('passed', 'doubted')", name="verdict"),
    )

    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("review_tickets.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    """No foreign key: a draft may be deleted, its review stays on record."""
    code: Mapped[Str]
    verdict: Mapped[Str | None]
    remark: Mapped[Str] = mapped_column(default="")
    decided_at: Mapped[UtcDateTime | None]

    ticket: Mapped[ReviewTicket] = relationship(back_populates="questions")
