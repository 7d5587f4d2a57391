"""Events as their organisers and the people they are for see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from examapp.clock import day_of, start_of
from examapp.errors import NotFoundError
from examapp.learning.study_events.models import Attendance, EventMaterial, EventState, StudyEvent
from examapp.learning.study_events.rules import EventFigures, laws_in
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit
from examapp.uploads.models import StoredFile

PAGE = 20
_SHOWN_AFTER = timedelta(days=1)
_own_unit = aliased(Unit, name="own_unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event in the organiser's list."""

    event: StudyEvent
    unit_name: str
    present: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events: of a year or between two days (both included), a kind, a unit with its subtree, a law named in laws or theme, a state."""

    year: int | None = None
    first: date | None = None
    last: date | None = None
    kind: str = ""
    unit: Unit | None = None
    law: str = ""
    state: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Give the conditions on `StudyEvent` and its `Unit`."""
        found: list[ColumnElement[bool]] = []
        if self.year is not None:
            found += [StudyEvent.starts_at >= start_of(date(self.year, 1, 1)), StudyEvent.starts_at < start_of(date(self.year + 1, 1, 1))]  # fmt: skip
        if self.first is not None:
            found.append(StudyEvent.starts_at >= start_of(self.first))
        if self.last is not None:
            found.append(StudyEvent.starts_at < start_of(self.last + timedelta(days=1)))
        if self.kind:
            found.append(StudyEvent.kind == self.kind)
        if self.state:
            found.append(StudyEvent.state == self.state)
        if self.law:
            found.append(or_(*(c.contains(self.law, autoescape=True) for c in (StudyEvent.laws, StudyEvent.theme))))
        return [*found, *([is_below(self.unit)] if self.unit is not None else [])]


def is_below(unit: Unit) -> ColumnElement[bool]:
    """Give the condition "`Unit` is this one or below it, in either tree"."""
    below = Unit.region_path.startswith(unit.region_path)
    return below if unit.sector_path is None else or_(below, Unit.sector_path.startswith(unit.sector_path))


_present = (
    select(func.count())
    .select_from(Attendance)
    .where(Attendance.event_id == StudyEvent.id)
    .correlate(StudyEvent)
    .scalar_subquery()
)


