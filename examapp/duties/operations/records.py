"""Write down what was done on an item: once, in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.clock import day_of
from examapp.core.errors import ConflictError, NotFoundError
from examapp.duties.models import DutyItem, DutyList, DutyRecord
from examapp.duties.operations.changing import DutyRefusedError
from examapp.duties.queries import Hands, get_list


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done: day, place, form, people reached, law, and a few words."""

    done_on: date
    form: str
    place: str = ""
    reached: int = 0
    law: str = ""
    text: str = ""


def record_deed(
    session: Session,
    *,
    item_id: int,
    deed: Deed,
    hands: Hands,
    actor: Actor,
    now: datetime,
    event_id: int | None = None,
) -> DutyRecord:
    """Record a deed on an item of a list that has been published; the same deed twice is refused."""
    item, duty_list = _lock_item(session, item_id, hands)
    if item.withdrawn_at is not None:
        raise DutyRefusedError("这一项已从清单撤下，不能再登记。请登记到其他事项。")
    if duty_list.published_at is None:
        raise DutyRefusedError("清单还没有公布。请在审核公布后登记履职记录。")
    _check(session, item, duty_list, deed, now=now)
    row = DutyRecord(item_id=item_id, event_id=event_id, recorded_by_id=actor.person_id, created_at=now, version=0)
    _set(row, deed, now=now)
    session.add(row)
    session.flush()
    record(session, "duties.record_deed", actor=actor, now=now, object_type="duty_record", object_id=row.id)
    return row


def correct_deed(
    session: Session, *, record_id: int, version: int, deed: Deed, hands: Hands, actor: Actor, now: datetime
) -> DutyRecord:
    """Correct a record that is still as the form showed it."""
    row, item, duty_list = _lock_record(session, record_id, version, hands)
    _check(session, item, duty_list, deed, now=now, but=row.id)
    _set(row, deed, now=now)
    record(session, "duties.correct_deed", actor=actor, now=now, object_type="duty_record", object_id=row.id)
    return row


def withdraw_deed(session: Session, *, record_id: int, version: int, hands: Hands, actor: Actor, now: datetime) -> None:
    """Take a record off the ledger; the row stays."""
    row, _, _ = _lock_record(session, record_id, version, hands)
    row.withdrawn_at, row.updated_at = now, now
    row.version += 1
    record(session, "duties.withdraw_deed", actor=actor, now=now, object_type="duty_record", object_id=row.id)


def _lock_item(session: Session, item_id: int, hands: Hands) -> tuple[DutyItem, DutyList]:
    list_id = session.scalar(select(DutyItem.list_id).where(DutyItem.id == item_id))
    if list_id is None:
        raise NotFoundError
    duty_list = get_list(session, list_id, hands, has_lock=True)
    item = session.get(DutyItem, item_id, populate_existing=True)
    if item is None or duty_list.unit_id is None:
        raise NotFoundError
    return item, duty_list


def _lock_record(session: Session, record_id: int, version: int, hands: Hands) -> tuple[DutyRecord, DutyItem, DutyList]:
    item_id = session.scalar(select(DutyRecord.item_id).where(DutyRecord.id == record_id))
    if item_id is None:
        raise NotFoundError
    item, duty_list = _lock_item(session, item_id, hands)
    row = session.get(DutyRecord, record_id, populate_existing=True)
    if row is None or row.withdrawn_at is not None:
        raise NotFoundError
    if row.version != version:
        raise ConflictError("这条记录刚才已被他人修改。请刷新页面，看过新的内容后再改。")
    return row, item, duty_list


def _check(session: Session, item: DutyItem, duty_list: DutyList, deed: Deed, *, now: datetime, but: int = 0) -> None:
    if deed.done_on > day_of(now):
        raise DutyRefusedError("日期还没有到，请在开展之后登记。")
    if deed.done_on.year < duty_list.year:
        raise DutyRefusedError(f"这是 {duty_list.year} 年的清单，更早的工作请登记到相应年度。")
    same = [getattr(DutyRecord, name) == value for name, value in asdict(deed).items()]
    standing = select(DutyRecord.id).where(
        DutyRecord.item_id == item.id, DutyRecord.withdrawn_at.is_(None), DutyRecord.id != but, *same
    )
    if session.scalar(standing.limit(1)) is not None:
        raise ConflictError("同样的记录已经登记过了，不用再登记。")


def _set(row: DutyRecord, deed: Deed, *, now: datetime) -> None:
    for name, value in asdict(deed).items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = now
