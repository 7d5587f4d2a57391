"""Work of the unit book in the background: rosters to freeze and changes whose time has come, files of results to be read."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from flask import current_app

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.delivery.external_results import actions as external_result_actions
from examapp.errors import DomainError
from examapp.jobs.publisher import publish
from examapp.organisation.accounts.guards import sealer
from examapp.organisation.roster_change_requests import actions as roster_change_request_actions
from examapp.oversight.roster_snapshots import actions as roster_snapshot_actions

_TOO_LONG = "文件处理时间过长，已停止，没有计入任何成绩。请拆成几个文件再上传。"


@shared_task(name="roster_changes.apply", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def apply_changes() -> None:
    """Carry out what was agreed to and whose day has come."""
    with transaction() as session:
        roster_change_request_actions.apply_due_lines(session, sealer=sealer(), now=clock.now())


@shared_task(name=roster_snapshot_actions.TASK, acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def take_freeze(exam_id: int) -> None:
    """Write an exam's roster down once its moment has come."""
    with transaction() as session:
        roster_snapshot_actions.take_freeze(session, exam_id, now=clock.now())


@shared_task(name="roster_snapshots.sweep", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_freezes() -> None:
    """Nudge the freezes whose moment has come; one that fails does not hold up the others."""
    for exam_id in roster_snapshot_actions.list_due_freezes(read_session(), now=clock.now()):
        publish(roster_snapshot_actions.TASK, exam_id)


@shared_task(name=external_result_actions.TASK, acks_late=True, soft_time_limit=240, time_limit=300)  # type: ignore[untyped-decorator]  # celery has no types
def match_results(import_id: int) -> None:
    """Read a file of results and match its rows."""
    with transaction() as session:
        is_begun = external_result_actions.begin_run(session, import_id, now=clock.now())
    if not is_begun:
        return
    try:
        with transaction() as session:
            external_result_actions.run_import(
                session, import_id, sealer=sealer(), now=clock.now(), report=partial(_report, import_id)
            )
    except (DomainError, SoftTimeLimitExceeded) as error:
        message = error.text if isinstance(error, DomainError) else _TOO_LONG
        with transaction() as session:
            external_result_actions.fail_import(session, import_id, message=message, now=clock.now())


def _report(import_id: int, done: int, total: int) -> None:
    with current_app.app_context(), transaction() as session:
        external_result_actions.note_progress(session, import_id, done=done, total=total)


@shared_task(name="external_results.sweep", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_results() -> None:
    """Nudge files of results that were left lying."""
    for import_id in external_result_actions.list_left_lying(read_session(), now=clock.now()):
        publish(external_result_actions.TASK, import_id)
