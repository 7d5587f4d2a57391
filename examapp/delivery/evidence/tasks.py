"""Evidence packs in worker processes."""

from __future__ import annotations

from flask import current_app

from examapp import clock
from examapp.db.session import transaction
from examapp.delivery.evidence import actions
from examapp.delivery.evidence.models import EvidencePack
from examapp.jobs.registry import JobKind, job_handler, task
from examapp.jobs.runner import JobRun


@job_handler(
    JobKind(
        name=EvidencePack.KIND,
        queue="reports",
        label="制作考试证据包",
        quarantined="证据包没有做成，请重新申请。如仍不成功，请通过页面下方的“意见建议”告诉我们。",
    )
)
def make_pack(run: JobRun) -> None:
    """Make the pack of an exam."""
    signer = actions.signer_from(current_app.config["SETTINGS"])
    with transaction() as session:
        actions.run_pack(session, run, now=clock.now(), signer=signer)


@task("evidence.sweep", queue="reports", every_s=600)
def sweep() -> None:
    """Delete the files of packs whose time is over."""
    with transaction() as session:
        actions.expire_packs(session, now=clock.now())
