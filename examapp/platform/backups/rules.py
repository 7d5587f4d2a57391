"""How a backup that was asked for on the web stands, from its row and the backup process's last sign of life."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class RequestState(StrEnum):
    """The states of a request."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


BACKUP_PROCESS = "backup"
"""The name under which the backup process beats in `heartbeats`; ops.backup_requests writes it."""
SILENT_AFTER = timedelta(minutes=1)
"""The process beats every five seconds, during a backup too."""
UNTAKEN_AFTER = timedelta(minutes=2)
"""For so long a request may lie before the page says that nobody takes it."""
MIN_PAUSE = timedelta(minutes=10)
"""Between the end of a backup asked for on the web and the next: each fills the disk with a copy of the whole database."""


class BackupStatus(StrEnum):
    """What the page says of the newest request."""

    NONE = "none"
    WAITING = "waiting"
    UNTAKEN = "untaken"
    RUNNING = "running"
    SILENT = "silent"
    """It was taken, and the process has gone silent over it."""
    DONE = "done"
    FAILED = "failed"


def judge_request(state: str, *, requested_at: datetime, is_served: bool, now: datetime) -> BackupStatus:
    """Judge how a request stands; `is_served`: the backup process is alive."""
    if state == RequestState.WAITING:
        return BackupStatus.UNTAKEN if now - requested_at > UNTAKEN_AFTER else BackupStatus.WAITING
    if state == RequestState.RUNNING:
        return BackupStatus.RUNNING if is_served else BackupStatus.SILENT
    return BackupStatus.DONE if state == RequestState.DONE else BackupStatus.FAILED


def size_label(size_bytes: int | None) -> str:
    """Write a size as a person reads it: `38 MB`, `2.4 GB`."""
    size = size_bytes or 0
    return f"{size / 1e9:.1f} GB" if size >= 1_000_000_000 else f"{max(1, round(size / 1e6))} MB"
