"""What every act on a list shares: its lock, its version, its copies in the units' lists."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Unit
from examapp.oversight.duty_lists.models import DutyItem, DutyList
from examapp.oversight.duty_lists.queries import DutyScope, find_list, get_list, live_items, unit_of
from examapp.oversight.duty_lists.rules import (
    SHIPPED_DUTIES,
    SHIPPED_MEASURES,
    SHIPPED_STANDARD,
    DutyListState,
    ItemKind,
    missing_fields,
)
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "duties.open_list": "新建责任清单",
    "duties.propose_list": "报送责任清单",
    "duties.publish_list": "审核公布责任清单",
    "duties.return_list": "退回责任清单",
    "duties.withdraw_list": "收回责任清单",
}
AUDIT_OBJECTS = {"duty_list": "责任清单"}


class InvalidDutyError(DomainError):
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


def lock_editable(session: Session, list_id: int, duty_scope: DutyScope) -> DutyList:
    """Lock a list for a change of its items; rejects while the office has it."""
    duty_list = get_list(session, list_id, duty_scope, has_lock=True)
    if duty_list.state == DutyListState.PROPOSED:
        raise ConflictError("清单已报送，正在审核，不能修改。需要修改请先收回。")
    if duty_list.state == DutyListState.PUBLISHED:
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


_CHANGED = "清单刚才已被他人修改。请刷新页面，看过新的内容后再办。"


def open_list(
    context: ActionContext, *, unit_id: int | None, year: int, duty_scope: DutyScope, is_copied: bool = False
) -> DutyList:
    """Open a unit's list of a year with the office's common items, and if asked for last year's own ones; without a unit the common list.

    Raises ConflictError where there is one.
    """
    session, now = context.session, context.now
    _check_place(session, unit_id, duty_scope)
    common = None if unit_id is None else _lock_common(session, year, now=now)
    duty_list = _insert(session, unit_id, year, now=now)
    if duty_list is None:
        raise ConflictError(f"{year} 年的清单已经建好。请返回后直接打开。")
    before = find_list(session, unit_id, year - 1) if is_copied else None
    last = live_items(session, before.id) if before else []
    if common is not None:
        _take_common(session, duty_list, common, last, now=now)
    for item in last:
        if unit_id is None or item.kind == ItemKind.OWN:
            duty = replace(duty_of(item), key_on=_next_year(item.key_on, year), due_on=_next_year(item.due_on, year))
            add_item(session, duty_list, duty=duty, answerable=answerable_of(item), now=now)
    details = {"unit_id": unit_id, "year": year}
    record(context, "duties.open_list", object_type="duty_list", object_id=duty_list.id, details=details)
    return duty_list


def load_shipped_duties(context: ActionContext, *, year: int) -> bool:
    """Begin the common list of a year with the items that the application comes with; False where there is a list already."""
    everything = AccessScope(is_everything=True)
    try:
        common = open_list(context, unit_id=None, year=year, duty_scope=DutyScope(write=everything, approve=everything))
    except ConflictError:
        return False
    for content, audience, carrier, due, key in SHIPPED_DUTIES:
        duty = Duty(
            content=content,
            audience=audience,
            carrier=carrier,
            measures=SHIPPED_MEASURES,
            standard=SHIPPED_STANDARD,
            key_on=date(year, *key) if key else None,
            due_on=date(year, *due),
        )
        add_item(context.session, common, duty=duty, answerable=Answerable(), now=context.now)
    return True


def _check_place(session: Session, unit_id: int | None, duty_scope: DutyScope) -> None:
    if unit_id is None:
        if not duty_scope.is_office:
            raise NotFoundError
    elif get_unit_within(session, unit_id, duty_scope.write).closed_at is not None:
        raise InvalidDutyError("单位已停用，不能再建清单。请到“单位”中核对。")


def _lock_common(session: Session, year: int, *, now: datetime) -> DutyList:
    _insert(session, None, year, now=now)
    common = find_list(session, None, year)
    if common is None:
        raise NotFoundError
    return session.get_one(DutyList, common.id, populate_existing=True, with_for_update=True)


def _insert(session: Session, unit_id: int | None, year: int, *, now: datetime) -> DutyList | None:
    row = insert(DutyList).values(unit_id=unit_id, year=year, created_at=now, updated_at=now)
    statement = (
        row.values(state=DutyListState.DRAFT, version=1, remark="").on_conflict_do_nothing().returning(DutyList.id)
    )
    list_id = session.scalar(statement)
    return None if list_id is None else session.get_one(DutyList, list_id)


def _take_common(
    session: Session, duty_list: DutyList, common: DutyList, last: list[DutyItem], *, now: datetime
) -> None:
    known = {item.content: answerable_of(item) for item in last if item.kind == ItemKind.COMMON}
    for item in live_items(session, common.id):
        answerable = known.get(item.content, Answerable())
        add_item(session, duty_list, duty=duty_of(item), answerable=answerable, now=now, source_id=item.id)


def _next_year(day: date | None, year: int) -> date | None:
    if day is None:
        return None
    return date(year, 2, 28) if (day.month, day.day) == (2, 29) else day.replace(year=year)


def propose_list(context: ActionContext, *, list_id: int, version: int, duty_scope: DutyScope) -> None:
    """Hand a unit's list to the office; every item needs a responsible person and a due date."""
    duty_list, _ = _lock_unit_list(context.session, list_id, duty_scope)
    if duty_list.state != DutyListState.DRAFT:
        raise ConflictError("清单已经报送过了，不用再报。请刷新页面查看。")
    _check_version(duty_list, version)
    items = live_items(context.session, list_id)
    missing = missing_fields([(n, item.person, str(item.due_on or "")) for n, item in enumerate(items, 1)])
    if missing:
        raise InvalidDutyError("".join(missing))
    duty_list.state, duty_list.remark = DutyListState.PROPOSED, ""
    duty_list.proposed_at, duty_list.proposed_by_id = context.now, context.actor.person_id
    _note(context, "duties.propose_list", duty_list)


