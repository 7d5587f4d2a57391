"""The channels of the message gateway that need no operator: a file, a signed post, e-mail; how all are opened; what comes back from them.

Each hand-over ends within seconds and never raises.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import smtplib
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.config import Settings
from examapp.config_messages import channel_names
from examapp.errors import NotFoundError
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.platform.message_operators.actions import AliyunSms, DingTalkApp, TencentSms, WeComApp, unreachable
from examapp.platform.notices.models import MessagePreference, OutgoingMessage, OutgoingState
from examapp.platform.notices.rules import email_binding
from examapp.platform.outgoing_messages.actions import note_taken
from examapp.platform.outgoing_messages.rules import (
    LAST_POLL,
    LONG_NUMBER,
    NEXT_POLL,
    Claimed,
    Delivery,
    DeliveryOutcome,
    DeliveryReport,
    Gateway,
    SentMessage,
    kind_label,
)
from examapp.security.ciphers import FieldCipher
from examapp.security.http_client import EXCHANGE_LIMIT_S, STEP_TIMEOUT_S, ExchangeError, cut_after, exchange

AUDIT_ACTS = {"messages.choose": "更改消息设置"}
AUDIT_OBJECTS = {"message_preference": "消息设置"}
AUDIT_DETAILS = {"wants_reminders": "接收提醒"}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


def open_channels(settings: Settings) -> dict[str, Gateway]:
    """Open the channels that the settings name, in their order, by name; none where the gateway is off."""
    channels: list[Gateway] = []
    for name in channel_names(settings.message_gateway):
        if name.startswith("file:"):
            channels.append(FileGateway(path=Path(name.removeprefix("file:"))))
        elif name.startswith("http"):
            channels.append(HttpGateway(url=name, secret=settings.message_gateway_secret))
        else:
            channels.append(_BY_NAME[name](settings=settings))
    return {channel.name: channel for channel in channels}


def _letter(message: Claimed, address: str, now: datetime) -> bytes:
    letter = {
        "id": message.once_key,
        "kind": message.kind,
        "mobile": address,
        "text": message.text,
        "time": now.isoformat(timespec="seconds"),
    }
    return json.dumps(letter, ensure_ascii=False).encode()


class _Unasked:
    """A channel that is not asked for reports."""

    __slots__ = ()

    def find_report(self, message: SentMessage, address: str, *, now: datetime) -> DeliveryReport | None:  # noqa: ARG002 – of channels that are asked
        """Say that nothing is known."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGateway(_Unasked):
    """Appends a line of JSON a message, readable by the owner alone, for a program of the county to pick up."""

    path: Path
    name: str = "file"
    address_kind: str = "mobile"

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:
        """Append the message and wait until the disk has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(_letter(message, address, now) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            text = error.strerror or type(error).__name__
            reason = f"写入文件失败（{text}）。请系统管理员检查 MESSAGE_GATEWAY 的目录和磁盘。"
            return Delivery(outcome=DeliveryOutcome.UNREACHABLE, reason=reason)
        return Delivery(outcome=DeliveryOutcome.TAKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGateway(_Unasked):
    """Posts JSON with `X-Timestamp` and `X-Signature: sha256=HMAC(secret, timestamp + "." + body)`; any 2xx means taken."""

    url: str
    secret: str
    name: str = "http"
    address_kind: str = "mobile"

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:
        """Post the message; a rejection that would stand at another try is final."""
        body = _letter(message, address, now)
        try:
            status, _ = exchange(self.url, body=body, headers=self._headers(body, message, now=now))
        except ExchangeError as error:
            return unreachable(error)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return Delivery(outcome=DeliveryOutcome.TAKEN)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Delivery(outcome=DeliveryOutcome.UNREACHABLE, reason=f"网关答复 {status}")
        is_final = status not in _PASSING
        outcome = DeliveryOutcome.RECIPIENT_REJECTED if is_final else DeliveryOutcome.BUSY
        return Delivery(outcome=outcome, reason=f"网关答复 {status}")

    def _headers(self, body: bytes, message: Claimed, *, now: datetime) -> dict[str, str]:
        stamp = str(int(now.timestamp()))
        signature = hmac.new(self.secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": hashlib.sha256(message.once_key.encode()).hexdigest(),
            "X-Timestamp": stamp,
            "X-Signature": f"sha256={signature}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpMail(_Unasked):
    """Sends an e-mail over TLS; a server that does not encrypt is given nothing."""

    settings: Settings
    name: str = "smtp"
    address_kind: str = "email"

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:
        """Send the message; its id is the same at every try, so that a mail system knows it again."""
        try:
            return self._send(self._letter(message, address, now))
        except smtplib.SMTPRecipientsRefused as error:
            code = next((code for code, _ in error.recipients.values()), 550)
            return _mail_rejection(
                code, DeliveryOutcome.RECIPIENT_REJECTED, "对方邮箱地址不对或拒收。请本人在“消息设置”里核对邮箱。"
            )
        except smtplib.SMTPDataError as error:
            return _mail_rejection(error.smtp_code, DeliveryOutcome.RECIPIENT_REJECTED, "邮件服务器不收这封信。")
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused) as error:
            reason = (
                "发信账号、密码或发件人不对。请系统管理员核对 SMTP_URL、SMTP_PASSWORD、SMTP_SENDER 后重启，再按“测试”。"
            )
            return _mail_rejection(error.smtp_code, DeliveryOutcome.CHANNEL_REJECTED, reason)
        except smtplib.SMTPNotSupportedError:
            reason = "邮件服务器不支持加密或登录，没有发送。请系统管理员把 SMTP_URL 改为 smtps:// 或换一台服务器。"
            return Delivery(outcome=DeliveryOutcome.CHANNEL_REJECTED, reason=reason)
        except (smtplib.SMTPException, *ExchangeError) as error:
            return unreachable(error)

    def _send(self, letter: EmailMessage) -> Delivery:
        parts, context = urlsplit(self.settings.smtp_url), tls_context()
        is_encrypted = parts.scheme == "smtps"
        server = (
            smtplib.SMTP_SSL(timeout=STEP_TIMEOUT_S, context=context)
            if is_encrypted
            else smtplib.SMTP(timeout=STEP_TIMEOUT_S)
        )
        server._host = parts.hostname or ""  # type: ignore[attr-defined]  # noqa: SLF001 – what the certificate must name; set only by the constructor that connects
        with cut_after(lambda: server.sock, EXCHANGE_LIMIT_S):
            try:
                server.connect(parts.hostname or "", parts.port or (465 if is_encrypted else 587))
                if not is_encrypted:
                    server.starttls(context=context)
                if parts.username:
                    server.login(unquote(parts.username), self.settings.smtp_password)
                server.send_message(letter)
            finally:
                server.close()
        return Delivery(outcome=DeliveryOutcome.TAKEN)

    def _letter(self, message: Claimed, address: str, now: datetime) -> EmailMessage:
        letter, sender = EmailMessage(), self.settings.smtp_sender
        letter["From"] = formataddr((self.settings.organisation, sender))
        letter["To"], letter["Subject"] = address, f"{self.settings.site_name}：{kind_label(message.kind)}"
        letter["Date"], letter["Auto-Submitted"] = format_datetime(now), "auto-generated"
        number = hashlib.sha256(message.once_key.encode()).hexdigest()[:32]
        letter["Message-ID"] = f"<{number}@{sender.rpartition('@')[2]}>"
        letter.set_content(f"{message.text}\n\n不想再收到提醒的，请登录平台，在“消息设置”中关闭。\n")
        return letter


def tls_context() -> ssl.SSLContext:
    """Give the settings of TLS by which a mail server's certificate is checked."""
    return ssl.create_default_context()


