"""The life of a job: enqueue, claim, renew the lease, complete, fail, cancel, retry; and the sweep that finds dead runs and lost messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import structlog
from sqlalchemy import CursorResult, and_, case, exists, select, true, update
from sqlalchemy.orm import Session, aliased

from examapp.db.session import after_commit
from examapp.errors import ConflictError, NotFoundError
from examapp.jobs import publisher
from examapp.jobs.models import Job, JobState
from examapp.jobs.registry import find_kind

log = structlog.get_logger()
RUN_TASK = "jobs.run"
LEASE = timedelta(seconds=60)
"""How long a run may go without renewing its lease before it is taken for dead; four heartbeats."""
RETRY_DELAY = timedelta(seconds=30)
"""Pause before a failed run is tried again, times the number of runs so far."""
_STALL = timedelta(seconds=15)
"""Jobs of a kind of which none has begun for so long, though some are due: their messages were lost."""
_MAX_WAIT = timedelta(minutes=5)
"""A message is sent again after so long even while other jobs of the kind begin."""
AnyJob = TypeVar("AnyJob", bound=Job)
_MAX_PUBLISHED = 200
"""Messages that one sweep sends again at most."""
_NOT_SYNCHRONISED = {"synchronize_session": False}


class JobLostError(Exception):
    """This run no longer holds its job: it was cancelled, or its lease expired and another run has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run that holds a job; number and instant together tell it from every other run of the job."""

    job_id: int
    kind: str
    run_count: int
    started_at: datetime


def enqueue(session: Session, job: AnyJob) -> AnyJob:
    """Store a new job and have a worker run it once the transaction has committed."""
    session.add(job)
    session.flush()
    publish_after_commit(session, job.id, job.kind)
    return job


def restart(session: Session, job: Job, *, now: datetime) -> None:
    """Queue an ended job again as if it were new, in the caller's transaction, which holds its row."""
    job.state, job.run_count, job.run_after = JobState.QUEUED, 0, now
    job.done = job.total = 0
    job.error_code, job.message, job.finished_at = "", "", None
    publish_after_commit(session, job.id, job.kind)


def publish_after_commit(session: Session, job_id: int, kind: str, *, delay_s: float = 0) -> None:
    """Send the message that a job is due once the transaction has committed; a lost message is made up for by the sweep."""
    after_commit(session, lambda: publish_job(job_id, kind, delay_s=delay_s))


def publish_job(job_id: int, kind: str, *, delay_s: float = 0) -> None:
    """Send the message that a job is due, to the queue of its kind."""
    found = find_kind(kind)
    publisher.publish(RUN_TASK, job_id, delay_s=delay_s, queue=found.queue, limit_s=found.time_limit_s)


def claim(session: Session, job_id: int, *, now: datetime) -> Claim | None:
    """Claim a queued job and count the run; None where it is not due, or another run has it. Commit before the work."""
    due = select(Job.id).where(Job.id == job_id, Job.state == JobState.QUEUED, Job.run_after <= now)
    row = session.execute(
        update(Job)
        .where(Job.id.in_(due.with_for_update(skip_locked=True)))
        .values(state=JobState.RUNNING, run_count=Job.run_count + 1, started_at=now, lease_expires_at=now + LEASE)
        .returning(Job.id, Job.kind, Job.run_count, Job.started_at)
        .execution_options(**_NOT_SYNCHRONISED)
    ).one_or_none()
    if row is None:
        return None
    return Claim(job_id=row.id, kind=row.kind, run_count=row.run_count, started_at=row.started_at)


def renew_lease(session: Session, claim: Claim, *, now: datetime, done: int | None = None, total: int = 0) -> bool:
    """Renew the lease of a run, with its progress where given; False where the run no longer holds the job."""
    progress = {} if done is None else {"done": done, "total": max(done, total)}
    return _update_claimed(session, claim, lease_expires_at=now + LEASE, **progress)


def complete(session: Session, claim: Claim, *, now: datetime, message: str = "", total: int | None = None) -> None:
    """Mark a run's job as done, in the transaction of its work; raises JobLostError where another run has it."""
    count = Job.total if total is None else total
    ended = {"state": JobState.DONE, "finished_at": now, "lease_expires_at": None}
    if not _update_claimed(session, claim, message=message, done=count, total=count, **ended):
        raise JobLostError


def fail(session: Session, claim: Claim, *, now: datetime, code: str, message: str) -> None:
    """Mark a run's job as failed by an error that the user can read."""
    ended = {"state": JobState.FAILED, "finished_at": now, "lease_expires_at": None}
    if _update_claimed(session, claim, error_code=code, message=message[:500], **ended):
        find_kind(claim.kind).on_failed(session, claim.job_id)


