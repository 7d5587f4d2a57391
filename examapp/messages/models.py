"""Notices to units, and people's feedback with its answers."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from examapp.core.db import Base, BigInt, Id, Instant, Words


class Notice(Base):
    """A notice (通知公告) that the office publishes to everybody or to one unit's subtree."""

    __tablename__ = "notices"

    id: Mapped[Id]
    title: Mapped[Words]
    body: Mapped[Words]
    """Sanitised HTML."""
    unit_id: Mapped[BigInt | None]
    """The unit whose subtree sees it; null for all. The tree lies in org, below which this room must not look."""
    is_for_admins: Mapped[bool] = mapped_column(default=False)
    """Only for unit admins, not for every candidate."""
    published_at: Mapped[Instant | None]
    withdrawn_at: Mapped[Instant | None]
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[Instant]


class NoticeReading(Base):
    """Who has opened a notice, so that the office need not ask."""

    __tablename__ = "notice_readings"

    notice_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("notices.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    read_at: Mapped[Instant]


class Feedback(Base):
    """An opinion or question (意见建议) of a person, and the office's answer to it."""

    __tablename__ = "feedbacks"
    __table_args__ = (
        Index("ix_feedbacks_unanswered", "created_at", postgresql_where="answered_at IS NULL"),
        Index("ix_feedbacks_person_id", "person_id"),
    )

    id: Mapped[Id]
    person_id: Mapped[BigInt]
    page: Mapped[Words] = mapped_column(default="")
    """The path of the page it was written on."""
    text: Mapped[Words]
    created_at: Mapped[Instant]
    answer: Mapped[Words | None]
    answered_at: Mapped[Instant | None]
    answered_by_id: Mapped[BigInt | None]
    answer_seen_at: Mapped[Instant | None]
