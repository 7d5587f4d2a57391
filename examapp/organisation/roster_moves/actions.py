"""Moves of the roster with their day: done at once, or kept until their day has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.clock import day_of, local
from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_xlsx
from examapp.errors import ConflictError, DomainError, NotFoundError
from examapp.organisation.passwords.actions import ensure_not_privileged
from examapp.organisation.people.models import Person, PersonState, PlannedMove, RosterMove
from examapp.organisation.roster.actions import (
    InvalidPersonError,
    end_waiting_moves,
    ensure_not_before_latest_move,
    ensure_unit_is_open,
    let_person_leave,
    take_person_back,
    transfer_person,
)
from examapp.organisation.roster_moves.queries import list_roster
from examapp.organisation.units.models import Unit
from examapp.organisation.units.queries import successor_of
from examapp.platform.audit.actions import SYSTEM, ActionContext, Actor, record

AUDIT_ACTS = {
    "people.cancel_move": "撤销待生效的人员变动",
    "people.export_roster": "导出历史名册",
    "people.plan_move": "登记待生效的人员变动",
}
AUDIT_VALUES = {"leave": "离开", "retire": "退休"}

SECONDMENT, SECONDMENT_END = "secondment", "secondment_end"
FURTHEST_DAYS = 366
"""How far ahead a move may be written down."""
_LEAVING = frozenset({"leave", "retire"})
_OWN_MOVES = _LEAVING | {"transfer", SECONDMENT, "return"}
"""Moves of a person, and not of the unit around one; after them a secondment is over."""
_BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What is to happen to a person: kind, where to (None for leaving), since when, for a secondment its last day."""

    kind: str
    to: Unit | None
    on: date
    until: date | None = None
    note: str = ""


def move_person(context: ActionContext, person: Person, move: Move) -> bool:
    """Move a person now, or keep the move until its day; tells whether it is done already.

    One move may wait for a person; the return from a secondment that waits is given up by any other move. Raises InvalidPersonError,
    GuardedAccountError.
    """
    context.session.refresh(person, with_for_update=True)
    waiting = find_planned(context.session, person.id)
    if waiting is not None and waiting.kind != SECONDMENT_END:
        day = waiting.effective_on.isoformat()
        raise InvalidPersonError("on", f"此人已登记 {day} 生效的变动。请先在人员页面撤销它，再办理。")
    if move.until is not None and move.until <= move.on:
        raise InvalidPersonError("until", "借调结束日期要晚于开始日期。")
    if move.on <= day_of(context.now):
        _do(context, person, move)
        return True
    _check_ahead(context, person, move)
    _plan(context, person, move)
    return False


def find_planned(session: Session, person_id: int) -> PlannedMove | None:
    """Find the move that waits for its day."""
    return session.scalar(select(PlannedMove).where(PlannedMove.person_id == person_id, PlannedMove.ended_at.is_(None)))


