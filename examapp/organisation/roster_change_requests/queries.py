"""Lists of changes of the roster as units and the office read them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.roster_change_requests.models import (
    ChangeKind,
    LineState,
    RosterChangeItem,
    RosterChangeListState,
    RosterChangeRequest,
)
from examapp.organisation.units.models import Unit

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedChanges:
    """A list with the names beside it."""

    row: RosterChangeRequest
    unit_name: str
    unit_code: str
    lines: int
    waiting: int
    submitted_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    """A line with the people and units that it names; `namesakes` are people of the roster called like a joiner."""

    line: RosterChangeItem
    person: Person | None
    from_unit: str
    to_unit: str
    namesakes: Sequence[str] = ()


def get_change_list(
    session: Session, list_id: int, access: AccessScope, *, with_lock: bool = False
) -> RosterChangeRequest:
    """Get a list of a unit within the access scope with its lines; raises NotFoundError."""
    query = (
        select(RosterChangeRequest)
        .join(Unit, RosterChangeRequest.unit_id == Unit.id)
        .where(RosterChangeRequest.id == list_id, within(access))
        .options(selectinload(RosterChangeRequest.lines))
        .execution_options(populate_existing=True)
    )
    found = session.scalar(query.with_for_update(of=RosterChangeRequest) if with_lock else query)
    if found is None:
        raise NotFoundError
    return found


def list_waiting_lines(row: RosterChangeRequest) -> list[RosterChangeItem]:
    """Give the lines of a list that nobody has decided."""
    return [line for line in row.lines if line.state == LineState.WAITING]


def list_change_lists(
    session: Session, access: AccessScope, *, state: RosterChangeListState | None, page: int
) -> tuple[list[ListedChanges], int]:
    """List a page of the lists within the access scope, those that wait first, then the newest; and how many there are."""
    conditions = [within(access)] + ([] if state is None else [RosterChangeRequest.state == state])
    lines = (
        select(func.count()).where(RosterChangeItem.list_id == RosterChangeRequest.id).correlate(RosterChangeRequest)
    )
    query = (
        select(
            RosterChangeRequest,
            Unit.name,
            Unit.code,
            Person.name.label("by"),
            lines.scalar_subquery().label("lines"),
            lines.where(RosterChangeItem.state == LineState.WAITING).scalar_subquery().label("waiting"),
        )
        .join(Unit, RosterChangeRequest.unit_id == Unit.id)
        .outerjoin(Person, Person.id == RosterChangeRequest.submitted_by_id)
        .where(*conditions)
        .order_by(
            (RosterChangeRequest.state == RosterChangeListState.SUBMITTED).desc(),
            RosterChangeRequest.created_at.desc(),
            RosterChangeRequest.id.desc(),
        )
    )
    count = (
        select(func.count())
        .select_from(RosterChangeRequest)
        .join(Unit, RosterChangeRequest.unit_id == Unit.id)
        .where(*conditions)
    )
    rows = session.execute(query.limit(PAGE).offset((page - 1) * PAGE))
    return [
        ListedChanges(
            row=row.RosterChangeRequest,
            unit_name=row.name,
            unit_code=row.code,
            lines=row.lines,
            waiting=row.waiting,
            submitted_by=row.by or "",
        )
        for row in rows
    ], session.execute(count).scalar_one()


def count_change_lists(session: Session, access: AccessScope, *states: RosterChangeListState) -> int:
    """Count the lists within the access scope in these states, for the home page."""
    query = select(func.count()).select_from(RosterChangeRequest).join(Unit, RosterChangeRequest.unit_id == Unit.id)
    return session.execute(query.where(within(access), RosterChangeRequest.state.in_(states))).scalar_one()


def show_lines(session: Session, row: RosterChangeRequest, *, with_namesakes: bool) -> list[ShownLine]:
    """Give a list's lines with the names of people and units, in three statements; namesakes are for who decides, not for the unit."""
    ids = [line.person_id for line in row.lines if line.person_id is not None]
    people = {
        person.id: person
        for person in session.scalars(
            select(Person).join(Person.unit).options(contains_eager(Person.unit)).where(Person.id.in_(ids))
        )
    }
    to_ids = [line.to_unit_id for line in row.lines if line.to_unit_id is not None]
    rows = session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(to_ids)))
    units = {row.id: row.name for row in rows}
    wanted = [line.name for line in row.lines if line.kind == ChangeKind.JOIN and line.state == LineState.WAITING]
    namesakes = _namesakes(session, wanted) if with_namesakes and wanted else {}
    shown = []
    for line in row.lines:
        person = people.get(line.person_id) if line.person_id is not None else None
        shown.append(
            ShownLine(
                line=line,
                person=person,
                from_unit=person.unit.name if person is not None and line.kind != ChangeKind.JOIN else "",
                to_unit=units.get(line.to_unit_id, "") if line.to_unit_id is not None else "",
                namesakes=namesakes.get(line.name, ()) if line.state == LineState.WAITING else (),
            )
        )
    return shown


def _namesakes(session: Session, names: Collection[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    rows = session.execute(
        select(Person.name, Person.staff_number, Person.state, Unit.name.label("unit_name"))
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.name.in_(names))
        .order_by(Person.staff_number)
    )
    for row in rows:
        gone = "，已离开" if row.state == PersonState.LEFT else ""
        found.setdefault(row.name, []).append(f"{row.unit_name}（{row.staff_number}{gone}）")
    return found


def list_due_lines(session: Session, today: date, *, limit: int) -> list[RosterChangeItem]:
    """List lines that were agreed to and whose day has come, and take them for this transaction."""
    return list(
        session.scalars(
            select(RosterChangeItem)
            .join(RosterChangeItem.list)
            .options(contains_eager(RosterChangeItem.list))
            .where(RosterChangeItem.state == LineState.APPROVED, RosterChangeItem.effective_on <= today)
            .order_by(RosterChangeItem.effective_on, RosterChangeItem.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=RosterChangeItem)
        )
    )


def find_open_unit(session: Session, text: str) -> list[Unit]:
    """Find the open units with this code or name: one where it is plain, several where the name is not enough."""
    return list(
        session.scalars(
            select(Unit)
            .where(or_(Unit.code == text, Unit.name == text), Unit.closed_at.is_(None))
            .order_by(Unit.code)
            .limit(5)
        )
    )
