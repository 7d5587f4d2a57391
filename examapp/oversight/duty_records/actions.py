"""Files that hang on records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import ConflictError, NotFoundError
from examapp.learning.study_events.models import EventState, StudyEvent
from examapp.learning.study_events.queries import count_present, get_event
from examapp.learning.study_events.rules import KIND_NAMES
from examapp.oversight.duty_lists.actions import InvalidDutyError
from examapp.oversight.duty_lists.models import DutyItem, DutyList, DutyRecord, DutyRecordFile
from examapp.oversight.duty_lists.queries import DutyScope, find_list, get_list, get_record
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.uploads.actions import drop_file, store_file
from examapp.uploads.models import StoredFile

AUDIT_ACTS = {
    "duties.correct_record": "修改履职记录",
    "duties.add_record": "登记履职记录",
    "duties.withdraw_record": "撤销履职记录",
    "duties.follow_event": "活动更正后自动更新履职记录",
    "duties.attach_file": "上传履职材料",
    "duties.remove_file": "删除履职材料",
}
AUDIT_OBJECTS = {"duty_record": "履职记录"}

ROOM = "duties"


def files_of(session: Session, record_ids: Sequence[int]) -> dict[int, list[StoredFile]]:
    """Give the files of records by record, the oldest first."""
    found: dict[int, list[StoredFile]] = defaultdict(list)
    rows = session.execute(
        select(DutyRecordFile.record_id, StoredFile)
        .join(StoredFile, StoredFile.id == DutyRecordFile.file_id)
        .where(DutyRecordFile.record_id.in_(record_ids))
        .order_by(StoredFile.id)
    )
    for record_id, file in rows:
        found[record_id].append(file)
    return dict(found)


def get_record_file(session: Session, record_id: int, token: str) -> StoredFile:
    """Get a file of a record that was found within the access scope; raises NotFoundError."""
    file = session.scalar(
        select(StoredFile)
        .join(DutyRecordFile, DutyRecordFile.file_id == StoredFile.id)
        .where(DutyRecordFile.record_id == record_id, StoredFile.token == token, StoredFile.room == ROOM)
    )
    if file is None:
        raise NotFoundError
    return file


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
    context: ActionContext, *, item_id: int, deed: Deed, duty_scope: DutyScope, event_id: int | None = None
) -> DutyRecord:
    """Record a deed on an item of a list that has been published; the same deed twice is rejected."""
    session, now = context.session, context.now
    item, duty_list = _lock_item(session, item_id, duty_scope)
    if item.withdrawn_at is not None:
        raise InvalidDutyError("这一项已从清单撤下，不能再登记。请登记到其他事项。")
    if duty_list.published_at is None:
        raise InvalidDutyError("清单还没有公布。请在审核公布后登记履职记录。")
    _check(session, item, duty_list, deed, now=now)
    row = DutyRecord(
        item_id=item_id, event_id=event_id, recorded_by_id=context.actor.person_id, created_at=now, version=0
    )
    _set(row, deed, now=now)
    session.add(row)
    session.flush()
    record(context, "duties.add_record", object_type="duty_record", object_id=row.id)
    return row


def correct_deed(
    context: ActionContext, *, record_id: int, version: int, deed: Deed, duty_scope: DutyScope
) -> DutyRecord:
    """Correct a record that is still as the form showed it."""
    row, item, duty_list = _lock_record(context.session, record_id, version, duty_scope)
    _check(context.session, item, duty_list, deed, now=context.now, but=row.id)
    _set(row, deed, now=context.now)
    record(context, "duties.correct_record", object_type="duty_record", object_id=row.id)
    return row


def withdraw_deed(context: ActionContext, *, record_id: int, version: int, duty_scope: DutyScope) -> None:
    """Take a record off the ledger; the row stays."""
    row, _, _ = _lock_record(context.session, record_id, version, duty_scope)
    row.withdrawn_at, row.updated_at = context.now, context.now
    row.version += 1
    record(context, "duties.withdraw_record", object_type="duty_record", object_id=row.id)


def _lock_item(session: Session, item_id: int, duty_scope: DutyScope) -> tuple[DutyItem, DutyList]:
    list_id = session.scalar(select(DutyItem.list_id).where(DutyItem.id == item_id))
    if list_id is None:
        raise NotFoundError
    duty_list = get_list(session, list_id, duty_scope, has_lock=True)
    item = session.get(DutyItem, item_id, populate_existing=True)
    if item is None or duty_list.unit_id is None:
        raise NotFoundError
    return item, duty_list


def _lock_record(
    session: Session, record_id: int, version: int, duty_scope: DutyScope
) -> tuple[DutyRecord, DutyItem, DutyList]:
    item_id = session.scalar(select(DutyRecord.item_id).where(DutyRecord.id == record_id))
    if item_id is None:
        raise NotFoundError
    item, duty_list = _lock_item(session, item_id, duty_scope)
    row = session.get(DutyRecord, record_id, populate_existing=True)
    if row is None or row.withdrawn_at is not None:
        raise NotFoundError
    if row.version != version:
        raise ConflictError("这条记录刚才已被他人修改。请刷新页面，看过新的内容后再改。")
    return row, item, duty_list


def _check(session: Session, item: DutyItem, duty_list: DutyList, deed: Deed, *, now: datetime, but: int = 0) -> None:
    if deed.done_on > day_of(now):
        raise InvalidDutyError("日期还没有到，请在开展之后登记。")
    if deed.done_on.year < duty_list.year:
        raise InvalidDutyError(f"这是 {duty_list.year} 年的清单，更早的工作请登记到相应年度。")
    same = [getattr(DutyRecord, name) == value for name, value in asdict(deed).items()]
    existing = select(DutyRecord.id).where(
        DutyRecord.item_id == item.id, DutyRecord.withdrawn_at.is_(None), DutyRecord.id != but, *same
    )
    if session.scalar(existing.limit(1)) is not None:
        raise ConflictError("同样的记录已经登记过了，不用再登记。")


def _set(row: DutyRecord, deed: Deed, *, now: datetime) -> None:
    for name, value in asdict(deed).items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = now


MAX_FILES = 6


def attach_file(
    context: ActionContext, *, record_id: int, name: str, content: bytes, duty_scope: DutyScope
) -> StoredFile:
    """Keep a file with a record, at most six; raises InvalidFileError for a kind or content that does not come in."""
    session = context.session
    _lock(session, record_id, duty_scope)
    count = session.scalar(
        select(func.count()).select_from(DutyRecordFile).where(DutyRecordFile.record_id == record_id)
    )
    if (count or 0) >= MAX_FILES:
        raise InvalidDutyError(f"一条记录最多 {MAX_FILES} 个附件。请先删除不需要的。")
    file = store_file(session, room=ROOM, name=name, content=content, by_id=context.actor.person_id, now=context.now)
    session.add(DutyRecordFile(record_id=record_id, file_id=file.id))
    session.flush()
    record(context, "duties.attach_file", object_type="duty_record", object_id=record_id)
    return file


def remove_file(context: ActionContext, *, record_id: int, token: str, duty_scope: DutyScope) -> None:
    """Take a file off a record and delete it; a second press finds nothing."""
    session = context.session
    _lock(session, record_id, duty_scope)
    file = get_record_file(session, record_id, token)
    session.delete(session.get_one(DutyRecordFile, file.id))
    session.flush()
    drop_file(session, file)
    record(context, "duties.remove_file", object_type="duty_record", object_id=record_id)


def _lock(session: Session, record_id: int, duty_scope: DutyScope) -> None:
    get_record(session, record_id, duty_scope)
    row = session.get(DutyRecord, record_id, populate_existing=True, with_for_update=True)
    if row is None or row.withdrawn_at is not None:
        raise NotFoundError


def record_event(context: ActionContext, *, event_id: int, item_id: int, duty_scope: DutyScope) -> DutyRecord:
    """Record a settled event on an item of its unit's list of that year; pressed again it corrects what stands there.

    Raises NotFoundError, InvalidDutyError, and ConflictError where it stands on another item already.
    """
    session = context.session
    event = get_event(session, event_id, duty_scope.write, is_locked=True)
    if event.state != EventState.HELD:
        raise InvalidDutyError("活动还没有办结。请先在活动页登记到场人员并办结，再记入台账。")
    item = session.get(DutyItem, item_id)  # meant: held against the list of the event's unit, two lines below
    duty_list = find_list(session, event.unit_id, day_of(event.starts_at).year)
    if item is None or duty_list is None or item.list_id != duty_list.id:
        raise NotFoundError
    existing = find_event_record(session, event_id)
    if existing is None:
        deed = deed_of(session, event)
        return record_deed(context, item_id=item_id, deed=deed, event_id=event_id, duty_scope=duty_scope)
    if existing.item_id != item_id:
        raise ConflictError(f"这次活动已记在“{existing.item.content}”下，一次活动只记一次。要改记请先撤销那条记录。")
    return correct_deed(
        context, record_id=existing.id, version=existing.version, deed=deed_of(session, event), duty_scope=duty_scope
    )


def find_event_record(session: Session, event_id: int) -> DutyRecord | None:
    """Find the record that an event has in the ledger."""
    return session.scalars(
        select(DutyRecord).where(DutyRecord.event_id == event_id, DutyRecord.withdrawn_at.is_(None))
    ).one_or_none()


def deed_of(session: Session, event: StudyEvent) -> Deed:
    """Give what an event says as the ledger has it; whom it reached are those put down as present, and the public as counted."""
    return Deed(
        done_on=day_of(event.starts_at),
        form=KIND_NAMES[event.kind],
        place=event.place,
        reached=count_present(session, event.id) + event.outside_count,
        law=event.laws,
        text="。".join(part.rstrip("。") for part in (event.theme, event.summary) if part) + "。",
    )


def follow_events(session: Session, *, now: datetime) -> int:
    """Correct the records of events that were opened again and settled since, withdraw those of cancelled ones; safe to run twice. Gives how many."""
    rows = session.execute(
        select(DutyRecord, StudyEvent)
        .join(StudyEvent, StudyEvent.id == DutyRecord.event_id)
        .where(
            DutyRecord.withdrawn_at.is_(None),
            StudyEvent.updated_at > DutyRecord.updated_at,
            StudyEvent.state != EventState.PLANNED,
        )
        .with_for_update(of=DutyRecord, skip_locked=True)
    ).all()
    context = ActionContext(session, SYSTEM, now)
    for row, event in rows:
        if event.state == EventState.HELD:
            _set(row, deed_of(session, event), now=now)
        else:
            row.withdrawn_at, row.updated_at = now, now
        record(context, "duties.follow_event", object_type="duty_record", object_id=row.id)
    return len(rows)
