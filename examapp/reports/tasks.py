"""Exports in worker processes: shells around the operations, each safe to run twice."""

from __future__ import annotations

import time
from functools import partial

from celery import shared_task
from flask import current_app

from examapp.core import clock
from examapp.core.db import transaction, transaction_aside
from examapp.core.nudge import nudge
from examapp.core.process_reports import is_sitting_under_way
from examapp.reports.operations import exports, keeping, schedules


@shared_task(name="reports.build_export", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def build_export(export_id: int) -> None:
    """Build the file of an export, then give way to candidates who sit: the try is committed before the work."""
    began = time.perf_counter()
    with transaction() as session:
        has_begun = exports.begin_export(session, export_id, now=clock.now())
    if has_begun:
        with transaction() as session:
            progress = partial(_note_progress, export_id)
            issuer, sealer = current_app.config["SETTINGS"].organisation, current_app.extensions["sealer"]
            exports.build_export(
                session, export_id, now=clock.now(), note_progress=progress, issuer=issuer, sealer=sealer
            )
        _give_way(worked_s=time.perf_counter() - began)


def _give_way(*, worked_s: float) -> None:
    """Leave the machine to candidates for a while if any sit; whoever kills the worker meanwhile changes nothing, the file is there."""
    with transaction() as session:
        is_sitting = is_sitting_under_way(session, now=clock.now())
    if is_sitting:
        time.sleep(exports.rest_s(worked_s))


def _note_progress(export_id: int, done: int, total: int) -> None:
    with transaction_aside() as session:
        exports.note_progress(session, export_id, done=done, total=total)


@shared_task(name="reports.sweep", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep() -> None:
    """Lay out what is due by itself, expire old files and nudge exports whose nudge or run was lost."""
    with transaction() as session:
        schedules.lay_out_scheduled(session, now=clock.now())
    with transaction() as session:
        lost = exports.sweep_exports(session, now=clock.now())
    for export_id in lost:
        nudge("reports.build_export", export_id)


@shared_task(name="reports.keep_figures", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def keep_figures() -> None:
    """Count anew what has changed of the figures that are kept of a large roster."""
    with transaction() as session:
        keeping.keep_figures(session, now=clock.now())