def requeue(session: Session, claim: Claim, *, now: datetime, delay: timedelta = timedelta(0)) -> None:
    """Give a job back that could not run now, or is to go on later; the run does not count."""
    values = {"state": JobState.QUEUED, "run_after": now + delay, "lease_expires_at": None, "run_count": 0}
    if _update_claimed(session, claim, **values):
        publish_after_commit(session, claim.job_id, claim.kind, delay_s=delay.total_seconds())


def retry_or_quarantine(session: Session, claim: Claim, *, now: datetime, delay: timedelta = RETRY_DELAY) -> bool:
    """Queue a job again whose run broke off, later with every run, or quarantine it after the last; gives whether it is queued."""
    kind = find_kind(claim.kind)
    if claim.run_count < kind.max_runs:
        values = {"state": JobState.QUEUED, "run_after": now + delay * claim.run_count, "lease_expires_at": None}
        return _update_claimed(session, claim, **values)
    ended = {"state": JobState.QUARANTINED, "finished_at": now, "lease_expires_at": None}
    if _update_claimed(session, claim, error_code="quarantined", message=kind.quarantined, **ended):
        log.error("job_quarantined", job_id=claim.job_id, kind=claim.kind, run_count=claim.run_count)
        kind.on_failed(session, claim.job_id)
    return False


def _update_claimed(session: Session, claim: Claim, **values: Any) -> bool:
    changed = session.execute(
        update(Job)
        .where(
            Job.id == claim.job_id,
            Job.state == JobState.RUNNING,
            Job.run_count == claim.run_count,
            Job.started_at == claim.started_at,
        )
        .values(**values)
        .execution_options(**_NOT_SYNCHRONISED)
    )
    return bool(cast("CursorResult[Any]", changed).rowcount)


def cancel(session: Session, job_id: int, *, now: datetime) -> Job:
    """Cancel a job that waits or runs: its run is told at its next progress, and what it wrote is rolled back; raises ConflictError."""
    job = _lock(session, job_id)
    if not job.is_active:
        raise ConflictError("这项任务已经结束，不能取消。请刷新页面查看。")
    job.state, job.finished_at, job.lease_expires_at = JobState.CANCELLED, now, None
    job.error_code, job.message = "cancelled", "已由管理员取消。"
    session.flush()
    find_kind(job.kind).on_failed(session, job_id)
    return job


def retry(session: Session, job_id: int, *, now: datetime) -> Job:
    """Queue a quarantined or cancelled job again, after its cause was mended; raises ConflictError for any other."""
    job = _lock(session, job_id)
    if job.state not in (JobState.QUARANTINED, JobState.CANCELLED) or not find_kind(job.kind).may_retry:
        raise ConflictError("这项任务不能重新运行，请由申请人重新办理。")
    restart(session, job, now=now)
    return job


def _lock(session: Session, job_id: int) -> Job:
    job = session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise NotFoundError
    return job


def sweep(session: Session, *, now: datetime) -> None:
    """Queue dead runs again or quarantine them, and send the message again of every due job whose message was lost."""
    for job_id, kind in (*recover_dead(session, now=now), *session.execute(_due(now))):
        publish_after_commit(session, job_id, kind)


def recover_dead(session: Session, kind: str | None = None, *, now: datetime) -> list[tuple[int, str]]:
    """Queue jobs again whose run is dead, or quarantine them; gives id and kind of those queued."""
    has_died = and_(Job.state == JobState.RUNNING, Job.lease_expires_at <= now)
    dead = session.execute(
        select(Job.id, Job.kind, Job.run_count, Job.started_at)
        .where(has_died, true() if kind is None else Job.kind == kind)
        .order_by(Job.id)
        .with_for_update(skip_locked=True)
    ).all()
    claims = [Claim(job_id=r.id, kind=r.kind, run_count=r.run_count, started_at=r.started_at) for r in dead]
    return [
        (claim.job_id, claim.kind)
        for claim in claims
        if retry_or_quarantine(session, claim, now=now, delay=timedelta(0))
    ]


def _due(now: datetime) -> Any:
    """Select the due jobs whose message must be lost: none of their kind has begun recently, or they have waited very long."""
    other = aliased(Job, flat=True)
    is_moving = exists().where(other.kind == Job.kind, other.started_at > now - _STALL)
    return (
        select(Job.id, Job.kind)
        .where(Job.state == JobState.QUEUED, Job.run_after <= case((is_moving, now - _MAX_WAIT), else_=now - _STALL))
        .order_by(Job.id)
        .limit(_MAX_PUBLISHED)
    )
