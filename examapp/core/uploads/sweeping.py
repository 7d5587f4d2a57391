"""Clear away uploads that nobody goes on with, and bytes whose row was rolled back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examapp.core.uploads.models import PendingUpload, StoredFile
from examapp.core.uploads.places import root

FORGOTTEN_AFTER = timedelta(days=1)


def sweep_uploads(session: Session, *, now: datetime) -> int:
    """Delete uploads untouched for a day, and files a day old that no row names; gives how many files went. Safe to run twice."""
    session.execute(delete(PendingUpload).where(PendingUpload.touched_at < now - FORGOTTEN_AFTER))
    named = {*session.scalars(select(StoredFile.token)), *session.scalars(select(PendingUpload.token))}
    gone = [path for path in _files() if path.name not in named and _is_old(path, now)]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _files() -> list[Path]:
    return [path for path in root().rglob("*") if path.is_file()]


def _is_old(path: Path, now: datetime) -> bool:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - FORGOTTEN_AFTER
