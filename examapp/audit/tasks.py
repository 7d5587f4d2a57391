"""Work of the room in the background: the chain over the log."""

from __future__ import annotations

from celery import shared_task
from flask import current_app

from examapp.audit.operations import verifying
from examapp.audit.operations.sealing import seal_events
from examapp.core import clock
from examapp.core.db import transaction


@shared_task(name="audit.seal", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def seal() -> None:
    """Link the lines that have been written since the last time."""
    with transaction() as session:
        seal_events(session, sealer=current_app.extensions["sealer"], now=clock.now())


@shared_task(name="audit.verify", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def verify() -> None:
    """Look once a day whether the log is as it was written; the checklist shows the outcome."""
    with transaction() as session:
        verifying.verify(session, sealer=current_app.extensions["sealer"], now=clock.now())
