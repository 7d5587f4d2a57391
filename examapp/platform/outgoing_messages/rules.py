"""Kinds of messages with their texts for SMS operators, what may come of handing one over, and how long a channel that fails is left alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

MAX_PARAMETER_LENGTH = 30
"""Operators take at most 35 characters in a variable of a template."""
TEST_KIND = "test"
LONG_NUMBER = re.compile(r"\d{7,}")
"""What may be somebody's number in an operator's words: it is left out of what is stored."""
ANY_KIND = ""
"""The kind under which the state of a whole channel is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKind:
    """A kind of message: its label, the text that is filed with an SMS operator, and the names of the variables in it, in their order."""

    label: str
    template: str
    parameters: tuple[str, ...] = ()

    def for_aliyun(self) -> str:
        """Write the template as Alibaba Cloud takes it, with `${name}`."""
        return self.template.format(**{name: f"${{{name}}}" for name in self.parameters})

    def for_tencent(self) -> str:
        """Write the template as Tencent Cloud takes it, with `{1}`, `{2}`."""
        return self.template.format(**{name: f"{{{number}}}" for number, name in enumerate(self.parameters, 1)})


_EXAM = ("exam",)
KINDS = {
    "sign_in_code": MessageKind(
        label="重设密码验证码",
        template="您正在重设密码，验证码{code}，10分钟内有效，请勿告诉别人。",
        parameters=("code",),
    ),
    "chase": MessageKind(
        label="考试截止提醒（未开始）",
        template="{exam}将于{closes}截止，您还没有开始作答，请登录平台完成。",
        parameters=("exam", "closes"),
    ),
    "chase.in_progress": MessageKind(
        label="考试截止提醒（未交卷）", template="{exam}您还没有交卷，请登录平台继续并交卷。", parameters=_EXAM
    ),
    "chase.failed": MessageKind(
        label="可以再考或补考", template="{exam}您还可以再次参加或补考，请登录平台查看安排。", parameters=_EXAM
    ),
    "results.opened": MessageKind(
        label="成绩公布", template="{exam}的成绩已经公布，请登录平台查看。", parameters=_EXAM
    ),
    "grading.correction": MessageKind(label="成绩更正", template="您参加的考试成绩作了更正，请登录平台查看。"),
    "duties.remind": MessageKind(label="普法责任提醒", template="您负责的普法责任清单有事项待落实，请登录平台查看。"),
    TEST_KIND: MessageKind(label="测试", template="这是学法考试平台的测试消息，收到即表示通道正常。"),
}
"""Every kind that goes out. No template has room for marks, answers or a name: a phone is seen by others."""


CHANNEL_LABELS = {
    "aliyun": "阿里云短信",
    "tencent": "腾讯云短信",
    "wecom": "企业微信",
    "dingtalk": "钉钉",
    "smtp": "电子邮件",
    "file": "写入文件",
    "http": "推送网关",
}


def kind_label(kind: str) -> str:
    """Give the label of a kind; the kind itself where it has none."""
    return KINDS[kind].label if kind in KINDS else kind


def cut_parameters(values: Sequence[str]) -> list[str]:
    """Cut the variables of a template to the length that operators take."""
    return [
        value if len(value) <= MAX_PARAMETER_LENGTH else f"{value[: MAX_PARAMETER_LENGTH - 1]}…"
        for value in (" ".join(value.split()) for value in values)
    ]


