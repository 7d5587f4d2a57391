"""Rehearsals in a worker: a shell around the operations; a second run of the same rehearsal does nothing."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from celery import shared_task
from flask import current_app

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.jobs.columns import JobState
from examapp.platform.rehearsal_environment import actions as rehearsal_environment_actions
from examapp.platform.rehearsal_runs import actions as rehearsal_run_actions
from examapp.platform.rehearsals import actions
from examapp.platform.setup.models import Rehearsal

log = structlog.get_logger()


@shared_task(name="admin.rehearse", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def rehearse(rehearsal_id: int) -> None:
    """Hold a rehearsal that was asked for."""
    hold_rehearsal(rehearsal_id)


@shared_task(name="admin.sweep_rehearsals", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_rehearsals() -> None:
    """Hold what waits without a nudge; give up what began and never ended."""
    waiting = []
    with transaction() as session:
        for lost in actions.list_lost_rehearsals(session, now=clock.now()):
            if lost.state == JobState.WAITING:
                waiting.append(lost.id)
            else:
                actions.fail_rehearsal(session, lost.id, "演练中断，没有做完。请重新演练。", now=clock.now())
    for rehearsal_id in waiting:
        hold_rehearsal(rehearsal_id)


def hold_rehearsal(rehearsal_id: int, *, say: Callable[[int], None] = lambda _: None) -> Rehearsal | None:
    """Hold a rehearsal and store its verdict; gives it, or None where another has begun it. `say` is told each step's number."""
    with transaction() as session:
        roster = actions.begin_rehearsal(session, rehearsal_id, now=clock.now())
    if roster is None:
        return None

    def progress(step: int) -> None:
        say(step)
        with transaction() as session:
            session.get_one(Rehearsal, rehearsal_id).done = step

    url = current_app.config["SETTINGS"].database_url
    try:
        measured = rehearsal_run_actions.rehearse(url, roster=roster, progress=progress)
    except rehearsal_environment_actions.RehearsalError as error:
        log.warning("rehearsal_failed", rehearsal_id=rehearsal_id)
        with transaction() as session:
            actions.fail_rehearsal(session, rehearsal_id, str(error), now=clock.now())
    else:
        with transaction() as session:
            actions.conclude_rehearsal(session, rehearsal_id, measured, now=clock.now())
    return read_session().get_one(Rehearsal, rehearsal_id)
