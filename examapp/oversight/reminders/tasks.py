"""Messages that follow from what others have done, in worker processes."""

from __future__ import annotations

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.oversight.reminders import actions


@task("reminders.tell_of_corrections", queue="reports", every_s=60)
def tell_of_corrections() -> None:
    """Tell people of corrections that have changed their visible results."""
    with transaction() as session:
        actions.tell_of_corrections(session, now=clock.now())