def _mail_rejection(code: int, outcome: DeliveryOutcome, sentence: str) -> Delivery:
    """Give a rejection with the server's code; one of the 400s is tried again."""
    is_passing = code < HTTPStatus.INTERNAL_SERVER_ERROR
    return Delivery(
        outcome=DeliveryOutcome.BUSY if is_passing else outcome, reason=f"{sentence}（邮件服务器答复：{code}）"
    )


_BY_NAME: dict[str, Callable[..., Gateway]] = {
    "aliyun": AliyunSms,
    "tencent": TencentSms,
    "wecom": WeComApp,
    "dingtalk": DingTalkApp,
    "smtp": SmtpMail,
}


def choose_messages(context: ActionContext, *, wants_reminders: bool, email: str | None, cipher: FieldCipher) -> None:
    """Store how the actor wants to be written to; an empty e-mail address takes the stored one away, None leaves it."""
    session, person_id = context.session, context.actor.person_id
    if person_id is None:
        raise NotFoundError
    session.execute(
        insert(MessagePreference).values(person_id=person_id, changed_at=context.now).on_conflict_do_nothing()
    )
    chosen = session.get_one(MessagePreference, person_id, with_for_update=True, populate_existing=True)
    if wants_reminders:
        chosen.unsubscribed_at, chosen.unsubscribed_by = None, ""
    elif chosen.unsubscribed_at is None:
        chosen.unsubscribed_at, chosen.unsubscribed_by = context.now, "person"
    if email is not None:
        chosen.email_encrypted = cipher.seal(email, associated_data=email_binding(person_id)) if email else None
    chosen.changed_at = context.now
    details = {"wants_reminders": wants_reminders}
    record(context, "messages.choose", object_type="message_preference", person_id=person_id, details=details)


