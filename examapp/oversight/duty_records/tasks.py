"""Records that follow their events, in a worker: a shell around the operation, safe to run twice."""

from __future__ import annotations

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.oversight.duty_records.actions import follow_events


@task("duties.follow_events", queue="imports", every_s=300)
def follow() -> None:
    """Correct the records of events that were corrected after they had been recorded."""
    with transaction() as session:
        follow_events(session, now=clock.now())
