"""What a feature declares in its `tasks.py`: Celery tasks by `@task`, with queue and schedule, and the handlers of its kinds of jobs by `@job_handler`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from celery import shared_task
from sqlalchemy.orm import Session

from examapp.jobs.models import MAX_RETRIES

MAX_TIME_LIMIT_S = 570.0
"""Celery's soft limit of any task; its hard one is half a minute later, below the broker's visibility timeout."""

QueueName = Literal["grading", "reports", "imports", "messages"]
"""One worker process each: what candidates wait for (grading, papers); files for the office; all the rest; what waits for operators of messages."""
task_routes: dict[str, dict[str, QueueName]] = {}
beat_schedule: dict[str, dict[str, Any]] = {}
"""Celery's settings of these names, as the tasks declare them."""
province_tasks: set[str] = set()
"""Tasks that a province runs too: none that changes, grades or writes to people of its cells."""


def task(
    name: str, *, queue: QueueName, every_s: float | None = None, at_province: bool = False
) -> Callable[[Callable[..., None]], Any]:
    """Declare a Celery task, its queue, how often beat sends it, in seconds, and whether a province runs it. It must be safe to run twice."""
    task_routes[name] = {"queue": queue}
    if every_s is not None:
        beat_schedule[name] = {"task": name, "schedule": every_s}
    if at_province:
        province_tasks.add(name)
    declare: Callable[[Callable[..., None]], Any] = shared_task(name=name)
    return declare


def _do_nothing(_session: Session, _job_id: int) -> None:
    """Keep what is stored when a job has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """What the engine knows about a kind of job."""

    name: str
    """The value of `jobs.kind`."""
    label: str
    """Chinese, for the operator's page."""
    viewer: str | None = None
    """The permission that lets others than its owner follow its progress, held over everything where `is_wide`."""
    is_wide: bool = False
    queue: QueueName = "imports"
    time_limit_s: float = MAX_TIME_LIMIT_S
    max_runs: int = MAX_RETRIES
    quarantined: str = "多次处理都没有完成，已停止。请联系系统管理员。"
    too_long: str = "处理时间过长，已停止。"
    on_failed: Callable[[Session, int], None] = _do_nothing
    """Called in the transaction that ends a job without its work done."""
    may_retry: bool = True
    """Whether the operator may queue it again after it was quarantined or cancelled."""


Handler = Callable[[Any], None]
"""Called with a `runner.JobRun`; completes the job in the transaction of its work. It must be safe to run twice: a run may die at any point."""
_kinds: dict[str, tuple[JobKind, Handler]] = {}


def job_handler(kind: JobKind) -> Callable[[Handler], Handler]:
    """Declare a function as the handler of a kind of job."""

    def declare(handler: Handler) -> Handler:
        _kinds[kind.name] = kind, handler
        return handler

    return declare


def find_kind(name: str) -> JobKind:
    """Give the kind of this name; raises KeyError for one that no feature declares."""
    return _kinds[name][0]


def find_handler(name: str) -> Handler:
    """Give the handler of a kind; raises KeyError."""
    return _kinds[name][1]


def list_kinds() -> list[JobKind]:
    """List all kinds."""
    return [kind for kind, _ in _kinds.values()]
