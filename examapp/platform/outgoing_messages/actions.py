"""Messages on their way out: put down once, let out at decent hours, at most one a day a person, and tried again until they are over."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError

from sqlalchemy import Select, and_, delete, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from examapp.clock import day_of, local
from examapp.documents.html import normalise
from examapp.jobs.publisher import enqueue_after_commit
from examapp.platform.notices.models import OutgoingMessage, OutgoingState
from examapp.platform.notices.rules import MAX_OUTGOING_LENGTH, is_quiet

_CLAIM_LOCK = 430_611
"""The advisory lock under which one process at a time picks what goes out next."""
_SENDING_TIMEOUT = timedelta(minutes=5)
"""A message whose delivery was not noted by then, since its sender died, is sent again."""
_LIFE, _URGENT_LIFE = timedelta(days=3), timedelta(minutes=10)
_TEXT_KEPT, _ROW_KEPT = timedelta(days=30), timedelta(days=400)
_MAX_DELIVERIES = 5
_PAUSE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that this process must hand over now; `once_key` lets the receiver recognise a second delivery."""

    id: int
    person_id: int
    kind: str
    text: str
    once_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of a hand-over: taken, or not with a reason; `is_final` where another try is useless."""

    is_taken: bool
    is_final: bool = False
    reason: str = ""


def send_out(
    session: Session, *, person_id: int, kind: str, text: str, once_key: str, now: datetime, urgent: bool = False
) -> bool:
    """Put a message down for the gateway; a second call with the same `once_key` changes nothing. Gives whether it was new.

    An urgent one (a sign-in code) goes at any hour and beside the day's other message, and is over after ten minutes;
    any other waits for a decent hour and a free day, and is over after three days.
    """
    return bool(send_out_many(session, [(person_id, once_key)], kind=kind, text=text, now=now, urgent=urgent))


def send_out_many(
    session: Session,
    recipients: Sequence[tuple[int, str]],
    *,
    kind: str,
    text: str,
    now: datetime,
    urgent: bool = False,
    until: datetime | None = None,
) -> int:
    """Put the same message down for many people, as (person id, once key); gives how many were new.

    It is over at `until` where that comes sooner than the end of its ordinary life.
    """
    if not recipients:
        return 0
    expires_at = now + (_URGENT_LIFE if urgent else _LIFE)
    rows = [
        {
            "person_id": person_id,
            "kind": kind,
            "text": normalise(text).strip()[:MAX_OUTGOING_LENGTH],
            "once_key": once_key,
            "is_urgent": urgent,
            "state": OutgoingState.WAITING,
            "delivery_count": 0,
            "reason": "",
            "created_at": now,
            "try_at": now,
            "expires_at": expires_at if until is None else min(expires_at, until),
        }
        for person_id, once_key in recipients
    ]
    statement = insert(OutgoingMessage).on_conflict_do_nothing(index_elements=["once_key"])
    new = len(session.scalars(statement.returning(OutgoingMessage.id), rows).all())
    if urgent and new:
        enqueue_after_commit(session, "messages.send_waiting")
    return new


def claim_messages(
    session: Session, *, quiet: tuple[time, time] | None, now: datetime, limit: int = 50
) -> list[Claimed]:
    """Claim the next messages that may go out now, at most one a day a person apart from urgent ones, and count the delivery.

    Commit before handing them over: what is not noted afterwards is claimed again after `_SENDING_TIMEOUT`.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_CLAIM_LOCK))):
        return []
    today, chosen, served = day_of(now), [], set()
    for message in session.scalars(_due(quiet, now).limit(limit)):
        if not message.is_urgent and message.person_id in served:
            continue
        if not message.is_urgent:
            served.add(message.person_id)
            message.sent_on = today
        message.state, message.delivery_count = OutgoingState.SENDING, message.delivery_count + 1
        message.try_at = now + _SENDING_TIMEOUT
        chosen.append(message)
    session.flush()
    return [Claimed(id=m.id, person_id=m.person_id, kind=m.kind, text=m.text, once_key=m.once_key) for m in chosen]


def _due(quiet: tuple[time, time] | None, now: datetime) -> Select[OutgoingMessage]:
    other = aliased(OutgoingMessage)
    is_day_taken = (
        select(other.id)
        .where(
            other.person_id == OutgoingMessage.person_id,
            other.sent_on == day_of(now),
            ~other.is_urgent,
            other.id != OutgoingMessage.id,
        )
        .exists()
    )
    may_remind = false() if is_quiet(local(now).time(), quiet) else ~is_day_taken
    is_pending = OutgoingMessage.state.in_([OutgoingState.WAITING, OutgoingState.SENDING])
    return (
        select(OutgoingMessage)
        .where(
            is_pending,
            OutgoingMessage.try_at <= now,
            OutgoingMessage.expires_at > now,
            or_(OutgoingMessage.is_urgent, may_remind),
        )
        .order_by(OutgoingMessage.is_urgent.desc(), OutgoingMessage.id)
        .with_for_update(skip_locked=True)
    )


def note_delivery(session: Session, message_id: int, delivery: Delivery, *, now: datetime) -> None:
    """Note what came of a hand-over; a failed one is tried again, each time later, until five tries. A code's text is forgotten."""
    message = session.get(OutgoingMessage, message_id, with_for_update=True)
    if message is None or message.state != OutgoingState.SENDING:
        return
    message.reason = delivery.reason[:200]
    if delivery.is_taken:
        message.state, message.sent_at = OutgoingState.SENT, now
    else:
        is_over = delivery.is_final or message.delivery_count >= _MAX_DELIVERIES
        message.state = OutgoingState.FAILED if is_over else OutgoingState.WAITING
        message.sent_on, message.try_at = None, now + _PAUSE * message.delivery_count
    if message.is_urgent and message.state != OutgoingState.WAITING:
        message.text = ""


def drop_message(session: Session, message_id: int, reason: str, *, now: datetime) -> None:
    """End a message that was claimed and says what is not so any more; the person's day is free again."""
    message = session.get(OutgoingMessage, message_id, with_for_update=True)
    if message is not None and message.state == OutgoingState.SENDING:
        message.state, message.sent_on, message.try_at, message.reason = OutgoingState.EXPIRED, None, now, reason


def tidy_messages(session: Session, *, now: datetime) -> None:
    """End what is over, forget texts after thirty days (a code's at once), and delete rows after a year and a month."""
    session.execute(
        update(OutgoingMessage)
        .where(
            OutgoingMessage.state.in_([OutgoingState.WAITING, OutgoingState.SENDING]),
            OutgoingMessage.expires_at <= now,
        )
        .values(state=OutgoingState.EXPIRED, sent_on=None)
    )
    is_ended_code = and_(OutgoingMessage.is_urgent, OutgoingMessage.expires_at <= now)
    is_old = or_(is_ended_code, OutgoingMessage.created_at < now - _TEXT_KEPT)
    session.execute(update(OutgoingMessage).where(OutgoingMessage.text != "", is_old).values(text=""))
    session.execute(delete(OutgoingMessage).where(OutgoingMessage.created_at < now - _ROW_KEPT))


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
        """Post the message; a rejection that would stand at another try is final."""
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
