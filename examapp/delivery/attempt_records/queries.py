"""What is on record of one attempt: paper, answers and when each came, devices, grades; and a receipt by its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.delivery.attempts.models import AnswerChange, Attempt, AttemptEvent, AttemptReopening, QuarantinedSave
from examapp.delivery.corrections.queries import GradeLine, list_grades
from examapp.delivery.exams.models import Exam, ExamExtension
from examapp.delivery.results.queries import ReviewedItem, find_current_grade, review_items
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit

_Row = TypeVar("_Row", AttemptEvent, QuarantinedSave, AttemptReopening)
EVENT_NAMES = {
    "focus_loss": "离开页面",
    "screen_off": "熄屏",
    "offline": "断网",
    "resume": "返回页面",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """One accepted change of an answer."""

    item: int
    response: list[str]
    epoch: int
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """Everything that is kept of one attempt."""

    attempt: Attempt
    exam: Exam
    name: str
    staff_number: str
    unit_name: str
    items: list[ReviewedItem]
    """Empty before it is graded."""
    grades: list[GradeLine]
    changes: list[AnswerLine]
    takeovers: list[tuple[int, datetime]]
    """Later devices (from 2), each with its first saved answer."""
    events: Sequence[AttemptEvent]
    late_saves: Sequence[QuarantinedSave]
    reopenings: Sequence[AttemptReopening]
    extensions: Sequence[ExamExtension]
    """Extra time that was granted to this person by name."""


def get_attempt_record(session: Session, attempt_id: int, access: AccessScope) -> AttemptRecord:
    """Get what is on record of the attempt of somebody within the scope; raises NotFoundError."""
    row = session.execute(
        select(Attempt, Exam, Person.name, Person.staff_number)
        .join(Exam, Attempt.exam_id == Exam.id)
        .join(Person, Attempt.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Attempt.id == attempt_id, within(access))
    ).one_or_none()
    if row is None:
        raise NotFoundError
    attempt, exam, name, staff_number = row
    grade = find_current_grade(session, attempt.id)
    changes = _list_changes(session, attempt.id)
    firsts: dict[int, datetime] = {}
    for change in changes:
        firsts.setdefault(change.epoch, change.saved_at)
    extensions = select(ExamExtension).where(
        ExamExtension.exam_id == exam.id, ExamExtension.person_id == attempt.person_id
    )
    return AttemptRecord(
        attempt=attempt,
        exam=exam,
        name=name,
        staff_number=staff_number,
        unit_name=session.get_one(Unit, attempt.unit_id).name,
        items=review_items(session, attempt, grade) if grade is not None else [],
        grades=list_grades(session, attempt.id),
        changes=changes,
        takeovers=[(epoch, at) for epoch, at in sorted(firsts.items()) if epoch > 1],
        events=_of(session, AttemptEvent, AttemptEvent.n, attempt.id),
        late_saves=_of(session, QuarantinedSave, QuarantinedSave.id, attempt.id),
        reopenings=_of(session, AttemptReopening, AttemptReopening.id, attempt.id),
        extensions=session.scalars(extensions.order_by(ExamExtension.id)).all(),
    )


def _list_changes(session: Session, attempt_id: int) -> list[AnswerLine]:
    statement = select(AnswerChange).where(AnswerChange.attempt_id == attempt_id).order_by(AnswerChange.id)
    return [
        AnswerLine(item=row.item, response=row.response, epoch=row.epoch, saved_at=row.saved_at)
        for row in session.scalars(statement)
    ]


def _of(session: Session, table: type[_Row], order: Any, attempt_id: int) -> Sequence[_Row]:
    return session.scalars(select(table).where(table.attempt_id == attempt_id).order_by(order)).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """What a receipt's number says: of what exam, whose, when, how many items were answered."""

    attempt_id: int
    exam_title: str
    number: int
    person_id: int
    name: str
    unit_name: str
    submitted_at: datetime
    answered: int
    total: int
    sha256: str
    is_within: bool
    """Whether the person is within the scope of who asks."""


def find_receipt(session: Session, receipt_number: str, access: AccessScope | None) -> ReceiptLine | None:
    """Find a hand-in by its receipt's number as it is printed; None where no receipt in force has it."""
    statement = (
        select(
            Attempt.id.label("attempt_id"), Exam.title.label("exam_title"), Attempt.number, Attempt.person_id, Person.name,
            Unit.name.label("unit_name"), Attempt.submitted_at, Attempt.answered, Attempt.total, Attempt.receipt_sha256.label("sha256"),
            (func.coalesce(within(access), False) if access is not None else Attempt.id.is_(None)).label("is_within"),
        )
        .join(Exam, Attempt.exam_id == Exam.id)
        .join(Person, Attempt.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Attempt.receipt_number == receipt_number, Exam.anonymised_at.is_(None))
    )  # fmt: skip
    row = session.execute(statement).one_or_none()
    return None if row is None else ReceiptLine(**row._mapping)  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping
