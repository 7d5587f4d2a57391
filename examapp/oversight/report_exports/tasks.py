"""Exports in worker processes, and the sweep of scheduled and expired ones."""

from __future__ import annotations

import time

from flask import current_app

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import JobKind, job_handler, task
from examapp.jobs.runner import JobRun
from examapp.oversight.report_exports import actions
from examapp.oversight.report_exports.models import Export
from examapp.oversight.report_schedules import actions as report_schedule_actions
from examapp.oversight.statistics import actions as statistics_actions
from examapp.web.metrics import is_exam_under_way


@job_handler(
    JobKind(
        name=Export.KIND,
        queue="reports",
        label="导出报表",
        quarantined="导出没有成功，请重新导出。如仍不成功，请通过页面下方的“意见建议”告诉我们。",
    )
)
def build_export(run: JobRun) -> None:
    """Build the file of an export, then leave the machine to candidates who sit an exam."""
    began = time.perf_counter()
    issuer, cipher = current_app.extensions["site_texts"].organisation, current_app.extensions["cipher"]
    with transaction() as session:
        actions.build_export(session, run, now=clock.now(), issuer=issuer, cipher=cipher)
    _give_way(worked_s=time.perf_counter() - began)


def _give_way(*, worked_s: float) -> None:
    """Pause while candidates sit an exam, so that they have the machine; the file is committed before."""
    with transaction() as session:
        has_active_attempt = is_exam_under_way(session, now=clock.now())
    if has_active_attempt:
        time.sleep(actions.rest_s(worked_s))


@task("reports.sweep", queue="reports", every_s=30, at_province=True)
def sweep() -> None:
    """Request the exports of schedules that are due and those that a correction has made untrue, and delete expired files."""
    with transaction() as session:
        report_schedule_actions.lay_out_scheduled(session, now=clock.now())
    with transaction() as session:
        actions.reissue_corrected(session, now=clock.now())
    with transaction() as session:
        actions.expire_exports(session, now=clock.now())


@task("reports.refresh_unit_stats", queue="imports", every_s=10, at_province=True)  # not behind a large file
def refresh_unit_stats() -> None:
    """Count again what has changed of the figures that are kept of a large roster."""
    with transaction() as session:
        statistics_actions.refresh_unit_stats(session, now=clock.now())
