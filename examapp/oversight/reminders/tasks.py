"""Messages that follow from what others have done, in worker processes."""

from __future__ import annotations

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.oversight.reminders import actions


@task("reminders.send_correction_messages", queue="reports", every_s=60)
def send_correction_messages() -> None:
    """Tell people of corrections that have changed their visible results."""
    with transaction() as session:
        actions.send_correction_messages(session, now=clock.now())