def note_report(
    session: Session, channel: str, report: DeliveryReport, *, price: Decimal = Decimal(0), now: datetime
) -> bool:
    """Note what an operator says of a message afterwards; the first word counts, a doubled one changes nothing. Gives whether it was news.

    A report of a message that waits to be tried again says that it was taken and only the reply was lost: it is not sent twice.
    """
    _note_lost_reply(session, channel, report, price=price, now=now)
    of_message = (
        OutgoingMessage.once_key == report.once_key
        if report.once_key
        else and_(OutgoingMessage.operator_id == report.operator_id, OutgoingMessage.operator_id != "")
    )
    message = session.scalar(
        select(OutgoingMessage)
        .where(of_message, OutgoingMessage.channel == channel, OutgoingMessage.state == OutgoingState.SENT)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if message is None or message.report:
        return False
    message.report, message.reported_at, message.poll_at = "delivered", now, None
    if not report.is_delivered:
        message.report = "undelivered"
        message.reason = (
            f"运营商报告没有送到（{LONG_NUMBER.sub('…', report.code)[:60]}）。请核对手机号，或用其他方式通知。"
        )
    if report.segment_count is not None and message.segment_count and report.segment_count != message.segment_count:
        message.cost = message.cost / message.segment_count * report.segment_count
        message.segment_count = report.segment_count
    return True


def _note_lost_reply(session: Session, channel: str, report: DeliveryReport, *, price: Decimal, now: datetime) -> None:
    if report.message_id is None or not report.operator_id:
        return
    message = session.scalar(
        select(OutgoingMessage)
        .where(
            OutgoingMessage.id == report.message_id,
            OutgoingMessage.state == OutgoingState.WAITING,
            OutgoingMessage.delivery_count > 0,
            OutgoingMessage.channel.in_(["", channel]),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if message is None:
        return
    note_taken(message, channel, report.operator_id, report.segment_count or 1, price=price, now=now)
    message.sent_on, message.reason = None if message.is_urgent or message.is_last_call else day_of(now), ""
    session.flush()


def list_unreported(session: Session, channels: Collection[str], *, now: datetime, limit: int) -> list[SentMessage]:
    """List messages of these channels whose operator is to be asked now, and set when it is asked again."""
    rows = session.scalars(
        select(OutgoingMessage)
        .where(OutgoingMessage.poll_at <= now, OutgoingMessage.channel.in_(channels))
        .order_by(OutgoingMessage.poll_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    found = []
    for row in rows:
        assert row.sent_at is not None
        row.poll_at = now + NEXT_POLL if now - row.sent_at < LAST_POLL else None
        found.append(
            SentMessage(
                id=row.id,
                person_id=row.person_id,
                channel=row.channel,
                operator_id=row.operator_id,
                sent_at=row.sent_at,
            )
        )
    return found


def unsubscribe_by_reply(session: Session, person_ids: Collection[int], *, now: datetime) -> int:
    """Take down that people answered a short message by not wanting any more; gives how many had not said so before."""
    count = 0
    for person_id in person_ids:
        values = {"unsubscribed_at": now, "unsubscribed_by": "reply", "changed_at": now}
        statement = insert(MessagePreference).values(person_id=person_id, **values)
        changed = session.scalar(
            statement.on_conflict_do_update(
                index_elements=["person_id"], set_=values, where=MessagePreference.unsubscribed_at.is_(None)
            ).returning(MessagePreference.person_id)
        )
        if changed is not None:
            count += 1
            context = ActionContext(session, SYSTEM, now)
            details = {"wants_reminders": False}
            record(context, "messages.choose", object_type="message_preference", person_id=person_id, details=details)
    return count
