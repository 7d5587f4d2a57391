"""What every act on a list shares: its lock, its version, its copies in the units' lists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.core.errors import ConflictError, DomainError
from examapp.duties.models import DutyItem, DutyList
from examapp.duties.queries import Hands, get_list
from examapp.duties.rules import ItemKind, ListState


class DutyRefusedError(DomainError):
    """A list or record cannot stand so; the message says why, and what to do."""

    code = "duty_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What an item says of law, audience and manner."""

    content: str
    audience: str = ""
    carrier: str = ""
    measures: str = ""
    standard: str = ""
    key_on: date | None = None
    due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerable:
    """Who answers for an item."""

    leader: str = ""
    person: str = ""
    department: str = ""


def lock_editable(session: Session, list_id: int, hands: Hands) -> DutyList:
    """Lock a list for a change of its items; refuses while the office has it."""
    duty_list = get_list(session, list_id, hands, has_lock=True)
    if duty_list.state == ListState.PROPOSED:
        raise ConflictError("清单已报送，正在审核，不能修改。需要修改请先收回。")
    if duty_list.state == ListState.PUBLISHED:
        raise ConflictError("清单已公布，不能修改。需要修改请联系普法办退回。")
    return duty_list


def touch(duty_list: DutyList, *, now: datetime) -> None:
    """Count a change of a list."""
    duty_list.version += 1
    duty_list.updated_at = now


def apply(item: DutyItem, duty: Duty | Answerable, *, now: datetime) -> None:
    """Write what was set into an item, and count the change."""
    for name, value in asdict(duty).items():
        setattr(item, name, value)
    item.version = (item.version or 0) + 1
    item.updated_at = now


def add_item(
    session: Session,
    duty_list: DutyList,
    *,
    duty: Duty,
    answerable: Answerable,
    now: datetime,
    source_id: int | None = None,
) -> DutyItem:
    """Add an item at the end of a list; it is common in the office's list and as a copy of an item there."""
    is_common = duty_list.unit_id is None or source_id is not None
    item = DutyItem(
        list_id=duty_list.id,
        source_id=source_id,
        kind=ItemKind.COMMON if is_common else ItemKind.OWN,
        position=_next_position(session, duty_list.id),
        created_at=now,
        version=0,
    )
    apply(item, duty, now=now)
    apply(item, answerable, now=now)
    item.version = 1
    session.add(item)
    session.flush()
    return item


def _next_position(session: Session, list_id: int) -> int:
    return (session.scalar(select(func.max(DutyItem.position)).where(DutyItem.list_id == list_id)) or 0) + 1


def duty_of(item: DutyItem) -> Duty:
    """Give what an item says, to be copied."""
    return Duty(
        content=item.content,
        audience=item.audience,
        carrier=item.carrier,
        measures=item.measures,
        standard=item.standard,
        key_on=item.key_on,
        due_on=item.due_on,
    )


def answerable_of(item: DutyItem) -> Answerable:
    """Give who answers for an item, to be copied."""
    return Answerable(leader=item.leader, person=item.person, department=item.department)
