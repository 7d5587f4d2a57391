"""Run a job: claim it, keep its lease while the handler works, and note how it ended. The Celery tasks of all jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from examapp import clock
from examapp.db.session import independent_transaction, transaction
from examapp.errors import DomainError
from examapp.jobs import actions
from examapp.jobs.actions import Claim, JobLostError
from examapp.jobs.registry import find_handler, find_kind, task

log = structlog.get_logger()
HEARTBEAT_S = actions.LEASE.total_seconds() / 4


class RunLaterError(Exception):
    """Raised by a handler whose job cannot go on now: it is queued again, and the run does not count."""

    def __init__(self, *, delay_s: float = 0) -> None:
        super().__init__(delay_s)
        self.delay = timedelta(seconds=delay_s)


class JobRun:
    """A running job as its handler sees it."""

    def __init__(self, claim: Claim, *, on_progress: Callable[[int], None]) -> None:
        self.id = claim.job_id
        self._claim = claim
        self._on_progress = on_progress
        self.is_completed = False

    def progress(self, done: int, total: int = 0) -> None:
        """Store the progress beside the transaction that works, and renew the lease; raises JobLostError."""
        self._on_progress(done)
        with independent_transaction() as session:
            self.checkpoint(session, done, total)

    def checkpoint(self, session: Session, done: int, total: int = 0) -> None:
        """Store the progress together with a batch of the work; raises JobLostError where another run has the job."""
        if not actions.renew_lease(session, self._claim, now=clock.now(), done=done, total=total):
            raise JobLostError

    def complete(self, session: Session, *, message: str = "", total: int | None = None) -> None:
        """Mark the job as done at the end of the transaction that holds its work; raises JobLostError."""
        actions.complete(session, self._claim, now=clock.now(), message=message, total=total)
        self.is_completed = True


def _ignore(_done: int) -> None:
    """Show nobody the progress."""


def run_job(job_id: int, *, on_progress: Callable[[int], None] = _ignore) -> bool:
    """Run a queued job in this process; False where it is not due or another run has it."""
    with transaction() as session:
        claim = actions.claim(session, job_id, now=clock.now())
    if claim is None:
        return False
    run = JobRun(claim, on_progress=on_progress)
    try:
        with _heartbeat(claim):
            find_handler(claim.kind)(run)
        if not run.is_completed:
            raise RuntimeError("the handler returned without completing its job")  # noqa: TRY301 – ends as any other fault of it
    except JobLostError:
        log.warning("job_lost", job_id=job_id, kind=claim.kind)
    except Exception as error:  # noqa: BLE001 – whatever a handler raises, its job must not be left running
        _end(claim, error)
    return True


def _end(claim: Claim, error: Exception) -> None:
    """Note how a run ended that did not complete its job."""
    now = clock.now()
    with transaction() as session:
        if isinstance(error, RunLaterError):
            actions.requeue(session, claim, now=now, delay=error.delay)
        elif isinstance(error, DomainError):
            actions.fail(session, claim, now=now, code=error.code, message=error.text)
        elif isinstance(error, SoftTimeLimitExceeded):
            actions.fail(session, claim, now=now, code="time_limit", message=find_kind(claim.kind).too_long)
        else:
            log.error("job_broke_off", job_id=claim.job_id, kind=claim.kind, exc_info=error)
            actions.retry_or_quarantine(session, claim, now=now)


@contextmanager
def _heartbeat(claim: Claim) -> Iterator[None]:
    """Renew the lease from a thread while the block runs, so that long steps without progress are not taken for dead."""
    has_ended = threading.Event()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 – Flask's documented way into a thread
    threading.Thread(target=_beat, args=(app, claim, has_ended), name="heartbeat", daemon=True).start()
    try:
        yield
    finally:
        has_ended.set()


def _beat(app: Flask, claim: Claim, has_ended: threading.Event) -> None:
    while not has_ended.wait(HEARTBEAT_S):
        try:
            with app.app_context(), independent_transaction() as session:
                actions.renew_lease(session, claim, now=clock.now())
        except SQLAlchemyError as error:
            log.warning("heartbeat_failed", job_id=claim.job_id, error=type(error).__name__)


@task(actions.RUN_TASK, queue="imports", at_province=True)
def run(job_id: int) -> None:
    """Run a job; a second message of the same job finds nothing to do."""
    run_job(job_id)


@task("jobs.sweep", queue="grading", every_s=15, at_province=True)  # not behind a large file
def sweep() -> None:
    """Recover dead runs and lost messages; the one sweep of all jobs."""
    with transaction() as session:
        actions.sweep(session, now=clock.now())
