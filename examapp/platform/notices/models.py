"""Notices to units, people's feedback with its answers, and messages on their way out."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, BigInt, DateCol, Id, Str, UtcDateTime


class Notice(Base):
    """A notice (通知公告) that the office publishes to everybody or to one unit's subtree."""

    __tablename__ = "notices"

    id: Mapped[Id]
    title: Mapped[Str]
    body: Mapped[Str]
    """Sanitised HTML."""
    unit_id: Mapped[BigInt | None]
    """The unit whose subtree sees it; null for all. The tree lies in org, below which this room must not look."""
    is_for_admins: Mapped[bool] = mapped_column(default=False)
    """Only for unit admins, not for every candidate."""
    published_at: Mapped[UtcDateTime | None]
    withdrawn_at: Mapped[UtcDateTime | None]
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]


class NoticeReading(Base):
    """Who has opened a notice, so that the office need not ask."""

    __tablename__ = "notice_readings"

    notice_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("notices.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    read_at: Mapped[UtcDateTime]


class Feedback(Base):
    """An opinion or question (意见建议) of a person, and the office's answer to it."""

    __tablename__ = "feedbacks"
    __table_args__ = (
        Index("ix_feedbacks_unanswered", "created_at", postgresql_where="answered_at IS NULL"),
        Index("ix_feedbacks_person_id", "person_id"),
    )

    id: Mapped[Id]
    person_id: Mapped[BigInt]
    page: Mapped[Str] = mapped_column(default="")
    """The path of the page it was written on."""
    text: Mapped[Str]
    created_at: Mapped[UtcDateTime]
    answer: Mapped[Str | None]
    answered_at: Mapped[UtcDateTime | None]
    answered_by_id: Mapped[BigInt | None]
    answer_seen_at: Mapped[UtcDateTime | None]


class OutgoingState(StrEnum):
    """The life of a message on its way out."""

    WAITING = "waiting"
    SENDING = "sending"
    """Claimed by a worker; claimed again at `try_at` if the delivery was not noted."""
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"


class OutgoingMessage(Base):
    """A message to one person through the gateway (SMS, WeCom): a reminder, or a sign-in code.

    Personal data: whom the office wrote to, what and when; kept so that nobody is written to twice. The phone number is not
    copied here. A code's text goes as soon as it is sent or over, any other text after 30 days, the row after 400 days.
    """

    __tablename__ = "outgoing_messages"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed', 'expired')", name="state"),
        CheckConstraint("sent_on IS NULL OR NOT is_urgent", name="urgent_takes_no_day"),
        Index(
            "uq_outgoing_messages_one_a_day",
            "person_id",
            "sent_on",
            unique=True,
            postgresql_where=text("sent_on IS NOT NULL"),
        ),
        Index("ix_outgoing_messages_due", "try_at", postgresql_where=text("state IN ('waiting', 'sending')")),
        Index("ix_outgoing_messages_created_at", "created_at"),
    )

    id: Mapped[Id]
    person_id: Mapped[BigInt]
    """The person; persons lie above this room."""
    kind: Mapped[Str]
    text: Mapped[Str]
    once_key: Mapped[Str] = mapped_column(unique=True)
    """Says what the message is about, so that it goes out once: `chase:7:2026-11-24:143`."""
    is_urgent: Mapped[bool] = mapped_column(default=False)
    state: Mapped[Str] = mapped_column(default=OutgoingState.WAITING)
    delivery_count: Mapped[int] = mapped_column(SmallInteger, default=0)
    reason: Mapped[Str] = mapped_column(default="")
    """Why the last try did not come off; never a number or a text."""
    sent_on: Mapped[DateCol | None]
    """The county's day that this message takes up: one a day a person."""
    created_at: Mapped[UtcDateTime]
    try_at: Mapped[UtcDateTime]
    sent_at: Mapped[UtcDateTime | None]
    expires_at: Mapped[UtcDateTime]
