"""Rehearsals in a worker, or in the process of the command."""

from __future__ import annotations

from collections.abc import Callable

from flask import current_app

from examapp.db.session import read_session, transaction
from examapp.jobs.registry import JobKind, job_handler
from examapp.jobs.runner import JobRun, run_job
from examapp.platform.rehearsal_runs import actions as rehearsal_run_actions
from examapp.platform.rehearsals import actions
from examapp.platform.setup.models import Rehearsal


@job_handler(
    JobKind(
        name=Rehearsal.KIND,
        label="考试演练",
        viewer="attempts:attempt:manage",
        max_runs=1,
        quarantined="演练中断，没有做完。请重新演练。",
        on_failed=actions.note_no_go,
        may_retry=False,
    )
)
def rehearse(run: JobRun) -> None:
    """Hold a rehearsal and store its verdict."""
    with transaction() as session:
        roster = session.get_one(Rehearsal, run.id).roster
    url = current_app.config["SETTINGS"].database_url
    measured = rehearsal_run_actions.rehearse(
        url, roster=roster, progress=lambda step: run.progress(step, actions.STEPS)
    )
    with transaction() as session:
        actions.conclude_rehearsal(session, run, measured)


def hold_rehearsal(rehearsal_id: int, *, say: Callable[[int], None] = lambda _: None) -> Rehearsal | None:
    """Hold a rehearsal in this process; gives it, or None where a worker has begun it. `say` is told each step's number."""
    if not run_job(rehearsal_id, on_progress=say):
        return None
    return read_session().get_one(Rehearsal, rehearsal_id)
