"""The newest request for a backup, and whether a process is there that takes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.delivery.grading.models import Heartbeat
from examapp.organisation.people.models import Person
from examapp.platform.backups.models import BackupRequest
from examapp.platform.backups.rules import BACKUP_PROCESS, SILENT_AFTER, BackupStatus, judge_request


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupView:
    """The newest request and who made it, how it stands, and whether the backup process is alive."""

    request: BackupRequest | None
    requested_by: str
    status: BackupStatus
    is_served: bool

    @property
    def is_open(self) -> bool:
        """Whether it is not over yet."""
        return self.status not in {BackupStatus.NONE, BackupStatus.DONE, BackupStatus.FAILED}


def view_backups(session: Session, *, now: datetime) -> BackupView:
    """Give what the page shows."""
    row = session.execute(
        select(BackupRequest, Person.name)
        .outerjoin(Person, Person.id == BackupRequest.requested_by_id)
        .order_by(BackupRequest.id.desc())
        .limit(1)
    ).one_or_none()
    beat_at = session.scalar(select(Heartbeat.beat_at).where(Heartbeat.name == BACKUP_PROCESS))
    is_served = beat_at is not None and now - beat_at <= SILENT_AFTER
    if row is None:
        return BackupView(request=None, requested_by="", status=BackupStatus.NONE, is_served=is_served)
    request, name = row
    status = judge_request(request.state, requested_at=request.requested_at, is_served=is_served, now=now)
    return BackupView(request=request, requested_by=name or "", status=status, is_served=is_served)
