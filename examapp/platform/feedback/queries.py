"""Reads of the office's inbox and of its notices, held to the units that it reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope, Role
from examapp.organisation.people.models import Person, PersonState, RoleGrant
from examapp.organisation.units.models import Unit
from examapp.platform.notices.models import Feedback, Notice, NoticeReading
from examapp.platform.notices.queries import NoticeReader
from examapp.platform.notices.rules import unit_ids_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackLine:
    """An opinion with who wrote it, as the office reads it."""

    id: int
    person_name: str
    unit_name: str
    page: str
    text: str
    created_at: datetime
    answer: str | None
    answered_at: datetime | None
    answer_seen_at: datetime | None


_FEEDBACK = (
    select(
        Feedback.id,
        Person.name.label("person_name"),
        Unit.name.label("unit_name"),
        Feedback.page,
        Feedback.text,
        Feedback.created_at,
        Feedback.answer,
        Feedback.answered_at,
        Feedback.answer_seen_at,
    )
    .join(Person, Feedback.person_id == Person.id)
    .join(Unit, Person.unit_id == Unit.id)
)


def list_feedback(
    session: Session, access: AccessScope, *, is_waiting_only: bool, limit: int, skip: int = 0
) -> list[FeedbackLine]:
    """List opinions from within the access scope: what waits for an answer first, the longest waiting on top; then the newest answers."""
    statement = _FEEDBACK.where(within(access), _wanted(is_waiting_only=is_waiting_only)).order_by(
        Feedback.answered_at.is_not(None), Feedback.answered_at.desc(), Feedback.created_at, Feedback.id
    )
    rows = session.execute(statement.limit(limit).offset(skip))
    return [FeedbackLine(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def count_feedback(session: Session, access: AccessScope, *, is_waiting_only: bool) -> int:
    """Count opinions from within the access scope."""
    return session.execute(
        select(func.count())
        .select_from(Feedback)
        .join(Person, Feedback.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(within(access), _wanted(is_waiting_only=is_waiting_only))
    ).scalar_one()


def get_feedback(session: Session, feedback_id: int, access: AccessScope) -> FeedbackLine:
    """Get an opinion from within the access scope; raises NotFoundError."""
    row = session.execute(_FEEDBACK.where(Feedback.id == feedback_id, within(access))).one_or_none()
    if row is None:
        raise NotFoundError
    return FeedbackLine(**row._mapping)  # noqa: SLF001 – as above


def _wanted(*, is_waiting_only: bool) -> ColumnElement[bool]:
    return Feedback.answered_at.is_(None) if is_waiting_only else true()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeNotice:
    """A notice with its audience and how many have opened it; `unit_ids` and `unit_names` None for all."""

    id: int
    title: str
    body: str
    unit_ids: list[int] | None
    unit_names: list[str] | None
    is_for_admins: bool
    asks_receipt: bool
    created_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    readings: int


_READINGS = (
    select(func.count())
    .select_from(NoticeReading)
    .where(NoticeReading.notice_id == Notice.id)
    .correlate(Notice)
    .scalar_subquery()
)
_UNIT_NAMES = (
    select(func.array_agg(aggregate_order_by(Unit.name, Unit.code)))
    .where(Unit.id == func.any(Notice.unit_ids))
    .correlate(Notice)
    .scalar_subquery()
)
_OFFICE_NOTICE = select(
    Notice.id,
    Notice.title,
    Notice.body,
    Notice.unit_ids,
    _UNIT_NAMES.label("unit_names"),
    Notice.is_for_admins,
    Notice.asks_receipt,
    Notice.created_at,
    Notice.published_at,
    Notice.withdrawn_at,
    _READINGS.label("readings"),
)


def list_office_notices(session: Session, access: AccessScope, *, limit: int, skip: int = 0) -> list[OfficeNotice]:
    """List notices to units within the access scope, newest first; the ones to all only for whom everything is within the access scope."""
    rows = session.execute(
        _OFFICE_NOTICE.where(_notice_within(access))
        .order_by(Notice.created_at.desc(), Notice.id.desc())
        .limit(limit)
        .offset(skip)
    )
    return [OfficeNotice(**row._mapping) for row in rows]  # noqa: SLF001 – as above


def count_office_notices(session: Session, access: AccessScope) -> int:
    """Count notices to units within the access scope."""
    return session.execute(select(func.count()).select_from(Notice).where(_notice_within(access))).scalar_one()


def get_office_notice(session: Session, notice_id: int, access: AccessScope) -> OfficeNotice:
    """Get a notice to a unit within the access scope; raises NotFoundError."""
    row = session.execute(_OFFICE_NOTICE.where(Notice.id == notice_id, _notice_within(access))).one_or_none()
    if row is None:
        raise NotFoundError
    return OfficeNotice(**row._mapping)  # noqa: SLF001 – as above


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReading:
    """How many of a unit's people a notice is meant for, and how many of them have opened it."""

    unit_name: str
    people: int
    readings: int


