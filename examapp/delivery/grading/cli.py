"""The sweeper: the one process that closes and grades by schedule, whatever the queue does."""

from __future__ import annotations

import shutil
import signal
import threading
from pathlib import Path
from types import FrameType

import click
import structlog
from flask import Blueprint, current_app
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from examapp import clock
from examapp.db.session import db, transaction
from examapp.delivery.grading.models import Heartbeat
from examapp.delivery.grading.tasks import sweep_once
from examapp.ops.child_processes import touch_heartbeat_file

cli_blueprint = Blueprint("grading_cli", __name__, cli_group=None)
log = structlog.get_logger()
_FULL = 0.8
_SWEEPER_LOCK = 430_527
"""The advisory lock that lets one sweeper work at a time."""


@cli_blueprint.cli.command("sweep")
@click.option("--every", default=15, show_default=True, help="Seconds between two rounds.")
@click.option("--once", is_flag=True, help="One round only.")
def sweep(every: int, once: bool) -> None:
    """Close what is overdue and grade what waits, for ever."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while not stop.is_set():
        _round()
        if once or stop.wait(every):
            break


def warn_of_full_disk(folder: Path) -> None:
    """Raise the alarm where the disk under the data is filling: a database without room takes no more answers."""
    usage = shutil.disk_usage(folder)
    if usage.used >= _FULL * usage.total:
        log.error("disk_filling", percent=round(100 * usage.used / usage.total))


def _round() -> None:
    touch_heartbeat_file()
    warn_of_full_disk(current_app.config["SETTINGS"].data_path)
    try:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _SWEEPER_LOCK}).scalar_one():
                return
            try:
                if not current_app.config["SETTINGS"].province:  # its attempts are the cells', who close and grade them
                    sweep_once()
                beat("sweeper")
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _SWEEPER_LOCK})
    except SQLAlchemyError as error:
        log.warning("sweep_failed", error=type(error).__name__)
        db.session.remove()


def beat(name: str) -> None:
    """Note that a process is alive."""
    with transaction() as session:
        statement = insert(Heartbeat).values(name=name, beat_at=clock.now())
        session.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_={"beat_at": statement.excluded.beat_at})
        )
