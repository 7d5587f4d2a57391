"""Exemptions as their lists show them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from examapp.exams.models import Exam, Exemption
from examapp.org.models import Unit
from examapp.people.models import Person
from examapp.people.queries import within
from examapp.people.rules import Reach

PAGE = 50


class ExemptionStatus(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_CONDITIONS: dict[ExemptionStatus, ColumnElement[bool]] = {
    ExemptionStatus.PENDING: and_(
        Exemption.approved_at.is_(None), Exemption.refused_at.is_(None), Exemption.withdrawn_at.is_(None)
    ),
    ExemptionStatus.APPROVED: and_(Exemption.approved_at.is_not(None), Exemption.withdrawn_at.is_(None)),
    ExemptionStatus.REFUSED: Exemption.refused_at.is_not(None),
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

    @property
    def status(self) -> ExemptionStatus:
        """Where the request stands."""
        row = self.exemption
        if row.withdrawn_at is not None:
            return ExemptionStatus.WITHDRAWN
        if row.refused_at is not None:
            return ExemptionStatus.REFUSED
        return ExemptionStatus.PENDING if row.approved_at is None else ExemptionStatus.APPROVED


def list_exemptions(
    session: Session, reach: Reach, *, exam_id: int | None, status: ExemptionStatus | None, page: int
) -> tuple[list[ListedExemption], int]:
    """List a page of the requests for people within the reach, those that wait first, then the newest; and how many there are."""
    conditions = [within(reach)]
    if exam_id is not None:
        conditions.append(Exemption.exam_id == exam_id)
    if status is not None:
        conditions.append(_CONDITIONS[status])
    found = (
        select(Exemption, Exam.title, Person.name, Person.staff_number, Unit.name.label("unit_name"))
        .join(Exam, Exemption.exam_id == Exam.id)
        .join(Person, Exemption.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(*conditions)
    )
    count = session.execute(select(func.count()).select_from(found.subquery())).scalar_one()
    in_order = (_CONDITIONS[ExemptionStatus.PENDING].desc(), Exemption.requested_at.desc(), Exemption.id.desc())
    rows = session.execute(found.order_by(*in_order).limit(PAGE).offset((page - 1) * PAGE))
    return [
        ListedExemption(
            exemption=row.Exemption,
            exam_title=row.title,
            person_name=row.name,
            staff_number=row.staff_number,
            unit_name=row.unit_name,
        )
        for row in rows
    ], count


def find_person_within(session: Session, staff_number: str, reach: Reach) -> Person | None:
    """Find a person by staff number within a reach."""
    return session.scalar(
        select(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.staff_number == staff_number.strip(), within(reach))
    )
