"""Work of the room in the background: the chain over the log."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from flask import current_app

from examapp.audit.operations.sealing import seal_events
from examapp.core import clock
from examapp.core.db import transaction


@shared_task(name="audit.seal", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def seal() -> None:
    """Link the lines that have been written since the last time."""
    mac = partial(current_app.extensions["sealer"].blind_index, purpose="audit_chain")
    with transaction() as session:
        seal_events(session, mac=mac, now=clock.now())
