"""Reads about regrades: what is still graded by the old key, and what was before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, and_, bindparam, cast, func, select, text
from sqlalchemy.orm import Session, aliased

from examapp.content.questions.models import BankQuestion
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.attempts.queries import ends_of
from examapp.delivery.corrections.rules import CorrectionKind, CorrectionState, CurrentGrade, GradeChange
from examapp.delivery.exams.models import Exam
from examapp.delivery.exams.rules import is_visible, results_visible_at
from examapp.delivery.grading.models import Correction, Grade, Regrade
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


_CURRENT = text("""
SELECT g.id, g.attempt_id, a.exam_id, g.number, g.points, g.points_possible, g.percent, g.band, g.is_passed, g.item_points, g.key_ids, g.rules,
  g.ruling_ids, g.sheet, p.sections, p.response_schema,
  (SELECT json_object_agg(item, points::text) FROM item_marks WHERE id = ANY(g.mark_ids)) AS hand_points,
  CASE WHEN p.response_schema ~ '^(...)*.0' THEN
    (SELECT json_object_agg(item, response) FROM answers WHERE attempt_id = a.id AND substr(p.response_schema, 3 * item - 1, 1) = '0')
  END AS texts
FROM grades AS g JOIN attempts AS a ON a.id = g.attempt_id JOIN papers AS p ON p.id = a.paper_id
WHERE g.is_current AND a.state = 'graded' AND a.exam_id = ANY(CAST(:exam_ids AS bigint[]))
  AND (:version_id = 0 OR jsonb_exists(g.key_ids, CAST(:version_id AS text))) AND (:attempt_id = 0 OR a.id = :attempt_id)
ORDER BY a.id
""").bindparams(bindparam("version_id", type_=BigInteger), bindparam("attempt_id", type_=BigInteger))
"""The current grades that a change may touch, with all that they are made of: letters from the sheet, words from the answers."""
_AT_ONCE = 500


def iter_current_grades(session: Session, change: GradeChange, exam_ids: Sequence[int]) -> Iterator[list[CurrentGrade]]:
    """Give the current grades of these exams that a change touches, by attempt, a batch at a time; one statement."""
    values = {"exam_ids": list(exam_ids), "version_id": change.version_id, "attempt_id": change.attempt_id}
    rows = session.execute(_CURRENT, values, execution_options={"yield_per": _AT_ONCE})
    for batch in rows.partitions():
        grades = [CurrentGrade(**row._mapping) for row in batch]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping
        if change.kind is CorrectionKind.ITEM:
            grades = [grade for grade in grades if (change.version_id, change.part) in grade.parts()]
        yield grades


def lock_exams(session: Session, exam_ids: Sequence[int]) -> list[Exam]:
    """Lock exams against grading and other corrections, not against starts; raises NotFoundError where one is missing."""
    statement = select(Exam).where(Exam.id.in_(exam_ids)).order_by(Exam.id).with_for_update(key_share=True)
    exams = list(session.scalars(statement.execution_options(populate_existing=True)))
    if len(exams) != len(set(exam_ids)):
        raise NotFoundError
    return exams


def are_results_out(session: Session, exams: Iterable[Exam], *, now: datetime) -> bool:
    """Tell whether results of any of these exams are visible."""
    return any(is_visible(results_visible_at(exam, end=ends_of(session, exam, now=now).own), now) for exam in exams)


def lock_correction(session: Session, correction_id: int) -> Correction:
    """Get and lock a correction; raises NotFoundError."""
    statement = select(Correction).where(Correction.id == correction_id).with_for_update()
    correction = session.scalar(statement.execution_options(populate_existing=True))
    if correction is None:
        raise NotFoundError
    return correction


def is_waiting(session: Session, change: dict[str, Any], exam_ids: Sequence[int]) -> bool:
    """Tell whether the same change of one of these exams was asked for and is not yet decided."""
    is_open = Correction.state.in_((CorrectionState.ASKED, CorrectionState.CHECKED))
    same = select(Correction.id).where(
        is_open, Correction.change == change, Correction.exam_ids.op("&&", is_comparison=True)(list(exam_ids))
    )
    return session.scalar(select(same.exists())) is True


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


def find_points_before(session: Session, grade: Grade) -> Decimal | None:
    """Find what an attempt had before a regrade or a correction, where its points changed."""
    if grade.regrade_id is None and grade.correction_id is None:
        return None
    before = select(Grade.points).where(Grade.attempt_id == grade.attempt_id, Grade.number == grade.number - 1)
    points = session.scalar(before)
    return points if points != grade.points else None
