"""Certificates in worker processes."""

from __future__ import annotations

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import JobKind, job_handler, task
from examapp.jobs.runner import JobRun
from examapp.learning.certificates import actions
from examapp.learning.certificates.models import CertificateJob


@job_handler(
    JobKind(
        name=CertificateJob.KIND,
        queue="reports",
        label="办理证书",
        quarantined="没有成功，请重新办理。如仍不成功，请通过页面下方的“意见建议”告诉我们。",
    )
)
def run_job(run: JobRun) -> None:
    """Issue or print certificates."""
    with transaction() as session:
        actions.run_job(session, run, now=clock.now())


@task("records.sweep", queue="reports", every_s=60)
def sweep() -> None:
    """Correct certificates whose results were corrected, and delete expired files."""
    with transaction() as session:
        actions.revise_certificates(session, now=clock.now())
        actions.expire_files(session, now=clock.now())
