"""When attempts' pages were last heard of, written in batches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.attempts.models import AttemptContact


def note_contacts(session: Session, contacts: Mapping[int, datetime]) -> None:
    """Note when these attempts were last heard of; an earlier instant changes nothing."""
    if not contacts:
        return
    rows = [{"attempt_id": attempt_id, "seen_at": at} for attempt_id, at in sorted(contacts.items())]
    statement = insert(AttemptContact)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["attempt_id"],
            set_={"seen_at": func.greatest(AttemptContact.seen_at, statement.excluded.seen_at)},
        ),
        rows,
    )
