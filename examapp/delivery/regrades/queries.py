"""Reads about regrades: what is still graded by the old key, and what was before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, and_, cast, func, select
from sqlalchemy.orm import Session, aliased

from examapp.content.questions.models import BankQuestion
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading.models import Grade, Regrade
from examapp.errors import NotFoundError
from examapp.jobs.models import JobState
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Approval, Person
from examapp.organisation.units.models import Unit

_MAX_LISTED = 100
LATE_GRADES = timedelta(minutes=5)
"""How long after a regrade's end a grade by the old key may still turn up: no grading's transaction lasts longer."""


def _graded_by_older(version_id: int, key_id: int) -> ColumnElement[bool]:
    """Give the condition that a current grade of a closed attempt stands on an older key of this version."""
    used = cast(Grade.key_ids[str(version_id)].astext, BigInteger)
    return and_(Grade.is_current, Attempt.state == AttemptState.GRADED, used < key_id)


def _outdated(version_id: int, key_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(Attempt.id)
        .join(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .where(_graded_by_older(version_id, key_id))
    )


def count_outdated(session: Session, *, version_id: int, key_id: int) -> int:
    """Count the graded attempts that stand on an older key of a version."""
    listed = _outdated(version_id, key_id).subquery()
    return session.execute(select(func.count()).select_from(listed)).scalar_one()


def claim_outdated(session: Session, regrade: Regrade, *, limit: int) -> list[tuple[Attempt, Grade]]:
    """Lock the next attempts of a regrade with their current grades, by their ids."""
    rows = session.execute(
        select(Attempt, Grade)
        .join(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .where(_graded_by_older(regrade.question_version_id, regrade.new_key_id), Attempt.id > regrade.last_attempt_id)
        .order_by(Attempt.id)
        .limit(limit)
        .with_for_update(of=Attempt)
        .execution_options(populate_existing=True)
    )
    return [(attempt, grade) for attempt, grade in rows]


def list_recently_ended(session: Session, *, now: datetime) -> Sequence[Regrade]:
    """Lock the regrades that ended within `LATE_GRADES`, for what was graded beside them."""
    is_fresh = and_(Regrade.state == JobState.DONE, Regrade.finished_at > now - LATE_GRADES)
    return session.scalars(select(Regrade).where(is_fresh).order_by(Regrade.id).with_for_update(skip_locked=True)).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamShare:
    """What a version's correction touches in one exam: graded attempts, so far by the old key."""

    title: str
    attempts: int


def list_touched_exams(session: Session, version_id: int) -> list[ExamShare]:
    """List the exams with graded attempts that hold a version."""
    rows = session.execute(
        select(Exam.title, func.count().label("attempts"))
        .join(Attempt, Attempt.exam_id == Exam.id)
        .join(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .where(Grade.key_ids.has_key(str(version_id)))
        .group_by(Exam.id)
        .order_by(Exam.id)
    )
    return [ExamShare(title=title, attempts=attempts) for title, attempts in rows]


def list_regrades(session: Session) -> list[Row[Any]]:
    """List regrades with what was corrected, the newest first."""
    return list(session.execute(_regrades().order_by(Regrade.id.desc()).limit(_MAX_LISTED)))


def get_regrade(session: Session, regrade_id: int) -> Row[Any]:
    """Get a regrade with what was corrected, why and by whom; raises NotFoundError."""
    row = session.execute(_regrades().where(Regrade.id == regrade_id)).one_or_none()
    if row is None:
        raise NotFoundError
    return row


def find_of_approval(session: Session, approval_id: int) -> int | None:
    """Find the regrade that a request for a key led to."""
    return session.scalar(select(Regrade.id).where(Regrade.approval_id == approval_id))


def _regrades() -> Select[*tuple[Any, ...]]:
    requester, approver = aliased(Person), aliased(Person)
    return (
        select(
            Regrade,
            BankQuestion.code,
            Approval.reason,
            requester.name.label("requested_by"),
            approver.name.label("approved_by"),
        )
        .join(BankQuestion, Regrade.question_id == BankQuestion.id)
        .join(Approval, Regrade.approval_id == Approval.id)
        .join(requester, Approval.requested_by_id == requester.id)
        .join(approver, Regrade.approved_by_id == approver.id)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamChange:
    """How an exam's results were before and after: attempts graded again, with other points, newly passed, no longer passed."""

    exam_id: int
    title: str
    attempts: int
    raised: int
    lowered: int
    newly_passed: int
    no_longer_passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultChange:
    """One attempt whose points changed, before and after."""

    title: str
    unit_code: str
    unit_name: str
    staff_number: str
    name: str
    number: int
    points_before: Decimal
    points_after: Decimal
    band_before: str
    band_after: str


_Before, _After = aliased(Grade), aliased(Grade)


def _pairs(columns: Select[*tuple[Any, ...]], regrade_id: int, access: AccessScope) -> Select[*tuple[Any, ...]]:
    return (
        columns.select_from(_After)
        .join(_Before, and_(_Before.attempt_id == _After.attempt_id, _Before.number == _After.number - 1))
        .join(Attempt, _After.attempt_id == Attempt.id)
        .join(Exam, Attempt.exam_id == Exam.id)
        .join(Person, Attempt.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(_After.regrade_id == regrade_id, within(access))
    )


def list_exam_changes(session: Session, regrade_id: int, access: AccessScope) -> list[ExamChange]:
    """Sum a regrade by exam, of the people within the reach."""
    columns = select(
        Exam.id.label("exam_id"),
        Exam.title,
        func.count().label("attempts"),
        func.count().filter(_After.points > _Before.points).label("raised"),
        func.count().filter(_After.points < _Before.points).label("lowered"),
        func.count().filter(_After.is_passed, ~_Before.is_passed).label("newly_passed"),
        func.count().filter(_Before.is_passed, ~_After.is_passed).label("no_longer_passed"),
    )
    rows = session.execute(_pairs(columns, regrade_id, access).group_by(Exam.id).order_by(Exam.id))
    return [ExamChange(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def list_result_changes(
    session: Session, regrade_id: int, access: AccessScope, *, limit: int, skip: int = 0
) -> list[ResultChange]:
    """List the attempts within the reach whose points changed, by exam, unit code and staff number."""
    columns = select(
        Exam.title,
        Unit.code.label("unit_code"),
        Unit.name.label("unit_name"),
        Person.staff_number,
        Person.name,
        Attempt.number,
        _Before.points.label("points_before"),
        _After.points.label("points_after"),
        _Before.band.label("band_before"),
        _After.band.label("band_after"),
    )
    statement = _pairs(columns, regrade_id, access).where(_After.points != _Before.points)
    order = (Exam.id, Unit.code, Person.staff_number, Attempt.number)
    rows = session.execute(statement.order_by(*order).limit(limit).offset(skip))
    return [ResultChange(**row._mapping) for row in rows]  # noqa: SLF001 – as above
