"""The entry of workers and beat: `celery --app examapp.celery_app:celery worker`; both show by a heartbeat file that they go on.

A worker touches the file with every task, and while one runs; the schedule sends each queue a task every half minute, so a worker whose
connection to the broker is silently dead stops touching it, and is restarted (ops.child_processes).
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import structlog
from celery.beat import PersistentScheduler
from celery.signals import task_postrun, task_prerun, worker_process_init
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from examapp import create_app
from examapp.clock import clock
from examapp.db.session import db
from examapp.ops.child_processes import end_with_parent, touch_heartbeat_file
from examapp.platform.province.tasks import beat_schedule_process

log = structlog.get_logger()
_BEAT_EVERY_S = 10.0
_is_running_task = threading.Event()


@worker_process_init.connect  # type: ignore[untyped-decorator]  # celery has no types
def _start_heartbeat(**_: Any) -> None:
    end_with_parent(os.getppid())
    threading.Thread(target=_touch_while_running, name="heartbeat", daemon=True).start()


def _touch_while_running() -> None:
    while _is_running_task.wait():
        touch_heartbeat_file()
        time.sleep(_BEAT_EVERY_S)


@task_prerun.connect  # type: ignore[untyped-decorator]
def _note_task_start(**_: Any) -> None:
    _is_running_task.set()


@task_postrun.connect  # type: ignore[untyped-decorator]
def _note_task_end(**_: Any) -> None:
    _is_running_task.clear()
    touch_heartbeat_file()


class Schedule(PersistentScheduler):  # type: ignore[misc]  # celery has no types
    """Beat's schedule; its row of `heartbeats` is what /healthz looks at, its heartbeat file what restarts it."""

    _beat_at = float("-inf")

    def setup_schedule(self) -> None:
        """Read the schedule, and follow the clock: nothing is forked from this process."""
        super().setup_schedule()
        with app.app_context():
            clock.begin_following(db.engine)

    def tick(self, *arguments: Any, **fields: Any) -> float:
        """Send what is due, and note that this process is alive."""
        if time.monotonic() - self._beat_at >= _BEAT_EVERY_S:
            self._beat_at = time.monotonic()
            self._note()
        delay: float = super().tick(*arguments, **fields)
        return delay

    def _note(self) -> None:
        touch_heartbeat_file()
        with app.app_context():
            try:
                beat_schedule_process(app.config["SETTINGS"])
            except SQLAlchemyError as error:
                log.warning("schedule_beat_failed", error=type(error).__name__)
            finally:
                db.session.remove()


# Workers are forked from this process: a lock that a thread of it held then would stay held in them for ever, so it has no threads.
clock.is_started_by_forks_only = True
app = create_app()
configure_mappers()
celery = app.extensions["celery"]
celery.conf.update(beat_scheduler="examapp.celery_app:Schedule", beat_max_loop_interval=10)
