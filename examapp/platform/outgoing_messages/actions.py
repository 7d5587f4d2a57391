"""Messages on their way out: put down once, let out at decent hours, at most one a day a person, and tried again until they are over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, delete, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from examapp.clock import day_of, local
from examapp.documents.html import normalise
from examapp.jobs.publisher import enqueue_after_commit
from examapp.platform.notices.models import MessageChannel, MessagePreference, OutgoingMessage, OutgoingState
from examapp.platform.notices.rules import MAX_OUTGOING_LENGTH, is_quiet
from examapp.platform.outgoing_messages.rules import (
    ANY_KIND,
    FIRST_POLL,
    KINDS,
    POLLED,
    Claimed,
    Delivery,
    DeliveryOutcome,
    cut_parameters,
    pause_after,
)

_CLAIM_LOCK = 430_611
"""The advisory lock under which one process at a time picks what goes out next."""
_SENDING_TIMEOUT = timedelta(minutes=5)
"""A message whose delivery was not noted by then, since its sender died, is sent again."""
_LIFE, _URGENT_LIFE = timedelta(days=3), timedelta(minutes=10)
_TEXT_KEPT, _ROW_KEPT = timedelta(days=30), timedelta(days=400)
_MAX_DELIVERIES = 5
_PAUSE = timedelta(minutes=2)


def send_out(
    session: Session,
    *,
    person_id: int,
    kind: str,
    text: str,
    once_key: str,
    now: datetime,
    parameters: Sequence[str] = (),
    urgent: bool = False,
    channel: str = "",
) -> bool:
    """Put a message down for the gateway; a second call with the same `once_key` changes nothing. Gives whether it was new.

    An urgent one (a sign-in code) goes at any hour and beside the day's other message, and is over after ten minutes;
    any other waits for a decent hour and a free day, and is over after three days.
    """
    one = [(person_id, once_key)]
    new = send_out_many(
        session, one, kind=kind, text=text, now=now, parameters=parameters, urgent=urgent, channel=channel
    )
    return bool(new)


def send_out_many(
    session: Session,
    recipients: Sequence[tuple[int, str]],
    *,
    kind: str,
    text: str,
    now: datetime,
    parameters: Sequence[str] = (),
    urgent: bool = False,
    last_call: bool = False,
    channel: str = "",
    until: datetime | None = None,
) -> int:
    """Put the same message down for many people, as (person id, once key); gives how many were new.

    `parameters` are the variables of the kind's SMS template, `channel` the one channel it may go by. It is over at `until` where that comes sooner than the end of its ordinary life.
    """
    if not recipients:
        return 0
    expires_at = now + (_URGENT_LIFE if urgent else _LIFE)
    rows = [
        {
            "person_id": person_id,
            "kind": kind,
            "text": normalise(text).strip()[:MAX_OUTGOING_LENGTH],
            "parameters": cut_parameters(parameters),
            "channel": channel,
            "once_key": once_key,
            "is_urgent": urgent,
            "is_last_call": last_call,
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
    session: Session,
    *,
    quiet: tuple[time, time] | None,
    now: datetime,
    limit: int = 50,
    held_kinds: Collection[str] = (),
) -> list[Claimed]:
    """Claim the next messages that may go out now, at most one a day a person apart from urgent ones, and count the delivery.

    Messages of `held_kinds` wait: no channel takes them now. Commit before handing them over: what is not noted afterwards is claimed again after `_SENDING_TIMEOUT`.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_CLAIM_LOCK))):
        return []
    today, chosen, served = day_of(now), [], set()
    due = _due(quiet, now).where(OutgoingMessage.kind.not_in(held_kinds)).limit(limit)
    for message in session.scalars(due):
        takes_day = not (message.is_urgent or message.is_last_call)
        if takes_day and message.person_id in served:
            continue
        if takes_day:
            served.add(message.person_id)
            message.sent_on = today
        message.state, message.delivery_count = OutgoingState.SENDING, message.delivery_count + 1
        message.try_at = now + _SENDING_TIMEOUT
        chosen.append(message)
    session.flush()
    return [
        Claimed(
            id=m.id,
            person_id=m.person_id,
            kind=m.kind,
            text=m.text,
            parameters=tuple(m.parameters),
            once_key=m.once_key,
            channel=m.channel,
        )
        for m in chosen
    ]


def _due(quiet: tuple[time, time] | None, now: datetime) -> Select[OutgoingMessage]:
    other = aliased(OutgoingMessage)
    is_day_taken = (
        select(other.id)
        .where(
            other.person_id == OutgoingMessage.person_id,
            other.sent_on == day_of(now),
            other.id != OutgoingMessage.id,
        )
        .exists()
    )
    wants_none = (
        select(MessagePreference.person_id)
        .where(MessagePreference.person_id == OutgoingMessage.person_id, MessagePreference.unsubscribed_at.is_not(None))
        .exists()
    )
    is_free = or_(OutgoingMessage.is_last_call, ~is_day_taken)
    may_remind = false() if is_quiet(local(now).time(), quiet) else is_free & ~wants_none
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


