"""Celery over the Redis protocol: limits, the schedule as the tasks declare it, and the application around every task."""

from __future__ import annotations

from typing import Any

from celery import Celery, Task
from flask import Flask

from examapp.jobs.registry import beat_schedule, province_tasks, task_routes


def init_celery(app: Flask, *, broker_url: str, is_eager: bool, is_province: bool = False) -> Celery:
    """Make the Celery application of this Flask application; JSON only, results are rows, never Celery's own store.

    At a province a task that is not declared for it does nothing, whoever sends it.
    """

    class AppTask(Task):  # type: ignore[misc]  # celery has no types
        """A task that runs inside the Flask application."""

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            if is_province and self.name not in province_tasks:
                return None
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
        task_routes=task_routes,
        beat_schedule={
            name: entry for name, entry in beat_schedule.items() if not is_province or name in province_tasks
        },
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
        timezone="UTC",
    )
    celery.set_default()
    app.extensions["celery"] = celery
    return celery


def _for_celery(url: str) -> str:
    """Write a Unix socket's address as kombu wants it."""
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    database = query.removeprefix("db=") or "0"
    return f"redis+socket://{path}?virtual_host={database}"