def take_back_list(context: ActionContext, *, list_id: int, duty_scope: DutyScope) -> None:
    """Take a proposed list back for changes before the office has decided."""
    duty_list, _ = _lock_unit_list(context.session, list_id, duty_scope)
    if duty_list.state != DutyListState.PROPOSED:
        raise ConflictError("清单不在待审核中，不能撤回。请刷新页面查看。")
    duty_list.state = DutyListState.DRAFT
    _note(context, "duties.withdraw_list", duty_list)


def publish_list(context: ActionContext, *, list_id: int, version: int, duty_scope: DutyScope) -> None:
    """Approve a proposed list as it was seen, and publish it; a second approval is rejected and changes nothing."""
    duty_list, unit = _lock_unit_list(context.session, list_id, duty_scope)
    _check_office(unit, duty_scope)
    if duty_list.state == DutyListState.PUBLISHED:
        raise ConflictError("这份清单已经审核公布，不用再办。请刷新页面查看。")
    if duty_list.state != DutyListState.PROPOSED:
        raise ConflictError("单位还没有报送，或已撤回修改。请等单位重新报送。")
    _check_version(duty_list, version)
    duty_list.state, duty_list.published_by_id = DutyListState.PUBLISHED, context.actor.person_id
    duty_list.published_at = duty_list.published_at or context.now
    _note(context, "duties.publish_list", duty_list)


def send_back_list(context: ActionContext, *, list_id: int, version: int, remark: str, duty_scope: DutyScope) -> None:
    """Give a proposed or published list back to the unit with a reason; what was recorded stays."""
    duty_list, unit = _lock_unit_list(context.session, list_id, duty_scope)
    _check_office(unit, duty_scope)
    if duty_list.state == DutyListState.DRAFT:
        raise ConflictError("清单已在单位修改中，不用再退回。请刷新页面查看。")
    _check_version(duty_list, version)
    duty_list.state, duty_list.remark = DutyListState.DRAFT, remark
    _note(context, "duties.return_list", duty_list)


def _lock_unit_list(session: Session, list_id: int, duty_scope: DutyScope) -> tuple[DutyList, Unit]:
    duty_list = get_list(session, list_id, duty_scope, has_lock=True)
    unit = unit_of(session, duty_list)
    if unit is None:
        raise InvalidDutyError("共性事项随时生效，不用报送和审核。")
    return duty_list, unit


def _check_office(unit: Unit, duty_scope: DutyScope) -> None:
    access = duty_scope.approve
    if access is None or not access.covers(region_path=unit.region_path, sector_path=unit.sector_path):
        raise NotFoundError


def _check_version(duty_list: DutyList, version: int) -> None:
    if duty_list.version != version:
        raise ConflictError(_CHANGED)


def _note(context: ActionContext, act: str, duty_list: DutyList) -> None:
    touch(duty_list, now=context.now)
    details = {"unit_id": duty_list.unit_id, "year": duty_list.year}
    record(context, act, object_type="duty_list", object_id=duty_list.id, details=details)
