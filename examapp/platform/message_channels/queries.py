"""What the office reads about the message gateway: each channel's state, its last rejection, what waits, and what it costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.people.rules import MOBILE_PURPOSE, is_mobile, normalise_mobile
from examapp.platform.notices.models import MessageChannel, MessagePreference, OutgoingMessage, OutgoingState
from examapp.platform.notices.rules import email_binding
from examapp.platform.outgoing_messages.rules import ANY_KIND, CHANNEL_LABELS, TEST_KIND, kind_label
from examapp.security.ciphers import DecryptionError, FieldCipher

_MAX_REASONS = 10


@dataclass(frozen=True, slots=True)
class SentTotals:
    """What went by a channel since the month began."""

    count: int = 0
    segments: int = 0
    cost: Decimal = Decimal(0)
    delivered: int = 0
    undelivered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReport:
    """A channel as its page shows it."""

    name: str
    label: str
    state: MessageChannel | None
    paused_until: datetime | None
    """None where it is not left alone now."""
    rejected_kinds: list[tuple[str, MessageChannel]]
    """Kinds of messages whose template was refused, by label."""
    sent: SentTotals
    last_test: OutgoingMessage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQueue:
    """What waits for any channel, and what did not get through since the month began, by reason."""

    waiting_count: int
    oldest_at: datetime | None
    failures: Sequence[Row[str, int]]
    expired_count: int


def find_preference(session: Session, person_id: int) -> MessagePreference | None:
    """Find how a person wants to be written to; None where nothing was chosen."""
    return session.get(MessagePreference, person_id)


def find_emails(session: Session, person_ids: Collection[int], *, cipher: FieldCipher) -> dict[int, str]:
    """Find the e-mail addresses that people who have not left have given, by person; one that cannot be opened is left out."""
    rows = session.execute(
        select(MessagePreference.person_id, MessagePreference.email_encrypted)
        .join(Person, Person.id == MessagePreference.person_id)
        .where(
            Person.id.in_(person_ids),
            Person.state != PersonState.LEFT,
            MessagePreference.email_encrypted.is_not(None),
        )
    )
    found = {}
    for person_id, sealed in rows:
        assert sealed is not None
        with suppress(DecryptionError):
            found[person_id] = cipher.decrypt(sealed, associated_data=email_binding(person_id))
    return found


def people_of_mobile(session: Session, mobile: str, *, cipher: FieldCipher) -> Sequence[int]:
    """Find who has a mobile number, as an operator writes it, by its blind index; nobody for what is none."""
    number = normalise_mobile(mobile[:20])
    if not is_mobile(number):
        return []
    indexes = cipher.blind_indexes(number, purpose=MOBILE_PURPOSE)
    return session.scalars(select(Person.id).where(Person.mobile_index.in_(indexes))).all()


def month_start(now: datetime) -> datetime:
    """Give the first instant of the county's month."""
    return local(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def list_channels(session: Session, names: Sequence[str], *, now: datetime) -> list[ChannelReport]:
    """List the channels of the settings in their order, with what went by each since the month began."""
    states = {(row.name, row.kind): row for row in session.scalars(select(MessageChannel))}
    sums = _sum_sent(session, since=month_start(now))
    last_tests = _find_last_tests(session, since=month_start(now))
    return [
        ChannelReport(
            name=name,
            label=CHANNEL_LABELS[name],
            state=states.get((name, ANY_KIND)),
            paused_until=_pause_of(states.get((name, ANY_KIND)), now=now),
            rejected_kinds=[
                (kind_label(kind), row)
                for (of, kind), row in states.items()
                if of == name and kind != ANY_KIND and row.paused_until is not None
            ],
            sent=sums.get(name, SentTotals()),
            last_test=last_tests.get(name),
        )
        for name in names
    ]


def _pause_of(state: MessageChannel | None, *, now: datetime) -> datetime | None:
    if state is None or state.paused_until is None or state.paused_until <= now:
        return None
    return state.paused_until


def _sum_sent(session: Session, *, since: datetime) -> dict[str, SentTotals]:
    """Sum up by channel what was sent since an instant."""
    rows = session.execute(
        select(
            OutgoingMessage.channel,
            func.count(),
            func.sum(OutgoingMessage.segment_count),
            func.sum(OutgoingMessage.cost),
            func.count().filter(OutgoingMessage.report == "delivered"),
            func.count().filter(OutgoingMessage.report == "undelivered"),
        )
        .where(OutgoingMessage.state == OutgoingState.SENT, OutgoingMessage.created_at >= since)
        .group_by(OutgoingMessage.channel)
    )
    return {row[0]: SentTotals(row[1], row[2], row[3], row[4], row[5]) for row in rows}


def _find_last_tests(session: Session, *, since: datetime) -> dict[str, OutgoingMessage]:
    """Find by channel the newest test message since an instant."""
    newest = session.scalars(
        select(OutgoingMessage)
        .where(OutgoingMessage.kind == TEST_KIND, OutgoingMessage.created_at >= since)
        .ext(distinct_on(OutgoingMessage.channel))
        .order_by(OutgoingMessage.channel, OutgoingMessage.id.desc())
    )
    return {message.channel: message for message in newest}


def get_queue(session: Session, *, now: datetime) -> MessageQueue:
    """Count what waits, and what failed or was over before it could go out."""
    pending = OutgoingMessage.state.in_([OutgoingState.WAITING, OutgoingState.SENDING])
    waiting = session.execute(select(func.count(), func.min(OutgoingMessage.created_at)).where(pending)).one()
    since = OutgoingMessage.created_at >= month_start(now)
    failures = session.execute(
        select(OutgoingMessage.reason, func.count().label("count"))
        .where(since, OutgoingMessage.state == OutgoingState.FAILED)
        .group_by(OutgoingMessage.reason)
        .order_by(func.count().desc(), OutgoingMessage.reason)
        .limit(_MAX_REASONS)
    ).all()
    expired = session.scalar(
        select(func.count()).select_from(OutgoingMessage).where(since, OutgoingMessage.state == OutgoingState.EXPIRED)
    )
    return MessageQueue(waiting_count=waiting[0], oldest_at=waiting[1], failures=failures, expired_count=expired or 0)
