"""The schedule of Celery's beat, which shows with every round that it goes on."""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery.beat import PersistentScheduler
from sqlalchemy.exc import SQLAlchemyError

from examapp.db.session import db
from examapp.delivery.grading.cli import beat
from examapp.ops.watched_process import show_life
from examapp.platform.setup.queries import SCHEDULE

log = structlog.get_logger()
_BEAT_EVERY_S = 10.0


class Schedule(PersistentScheduler):  # type: ignore[misc]  # celery has no types
    """The schedule; its row of `heartbeats` is what /healthz looks at, its file what restarts it."""

    _beat_at = float("-inf")

    def tick(self, *arguments: Any, **fields: Any) -> float:
        """Send what is due, and note that this process is alive."""
        if time.monotonic() - self._beat_at >= _BEAT_EVERY_S:
            self._beat_at = time.monotonic()
            self._note()
        delay: float = super().tick(*arguments, **fields)
        return delay

    def _note(self) -> None:
        show_life()
        with self.app.flask_app.app_context():
            try:
                beat(SCHEDULE)
            except SQLAlchemyError as error:
                log.warning("schedule_beat_failed", error=type(error).__name__)
            finally:
                db.session.remove()