def cancel_planned(context: ActionContext, person: Person, planned_id: int) -> None:
    """Take back a move whose day has not come; raises NotFoundError for another person's, ConflictError where it is done or taken back."""
    row = context.session.scalar(
        select(PlannedMove)
        .where(PlannedMove.id == planned_id, PlannedMove.person_id == person.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFoundError
    if row.ended_at is not None:
        raise ConflictError("这项变动已经生效或撤销，请刷新页面查看。")
    row.ended_at, row.outcome = context.now, "cancelled"
    _note(context, "people.cancel_move", person, row.kind, row.effective_on)


def apply_due_moves(session: Session, *, now: datetime) -> int:
    """Carry out moves whose day has come, a batch in the caller's transaction; what is impossible by now is noted and set aside."""
    due = session.scalars(
        select(PlannedMove)
        .where(PlannedMove.ended_at.is_(None), PlannedMove.effective_on <= day_of(now))
        .order_by(PlannedMove.effective_on, PlannedMove.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for row in due:
        row.ended_at, row.outcome = now, "done"
        session.flush()
        try:
            with session.begin_nested():
                _carry_out(session, row, now=now)
        except DomainError as error:
            row.outcome = error.text
    return len(due)


def _carry_out(session: Session, row: PlannedMove, *, now: datetime) -> None:
    person = session.get_one(Person, row.person_id, with_for_update=True)
    to = session.get(Unit, row.to_unit_id) if row.to_unit_id is not None else None
    if to is not None and row.kind == SECONDMENT_END:
        _ensure_secondment_lasts(session, person, row)
        to = successor_of(session, to)
    actor = SYSTEM if row.recorded_by_id is None else Actor(person_id=row.recorded_by_id)
    move = Move(kind=row.kind, to=to, on=row.effective_on, until=row.until_on, note=row.note)
    _do(ActionContext(session, actor, now), person, move)


def _ensure_secondment_lasts(session: Session, person: Person, row: PlannedMove) -> None:
    since = select(RosterMove.id).where(
        RosterMove.person_id == person.id, RosterMove.recorded_at > row.recorded_at, RosterMove.kind.in_(_OWN_MOVES)
    )
    if person.state == PersonState.LEFT or session.scalar(since.limit(1)):
        raise InvalidPersonError("kind", "借调期间此人另有变动，不再自动返回原单位。")


def _do(context: ActionContext, person: Person, move: Move) -> None:
    home = person.unit_id
    if move.kind in _LEAVING:
        let_person_leave(context, person, kind=move.kind, on=move.on, note=move.note)
    elif move.to is None:
        raise InvalidPersonError("unit_id", "请选择单位。")
    elif person.state == PersonState.LEFT:
        take_person_back(context, person, move.to, on=move.on)
    else:
        transfer_person(context, person, move.to, on=move.on, note=move.note, kind=move.kind)
    if move.kind == SECONDMENT and move.until is not None:
        back = Move(
            kind=SECONDMENT_END,
            to=context.session.get_one(Unit, home),  # meant: where the person stood before
            on=move.until + timedelta(days=1),
            note="借调期满",
        )
        _plan(context, person, back)


def _check_ahead(context: ActionContext, person: Person, move: Move) -> None:
    if move.on > day_of(context.now) + timedelta(days=FURTHEST_DAYS):
        raise InvalidPersonError("on", "日期超过一年，请检查年份。")
    ensure_not_before_latest_move(context.session, person, on=move.on)
    if move.to is not None:
        ensure_unit_is_open(context.session, move.to)
        if move.to.id == person.unit_id and person.state != PersonState.LEFT:
            raise InvalidPersonError("unit_id", "这个人已经在该单位，不需要调动。")
    elif person.state == PersonState.LEFT:
        raise InvalidPersonError("kind", "这个人已经离开名册。")
    else:
        ensure_not_privileged(context, person, may_touch_guarded=False)


def _plan(context: ActionContext, person: Person, move: Move) -> None:
    session, now = context.session, context.now
    end_waiting_moves(session, [person.id], now=now)
    session.add(
        PlannedMove(
            person_id=person.id,
            kind=move.kind,
            to_unit_id=move.to.id if move.to else None,
            effective_on=move.on,
            until_on=move.until,
            note=move.note,
            recorded_by_id=context.actor.person_id,
            recorded_at=now,
            outcome="",
        )
    )
    session.flush()
    _note(context, "people.plan_move", person, move.kind, move.on)


def _note(context: ActionContext, act: str, person: Person, kind: str, on: date) -> None:
    record(
        context,
        act,
        object_type="person",
        object_id=person.id,
        person_id=person.id,
        details={"kind": kind, "on": on.isoformat()},
    )


def write_roster_file(context: ActionContext, path: Path, unit: Unit, day: date) -> None:
    """Write the roster of a unit's subtree on a day as a workbook, with a line in the log."""
    rows = list_roster(context.session, unit, day)
    columns = [
        SheetColumn(head="单位编码"),
        SheetColumn(head="单位", width=28),
        SheetColumn(head="工号"),
        SheetColumn(head="姓名"),
        SheetColumn(head="职务", width=18),
        SheetColumn(head="职级", width=18),
        SheetColumn(head="现在所在单位", width=28),
    ]
    cells = [
        [
            row.unit_code,
            row.unit_name,
            row.staff_number,
            row.name,
            row.position,
            row.rank,
            row.now_unit_name or "不在名册",
        ]
        for row in rows
    ]
    sheet = SheetLayout(
        name="名册",
        columns=columns,
        rows=cells,
        title=f"{unit.name}人员名册",
        remarks=[
            f"名册日期：{day.isoformat()}　　共 {len(rows)} 人　　导出时间：{local(context.now):%Y-%m-%d %H:%M}",
            "单位为名册日期当天所在单位，按变动的生效日期推算；职务、职级为现在登记的内容。",
        ],
    )
    write_xlsx(path, [sheet])
    details = {"day": day.isoformat(), "people": len(rows)}
    record(context, "people.export_roster", object_type="unit", object_id=unit.id, details=details)
