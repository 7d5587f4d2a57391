"""The gateway to the outside: a message is appended to a file, or posted, signed, to an address that plugs in SMS or WeCom."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError

from examapp.messages.operations.outgoing import Claimed, Delivery

_TIMEOUT_S = 5.0
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
NO_MOBILE = Delivery(is_taken=False, is_final=True, reason="没有登记手机号")


class Gateway(Protocol):
    """What takes messages to people outside."""

    def deliver(self, message: Claimed, *, mobile: str, now: datetime) -> Delivery:
        """Hand a message over; never raises."""


def open_gateway(setting: str, *, secret: str) -> Gateway | None:
    """Give the gateway of a checked setting `off`, `file:PATH` or `http(s)://…`; None for off."""
    if setting.startswith("file:"):
        return FileGateway(path=Path(setting.removeprefix("file:")))
    return HttpGateway(url=setting, secret=secret) if setting.startswith(("http://", "https://")) else None


def _letter(message: Claimed, *, mobile: str, now: datetime) -> bytes:
    letter = {
        "id": message.once_key,
        "kind": message.kind,
        "mobile": mobile,
        "text": message.text,
        "time": now.isoformat(timespec="seconds"),
    }
    return json.dumps(letter, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGateway:
    """Appends a line of JSON a message, readable by the owner alone, for a program of the county to pick up."""

    path: Path

    def deliver(self, message: Claimed, *, mobile: str, now: datetime) -> Delivery:
        """Append the message and wait until the disk has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(_letter(message, mobile=mobile, now=now) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return Delivery(is_taken=False, reason=f"写入文件失败（{error.strerror or type(error).__name__}）")
        return Delivery(is_taken=True)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry a phone number to an address that nobody has configured."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        """Follow nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGateway:
    """Posts JSON with `X-Timestamp` and `X-Signature: sha256=HMAC(secret, timestamp + "." + body)`; any 2xx means taken."""

    url: str
    secret: str

    def deliver(self, message: Claimed, *, mobile: str, now: datetime) -> Delivery:
        """Post the message; a refusal that would stand at another try is final."""
        request = urllib.request.Request(  # noqa: S310 – the scheme was checked with the setting
            self.url, data=_letter(message, mobile=mobile, now=now), method="POST"
        )
        for name, value in self._headers(request.data, message, now=now).items():
            request.add_header(name, value)
        opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_TIMEOUT_S):
                return Delivery(is_taken=True)
        except HTTPError as error:
            with error:
                is_final = 300 <= error.code < 500 and error.code not in _PASSING
                return Delivery(is_taken=False, is_final=is_final, reason=f"网关答复 {error.code}")
        except (OSError, ValueError) as error:
            return Delivery(is_taken=False, reason=f"网关连接失败（{type(error).__name__}）")

    def _headers(self, body: Any, message: Claimed, *, now: datetime) -> dict[str, str]:
        stamp = str(int(now.timestamp()))
        signature = hmac.new(self.secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": hashlib.sha256(message.once_key.encode()).hexdigest(),
            "X-Timestamp": stamp,
            "X-Signature": f"sha256={signature}",
        }
