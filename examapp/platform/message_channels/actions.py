"""Adapters of the message gateway: a file, a signed post, and SMS operators. Each hand-over ends within seconds and never raises."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from examapp.config import Settings
from examapp.config_messages import channel_names
from examapp.platform.message_channels.rules import (
    acs3_headers,
    canonical_query,
    count_segments,
    missing_template,
    refusal,
    tc3_headers,
    text_of,
    unreadable,
)
from examapp.platform.outgoing_messages.rules import KINDS, Claimed, Delivery, Gateway, Outcome
from examapp.security.http_client import ExchangeError, exchange

_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


def open_channels(settings: Settings) -> dict[str, Gateway]:
    """Open the channels that the settings name, in their order, by name; none where the gateway is off."""
    made: dict[str, Callable[[Settings], Gateway]] = {"aliyun": AliyunSms.open, "tencent": TencentSms.open}
    channels: list[Gateway] = []
    for name in channel_names(settings.message_gateway):
        if name.startswith("file:"):
            channels.append(FileGateway(path=Path(name.removeprefix("file:"))))
        elif name.startswith("http"):
            channels.append(HttpGateway(url=name, secret=settings.message_gateway_secret))
        else:
            channels.append(made[name](settings))
    return {channel.name: channel for channel in channels}


def exchange_json(url: str, *, body: bytes = b"", headers: Mapping[str, str], method: str = "POST") -> Any:
    """Exchange and give the JSON object of the reply, or the delivery that an answer of another kind or none comes to."""
    try:
        status, content = exchange(url, body=body, headers=headers, method=method)
    except ExchangeError as error:
        return unreachable(error)
    try:
        reply = json.loads(content)
    except (ValueError, RecursionError):
        return unreadable(status)
    is_known = isinstance(reply, dict) and status < HTTPStatus.INTERNAL_SERVER_ERROR
    return reply if is_known else unreadable(status)


def unreachable(error: Exception) -> Delivery:
    """Give what a connection that failed, was cut or timed out comes to; the message may have been taken."""
    name = type(error).__name__
    reason = f"通道连接失败或超时（{name}），会自动再发。一直如此的，请系统管理员检查服务器能否访问这个地址。"
    return Delivery(outcome=Outcome.UNREACHABLE, reason=reason)


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
            words = error.strerror or type(error).__name__
            reason = f"写入文件失败（{words}）。请系统管理员检查 MESSAGE_GATEWAY 的目录和磁盘。"
            return Delivery(outcome=Outcome.UNREACHABLE, reason=reason)
        return Delivery(outcome=Outcome.TAKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGateway:
    """Posts JSON with `X-Timestamp` and `X-Signature: sha256=HMAC(secret, timestamp + "." + body)`; any 2xx means taken."""

    url: str
    secret: str
    name: str = "http"

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:
        """Post the message; a rejection that would stand at another try is final."""
        body = _letter(message, address, now)
        try:
            status, _ = exchange(self.url, body=body, headers=self._headers(body, message, now=now))
        except ExchangeError as error:
            return unreachable(error)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return Delivery(outcome=Outcome.TAKEN)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Delivery(outcome=Outcome.UNREACHABLE, reason=f"网关答复 {status}")
        is_final = status not in _PASSING
        outcome = Outcome.RECIPIENT_REFUSED if is_final else Outcome.BUSY
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
class AliyunSms:
    """Sends by Alibaba Cloud's SendSms (2017-05-25). A refusal comes as a `Code` other than OK, mostly with status 200."""

    settings: Settings
    name: str = "aliyun"

    @classmethod
    def open(cls, settings: Settings) -> AliyunSms:
        """Open the channel by its settings."""
        return cls(settings=settings)

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:
        """Send a short message by the template of its kind."""
        template = self.settings.find_sms_template(message.kind)
        if template is None:
            return missing_template(message.kind)
        reply = self._call("SendSms", self._fields(message, address, template), now=now)
        if isinstance(reply, Delivery):
            return reply
        if (code := text_of(reply, "Code")) != "OK":
            return refusal(self.name, message.kind, code or "无错误码", text_of(reply, "Message"))
        segments = count_segments(message, self.settings.sms_sign_name)
        return Delivery(outcome=Outcome.TAKEN, operator_id=text_of(reply, "BizId"), segment_count=segments)

    def _fields(self, message: Claimed, address: str, template: str) -> dict[str, str]:
        names = KINDS[message.kind].parameters if message.kind in KINDS else ()
        values = dict(zip(names, message.parameters, strict=False))
        return {
            "PhoneNumbers": address,
            "SignName": self.settings.sms_sign_name,
            "TemplateCode": template,
            "TemplateParam": json.dumps(values, ensure_ascii=False),
            "OutId": str(message.id),
        }

    def _call(self, action: str, query: dict[str, str], *, now: datetime) -> Any:
        settings = self.settings
        headers = acs3_headers(
            action,
            version="2017-05-25",
            host=urlsplit(settings.aliyun_sms_url).netloc,
            query=query,
            key_id=settings.aliyun_access_key_id,
            secret=settings.aliyun_access_key_secret,
            nonce=uuid.uuid4().hex,
            now=now,
        )
        return exchange_json(f"{settings.aliyun_sms_url}/?{canonical_query(query)}", headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TencentSms:
    """Sends by Tencent Cloud's SendSms (2021-01-11). A refusal comes with status 200, as `Error` or as the number's own `Code`."""

    settings: Settings
    name: str = "tencent"

    @classmethod
    def open(cls, settings: Settings) -> TencentSms:
        """Open the channel by its settings."""
        return cls(settings=settings)

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:
        """Send a short message by the template of its kind."""
        template = self.settings.find_sms_template(message.kind)
        if template is None:
            return missing_template(message.kind)
        wanted = {
            "PhoneNumberSet": [f"+86{address}"],
            "SmsSdkAppId": self.settings.tencent_sms_app_id,
            "SignName": self.settings.sms_sign_name,
            "TemplateId": template,
            "TemplateParamSet": list(message.parameters),
            "SessionContext": str(message.id),
        }
        reply = self._call("SendSms", wanted, now=now)
        return reply if isinstance(reply, Delivery) else self._read(message.kind, reply)

    def _read(self, kind: str, reply: dict[str, Any]) -> Delivery:
        if isinstance(error := reply.get("Error"), dict):
            return refusal(self.name, kind, text_of(error, "Code"), text_of(error, "Message"))
        match reply.get("SendStatusSet"):
            case [{"Code": "Ok"} as status]:
                fee = status.get("Fee")
                segments = fee if isinstance(fee, int) and 0 <= fee <= 100 else 1
                return Delivery(outcome=Outcome.TAKEN, operator_id=text_of(status, "SerialNo"), segment_count=segments)
            case [dict() as status]:
                return refusal(self.name, kind, text_of(status, "Code"), text_of(status, "Message"))
        return unreadable(HTTPStatus.OK)

    def _call(self, action: str, wanted: dict[str, Any], *, now: datetime) -> Any:
        settings, body = self.settings, json.dumps(wanted, ensure_ascii=False).encode()
        headers = tc3_headers(
            action,
            service="sms",
            version="2021-01-11",
            region=settings.tencent_sms_region,
            host=urlsplit(settings.tencent_sms_url).netloc,
            body=body,
            secret_id=settings.tencent_secret_id,
            secret_key=settings.tencent_secret_key,
            now=now,
        )
        reply = exchange_json(settings.tencent_sms_url, body=body, headers=headers)
        if isinstance(reply, Delivery):
            return reply
        inner = reply.get("Response")
        return inner if isinstance(inner, dict) else unreadable(HTTPStatus.OK)
