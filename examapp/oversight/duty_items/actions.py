"""Change the items of a list; what the office changes in a common item changes in every unit's list."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.errors import ConflictError, NotFoundError
from examapp.oversight.duty_lists.actions import (
    Answerable,
    Duty,
    InvalidDutyError,
    add_item,
    answerable_of,
    apply,
    duty_of,
    lock_editable,
    touch,
)
from examapp.oversight.duty_lists.models import DutyItem, DutyList
from examapp.oversight.duty_lists.queries import DutyScope, has_records, live_items
from examapp.oversight.duty_lists.rules import DutyTableRow, ItemKind
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "duties.change_item": "修改责任清单事项",
    "duties.create_item": "添加责任清单事项",
    "duties.import_list": "导入责任清单",
    "duties.remove_item": "删除责任清单事项",
}
AUDIT_OBJECTS = {"duty_item": "责任清单事项"}
AUDIT_DETAILS = {"unchanged": "没有变化"}


def create_item(
    context: ActionContext, *, list_id: int, duty: Duty, answerable: Answerable, duty_scope: DutyScope
) -> DutyItem:
    """Add an item to a list that is being made; a common one goes into every list of the year."""
    duty_list = lock_editable(context.session, list_id, duty_scope)
    item = put_item(context.session, duty_list, duty=duty, answerable=answerable, now=context.now)
    record(context, "duties.create_item", object_type="duty_item", object_id=item.id)
    return item


def put_item(session: Session, duty_list: DutyList, *, duty: Duty, answerable: Answerable, now: datetime) -> DutyItem:
    """Add an item to a list that is locked, and a common one to every list of the year."""
    _check(duty, duty_list)
    item = add_item(session, duty_list, duty=duty, answerable=answerable, now=now)
    touch(duty_list, now=now)
    if duty_list.unit_id is None:
        for unit_list in _lock_unit_lists(session, duty_list.year):
            add_item(session, unit_list, duty=duty, answerable=Answerable(), now=now, source_id=item.id)
            touch(unit_list, now=now)
    return item


def change_item(
    context: ActionContext,
    *,
    item_id: int,
    version: int,
    duty: Duty | None,
    answerable: Answerable,
    duty_scope: DutyScope,
) -> DutyItem:
    """Change an item that is still as the form showed it; of a common item the unit sets only who answers for it."""
    item, duty_list = _lock_item(context.session, item_id, duty_scope)
    if item.version != version:
        raise ConflictError("这一项刚才已被他人修改。请刷新页面，看过新的内容后再改。")
    set_item(context.session, duty_list, item, duty=duty, answerable=answerable, now=context.now)
    record(context, "duties.change_item", object_type="duty_item", object_id=item.id)
    return item


def set_item(
    session: Session, duty_list: DutyList, item: DutyItem, *, duty: Duty | None, answerable: Answerable, now: datetime
) -> None:
    """Set an item of a list that is locked, and the copies of a common one; in a unit's copy only who answers."""
    is_copy = item.kind == ItemKind.COMMON and duty_list.unit_id is not None
    if duty is not None and not is_copy:
        _check(duty, duty_list)
        apply(item, duty, now=now)
        _change_copies(session, item, duty, now=now)
    apply(item, answerable, now=now)
    touch(duty_list, now=now)


def remove_item(context: ActionContext, *, item_id: int, duty_scope: DutyScope) -> bool:
    """Take an item off its list; tells whether it is kept in the ledger, since something had been recorded on it."""
    session, now = context.session, context.now
    item, duty_list = _lock_item(session, item_id, duty_scope)
    if item.kind == ItemKind.COMMON and duty_list.unit_id is not None:
        raise InvalidDutyError("共性事项由普法办统一安排，本单位不能删除。确实不适用的，请联系普法办。")
    kept = [_take_off(session, copy, now=now) for copy in _lock_copies(session, item, now=now)]
    record(context, "duties.remove_item", object_type="duty_item", object_id=item.id)
    is_kept = _take_off(session, item, now=now, is_needed=any(kept))
    touch(duty_list, now=now)
    return is_kept


