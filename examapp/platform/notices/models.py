"""Notices to units, people's feedback with its answers, and messages on their way out."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import MAY_HOLD_CODE, ON_OWN_PAGE, OTHERS, TALK, TECHNICAL, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, DateCol, EncryptedColumn, Id, Str, UtcDateTime, encrypted_columns
from examapp.platform.notices.rules import email_binding


class Notice(Base):
    """A notice (通知公告) that the office publishes to everybody or to one unit's subtree."""

    __tablename__ = "notices"

    id: Mapped[Id]
    title: Mapped[Str]
    body: Mapped[Str]
    """Sanitised HTML."""
    unit_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    """The units whose subtrees see it; null for all. The tree lies in org, which this feature must not import."""
    asks_receipt: Mapped[bool] = mapped_column(default=False)
    """Whether unit admins are to sign for it (签收)."""
    is_for_admins: Mapped[bool] = mapped_column(default=False)
    """Only for unit admins, not for every candidate."""
    published_at: Mapped[UtcDateTime | None]
    withdrawn_at: Mapped[UtcDateTime | None]
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]


class NoticeReading(Base):
    """Who has opened a notice, so that the office need not ask."""

    __tablename__ = "notice_readings"
    __personal_data__ = TALK.of(
        "通知阅读", "提示未读通知", order="read_at", seen_by="本人、普法办（只看各单位人数和签收人）"
    )

    notice_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("notices.id"), primary_key=True, info=shown("通知"))
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    read_at: Mapped[UtcDateTime] = mapped_column(info=shown("阅读时间"))
    signed_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("签收时间"))


class Feedback(Base):
    """An opinion or question (意见建议) of a person, and the office's answer to it."""

    __tablename__ = "feedbacks"
    __personal_data__ = TALK.of("意见建议", "答复您提的意见", order="created_at", first="created_at")
    __table_args__ = (
        Index("ix_feedbacks_unanswered", "created_at", postgresql_where="answered_at IS NULL"),
        Index("ix_feedbacks_person_id", "person_id"),
    )

    id: Mapped[Id]
    person_id: Mapped[BigInt]
    page: Mapped[Str] = mapped_column(default="", info=shown("所在页面"))
    """The path of the page it was written on."""
    text: Mapped[Str] = mapped_column(info=shown("内容"))
    created_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))
    answer: Mapped[Str | None] = mapped_column(info=shown("答复"))
    answered_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("答复时间"))
    answered_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    answer_seen_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("阅读时间"))


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

    The phone number is not copied here. A code's text goes as soon as it is sent or over, any other text after 30 days, the row after 400 days.
    """

    __tablename__ = "outgoing_messages"
    __personal_data__ = TALK.of(
        "发给您的短信",
        "考试提醒、登录验证码，避免重复发送",
        order="created_at",
        term=RetentionPolicy.DAYS,
        seen_by="普法办（只看发送情况）",
    )
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed', 'expired')", name="state"),
        CheckConstraint("sent_on IS NULL OR NOT (is_urgent OR is_last_call)", name="urgent_takes_no_day"),
        Index(
            "uq_outgoing_messages_one_a_day",
            "person_id",
            "sent_on",
            unique=True,
            postgresql_where=text("sent_on IS NOT NULL"),
        ),
        Index("ix_outgoing_messages_due", "try_at", postgresql_where=text("state IN ('waiting', 'sending')")),
        Index("ix_outgoing_messages_created_at", "created_at"),
        Index("ix_outgoing_messages_operator_id", "operator_id", postgresql_where=text("operator_id <> ''")),
        Index("ix_outgoing_messages_poll_at", "poll_at", postgresql_where=text("poll_at IS NOT NULL")),
        CheckConstraint("report IN ('', 'delivered', 'undelivered')", name="report"),
    )

    id: Mapped[Id]
    person_id: Mapped[BigInt]
    """The person; `people` lies above this feature."""
    kind: Mapped[Str] = mapped_column(info=shown("类别"))
    text: Mapped[Str] = mapped_column(info=MAY_HOLD_CODE)
    once_key: Mapped[Str] = mapped_column(unique=True, info=TECHNICAL)
    """Says what the message is about, so that it goes out once: `chase:7:2026-11-24:143`."""
    parameters: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}", info=MAY_HOLD_CODE)
    """The variables of the SMS template, in its order; forgotten with the text."""
    is_urgent: Mapped[bool] = mapped_column(default=False, info=TECHNICAL)
    is_last_call: Mapped[bool] = mapped_column(default=False, server_default=false(), info=TECHNICAL)
    """It goes beside the day's other message, at a decent hour: the last reminder before an exam closes."""
    channel: Mapped[Str] = mapped_column(default="", server_default="", info=shown("通道"))
    """The channel that took it, or the one that it must go by (a test); empty for any."""
    state: Mapped[Str] = mapped_column(default=OutgoingState.WAITING, info=shown("状态"))
    delivery_count: Mapped[int] = mapped_column(SmallInteger, default=0, info=TECHNICAL)
    reason: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    """Why the last try did not come off; never a number or a text."""
    sent_on: Mapped[DateCol | None] = mapped_column(info=TECHNICAL)
    """The county's day that this message takes up: one a day a person."""
    created_at: Mapped[UtcDateTime] = mapped_column(info=shown("生成时间"))
    try_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)
    sent_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("发送时间"))
    operator_id: Mapped[Str] = mapped_column(default="", server_default="", info=TECHNICAL)
    """The operator's number of it."""
    segment_count: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0", info=TECHNICAL)
    """How many short messages the operator charges."""
    cost: Mapped[Decimal] = mapped_column(Numeric(9, 4), default=Decimal(0), server_default="0", info=TECHNICAL)
    """Yuan, by the price that was set when it was sent, for what the operator charges."""
    report: Mapped[Str] = mapped_column(default="", server_default="", info=shown("送达情况"))
    """What the operator reported of it afterwards: `delivered`, `undelivered`; empty for nothing yet."""
    reported_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    poll_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    """When the operator is asked for its report; null where it has come, or is not asked."""
    expires_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)