def note_delivery(
    session: Session,
    message_id: int,
    delivery: Delivery,
    *,
    channel: str = "",
    price: Decimal = Decimal(0),
    now: datetime,
) -> None:
    """Note what came of a hand-over to a channel; one that failed is tried again, each time later, until five tries.

    A message whose channel or template was refused waits for it without losing a try. A code's text is forgotten.
    """
    message = session.get(OutgoingMessage, message_id, with_for_update=True)
    if message is None or message.state != OutgoingState.SENDING:
        return
    message.reason = delivery.reason[:300]
    if delivery.is_taken:
        note_taken(message, channel, delivery.operator_id, delivery.segment_count, price=price, now=now)
        message.poll_at = now + FIRST_POLL if channel in POLLED and message.operator_id else None
    else:
        _put_back(message, delivery.outcome, now=now)
    if message.state != OutgoingState.WAITING:
        _forget_code(message)


def note_taken(
    message: OutgoingMessage, channel: str, operator_id: str, segment_count: int, *, price: Decimal, now: datetime
) -> None:
    """Note that a channel's operator has taken a message, and what it charges; a code's text is forgotten."""
    message.state, message.sent_at, message.channel = OutgoingState.SENT, now, channel
    message.operator_id, message.segment_count = operator_id[:100], segment_count
    message.cost = price * segment_count
    _forget_code(message)


def _forget_code(message: OutgoingMessage) -> None:
    if message.is_urgent:
        message.text, message.parameters = "", []


def _put_back(message: OutgoingMessage, outcome: DeliveryOutcome, *, now: datetime) -> None:
    if outcome in {DeliveryOutcome.CHANNEL_REJECTED, DeliveryOutcome.TEMPLATE_REJECTED}:
        message.delivery_count -= 1
    is_over = outcome is DeliveryOutcome.RECIPIENT_REJECTED or message.delivery_count >= _MAX_DELIVERIES
    message.state = OutgoingState.FAILED if is_over else OutgoingState.WAITING
    message.sent_on, message.try_at = None, now + _PAUSE * max(1, message.delivery_count)


def note_channel(session: Session, name: str, kind: str, delivery: Delivery, *, now: datetime) -> None:
    """Note for a channel how a hand-over of a message of a kind went: that it works, or how long it is left alone."""
    if delivery.outcome is DeliveryOutcome.TAKEN:
        values: dict[str, Any] = {"failure_count": 0, "paused_until": None, "succeeded_at": now}
        _upsert_channel(session, name, ANY_KIND, values)
        session.execute(
            update(MessageChannel)
            .where(MessageChannel.name == name, MessageChannel.kind == kind, MessageChannel.paused_until.is_not(None))
            .values(values)
        )
    elif delivery.outcome in {
        DeliveryOutcome.UNREACHABLE,
        DeliveryOutcome.CHANNEL_REJECTED,
        DeliveryOutcome.TEMPLATE_REJECTED,
    }:
        of_kind = kind if delivery.outcome is DeliveryOutcome.TEMPLATE_REJECTED else ANY_KIND
        row = session.get(MessageChannel, (name, of_kind))
        count = (row.failure_count if row else 0) + 1
        pause = pause_after(delivery.outcome, count)
        values = {"failure_count": count, "failed_at": now, "reason": delivery.reason[:300]}
        _upsert_channel(session, name, of_kind, values | {"paused_until": now + pause if pause else None})


def _upsert_channel(session: Session, name: str, kind: str, values: dict[str, Any]) -> None:
    statement = insert(MessageChannel).values(name=name, kind=kind, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["name", "kind"], set_=values))


def resume_channel(session: Session, name: str, *, now: datetime) -> None:
    """Let a channel and its kinds be tried again at once, with what waits, after somebody has mended what was rejected."""
    session.execute(
        update(MessageChannel).where(MessageChannel.name == name).values(paused_until=None, failure_count=0)
    )
    waiting = OutgoingMessage.state == OutgoingState.WAITING, OutgoingMessage.try_at > now
    session.execute(update(OutgoingMessage).where(*waiting).values(try_at=now))


class ChannelStates:
    """Which channels may be used now, by what stands in the database."""

    def __init__(self, session: Session, names: Sequence[str], *, now: datetime) -> None:
        rows = session.scalars(select(MessageChannel).where(MessageChannel.name.in_(names)))
        self._rows = [(row.name, row.kind, row.paused_until, row.failure_count) for row in rows]
        self._names, self._now = names, now

    def open_for(self, kind: str) -> list[str]:
        """List the channels that may take a message of a kind now, in their order."""
        closed = {
            name
            for name, of, until, _ in self._rows
            if of in {ANY_KIND, kind} and until is not None and until > self._now
        }
        return [name for name in self._names if name not in closed]

    def held_kinds(self) -> list[str]:
        """List the kinds that no channel takes now."""
        return [kind for kind in {*KINDS, *(of for _, of, _, _ in self._rows)} - {ANY_KIND} if not self.open_for(kind)]

    @property
    def is_probing(self) -> bool:
        """Whether a channel that was left alone is to be tried again, by a single message."""
        return any(until is not None and until <= self._now for _, _, until, _ in self._rows)


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
    session.execute(update(OutgoingMessage).where(OutgoingMessage.text != "", is_old).values(text="", parameters=[]))
    session.execute(delete(OutgoingMessage).where(OutgoingMessage.created_at < now - _ROW_KEPT))