class DeliveryOutcome(StrEnum):
    """What came of handing a message over."""

    TAKEN = "taken"
    BUSY = "busy"
    """The operator asks to come again later: too many at once, or too many to this number. Says nothing against the channel."""
    UNREACHABLE = "unreachable"
    """No answer, or none that can be read; it may have been taken all the same. Counts against the channel."""
    RECIPIENT_REJECTED = "recipient_rejected"
    """This recipient can't be written to: another try is useless."""
    TEMPLATE_REJECTED = "template_rejected"
    """The operator refuses the template or signature: messages of this kind wait until somebody has seen to it."""
    CHANNEL_REJECTED = "channel_rejected"
    """The operator refuses the account: wrong keys, no money, not allowed from this address. All messages of the channel wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that this process must hand over now; `once_key` lets the receiver recognise a second delivery."""

    id: int
    person_id: int
    kind: str
    text: str
    parameters: tuple[str, ...]
    once_key: str
    channel: str = ""
    """The one channel that it may go by; empty for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of a hand-over; `reason` says in Chinese what to do, with the operator's words, never a number or a text."""

    outcome: DeliveryOutcome
    reason: str = ""
    operator_id: str = ""
    """The operator's number of a message that it has taken."""
    segment_count: int = 0
    """How many short messages it is charged as; 0 where nothing is charged."""

    @property
    def is_taken(self) -> bool:
        """Whether the channel has taken the message."""
        return self.outcome is DeliveryOutcome.TAKEN

    @property
    def is_definite(self) -> bool:
        """Whether the message surely was not taken by this channel, so that the next one may try."""
        return self.outcome not in {DeliveryOutcome.TAKEN, DeliveryOutcome.BUSY, DeliveryOutcome.UNREACHABLE}


ALL_PAUSED = Delivery(outcome=DeliveryOutcome.CHANNEL_REJECTED, reason="通道暂停中，恢复后自动再发。")
POLLED = frozenset({"aliyun", "tencent", "dingtalk"})
"""The channels whose operators are asked what became of a message; the others report by themselves or not at all."""
FIRST_POLL, NEXT_POLL, LAST_POLL = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
"""After sending the report is asked for, again each hour without one, for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What an operator says afterwards of a message that it took, named by its own number, by our `once_key`, or by our number."""

    is_delivered: bool
    operator_id: str = ""
    once_key: str = ""
    message_id: int | None = None
    """Our own number of the message, where the operator gives back what was sent with it."""
    code: str = ""
    segment_count: int | None = None
    """How many short messages it charges, where it says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message of which no report has come yet."""

    id: int
    person_id: int
    channel: str
    operator_id: str
    sent_at: datetime


NO_ADDRESS = {
    kind: Delivery(outcome=DeliveryOutcome.RECIPIENT_REJECTED, reason=reason)
    for kind, reason in (("mobile", "没有登记手机号"), ("email", "没有在“消息设置”里填邮箱"))
}
"""What a message comes to whose recipient has no address of the channel's kind."""


class Gateway(Protocol):
    """What takes messages to people outside: one channel."""

    @property
    def name(self) -> str:
        """Its name, as the settings and the database have it."""

    @property
    def address_kind(self) -> str:
        """By which address of a person it writes: `mobile` or `email`."""

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:
        """Hand a message over; never raises."""

    def find_report(self, message: SentMessage, address: str, *, now: datetime) -> DeliveryReport | None:
        """Ask what became of a message, None where nothing is known yet; never raises. Only of the channels in `POLLED`."""


_FAILURES_TO_OPEN = 3
"""Failures in a row after which a channel is left alone."""
_FIRST_PAUSE, _MAX_PAUSE = timedelta(minutes=1), timedelta(minutes=30)
_REJECTED_PAUSE = timedelta(minutes=30)


def pause_after(outcome: DeliveryOutcome, failure_count: int) -> timedelta | None:
    """Give how long a channel is left alone after so many failures in a row; None where it goes on.

    A circuit breaker: from the third failure a pause, twice as long with each further one; after it a single message tries.
    """
    if outcome in {DeliveryOutcome.TEMPLATE_REJECTED, DeliveryOutcome.CHANNEL_REJECTED}:
        return _REJECTED_PAUSE
    if outcome is not DeliveryOutcome.UNREACHABLE or failure_count < _FAILURES_TO_OPEN:
        return None
    return min(_MAX_PAUSE, _FIRST_PAUSE * (1 << min(failure_count - _FAILURES_TO_OPEN, 10)))
