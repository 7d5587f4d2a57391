"""Rows whose ID number belongs to somebody beyond the importer's access scope: not told at the preview, held back for the office when the file is taken over."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Integer, func, insert, select, text, update
from sqlalchemy.orm import Session

from examapp.errors import DomainError
from examapp.organisation.access.queries import within
from examapp.organisation.passwords.actions import end_grants_left_behind, new_first_password
from examapp.organisation.people.models import Account, Person, PersonState, RosterImport, RosterMove
from examapp.organisation.people.queries import guarded_role_of
from examapp.organisation.people.rules import first_password_binding, id_number_binding, mobile_binding
from examapp.organisation.roster.actions import end_waiting_moves, let_person_leave
from examapp.organisation.roster_imports.queries import ImportScope, Planned, RosterRowOutcome
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, Actor, record
from examapp.platform.audit.models import AuditEvent
from examapp.security.ciphers import FieldCipher
from examapp.security.password_hashing import NO_HASH

AUDIT_ACTS = {
    "people.check_outside_numbers": "名册里有别的单位人员的身份证号",
    "people.hold_outside_numbers": "导入名册时留下别的单位人员",
}

MAX_FILES_A_DAY = 20
"""Files that somebody brings in who does not reach the whole county."""
MAX_HELD_A_DAY = 20
"""People of other units of whom such a person learns in a day, by files taken over, that their numbers are known here."""
CHECKED, HELD = "people.check_outside_numbers", "people.hold_outside_numbers"
ADVICE = "这个身份证号已登记在别的单位，这一行没有导入。请报普法办核对，办理调动。"
_UPLOADED = "people.upload_roster"
_DAY = timedelta(hours=24)


class TooManyFilesError(DomainError):
    """Somebody who does not reach the whole county has brought in many files today."""

    code = "too_many_files"
    status = 429
    message = f"24 小时内最多上传 {MAX_FILES_A_DAY} 个名册文件，您已用完。请把人员合在一个文件里，明天再上传；急用的，请报普法办导入。"


class TooManyHeldError(DomainError):
    """A file names many people of other units by their ID numbers."""

    code = "too_many_outside"
    status = 422
    message = f"文件里有很多身份证号已登记在别的单位（24 小时内最多 {MAX_HELD_A_DAY} 个），整个文件没有导入。请把名册报普法办导入。"


def ensure_files_left_today(context: ActionContext) -> None:
    """Raise TooManyFilesError where a person has used up the day's files."""
    files = select(func.count()).select_from(AuditEvent)
    if (context.session.scalar(files.where(*_of(context, _UPLOADED))) or 0) >= MAX_FILES_A_DAY:
        raise TooManyFilesError(retry_after=int(_DAY.total_seconds()))


def note_out_of_scope(session: Session, job: RosterImport, planned: Sequence[Planned], *, now: datetime) -> None:
    """Write into the log how many rows of a file that was only looked at name people beyond the importer's access scope."""
    count = sum(plan.is_out_of_scope for plan in planned)
    if count:
        _record(session, CHECKED, job, count, now)


def hold_out_of_scope(
    session: Session, job: RosterImport, taken: Sequence[Planned], *, now: datetime
) -> tuple[list[Planned], list[Planned]]:
    """Part the rows to be written from those held back, with a line in the log; raises TooManyHeldError, the file's rows unwritten."""
    held = [plan for plan in taken if plan.is_out_of_scope]
    if held:
        context = ActionContext(session, Actor(person_id=job.created_by_id), now)
        before = select(func.sum(AuditEvent.details["rows"].as_string().cast(Integer)))
        if len(held) + (session.scalar(before.where(*_of(context, HELD))) or 0) > MAX_HELD_A_DAY:
            raise TooManyHeldError
        _record(session, HELD, job, len(held), now)
    return [plan for plan in taken if not plan.is_out_of_scope], held