class MessagePreference(Base):
    """How a person wants to be written to outside the site: not at all, or by e-mail too. Without a row: reminders to the mobile of the roster."""

    __tablename__ = "message_preferences"
    __personal_data__ = TALK.of(
        "消息设置", "按本人意愿发送提醒", order="changed_at", term=RetentionPolicy.LEAVER, seen_by="本人"
    )

    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unsubscribed_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("停收提醒的时间"))
    """Since then only codes that the person asked for go out."""
    unsubscribed_by: Mapped[Str] = mapped_column(default="", server_default="", info=shown("停收的方式"))
    """`person`, on the site, or `reply`, by answering a short message."""
    email_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary, info=ON_OWN_PAGE)
    changed_at: Mapped[UtcDateTime] = mapped_column(info=shown("更改时间"))


encrypted_columns += [
    EncryptedColumn(
        "邮箱",
        MessagePreference.email_encrypted,
        MessagePreference.person_id,
        MessagePreference.person_id,
        email_binding,
    )
]


class MessageChannel(Base):
    """The state of a channel of the gateway, and with a `kind` that of one kind of message on it: when it last went well, how it was last refused."""

    __tablename__ = "message_channels"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    """`aliyun`, `tencent`, `file`, `http` …"""
    kind: Mapped[str] = mapped_column(Text, primary_key=True, default="")
    """Empty for the channel as a whole."""
    failure_count: Mapped[int] = mapped_column(default=0, server_default="0")
    """Failures in a row; committed, so that a restart does not forget them."""
    paused_until: Mapped[UtcDateTime | None]
    """Nothing goes by it before then."""
    succeeded_at: Mapped[UtcDateTime | None]
    failed_at: Mapped[UtcDateTime | None]
    reason: Mapped[Str] = mapped_column(default="", server_default="")
    """What the last failure was, in Chinese, and what to do."""