def list_readings_by_unit(session: Session, notice: OfficeNotice, *, now: datetime) -> list[UnitReading]:
    """List by unit code the units whose people a notice is meant for: candidates, or unit admins and leaders, by their own unit."""
    meant = [Person.state != PersonState.LEFT, _addressed(notice)]
    if notice.is_for_admins:
        roles = select(RoleGrant.person_id).where(RoleGrant.role.in_([Role.UNIT_ADMIN, Role.LEADER]), _in_force(now))
        meant.append(Person.id.in_(roles))
    reading = and_(NoticeReading.person_id == Person.id, NoticeReading.notice_id == notice.id)
    rows = session.execute(
        select(Unit.name, func.count(Person.id), func.count(NoticeReading.person_id))
        .select_from(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .outerjoin(NoticeReading, reading)
        .where(*meant)
        .group_by(Unit.id)
        .order_by(Unit.code)
    )
    return [UnitReading(unit_name=row[0], people=row[1], readings=row[2]) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReceipt:
    """A unit with an administrator, and who of them signed for a notice first; None where nobody has."""

    unit_name: str
    admin_names: Sequence[str]
    signed_by: str | None
    signed_at: datetime | None


def list_receipts(session: Session, notice: OfficeNotice, *, now: datetime) -> list[UnitReceipt]:
    """List by unit code the units that a notice is meant for and that have an administrator, with who signed for it."""
    reading = and_(NoticeReading.person_id == Person.id, NoticeReading.notice_id == notice.id)
    by_time = aggregate_order_by(Person.name, NoticeReading.signed_at)
    is_signed = NoticeReading.signed_at.is_not(None)
    rows = session.execute(
        select(
            Unit.name,
            func.array_agg(Person.name.distinct()),
            func.array_agg(by_time).filter(is_signed),
            func.min(NoticeReading.signed_at),
        )
        .select_from(RoleGrant)
        .join(Unit, RoleGrant.unit_id == Unit.id)
        .join(Person, RoleGrant.person_id == Person.id)
        .outerjoin(NoticeReading, reading)
        .where(RoleGrant.role == Role.UNIT_ADMIN, _in_force(now), Person.state != PersonState.LEFT, _addressed(notice))
        .group_by(Unit.id)
        .order_by(Unit.code)
    )
    return [
        UnitReceipt(unit_name=name, admin_names=admins, signed_by=signers[0] if signers else None, signed_at=at)
        for name, admins, signers, at in rows
    ]


def _in_force(now: datetime) -> ColumnElement[bool]:
    return or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)


def _addressed(notice: OfficeNotice) -> ColumnElement[bool]:
    """Tell whether a unit lies in a subtree that a notice goes to."""
    if notice.unit_ids is None:
        return true()
    steps = [f"/{unit_id}/" for unit_id in notice.unit_ids]
    return or_(*(path.contains(step) for step in steps for path in (Unit.region_path, Unit.sector_path)))


def _notice_within(access: AccessScope) -> ColumnElement[bool]:
    """Tell whether all units that a notice goes to are within the access scope."""
    reached = units_within(access)
    return true() if reached is None else Notice.unit_ids.contained_by(func.array(reached.scalar_subquery()))


def units_within(access: AccessScope) -> Select[int] | None:
    """Give the ids of the units within an access scope as a subquery; None where everything is."""
    return None if access.is_everything else select(Unit.id).where(within(access))


def list_unit_choices(session: Session, access: AccessScope) -> list[tuple[int, str]]:
    """List open units within the access scope as choices of a form, parents before children."""
    rows = session.execute(
        select(Unit.id, Unit.name, Unit.code)
        .where(Unit.closed_at.is_(None), within(access))
        .order_by(func.length(Unit.region_path) - func.length(func.replace(Unit.region_path, "/", "")), Unit.code)
    )
    return [(row.id, f"{row.name}（{row.code}）") for row in rows]


def get_reader(session: Session, person_id: int, *, is_admin: bool) -> NoticeReader:
    """Get what decides which notices a person sees: the units above him in both trees."""
    row = session.execute(
        select(Unit.region_path, Unit.sector_path).join(Person, Person.unit_id == Unit.id).where(Person.id == person_id)
    ).one()
    return NoticeReader(person_id=person_id, unit_ids=unit_ids_of(row.region_path, row.sector_path), is_admin=is_admin)