def _of(context: ActionContext, act: str) -> tuple[ColumnElement[bool], ...]:
    return AuditEvent.actor_id == context.actor.person_id, AuditEvent.act == act, AuditEvent.at > context.now - _DAY


def _record(session: Session, act: str, job: RosterImport, count: int, now: datetime) -> None:
    record(ActionContext(session, Actor(person_id=job.created_by_id), now), act, object_type="roster_import", object_id=job.id, details={"rows": count})  # fmt: skip


IMPORT_NOTE = "名册导入"
"""Stands at every move that a roster file makes."""
KINDS = {"gone": "离开", "moved": "调动", "changed": "变更", "new": "新增"}
"""What a difference is made of, those first that need a look at each name."""
MAX_LISTED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Somebody on the roster whom the file does not name."""

    person_id: int
    staff_number: str
    name: str
    unit_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was agreed to of a difference: kinds, and within them the people that were left out, by key."""

    kinds: frozenset[str]
    left_out: frozenset[str]

    def takes(self, kind: str, key: str) -> bool:
        """Tell whether a person's difference was agreed to."""
        return kind in self.kinds and key not in self.left_out


def kind_of(plan: Planned) -> str | None:
    """Name the kind of a row's difference; None for a row that changes nothing or is rejected."""
    if plan.outcome is RosterRowOutcome.NEW:
        return "new"
    if plan.outcome is not RosterRowOutcome.CHANGED:
        return None
    return "moved" if plan.is_return or "unit" in plan.changes else "changed"


def key_of(plan: Planned) -> str:
    """Give the word by which a page names a row: its place in the file."""
    return f"{plan.row.sheet}-{plan.row.line}"


def find_gone(session: Session, planned: Sequence[Planned], scope: ImportScope, *, now: datetime) -> list[Gone]:
    """Find who stands on the roster within the scope and is not named by any row, not even by a faulty one.

    Administrators are left alone: their roles have to be taken back first.
    """
    named = {plan.row.staff_number for plan in planned if plan.row.staff_number}
    known = {plan.person_id for plan in planned if plan.person_id is not None}
    needing_review = {plan.row.name for plan in planned if plan.outcome is RosterRowOutcome.REJECTED}
    query = (
        select(Person.id, Person.staff_number, Person.name, Unit.name.label("unit_name"))
        .join(Unit, Unit.id == Person.unit_id)
        .where(
            Person.state == PersonState.ON_ROSTER,
            within(scope.access),
            ~guarded_role_of(Person.id, now=now, access=scope.access),
        )
        .order_by(Unit.code, Person.staff_number)
    )
    if scope.unit is not None:
        query = query.where(Unit.region_path.startswith(scope.unit.region_path))
    return [
        Gone(person_id=row.id, staff_number=row.staff_number, name=row.name, unit_name=row.unit_name)
        for row in session.execute(query)
        if row.id not in known and row.staff_number not in named and row.name not in needing_review
    ]


