"""Take a settled event of study in the room over into the unit's ledger: once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.core.clock import day_of
from examapp.core.errors import ConflictError, NotFoundError
from examapp.duties.models import DutyItem, DutyRecord
from examapp.duties.operations.changing import DutyRefusedError
from examapp.duties.operations.records import Deed, correct_deed, record_deed
from examapp.duties.queries import Hands, find_list
from examapp.records.models import EventState, StudyEvent
from examapp.records.queries.events import count_present, get_event
from examapp.records.rules.events import KIND_NAMES


def record_event(
    session: Session, *, event_id: int, item_id: int, hands: Hands, actor: Actor, now: datetime
) -> DutyRecord:
    """Record a settled event on an item of its unit's list of that year; pressed again it corrects what stands there.

    Raises NotFoundError, DutyRefusedError, and ConflictError where it stands on another item already.
    """
    event = get_event(session, event_id, hands.write, is_locked=True)
    if event.state != EventState.HELD:
        raise DutyRefusedError("活动还没有办结。请先在活动页登记到场人员并办结，再记入台账。")
    item = session.get(DutyItem, item_id)  # meant: held against the list of the event's unit, two lines below
    duty_list = find_list(session, event.unit_id, day_of(event.starts_at).year)
    if item is None or duty_list is None or item.list_id != duty_list.id:
        raise NotFoundError
    standing = find_event_record(session, event_id)
    if standing is None:
        deed = deed_of(session, event)
        return record_deed(session, item_id=item_id, deed=deed, event_id=event_id, hands=hands, actor=actor, now=now)
    if standing.item_id != item_id:
        raise ConflictError(f"这次活动已记在「{standing.item.content}」下，一次活动只记一次。要改记请先撤销那条记录。")
    return correct_deed(
        session,
        record_id=standing.id,
        version=standing.version,
        deed=deed_of(session, event),
        hands=hands,
        actor=actor,
        now=now,
    )


def find_event_record(session: Session, event_id: int) -> DutyRecord | None:
    """Find the record that an event has in the ledger."""
    return session.scalars(
        select(DutyRecord).where(DutyRecord.event_id == event_id, DutyRecord.withdrawn_at.is_(None))
    ).one_or_none()


def deed_of(session: Session, event: StudyEvent) -> Deed:
    """Give what an event says as the ledger has it; whom it reached are those put down as present."""
    return Deed(
        done_on=day_of(event.starts_at),
        form=KIND_NAMES[event.kind],
        place=event.place,
        reached=count_present(session, event.id),
        law=event.laws,
        text="。".join(part.rstrip("。") for part in (event.theme, event.summary) if part) + "。",
    )
