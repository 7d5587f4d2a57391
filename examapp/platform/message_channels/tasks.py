"""Messages out in the background, on a queue of their own: what waits is handed to a channel, outside any transaction; safe to run twice."""

from __future__ import annotations

import time
from dataclasses import replace

from flask import current_app
from sqlalchemy.orm import Session

from examapp import clock
from examapp.config import Settings
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.platform.message_channels.actions import list_unreported, note_report, open_channels
from examapp.platform.message_channels.queries import find_emails
from examapp.platform.outgoing_messages.actions import (
    ChannelStates,
    claim_messages,
    drop_message,
    note_channel,
    note_delivery,
    tidy_messages,
)
from examapp.platform.outgoing_messages.rules import (
    ALL_PAUSED,
    ANY_KIND,
    NO_ADDRESS,
    POLLED,
    Claimed,
    Delivery,
    DeliveryOutcome,
    Gateway,
)

_RUN_LIMIT_S = 200.0
"""A run ends its round after so long, however slow the channels are; the next one goes on."""
_BATCH = 20
"""So few that what was claimed is handed over or put back before it counts as lost."""

_ASKED, _ASKING_LIMIT_S = 100, 60.0
"""How many messages a round asks for, and for how long; the next one goes on."""


@task("messages.send_waiting", queue="messages", every_s=30, at_province=True)
def send_waiting() -> None:
    """Hand the messages that wait to the gateway, and end what is over; the enqueue and the sweep are this same work."""
    settings, end = current_app.config["SETTINGS"], time.monotonic() + _RUN_LIMIT_S
    with transaction() as session:
        tidy_messages(session, now=clock.now())
    channels = open_channels(settings)
    while channels and time.monotonic() < end:
        with transaction() as session:
            states = ChannelStates(session, list(channels), now=clock.now())
            claimed = _claim(session, states, settings) if states.open_for(ANY_KIND) else []
        if not claimed:
            break
        _hand_over(channels, claimed, settings, end=end)


def _claim(session: Session, states: ChannelStates, settings: Settings) -> list[Claimed]:
    limit = 1 if states.is_probing else _BATCH
    held = states.held_kinds()
    return claim_messages(session, quiet=settings.message_quiet_hours, now=clock.now(), limit=limit, held_kinds=held)


def _hand_over(channels: dict[str, Gateway], claimed: list[Claimed], settings: Settings, *, end: float) -> None:
    """Hand over one by one and note each at once, so that a crash repeats one message at most; after `end` the rest is put back."""
    people = {message.person_id for message in claimed}
    with transaction() as session:
        mobiles = current_app.extensions["find_mobiles"](session, people)
        emails = find_emails(session, people, cipher=current_app.extensions["cipher"])
    for message in claimed:
        with transaction() as session:
            is_over = _is_out_of_date(session, message)
            if is_over:
                drop_message(session, message.id, "情况已变，不再发送", now=clock.now())
            names = ChannelStates(session, list(channels), now=clock.now()).open_for(message.kind)
        if is_over:
            continue
        wanted = [name for name in names if message.channel in {"", name} and time.monotonic() < end]
        addresses = {"mobile": mobiles.get(message.person_id), "email": emails.get(message.person_id)}
        name, delivery = _deliver([channels[each] for each in wanted], message, addresses)
        has_another = not message.channel and len(wanted) < len(channels)
        if has_another and delivery.outcome is DeliveryOutcome.RECIPIENT_REJECTED:  # it waits for the paused one
            delivery = replace(delivery, outcome=DeliveryOutcome.CHANNEL_REJECTED)
        with transaction() as session:
            note_delivery(session, message.id, delivery, channel=name, price=settings.sms_price, now=clock.now())


def _deliver(channels: list[Gateway], message: Claimed, addresses: dict[str, str | None]) -> tuple[str, Delivery]:
    """Try the channels in their order, the next one only where the one before surely has not taken it, so that nobody gets it twice."""
    name, delivery = "", ALL_PAUSED
    for channel in channels:
        if (address := addresses[channel.address_kind]) is None:
            delivery = NO_ADDRESS[channel.address_kind] if not name else delivery
            continue
        name, delivery = channel.name, channel.deliver(message, address, now=clock.now())
        with transaction() as session:
            note_channel(session, name, message.kind, delivery, now=clock.now())
        if not delivery.is_definite:
            break
    return name, delivery


def _is_out_of_date(session: Session, message: Claimed) -> bool:
    """Ask the feature above that wrote the message, since hours may lie between: whom it reminds may have submitted meanwhile."""
    return bool(
        current_app.extensions["is_message_out_of_date"](
            session, person_id=message.person_id, kind=message.kind, once_key=message.once_key, now=clock.now()
        )
    )


@task("messages.ask_reports", queue="messages", every_s=60, at_province=True)
def ask_reports() -> None:
    """Ask operators what became of messages that they took; when each is asked again is stored before it is asked.

    A channel that is left alone is not asked either: what it is late with would keep codes waiting.
    """
    settings, end = current_app.config["SETTINGS"], time.monotonic() + _ASKING_LIMIT_S
    channels = open_channels(settings)
    if not POLLED & channels.keys():
        return
    with transaction() as session:
        able = POLLED.intersection(ChannelStates(session, list(channels), now=clock.now()).open_for(ANY_KIND))
        waiting = list_unreported(session, able, now=clock.now(), limit=_ASKED)
        mobiles = current_app.extensions["find_mobiles"](session, {message.person_id for message in waiting})
    for message in waiting:
        channel, address = channels.get(message.channel), mobiles.get(message.person_id)
        if channel is None or address is None or time.monotonic() > end:
            continue
        report = channel.find_report(message, address, now=clock.now())
        if report is not None:
            with transaction() as session:
                note_report(session, message.channel, report, now=clock.now())
