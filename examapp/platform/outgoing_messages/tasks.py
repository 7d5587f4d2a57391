"""Messages out in the background: what waits is handed to the gateway, outside any transaction; safe to run twice."""

from __future__ import annotations

from flask import current_app
from sqlalchemy.orm import Session

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.platform.outgoing_messages.actions import (
    NO_MOBILE,
    Claimed,
    Gateway,
    claim_messages,
    drop_message,
    note_delivery,
    open_gateway,
    tidy_messages,
)

_MAX_BATCHES = 40


@task("messages.send_waiting", queue="imports", every_s=30)
def send_waiting() -> None:
    """Hand the messages that wait to the gateway, and end what is over; the enqueue and the sweep are this same work."""
    settings = current_app.config["SETTINGS"]
    with transaction() as session:
        tidy_messages(session, now=clock.now())
    gateway = open_gateway(settings.message_gateway, secret=settings.message_gateway_secret)
    for _ in range(_MAX_BATCHES if gateway else 0):
        with transaction() as session:
            claimed = claim_messages(session, quiet=settings.message_quiet_hours, now=clock.now())
        if not claimed or gateway is None:
            break
        _hand_over(gateway, claimed)


def _hand_over(gateway: Gateway, claimed: list[Claimed]) -> None:
    """Hand over one by one and note each at once, so that a crash repeats one message at most."""
    with transaction() as session:
        mobiles = current_app.extensions["find_mobiles"](session, {message.person_id for message in claimed})
    for message in claimed:
        with transaction() as session:
            is_over = _is_out_of_date(session, message)
            if is_over:
                drop_message(session, message.id, "情况已变，不再发送", now=clock.now())
        if is_over:
            continue
        mobile = mobiles.get(message.person_id)
        delivery = gateway.deliver(message, mobile=mobile, now=clock.now()) if mobile else NO_MOBILE
        with transaction() as session:
            note_delivery(session, message.id, delivery, now=clock.now())


def _is_out_of_date(session: Session, message: Claimed) -> bool:
    """Ask the room above that put the message down, since hours may lie between: whom it chases may have sat meanwhile."""
    return bool(
        current_app.extensions["is_message_out_of_date"](
            session, person_id=message.person_id, kind=message.kind, once_key=message.once_key, now=clock.now()
        )
    )
