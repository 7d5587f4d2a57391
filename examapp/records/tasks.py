"""Certificates in worker processes: shells around the operations, each safe to run twice."""

from __future__ import annotations

from functools import partial

from celery import shared_task

from examapp.core import clock
from examapp.core.db import transaction, transaction_aside
from examapp.core.nudge import nudge
from examapp.records.operations import certificates


@shared_task(name="records.run_job", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def run_job(job_id: int) -> None:
    """Issue or print: the try is committed before the work."""
    with transaction() as session:
        has_begun = certificates.begin_job(session, job_id, now=clock.now())
    if has_begun:
        with transaction() as session:
            certificates.run_job(session, job_id, now=clock.now(), note_progress=partial(_note_progress, job_id))


def _note_progress(job_id: int, done: int, total: int) -> None:
    with transaction_aside() as session:
        certificates.note_progress(session, job_id, done=done, total=total)


@shared_task(name="records.sweep", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep() -> None:
    """Correct certificates whose results were corrected, expire old files, and nudge jobs whose nudge or run was lost."""
    with transaction() as session:
        certificates.revise_certificates(session, now=clock.now())
        lost = certificates.sweep_jobs(session, now=clock.now())
    for job_id in lost:
        nudge("records.run_job", job_id)
