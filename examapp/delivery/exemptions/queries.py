"""Exemptions as their lists show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from examapp.delivery.exams.models import Exam, ExamState, Exemption, ExemptionReason
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.people.queries import find_name
from examapp.organisation.units.models import Unit
from examapp.uploads.models import StoredFile

PAGE = 50
ROOM = "exams"
"""Whose the proofs are, among the stored files."""


class ExemptionStatus(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "refused"
    WITHDRAWN = "withdrawn"


_CONDITIONS: dict[ExemptionStatus, ColumnElement[bool]] = {
    ExemptionStatus.PENDING: and_(
        Exemption.approved_at.is_(None), Exemption.rejected_at.is_(None), Exemption.withdrawn_at.is_(None)
    ),
    ExemptionStatus.APPROVED: and_(Exemption.approved_at.is_not(None), Exemption.withdrawn_at.is_(None)),
    ExemptionStatus.REJECTED: Exemption.rejected_at.is_not(None),
    ExemptionStatus.WITHDRAWN: Exemption.withdrawn_at.is_not(None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExemption:
    """A request with the names beside it."""

    exemption: Exemption
    exam_title: str
    person_name: str
    staff_number: str
    unit_name: str
    is_late: bool = False
    """Asked for after the exam had closed (补办)."""
    file: StoredFile | None = None

    @property
    def status(self) -> ExemptionStatus:
        """Where the request stands."""
        row = self.exemption
        if row.withdrawn_at is not None:
            return ExemptionStatus.WITHDRAWN
        if row.rejected_at is not None:
            return ExemptionStatus.REJECTED
        return ExemptionStatus.PENDING if row.approved_at is None else ExemptionStatus.APPROVED


_LISTED: Select[*tuple[Any, ...]] = (
    select(
        Exemption,
        Exam.title,
        Exam.closes_at,
        Person.name,
        Person.staff_number,
        Unit.name.label("unit_name"),
        StoredFile,
    )
    .join(Exam, Exemption.exam_id == Exam.id)
    .join(Person, Exemption.person_id == Person.id)
    .join(Unit, Person.unit_id == Unit.id)
    .outerjoin(StoredFile, StoredFile.id == Exemption.file_id)
)


def _listed(row: Row[*tuple[Any, ...]]) -> ListedExemption:
    return ListedExemption(
        exemption=row.Exemption,
        exam_title=row.title,
        person_name=row.name,
        staff_number=row.staff_number,
        unit_name=row.unit_name,
        is_late=row.Exemption.requested_at >= row.closes_at,
        file=row.StoredFile,
    )


def list_exemptions(
    session: Session, access: AccessScope, *, exam_id: int | None, status: ExemptionStatus | None, page: int
) -> tuple[list[ListedExemption], int]:
    """List a page of the requests for people within the access scope, those that wait first, then the newest; and how many there are."""
    conditions = [within(access)]
    if exam_id is not None:
        conditions.append(Exemption.exam_id == exam_id)
    if status is not None:
        conditions.append(_CONDITIONS[status])
    found = _LISTED.where(*conditions)
    count = session.execute(select(func.count()).select_from(found.subquery())).scalar_one()
    in_order = (_CONDITIONS[ExemptionStatus.PENDING].desc(), Exemption.requested_at.desc(), Exemption.id.desc())
    rows = session.execute(found.order_by(*in_order).limit(PAGE).offset((page - 1) * PAGE))
    return [_listed(row) for row in rows], count


def list_own_exemptions(session: Session, person_id: int) -> list[ListedExemption]:
    """List a person's own requests, the newest first."""
    rows = session.execute(
        _LISTED.where(Exemption.person_id == person_id).order_by(Exemption.requested_at.desc(), Exemption.id.desc())
    )
    return [_listed(row) for row in rows]


def list_own_answers(session: Session, person_id: int, *, now: datetime) -> list[ListedExemption]:
    """List a person's requests that were decided for exams that are not over: who is exempt finds no exam, and should read why."""
    is_decided = or_(Exemption.approved_at.is_not(None), Exemption.rejected_at.is_not(None))
    rows = session.execute(
        _LISTED.where(
            Exemption.person_id == person_id,
            is_decided,
            Exemption.withdrawn_at.is_(None),
            Exam.closes_at > now,
            Exam.state == ExamState.PUBLISHED,
        ).order_by(Exemption.requested_at.desc(), Exemption.id.desc())
    )
    return [_listed(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionApplication:
    """All that the printed application form says."""

    listed: ListedExemption
    exam: Exam
    person: Person
    unit: Unit
    requested_by: str
    decided_by: str


def get_exemption_form(
    session: Session, exemption_id: int, *, access: AccessScope | None, person_id: int | None = None
) -> ExemptionApplication:
    """Get a request within an access scope, or (with `person_id`) one's own, as its form says it; raises NotFoundError."""
    own = Exemption.person_id == person_id if access is None else within(access)
    row = session.execute(
        _LISTED.add_columns(Exam, Person, Unit).where(Exemption.id == exemption_id, own)
    ).one_or_none()
    if row is None:
        raise NotFoundError
    one: Exemption = row.Exemption
    return ExemptionApplication(
        listed=_listed(row),
        exam=row.Exam,
        person=row.Person,
        unit=row.Unit,
        requested_by=find_name(session, one.requested_by_id) if one.requested_by_id else "",
        decided_by=find_name(session, one.approved_by_id) if one.approved_by_id else "",
    )


def list_reasons(session: Session, *, with_retired: bool = False) -> list[ExemptionReason]:
    """List the reasons that are offered, the one that needs details last."""
    query = select(ExemptionReason).order_by(ExemptionReason.needs_details, ExemptionReason.id)
    return list(session.scalars(query if with_retired else query.where(ExemptionReason.retired_at.is_(None))))
