"""The channels of the message gateway that need no operator: a file, a signed post, e-mail; and how all are opened by the settings.

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
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from examapp.config import Settings
from examapp.config_messages import channel_names
from examapp.platform.message_operators.actions import AliyunSms, DingTalkApp, TencentSms, WeComApp, unreachable
from examapp.platform.outgoing_messages.rules import Claimed, Delivery, DeliveryOutcome, Gateway, kind_label
from examapp.security.http_client import EXCHANGE_LIMIT_S, STEP_TIMEOUT_S, ExchangeError, cut_after, exchange

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGateway:
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
class HttpGateway:
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
class SmtpMail:
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
    """Give a refusal with the server's code; one of the 400s is tried again."""
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