def list_events(session: Session, access: AccessScope, *, page: int, wanted: EventFilter) -> tuple[list[EventRow], int]:
    """List a page of the events of units within the access scope, the latest first, and count all, in two statements."""
    conditions = (within(access), *wanted.conditions())
    rows = session.execute(
        select(StudyEvent, Unit.name, _present)
        .join(Unit, StudyEvent.unit_id == Unit.id)
        .where(*conditions)
        .order_by(StudyEvent.starts_at.desc(), StudyEvent.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    count = select(func.count()).select_from(StudyEvent).join(Unit, StudyEvent.unit_id == Unit.id)
    total = session.scalar(count.where(*conditions))
    return [EventRow(event=event, unit_name=name, present=count) for event, name, count in rows], total or 0


def list_figures(
    session: Session, access: AccessScope, wanted: EventFilter, *conditions: ColumnElement[bool]
) -> list[EventFigures]:
    """List the settled events of units within the access scope as the totals count them, by unit code and time, in one statement."""
    rows = session.execute(
        select(StudyEvent, Unit.code, Unit.name, _present)
        .join(Unit, StudyEvent.unit_id == Unit.id)
        .where(within(access), StudyEvent.state == EventState.HELD, *wanted.conditions(), *conditions)
        .order_by(Unit.code, StudyEvent.starts_at, StudyEvent.id)
    )
    return [
        EventFigures(
            event_id=event.id,
            kind=event.kind,
            unit_id=event.unit_id,
            unit_code=code,
            unit_name=name,
            theme=event.theme,
            place=event.place,
            laws=tuple(laws_in(event.laws)),
            starts_at=event.starts_at,
            present=present,
            outside=event.outside_count,
            is_distinct=event.is_distinct,
        )
        for event, code, name, present in rows
    ]


def list_of_day(session: Session, kind: str, at: datetime, *, but: int = 0) -> list[tuple[StudyEvent, str]]:
    """List the events of a kind on the county's day of an instant, whoever holds them, with the unit's name; not the cancelled ones."""
    wanted = EventFilter(first=day_of(at), last=day_of(at), kind=kind)
    rows = session.execute(
        select(StudyEvent, Unit.name)
        .join(Unit, StudyEvent.unit_id == Unit.id)
        .where(*wanted.conditions(), StudyEvent.state != EventState.CANCELLED, StudyEvent.id != but)
        .order_by(StudyEvent.id)
    )
    return [(event, name) for event, name in rows]


def get_event(session: Session, event_id: int, access: AccessScope, *, is_locked: bool = False) -> StudyEvent:
    """Get an event of a unit within the access scope, locked for an act if asked for; raises NotFoundError."""
    statement = select(StudyEvent).join(Unit, StudyEvent.unit_id == Unit.id)
    statement = statement.where(StudyEvent.id == event_id, within(access))
    if is_locked:
        statement = statement.with_for_update(of=StudyEvent)
    event = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if event is None:
        raise NotFoundError
    return event


def _is_for_person() -> ColumnElement[bool]:
    """Give the condition "the event's unit, `Unit`, stands above the person's, `_own_unit`, in one of the trees, or is it"."""
    return or_(
        _own_unit.region_path.like(Unit.region_path + "%"),
        and_(Unit.sector_path.is_not(None), _own_unit.sector_path.like(Unit.sector_path + "%")),
    )


def get_my_event(session: Session, event_id: int, person_id: int) -> StudyEvent:
    """Get an event that a person on the roster is meant for; raises NotFoundError."""
    event = session.scalars(
        select(StudyEvent)
        .join(Unit, StudyEvent.unit_id == Unit.id)
        .join(Person, Person.id == person_id)
        .join(_own_unit, Person.unit_id == _own_unit.id)
        .where(StudyEvent.id == event_id, Person.state == PersonState.ON_ROSTER, _is_for_person())
    ).one_or_none()
    if event is None:
        raise NotFoundError
    return event


def list_my_events(session: Session, person_id: int, *, now: datetime) -> list[tuple[StudyEvent, str, bool]]:
    """List the events to come and of the last day that a person is meant for: event, unit's name, whether put down as present."""
    rows = session.execute(
        select(StudyEvent, Unit.name, Attendance.person_id.is_not(None))
        .join(Unit, StudyEvent.unit_id == Unit.id)
        .join(Person, Person.id == person_id)
        .join(_own_unit, Person.unit_id == _own_unit.id)
        .outerjoin(Attendance, (Attendance.event_id == StudyEvent.id) & (Attendance.person_id == person_id))
        .where(
            Person.state == PersonState.ON_ROSTER,
            _is_for_person(),
            StudyEvent.state != EventState.CANCELLED,
            StudyEvent.ends_at > now - _SHOWN_AFTER,
        )
        .order_by(StudyEvent.starts_at, StudyEvent.id)
    )
    return [(event, name, bool(was_there)) for event, name, was_there in rows]


def find_attendance(session: Session, event_id: int, person_id: int) -> Attendance | None:
    """Find whether a person is put down as present."""
    return session.get(Attendance, (event_id, person_id), populate_existing=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A person who was there."""

    person_id: int
    name: str
    staff_number: str
    unit_name: str
    way: str
    noted_at: datetime


def list_present(session: Session, event_id: int) -> list[Present]:
    """List who was at an event, by unit code and staff number."""
    rows = session.execute(
        select(Person.id, Person.name, Person.staff_number, Unit.name, Attendance.way, Attendance.noted_at)
        .join(Person, Attendance.person_id == Person.id)
        .join(Unit, Attendance.unit_id == Unit.id)
        .where(Attendance.event_id == event_id)
        .order_by(Unit.code, Person.staff_number)
    )
    return [
        Present(person_id=row[0], name=row[1], staff_number=row[2], unit_name=row[3], way=row[4], noted_at=row[5])
        for row in rows
    ]


def list_materials(session: Session, event_id: int) -> list[StoredFile]:
    """List an event's files in the order in which they came."""
    rows = session.scalars(
        select(StoredFile)
        .join(EventMaterial, EventMaterial.file_id == StoredFile.id)
        .where(EventMaterial.event_id == event_id)
        .order_by(StoredFile.id)
    )
    return list(rows)


def get_material(session: Session, event_id: int, file_id: int) -> EventMaterial:
    """Get a file of an event; raises NotFoundError."""
    material = session.get(EventMaterial, (event_id, file_id))
    if material is None:
        raise NotFoundError
    return material


def find_people(session: Session, unit: Unit, text: Sequence[str]) -> list[tuple[int, str, str, int]]:
    """Find people on the roster of a unit's subtree by staff number or name: id, number, name, unit."""
    rows = session.execute(
        select(Person.id, Person.staff_number, Person.name, Person.unit_id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            is_below(unit),
            Person.state == PersonState.ON_ROSTER,
            or_(Person.staff_number.in_(text), Person.name.in_(text)),
        )
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def list_unit_people(session: Session, unit_id: int) -> list[tuple[int, str, str]]:
    """List the people on a unit's own roster: id, staff number, name."""
    rows = session.execute(
        select(Person.id, Person.staff_number, Person.name)
        .where(Person.unit_id == unit_id, Person.state == PersonState.ON_ROSTER)
        .order_by(Person.staff_number)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def count_present(session: Session, event_id: int) -> int:
    """Count who was at an event."""
    statement = select(func.count()).select_from(Attendance).where(Attendance.event_id == event_id)
    return session.scalar(statement) or 0
