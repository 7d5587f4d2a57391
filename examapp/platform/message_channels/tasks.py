"""Messages out in the background, on a queue of their own: what waits is handed to a channel, outside any transaction; safe to run twice."""

from __future__ import annotations

import time

from flask import current_app
from sqlalchemy.orm import Session

from examapp import clock
from examapp.config import Settings
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.platform.message_channels.actions import open_channels
from examapp.platform.message_channels.queries import find_emails
from examapp.platform.outgoing_messages.actions import (
    ChannelStates,
    claim_messages,
    drop_message,
    note_channel,
    note_delivery,
    tidy_messages,
)
from examapp.platform.outgoing_messages.rules import ALL_PAUSED, ANY_KIND, NO_ADDRESS, Claimed, Delivery, Gateway

_RUN_LIMIT_S = 240.0
"""A run ends its round after so long, however slow the channels are; the next one goes on."""
_BATCH = 20
"""With the slowest answers a batch takes less than the time after which a claimed message is sent again."""


@task("messages.send_waiting", queue="messages", every_s=30)
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
        _hand_over(channels, claimed, settings)


def _claim(session: Session, states: ChannelStates, settings: Settings) -> list[Claimed]:
    limit = 1 if states.is_probing else _BATCH
    held = states.held_kinds()
    return claim_messages(session, quiet=settings.message_quiet_hours, now=clock.now(), limit=limit, held_kinds=held)


def _hand_over(channels: dict[str, Gateway], claimed: list[Claimed], settings: Settings) -> None:
    """Hand over one by one and note each at once, so that a crash repeats one message at most."""
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
        wanted = [name for name in names if message.channel in {"", name}]
        addresses = {"mobile": mobiles.get(message.person_id), "email": emails.get(message.person_id)}
        name, delivery = _deliver([channels[each] for each in wanted], message, addresses)
        with transaction() as session:
            note_delivery(session, message.id, delivery, channel=name, price=settings.sms_price, now=clock.now())


def _deliver(channels: list[Gateway], message: Claimed, addresses: dict[str, str | None]) -> tuple[str, Delivery]:
    """Try the channels in their order, the next one only where the one before surely has not taken it, so that nobody gets it twice."""
    name, delivery = "", NO_ADDRESS if channels else ALL_PAUSED
    for channel in channels:
        if (address := addresses[channel.address_kind]) is None:
            continue
        name, delivery = channel.name, channel.deliver(message, address, now=clock.now())
        with transaction() as session:
            note_channel(session, name, message.kind, delivery, now=clock.now())
        if not delivery.is_definite:
            break
    return name, delivery


def _is_out_of_date(session: Session, message: Claimed) -> bool:
    """Ask the room above that put the message down, since hours may lie between: whom it chases may have sat meanwhile."""
    return bool(
        current_app.extensions["is_message_out_of_date"](
            session, person_id=message.person_id, kind=message.kind, once_key=message.once_key, now=clock.now()
        )
    )