def _take_off(session: Session, item: DutyItem, *, now: datetime, is_needed: bool = False) -> bool:
    if is_needed or has_records(session, item.id):
        item.withdrawn_at = now
        item.updated_at = now
        session.flush()
        return True
    session.delete(item)
    session.flush()
    return False


def _lock_item(session: Session, item_id: int, duty_scope: DutyScope) -> tuple[DutyItem, DutyList]:
    list_id = session.scalar(select(DutyItem.list_id).where(DutyItem.id == item_id))
    if list_id is None:
        raise NotFoundError
    duty_list = lock_editable(session, list_id, duty_scope)
    item = session.get(DutyItem, item_id, populate_existing=True, with_for_update=True)
    if item is None or item.withdrawn_at is not None:
        raise NotFoundError
    return item, duty_list


def _lock_unit_lists(session: Session, year: int) -> list[DutyList]:
    query = select(DutyList).where(DutyList.year == year, DutyList.unit_id.is_not(None)).order_by(DutyList.id)
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))


def _lock_copies(session: Session, item: DutyItem, *, now: datetime) -> list[DutyItem]:
    query = select(DutyItem).where(DutyItem.source_id == item.id, DutyItem.withdrawn_at.is_(None))
    copies = list(session.scalars(query))
    if copies:
        lists = select(DutyList).where(DutyList.id.in_([copy.list_id for copy in copies])).order_by(DutyList.id)
        for duty_list in session.scalars(lists.with_for_update().execution_options(populate_existing=True)):
            touch(duty_list, now=now)
    return copies


def _change_copies(session: Session, item: DutyItem, duty: Duty, *, now: datetime) -> None:
    for copy in _lock_copies(session, item, now=now):
        apply(copy, duty, now=now)


def _check(duty: Duty, duty_list: DutyList) -> None:
    for name, day in (("重要时间节点", duty.key_on), ("完成时限", duty.due_on)):
        if day is not None and day.year != duty_list.year:
            raise InvalidDutyError(f"{name}应在 {duty_list.year} 年内，请改正。")


_ANSWERABLE = ("leader", "person", "department")


@dataclass(slots=True, kw_only=True)
class DutyImportResult:
    """What an import did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


def import_rows(
    context: ActionContext, *, list_id: int, rows: list[DutyTableRow], duty_scope: DutyScope
) -> DutyImportResult:
    """Take rows into a list: one whose content stands there already changes that item, others are added; nothing is deleted.

    Of a common item in a unit's list only who answers is taken. Columns that the file lacks stay as they are.
    """
    session, now = context.session, context.now
    duty_list = lock_editable(session, list_id, duty_scope)
    existing: dict[str, list[DutyItem]] = defaultdict(list)
    for item in live_items(session, list_id):
        existing[item.content].append(item)
    taken = DutyImportResult()
    for row in rows:
        same = existing[row.content]
        if not same:
            duty, answerable = _set(Duty(content=row.content), Answerable(), row)
            put_item(session, duty_list, duty=duty, answerable=answerable, now=now)
            taken.added += 1
            continue
        item = same.pop(0)
        is_copy = duty_list.unit_id is not None and item.kind == ItemKind.COMMON
        duty, answerable = _set(duty_of(item), answerable_of(item), row)
        if (is_copy or duty == duty_of(item)) and answerable == answerable_of(item):
            taken.unchanged += 1
            continue
        set_item(session, duty_list, item, duty=duty, answerable=answerable, now=now)
        taken.changed += 1
    details = {"added": taken.added, "changed": taken.changed, "unchanged": taken.unchanged}
    record(context, "duties.import_list", object_type="duty_list", object_id=list_id, details=details)
    return taken


def _set(duty: Duty, answerable: Answerable, row: DutyTableRow) -> tuple[Duty, Answerable]:
    person: dict[str, Any] = {name: text for name, text in row.text.items() if name in _ANSWERABLE}
    what: dict[str, Any] = {name: text for name, text in row.text.items() if name not in _ANSWERABLE}
    return replace(duty, **(what | row.days)), replace(answerable, **person)
