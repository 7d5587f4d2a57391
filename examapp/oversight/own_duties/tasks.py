"""Reminders in a worker: a shell around the operation, safe to run twice."""

from __future__ import annotations

from celery import shared_task

from examapp import clock
from examapp.db.session import transaction
from examapp.oversight.own_duties.actions import remind_due


@shared_task(name="duties.remind_due", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def remind() -> None:
    """Remind who answers for what is due soon or overdue."""
    with transaction() as session:
        remind_due(session, now=clock.now())
