"""Exports in worker processes: shells around the operations, each safe to run twice."""

from __future__ import annotations

import time
from functools import partial

from celery import shared_task
from flask import current_app

from examapp import clock
from examapp.db.session import independent_transaction, transaction
from examapp.jobs.publisher import publish
from examapp.oversight.report_exports import actions
from examapp.oversight.report_schedules import actions as report_schedule_actions
from examapp.oversight.statistics import actions as statistics_actions
from examapp.web.metrics import is_sitting_under_way


@shared_task(name="reports.build_export", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def build_export(export_id: int) -> None:
    """Build the file of an export, then give way to candidates who sit: the try is committed before the work."""
    began = time.perf_counter()
    with transaction() as session:
        has_begun = actions.begin_export(session, export_id, now=clock.now())
    if has_begun:
        with transaction() as session:
            progress = partial(_note_progress, export_id)
            issuer, sealer = current_app.config["SETTINGS"].organisation, current_app.extensions["sealer"]
            actions.build_export(
                session, export_id, now=clock.now(), note_progress=progress, issuer=issuer, sealer=sealer
            )
        _give_way(worked_s=time.perf_counter() - began)


def _give_way(*, worked_s: float) -> None:
    """Leave the machine to candidates for a while if any sit; whoever kills the worker meanwhile changes nothing, the file is there."""
    with transaction() as session:
        is_sitting = is_sitting_under_way(session, now=clock.now())
    if is_sitting:
        time.sleep(actions.rest_s(worked_s))


def _note_progress(export_id: int, done: int, total: int) -> None:
    with independent_transaction() as session:
        actions.note_progress(session, export_id, done=done, total=total)


@shared_task(name="reports.sweep", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep() -> None:
    """Lay out what is due by itself, expire old files and nudge exports whose nudge or run was lost."""
    with transaction() as session:
        report_schedule_actions.lay_out_scheduled(session, now=clock.now())
    with transaction() as session:
        lost = actions.sweep_exports(session, now=clock.now())
    for export_id in lost:
        publish("reports.build_export", export_id)


@shared_task(name="reports.refresh_unit_stats", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def refresh_unit_stats() -> None:
    """Count anew what has changed of the figures that are kept of a large roster."""
    with transaction() as session:
        statistics_actions.refresh_unit_stats(session, now=clock.now())
