"""Work of the unit book in the background: rosters to freeze and changes whose time has come, files of results to be read."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from flask import current_app

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError
from examapp.core.nudge import nudge
from examapp.people.access import sealer
from examapp.unitbook.operations import change_lists, freezing, outside_results

_TOO_LONG = "文件处理时间过长，已停止，没有计入任何成绩。请拆成几个文件再上传。"


@shared_task(name="unitbook.apply_changes", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def apply_changes() -> None:
    """Carry out what was agreed to and whose day has come."""
    with transaction() as session:
        change_lists.apply_due_lines(session, sealer=sealer(), now=clock.now())


@shared_task(name=freezing.TASK, acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def take_freeze(exam_id: int) -> None:
    """Write an exam's roster down once its moment has come."""
    with transaction() as session:
        freezing.take_freeze(session, exam_id, now=clock.now())


@shared_task(name="unitbook.sweep_freezes", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_freezes() -> None:
    """Nudge the freezes whose moment has come; one that fails does not hold up the others."""
    for exam_id in freezing.list_due_freezes(reading(), now=clock.now()):
        nudge(freezing.TASK, exam_id)


@shared_task(name=outside_results.TASK, acks_late=True, soft_time_limit=240, time_limit=300)  # type: ignore[untyped-decorator]  # celery has no types
def match_results(import_id: int) -> None:
    """Read a file of results and match its rows."""
    with transaction() as session:
        is_begun = outside_results.begin_run(session, import_id, now=clock.now())
    if not is_begun:
        return
    try:
        with transaction() as session:
            outside_results.run_import(
                session, import_id, sealer=sealer(), now=clock.now(), report=partial(_report, import_id)
            )
    except (DomainError, SoftTimeLimitExceeded) as error:
        message = error.text if isinstance(error, DomainError) else _TOO_LONG
        with transaction() as session:
            outside_results.fail_import(session, import_id, message=message, now=clock.now())


def _report(import_id: int, done: int, total: int) -> None:
    with current_app.app_context(), transaction() as session:
        outside_results.note_progress(session, import_id, done=done, total=total)


@shared_task(name="unitbook.sweep_results", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_results() -> None:
    """Nudge files of results that were left lying."""
    for import_id in outside_results.list_left_lying(reading(), now=clock.now()):
        nudge(outside_results.TASK, import_id)
