"""Take a planned roster file over: a few bulk statements for any number of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.core.crypto import Sealer
from examapp.core.hashing import NO_HASH
from examapp.people.models import Account, Person, PersonState, RosterMove
from examapp.people.operations.grants import end_grants_left_behind
from examapp.people.operations.import_plan import Outcome, Planned
from examapp.people.operations.passwords import new_first_password
from examapp.people.operations.roster import end_waiting_moves
from examapp.people.rules import first_password_binding, id_number_binding, mobile_binding

Report = Callable[[int, int], None]
"""Is told how many rows are done, of how many."""
_CHUNK = 1_000


def write_rows(
    session: Session,
    planned: Sequence[Planned],
    *,
    sealer: Sealer,
    actor: Actor,
    now: datetime,
    on: date,
    report: Report,
) -> None:
    """Write all new and changed rows in the caller's transaction; `report` is told how far it has come."""
    done = 0
    for chunk in _chunks(plan for plan in planned if plan.outcome is Outcome.NEW):
        _take_on(session, chunk, sealer=sealer, actor=actor, now=now, on=on)
        report(done := done + len(chunk), len(planned))
    for chunk in _chunks(plan for plan in planned if plan.outcome is Outcome.CHANGED):
        _change(session, chunk, sealer=sealer, actor=actor, now=now, on=on)
        report(done := done + len(chunk), len(planned))


def _chunks(plans: Iterable[Planned]) -> Iterator[list[Planned]]:
    rest = iter(plans)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _take_on(session: Session, plans: list[Planned], *, sealer: Sealer, actor: Actor, now: datetime, on: date) -> None:
    sequence = func.pg_get_serial_sequence("persons", "id")
    ids = list(session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, len(plans)))))
    session.execute(
        insert(Person),
        [_person(plan, person_id, sealer, now) for plan, person_id in zip(plans, ids, strict=True)],
        execution_options={"render_nulls": True},  # left out, each row without a number would begin another statement
    )
    session.execute(
        insert(Account),
        [
            {
                "person_id": person_id,
                "login_name": _staff_number(plan, person_id),
                "password_hash": NO_HASH,
                "first_password_sealed": sealer.seal(new_first_password(), bound_to=first_password_binding(person_id)),
                "must_change_password": True,
            }
            for plan, person_id in zip(plans, ids, strict=True)
        ],
    )
    moves = [
        _move(person_id, "join", None, plan.unit_id, actor=actor, now=now, on=on)
        for plan, person_id in zip(plans, ids, strict=True)
    ]
    session.execute(insert(RosterMove), moves)


def _person(plan: Planned, person_id: int, sealer: Sealer, now: datetime) -> dict[str, Any]:
    row = plan.row
    return {
        "id": person_id,
        "staff_number": _staff_number(plan, person_id),
        "name": row.name,
        "unit_id": plan.unit_id,
        "state": PersonState.ON_ROSTER,
        "rank": row.rank,
        "position": row.position,
        "id_number_sealed": sealer.seal(row.id_number, bound_to=id_number_binding(person_id))
        if row.id_number
        else None,
        "id_number_index": plan.id_number_index,
        "mobile_sealed": sealer.seal(row.mobile, bound_to=mobile_binding(person_id)) if row.mobile else None,
        "mobile_index": plan.mobile_index,
        "created_at": now,
        "updated_at": now,
    }


def _staff_number(plan: Planned, person_id: int) -> str:
    """Give the staff number of the file, or one of ours where the file knows people only by their ID numbers."""
    return plan.row.staff_number or f"R{person_id:07d}"


def _move(
    person_id: int, kind: str, left: int | None, to: int, *, actor: Actor, now: datetime, on: date
) -> dict[str, Any]:
    return {
        "person_id": person_id,
        "kind": kind,
        "from_unit_id": left,
        "to_unit_id": to,
        "effective_on": on,
        "recorded_at": now,
        "recorded_by_id": actor.person_id,
        "note": "名册导入",
    }


def _change(session: Session, plans: list[Planned], *, sealer: Sealer, actor: Actor, now: datetime, on: date) -> None:
    session.execute(update(Person), [_changed(plan, sealer, now) for plan in plans])
    returned = [plan.person_id for plan in plans if plan.is_return]
    if returned:
        session.execute(
            update(Account).where(Account.person_id.in_(returned)).values(disabled_at=None),
            execution_options={"synchronize_session": False},
        )
    moves = [
        _move(
            plan.person_id or 0,
            "return" if plan.is_return else "transfer",
            None if plan.is_return else plan.from_unit_id,
            plan.unit_id,
            actor=actor,
            now=now,
            on=on,
        )
        for plan in plans
        if plan.is_return or "unit" in plan.changes
    ]
    if moves:
        end_waiting_moves(session, [move["person_id"] for move in moves], now=now)
        session.execute(insert(RosterMove), moves)
        places = {move["person_id"]: (move["from_unit_id"], move["to_unit_id"]) for move in moves}
        end_grants_left_behind(session, places, actor=actor, now=now)


def _changed(plan: Planned, sealer: Sealer, now: datetime) -> dict[str, Any]:
    """Give the values of a changed row by primary key; what does not change is left out."""
    row, person_id = plan.row, plan.person_id or 0
    values: dict[str, Any] = {"id": person_id, "updated_at": now}
    for name in plan.changes:
        if name == "unit":
            values["unit_id"] = plan.unit_id
        elif name == "state":
            values["state"] = PersonState.ON_ROSTER
        elif name == "id_number":
            values["id_number_sealed"] = sealer.seal(row.id_number, bound_to=id_number_binding(person_id))
            values["id_number_index"] = plan.id_number_index
        elif name == "mobile":
            values["mobile_sealed"] = sealer.seal(row.mobile, bound_to=mobile_binding(person_id))
            values["mobile_index"] = plan.mobile_index
        else:
            values[name] = getattr(row, name)
    return values


_IMPORT_LOCK = 70_002
"""Key of the advisory lock: two roster imports that write at once could refuse each other's rows by accident."""


def try_to_lock(session: Session) -> bool:
    """Take the one turn of writing a roster until the transaction ends; False while another import has it."""
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _IMPORT_LOCK}))
