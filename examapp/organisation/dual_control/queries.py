"""Reads about acts that need two persons: what waits for somebody, what somebody asked for, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import Grant, access_of
from examapp.organisation.dual_control.rules import TWO_PERSON_ACTS
from examapp.organisation.people.models import Approval, ApprovalState, Person
from examapp.organisation.units.models import Unit

_MAX_LISTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """A request with the names that belong to it."""

    id: int
    act: str
    state: str
    details: dict[str, Any]
    reason: str
    person_id: int | None
    name: str | None
    unit_name: str | None
    requested_by_id: int
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether it may still be decided."""
        return self.state == ApprovalState.WAITING and self.expires_at > now


def _select() -> Select[*tuple[Any, ...]]:
    about, requester, decider, place = aliased(Person), aliased(Person), aliased(Person), aliased(Unit)
    place_id = func.coalesce(Approval.unit_id, Approval.details["unit_id"].as_integer())
    return (
        select(
            Approval.id,
            Approval.act,
            Approval.state,
            Approval.details,
            Approval.reason,
            Approval.person_id,
            about.name,
            place.name.label("unit_name"),
            Approval.requested_by_id,
            requester.name.label("requested_by"),
            Approval.requested_at,
            Approval.expires_at,
            decider.name.label("decided_by"),
            Approval.decided_at,
        )
        .outerjoin(about, Approval.person_id == about.id)
        .join(requester, Approval.requested_by_id == requester.id)
        .outerjoin(decider, Approval.decided_by_id == decider.id)
        .outerjoin(Unit, Approval.unit_id == Unit.id)
        .outerjoin(place, place_id == place.id)
        .order_by(Approval.id.desc())
        .limit(_MAX_LISTED)
    )


def _lines(session: Session, statement: Select[*tuple[Any, ...]]) -> list[RequestLine]:
    return [RequestLine(**row._mapping) for row in session.execute(statement)]  # noqa: SLF001 – SQLAlchemy's public name


def _decidable(grants: Sequence[Grant]) -> ColumnElement[bool]:
    """Give the condition that these roles may decide on a request."""
    conditions = []
    for act, rule in TWO_PERSON_ACTS.items():
        access = access_of(rule.approves, tuple(grants))
        if access is not None:
            conditions.append(and_(Approval.act == act, or_(Approval.unit_id.is_(None), within(access))))
    return or_(*conditions) if conditions else false()


def _waits(now: datetime) -> ColumnElement[bool]:
    return and_(Approval.state == ApprovalState.WAITING, Approval.expires_at > now)


def _of_others(person_id: int) -> ColumnElement[bool]:
    """Give the condition that somebody may decide on a request: it is not their own, nor about them."""
    return and_(Approval.requested_by_id != person_id, Approval.person_id.is_distinct_from(person_id))


def list_to_decide(session: Session, grants: Sequence[Grant], *, person_id: int, now: datetime) -> list[RequestLine]:
    """List the waiting requests that this person may decide on, the newest first."""
    return _lines(session, _select().where(_waits(now), _decidable(grants), _of_others(person_id)))


def count_to_decide(session: Session, grants: Sequence[Grant], *, person_id: int, now: datetime) -> int:
    """Count the same requests."""
    statement = (
        select(func.count())
        .select_from(Approval)
        .outerjoin(Unit, Approval.unit_id == Unit.id)
        .where(_waits(now), _decidable(grants), _of_others(person_id))
    )
    return session.execute(statement).scalar_one()


def list_own_requests(session: Session, person_id: int) -> list[RequestLine]:
    """List what somebody asked for, in whatever state, the newest first."""
    return _lines(session, _select().where(Approval.requested_by_id == person_id))


def list_decided(session: Session, grants: Sequence[Grant], *, now: datetime) -> list[RequestLine]:
    """List the latest requests that no longer wait, of those that these roles may decide on."""
    return _lines(session, _select().where(~_waits(now), _decidable(grants)))


def list_waiting_about(session: Session, person_id: int, act: str, *, now: datetime) -> list[RequestLine]:
    """List the waiting requests for one act that are about a person."""
    return _lines(session, _select().where(_waits(now), Approval.act == act, Approval.person_id == person_id))


def list_open_about(session: Session, person_id: int, acts: Iterable[str], *, now: datetime) -> list[RequestLine]:
    """List the requests for acts on a person that wait, or were allowed and may still be done."""
    is_open = Approval.state.in_((ApprovalState.WAITING, ApprovalState.APPROVED)) & (Approval.expires_at > now)
    return _lines(session, _select().where(is_open, Approval.act.in_(list(acts)), Approval.person_id == person_id))


def get_request(session: Session, approval_id: int, grants: Sequence[Grant], *, person_id: int) -> RequestLine:
    """Get a request that these roles may decide on, or one's own; raises NotFoundError."""
    mine = or_(_decidable(grants), Approval.requested_by_id == person_id)
    lines = _lines(session, _select().where(Approval.id == approval_id, mine))
    if not lines:
        raise NotFoundError
    return lines[0]


def find_allowed(session: Session, act: str, request_key: str, *, person_id: int, now: datetime) -> Approval | None:
    """Find what somebody was allowed to do and may still do."""
    return session.scalars(
        select(Approval)
        .where(Approval.act == act, Approval.request_key == request_key, Approval.requested_by_id == person_id)
        .where(Approval.state == ApprovalState.APPROVED, Approval.expires_at > now)
        .order_by(Approval.id.desc())
        .limit(1)
    ).one_or_none()
