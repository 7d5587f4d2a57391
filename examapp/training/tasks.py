"""The sweep of clearances: an exam published after people have studied finds them cleared."""

from __future__ import annotations

from celery import shared_task

from examapp.core import clock
from examapp.core.db import transaction
from examapp.training.operations.clearing import clear_exams


@shared_task(name="training.sweep_clearances", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_clearances() -> None:
    """Write the clearances that completed courses earn, and take back those that a raised gate no longer grants."""
    with transaction() as session:
        clear_exams(session, now=clock.now())
