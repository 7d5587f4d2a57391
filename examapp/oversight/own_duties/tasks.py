"""Reminders in a worker: a shell around the operation, safe to run twice."""

from __future__ import annotations

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.oversight.own_duties.actions import remind_due


@task("duties.remind_due", queue="imports", every_s=1800)
def remind() -> None:
    """Remind who answers for what is due soon or overdue."""
    with transaction() as session:
        remind_due(session, now=clock.now())
