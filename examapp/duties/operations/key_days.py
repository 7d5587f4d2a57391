"""Set the key dates of every year."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import NotFoundError
from examapp.duties.models import KeyDayRow
from examapp.duties.operations.changing import DutyRefusedError
from examapp.duties.queries import Hands

_LEAP_YEAR = 2024


def set_key_day(
    session: Session, *, month: int, day: int, name: str, hands: Hands, actor: Actor, now: datetime
) -> None:
    """Add a key date, or name the one of that day anew; without a name it is taken off. Refuses a day that no year has."""
    if not hands.is_office:
        raise NotFoundError
    try:
        date(_LEAP_YEAR, month, day)
    except ValueError:
        raise DutyRefusedError(f"没有 {month} 月 {day} 日这一天，请改正。") from None
    row = insert(KeyDayRow).values(month=month, day=day, name=name)
    row_id = session.scalar(
        row.on_conflict_do_update(index_elements=["month", "day"], set_={"name": name}).returning(KeyDayRow.id)
    )
    details = {"month": month, "day": day, "name": name}
    record(
        session, "duties.set_key_day", actor=actor, now=now, object_type="key_day", object_id=row_id, details=details
    )
