"""Celery over the Redis protocol: queues, limits, the schedule, and the application around every task."""

from __future__ import annotations

from typing import Any

from celery import Celery, Task
from flask import Flask

QUEUES = {
    "jobs.sweep": "grading",  # it must not wait behind a large file
    "grading.tally": "reports",
    "grading.": "grading",
    "papers.": "grading",
    "exams.": "grading",
    "attempts.": "grading",
    "reports.refresh_unit_stats": "imports",  # it must not wait behind a large file
    "reports.": "reports",
    "records.": "reports",
}
"""Queue by the beginning of a task's or job's name; all others go to `imports`."""

SCHEDULE = {
    "sweep jobs": {"task": "jobs.sweep", "schedule": 15.0},
    "sweep certificates": {"task": "records.sweep", "schedule": 60.0},
    "sweep exports": {"task": "reports.sweep", "schedule": 30.0},
    "keep figures": {"task": "reports.refresh_unit_stats", "schedule": 10.0},
    "apply roster changes": {"task": "roster_changes.apply", "schedule": 300.0},
    "apply roster moves": {"task": "people.apply_moves", "schedule": 60.0},
    "sweep freezes": {"task": "roster_snapshots.sweep", "schedule": 30.0},
    "seal audit log": {"task": "audit.seal", "schedule": 10.0},
    "verify audit log": {"task": "audit.verify", "schedule": 86_400.0},
    "check data keys": {"task": "people.check_keys", "schedule": 86_400.0},
    "send reset codes": {"task": "people.send_reset_codes", "schedule": 20.0},
    "forget sign-in failures": {"task": "people.forget_failures", "schedule": 300.0},
    "send messages": {"task": "messages.send_waiting", "schedule": 30.0},
    "tally questions": {"task": "grading.tally_questions", "schedule": 600.0},
    "check laws": {"task": "questions.check_laws", "schedule": 60.0},
    "sweep clearances": {"task": "training.sweep_clearances", "schedule": 60.0},
    "sweep exams for training": {"task": "training.sweep_exams", "schedule": 60.0},
    "count due reviews": {"task": "training.count_due", "schedule": 21_600.0},
    "sweep uploads": {"task": "training.sweep_uploads", "schedule": 3600.0},
    "remind of duties": {"task": "duties.remind_due", "schedule": 1800.0},
    "let personal data go": {"task": "privacy.apply_retention", "schedule": 43_200.0},
    "prepare papers": {"task": "exams.sweep_papers", "schedule": 60.0},
}


def init_celery(app: Flask, *, broker_url: str, is_eager: bool) -> Celery:
    """Make the Celery application of this Flask application; JSON only, results are rows, never Celery's own store."""

    class AppTask(Task):  # type: ignore[misc]  # celery has no types
        """A task that runs inside the Flask application."""

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery = Celery(app.name, task_cls=AppTask, broker=_for_celery(broker_url), set_as_current=True)
    celery.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_always_eager=is_eager,
        task_acks_late=True,
        task_default_queue="imports",
        task_routes=(_route,),
        task_time_limit=600,
        task_soft_time_limit=570,
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=2000,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,  # its proxy drops what a log handler writes to standard error, so every line of ours
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 900,
            "socket_timeout": 5.0,
            "socket_connect_timeout": 2.0,
            "queue_order_strategy": "round_robin",
        },
        beat_schedule=SCHEDULE,
        timezone="UTC",
    )
    celery.set_default()
    app.extensions["celery"] = celery
    return celery


def queue_of(name: str) -> str:
    """Give the queue of a task or kind of job by its name."""
    return next((queue for beginning, queue in QUEUES.items() if name.startswith(beginning)), "imports")


def _route(name: str, *_: Any, **__: Any) -> dict[str, str]:
    return {"queue": queue_of(name)}


def _for_celery(url: str) -> str:
    """Write a Unix socket's address as kombu wants it."""
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    database = query.removeprefix("db=") or "0"
    return f"redis+socket://{path}?virtual_host={database}"