def digest(planned: Iterable[Planned], gone: Iterable[Gone]) -> str:
    """Give the fingerprint of a difference: what is agreed to is carried out only while it is still the same."""
    lines = sorted(
        f"{key_of(plan)}|{plan.outcome}|{plan.person_id}|{plan.from_unit_id}|{plan.unit_id}|{','.join(plan.changes)}"
        for plan in planned
    )
    lines += [f"gone|{one.person_id}|{one.unit_name}" for one in gone]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def listing(
    session: Session, planned: Sequence[Planned], gone: Sequence[Gone], text_of: Any
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Give the counts by kind and the people to show, those that are gone first; `text_of` says what a row changes."""
    unit_ids = {unit_id for plan in planned for unit_id in (plan.unit_id, plan.from_unit_id) if unit_id}
    units = session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(unit_ids)))
    names: dict[int, str] = {unit.id: unit.name for unit in units}
    known_ids = {plan.person_id for plan in planned if plan.person_id and not plan.row.staff_number}
    known = session.execute(select(Person.id, Person.staff_number).where(Person.id.in_(known_ids)))
    numbers: dict[int, str] = {person.id: person.staff_number for person in known}
    rows = [
        {"kind": "gone", "key": str(one.person_id), "name": one.name, "staff_number": one.staff_number, "from": one.unit_name, "to": "", "what": ""}
        for one in gone
    ]  # fmt: skip
    rows += [_row(kind, plan, names, numbers, text_of) for plan in planned if (kind := kind_of(plan))]
    counts = {kind: sum(row["kind"] == kind for row in rows) for kind in KINDS}
    order = list(KINDS)
    rows.sort(key=lambda row: order.index(row["kind"]))
    return counts, rows[:MAX_LISTED]


def _row(kind: str, plan: Planned, names: dict[int, str], numbers: dict[int, str], text_of: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": key_of(plan),
        "name": plan.row.name,
        "staff_number": plan.row.staff_number or numbers.get(plan.person_id or 0, ""),
        "from": names.get(plan.from_unit_id or 0, "") if kind != "new" and not plan.is_return else "",
        "to": names.get(plan.unit_id, "") if kind in ("new", "moved") else "",
        "what": text_of(plan) if kind != "new" else "",
    }


def chosen_rows(planned: Sequence[Planned], choice: Choice) -> list[Planned]:
    """Give the rows that were agreed to."""
    return [plan for plan in planned if (kind := kind_of(plan)) and choice.takes(kind, key_of(plan))]


def deactivate_missing(context: ActionContext, gone: Sequence[Gone], choice: Choice, *, on: date) -> int:
    """Take those off the roster whose leaving was agreed to; accounts are closed, results stay. Gives how many."""
    leaving = [one for one in gone if choice.takes("gone", str(one.person_id))]
    for one in leaving:
        person = context.session.get_one(Person, one.person_id)
        let_person_leave(context, person, kind="leave", on=on, note="名册导入：文件中没有此人")
    return len(leaving)


def as_choice(wording: dict[str, Any]) -> Choice:
    """Read a choice back from the import's row."""
    return Choice(kinds=frozenset(wording["kinds"]), left_out=frozenset(wording["left_out"]))


def as_text(choice: Choice) -> dict[str, list[str]]:
    """Write a choice for the import's row."""
    return {name: sorted(values) for name, values in asdict(choice).items()}


Report = Callable[[int, int], None]
"""Is told how many rows are done, of how many."""
_CHUNK = 1_000


def write_rows(
    context: ActionContext, planned: Sequence[Planned], *, cipher: FieldCipher, on: date, report: Report
) -> None:
    """Write all new and changed rows in the caller's transaction; `report` is told how far it has come."""
    done = 0
    for chunk in _chunks(plan for plan in planned if plan.outcome is RosterRowOutcome.NEW):
        _take_on(context, chunk, cipher=cipher, on=on)
        report(done := done + len(chunk), len(planned))
    for chunk in _chunks(plan for plan in planned if plan.outcome is RosterRowOutcome.CHANGED):
        _change(context, chunk, cipher=cipher, on=on)
        report(done := done + len(chunk), len(planned))


def _chunks(plans: Iterable[Planned]) -> Iterator[list[Planned]]:
    rest = iter(plans)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _take_on(context: ActionContext, plans: list[Planned], *, cipher: FieldCipher, on: date) -> None:
    session, now = context.session, context.now
    sequence = func.pg_get_serial_sequence("persons", "id")
    ids = list(session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, len(plans)))))
    session.execute(
        insert(Person),
        [_person(plan, person_id, cipher, now) for plan, person_id in zip(plans, ids, strict=True)],
        execution_options={"render_nulls": True},  # left out, each row without a number would begin another statement
    )
    session.execute(
        insert(Account),
        [
            {
                "person_id": person_id,
                "login_name": _staff_number(plan, person_id),
                "password_hash": NO_HASH,
                "first_password_encrypted": cipher.seal(
                    new_first_password(), associated_data=first_password_binding(person_id)
                ),
                "must_change_password": True,
            }
            for plan, person_id in zip(plans, ids, strict=True)
        ],
    )
    moves = [
        _move(context, person_id, "join", None, plan.unit_id, on=on) for plan, person_id in zip(plans, ids, strict=True)
    ]
    session.execute(insert(RosterMove), moves)


