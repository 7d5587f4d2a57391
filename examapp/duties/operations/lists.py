"""Open a list for a year, propose it, approve and publish it, give it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import ConflictError, NotFoundError
from examapp.duties.models import DutyItem, DutyList
from examapp.duties.operations.changing import (
    Answerable,
    DutyRefusedError,
    add_item,
    answerable_of,
    duty_of,
    touch,
)
from examapp.duties.queries import Hands, find_list, get_list, live_items, unit_of
from examapp.duties.rules import ItemKind, ListState, lacks_of
from examapp.org.models import Unit
from examapp.people.queries.reach import get_unit_within

_CHANGED = "清单刚才已被他人修改。请刷新页面，看过新的内容后再办。"


def open_list(
    session: Session,
    *,
    unit_id: int | None,
    year: int,
    hands: Hands,
    actor: Actor,
    now: datetime,
    is_copied: bool = False,
) -> DutyList:
    """Open a unit's list of a year with the office's common items, and on wish last year's own ones; without a unit the common list.

    Raises ConflictError where there is one.
    """
    _check_place(session, unit_id, hands)
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
    record(
        session,
        "duties.open_list",
        actor=actor,
        now=now,
        object_type="duty_list",
        object_id=duty_list.id,
        details=details,
    )
    return duty_list


def _check_place(session: Session, unit_id: int | None, hands: Hands) -> None:
    if unit_id is None:
        if not hands.is_office:
            raise NotFoundError
    elif get_unit_within(session, unit_id, hands.write).closed_at is not None:
        raise DutyRefusedError("单位已停用，不能再建清单。请到「单位」中核对。")


def _lock_common(session: Session, year: int, *, now: datetime) -> DutyList:
    _insert(session, None, year, now=now)
    common = find_list(session, None, year)
    if common is None:
        raise NotFoundError
    return session.get_one(DutyList, common.id, populate_existing=True, with_for_update=True)


def _insert(session: Session, unit_id: int | None, year: int, *, now: datetime) -> DutyList | None:
    row = insert(DutyList).values(unit_id=unit_id, year=year, created_at=now, updated_at=now)
    statement = row.values(state=ListState.DRAFT, version=1, remark="").on_conflict_do_nothing().returning(DutyList.id)
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


def propose_list(session: Session, *, list_id: int, version: int, hands: Hands, actor: Actor, now: datetime) -> None:
    """Hand a unit's list to the office; every item needs a responsible person and a due date."""
    duty_list, _ = _lock_unit_list(session, list_id, hands)
    if duty_list.state != ListState.DRAFT:
        raise ConflictError("清单已经报送过了，不用再报。请刷新页面查看。")
    _check_version(duty_list, version)
    items = live_items(session, list_id)
    lacks = lacks_of([(n, item.person, str(item.due_on or "")) for n, item in enumerate(items, 1)])
    if lacks:
        raise DutyRefusedError("".join(lacks))
    duty_list.state, duty_list.proposed_at, duty_list.proposed_by_id = ListState.PROPOSED, now, actor.person_id
    duty_list.remark = ""
    _note(session, "duties.propose_list", duty_list, actor=actor, now=now)


def take_back_list(session: Session, *, list_id: int, hands: Hands, actor: Actor, now: datetime) -> None:
    """Take a proposed list back for changes before the office has decided."""
    duty_list, _ = _lock_unit_list(session, list_id, hands)
    if duty_list.state != ListState.PROPOSED:
        raise ConflictError("清单不在待审核中，不能收回。请刷新页面查看。")
    duty_list.state = ListState.DRAFT
    _note(session, "duties.take_back_list", duty_list, actor=actor, now=now)


def publish_list(session: Session, *, list_id: int, version: int, hands: Hands, actor: Actor, now: datetime) -> None:
    """Approve a proposed list as it was seen, and publish it; a second approval is refused and changes nothing."""
    duty_list, unit = _lock_unit_list(session, list_id, hands)
    _check_office(unit, hands)
    if duty_list.state == ListState.PUBLISHED:
        raise ConflictError("这份清单已经审核公布，不用再办。请刷新页面查看。")
    if duty_list.state != ListState.PROPOSED:
        raise ConflictError("单位还没有报送，或已收回修改。请等单位重新报送。")
    _check_version(duty_list, version)
    duty_list.state, duty_list.published_by_id = ListState.PUBLISHED, actor.person_id
    duty_list.published_at = duty_list.published_at or now
    _note(session, "duties.publish_list", duty_list, actor=actor, now=now)


def send_back_list(
    session: Session, *, list_id: int, version: int, remark: str, hands: Hands, actor: Actor, now: datetime
) -> None:
    """Give a proposed or published list back to the unit with a reason; what was recorded stays."""
    duty_list, unit = _lock_unit_list(session, list_id, hands)
    _check_office(unit, hands)
    if duty_list.state == ListState.DRAFT:
        raise ConflictError("清单已在单位修改中，不用再退回。请刷新页面查看。")
    _check_version(duty_list, version)
    duty_list.state, duty_list.remark = ListState.DRAFT, remark
    _note(session, "duties.send_back_list", duty_list, actor=actor, now=now)


def _lock_unit_list(session: Session, list_id: int, hands: Hands) -> tuple[DutyList, Unit]:
    duty_list = get_list(session, list_id, hands, has_lock=True)
    unit = unit_of(session, duty_list)
    if unit is None:
        raise DutyRefusedError("共性事项随时生效，不用报送和审核。")
    return duty_list, unit


def _check_office(unit: Unit, hands: Hands) -> None:
    reach = hands.approve
    if reach is None or not reach.covers(region_path=unit.region_path, sector_path=unit.sector_path):
        raise NotFoundError


def _check_version(duty_list: DutyList, version: int) -> None:
    if duty_list.version != version:
        raise ConflictError(_CHANGED)


def _note(session: Session, act: str, duty_list: DutyList, *, actor: Actor, now: datetime) -> None:
    touch(duty_list, now=now)
    details = {"unit_id": duty_list.unit_id, "year": duty_list.year}
    record(session, act, actor=actor, now=now, object_type="duty_list", object_id=duty_list.id, details=details)
