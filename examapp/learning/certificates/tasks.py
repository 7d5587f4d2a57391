"""Certificates in worker processes: shells around the operations, each safe to run twice."""

from __future__ import annotations

from functools import partial

from celery import shared_task

from examapp import clock
from examapp.db.session import independent_transaction, transaction
from examapp.jobs.publisher import publish
from examapp.learning.certificates import actions


@shared_task(name="records.run_job", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def run_job(job_id: int) -> None:
    """Issue or print: the try is committed before the work."""
    with transaction() as session:
        has_begun = actions.begin_job(session, job_id, now=clock.now())
    if has_begun:
        with transaction() as session:
            actions.run_job(session, job_id, now=clock.now(), note_progress=partial(_note_progress, job_id))


def _note_progress(job_id: int, done: int, total: int) -> None:
    with independent_transaction() as session:
        actions.note_progress(session, job_id, done=done, total=total)


@shared_task(name="records.sweep", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep() -> None:
    """Correct certificates whose results were corrected, expire old files, and nudge jobs whose nudge or run was lost."""
    with transaction() as session:
        actions.revise_certificates(session, now=clock.now())
        lost = actions.sweep_jobs(session, now=clock.now())
    for job_id in lost:
        publish("records.run_job", job_id)