def _person(plan: Planned, person_id: int, cipher: FieldCipher, now: datetime) -> dict[str, Any]:
    row = plan.row
    return {
        "id": person_id,
        "staff_number": _staff_number(plan, person_id),
        "name": row.name,
        "unit_id": plan.unit_id,
        "state": PersonState.ON_ROSTER,
        "rank": row.rank,
        "position": row.position,
        "id_number_encrypted": cipher.seal(row.id_number, associated_data=id_number_binding(person_id))
        if row.id_number
        else None,
        "id_number_index": plan.id_number_index,
        "mobile_encrypted": cipher.seal(row.mobile, associated_data=mobile_binding(person_id)) if row.mobile else None,
        "mobile_index": plan.mobile_index,
        "created_at": now,
        "updated_at": now,
    }


def _staff_number(plan: Planned, person_id: int) -> str:
    """Give the staff number of the file, or one of ours where the file knows people only by their ID numbers."""
    return plan.row.staff_number or f"R{person_id:07d}"


def _move(context: ActionContext, person_id: int, kind: str, left: int | None, to: int, *, on: date) -> dict[str, Any]:
    return {
        "person_id": person_id,
        "kind": kind,
        "from_unit_id": left,
        "to_unit_id": to,
        "effective_on": on,
        "recorded_at": context.now,
        "recorded_by_id": context.actor.person_id,
        "note": IMPORT_NOTE,
    }


def _change(context: ActionContext, plans: list[Planned], *, cipher: FieldCipher, on: date) -> None:
    session, now = context.session, context.now
    session.execute(update(Person), [_changed(plan, cipher, now) for plan in plans])
    returned = [plan.person_id for plan in plans if plan.is_return]
    if returned:
        session.execute(
            update(Account).where(Account.person_id.in_(returned)).values(disabled_at=None),
            execution_options={"synchronize_session": False},
        )
    moves = [
        _move(
            context,
            plan.person_id or 0,
            "return" if plan.is_return else "transfer",
            None if plan.is_return else plan.from_unit_id,
            plan.unit_id,
            on=on,
        )
        for plan in plans
        if plan.is_return or "unit" in plan.changes
    ]
    if moves:
        end_waiting_moves(session, [move["person_id"] for move in moves], now=now)
        session.execute(insert(RosterMove), moves)
        places = {move["person_id"]: (move["from_unit_id"], move["to_unit_id"]) for move in moves}
        end_grants_left_behind(context, places)


def _changed(plan: Planned, cipher: FieldCipher, now: datetime) -> dict[str, Any]:
    """Give the values of a changed row by primary key; what does not change is left out."""
    row, person_id = plan.row, plan.person_id or 0
    values: dict[str, Any] = {"id": person_id, "updated_at": now}
    for name in plan.changes:
        if name == "unit":
            values["unit_id"] = plan.unit_id
        elif name == "state":
            values["state"] = PersonState.ON_ROSTER
        elif name == "id_number":
            values["id_number_encrypted"] = cipher.seal(row.id_number, associated_data=id_number_binding(person_id))
            values["id_number_index"] = plan.id_number_index
        elif name == "mobile":
            values["mobile_encrypted"] = cipher.seal(row.mobile, associated_data=mobile_binding(person_id))
            values["mobile_index"] = plan.mobile_index
        else:
            values[name] = getattr(row, name)
    return values


_IMPORT_LOCK = 70_002
"""Key of the advisory lock: two roster imports that write at once could reject each other's rows by accident."""


def try_to_lock(session: Session) -> bool:
    """Take the one turn of writing a roster until the transaction ends; False while another import has it."""
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _IMPORT_LOCK}))
