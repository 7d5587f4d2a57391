"""Who may sit a make-up follows from the results so far: absent or failed in the main exam and the make-ups before, minus exempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, delete, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.exams.models import (
    CountingRule,
    Exam,
    ExamKind,
    ExamState,
    ExemptionKind,
    MakeupEligibility,
    RosterSnapshotPerson,
)
from examapp.delivery.exams.queries import ON_ROSTER, audience_clause, excused
from examapp.delivery.grading.models import ExternalResult, Grade
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit


def renew_makeup_eligibility(session: Session, *, now: datetime) -> int:
    """Write, for every published make-up whose main exam has closed, who may sit it; gives how many make-ups were looked at.

    Deferred candidates (缓考) are among the absent; whoever still writes or waits for a grade comes in with it, and holds up nobody else.
    Safe to run at any time: rows that no longer hold (passed by a corrected key, exempted since) go.
    """
    main = aliased(Exam)
    makeups = session.scalars(
        select(Exam)
        .join(main, Exam.main_exam_id == main.id)
        .where(
            Exam.kind == ExamKind.MAKEUP,
            Exam.state == ExamState.PUBLISHED,
            Exam.closes_at > now,
            main.closes_at <= now,
        )
    ).all()
    for makeup in makeups:
        _renew(session, makeup)
    return len(makeups)


def _renew(session: Session, makeup: Exam) -> None:
    main = session.get_one(Exam, makeup.main_exam_id)
    before = [main, *_earlier_makeups(session, makeup)]
    ids = [exam.id for exam in before]
    own = and_(Attempt.exam_id.in_(ids), Attempt.person_id == Person.id)
    has_submitted = select(Attempt.id).where(own, Attempt.submitted_at.is_not(None)).exists()
    still_waits = select(Attempt.id).where(own, Attempt.state != AttemptState.GRADED).exists()
    eligible = (
        select(
            literal(makeup.id),
            Person.id,
            case((or_(has_submitted, _elsewhere(ids).exists()), "failed"), else_="absent"),
        )
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            ON_ROSTER,
            _belongs(session, main),
            ~excused(main.id, ExemptionKind.EXEMPTION),
            ~or_(*(has_passed(exam) for exam in before)),
            ~still_waits,
        )
    )
    people = eligible.with_only_columns(Person.id)
    session.execute(
        delete(MakeupEligibility)
        .where(MakeupEligibility.exam_id == makeup.id, MakeupEligibility.person_id.not_in(people))
        .execution_options(synchronize_session=False)
    )
    statement = insert(MakeupEligibility).from_select(["exam_id", "person_id", "reason"], eligible)
    changed = statement.on_conflict_do_update(
        index_elements=["exam_id", "person_id"],
        set_={"reason": statement.excluded.reason},
        where=MakeupEligibility.reason != statement.excluded.reason,
    )
    session.execute(changed)


def _belongs(session: Session, main: Exam) -> ColumnElement[bool]:
    """Give the condition that a `Person` is on the main exam's roster: the frozen one where there is one, as its figures count."""
    if main.snapshot_created_at is None:
        return audience_clause(session, main)
    row = RosterSnapshotPerson
    return (
        select(row.person_id)
        .where(
            row.exam_id == main.id,
            row.person_id == Person.id,
            row.excuse.is_distinct_from(ExemptionKind.EXEMPTION),
        )
        .exists()
    )


def _earlier_makeups(session: Session, makeup: Exam) -> list[Exam]:
    """List the make-ups of the same main exam that come before this one: who passed there has nothing to make up."""
    return list(
        session.scalars(
            select(Exam).where(
                Exam.main_exam_id == makeup.main_exam_id,
                Exam.state == ExamState.PUBLISHED,
                tuple_(Exam.opens_at, Exam.id) < tuple_(literal(makeup.opens_at), literal(makeup.id)),
            )
        )
    )


def has_passed(exam: Exam) -> ColumnElement[bool]:
    """Give the condition that the attempt of a `Person` that counts by the exam's own rule, or a result from elsewhere, is a pass.

    A result from another platform is the earliest: with the last one counting, it counts where nobody sat here.
    """
    handed_in = (Attempt.exam_id == exam.id, Attempt.person_id == Person.id, Attempt.submitted_at.is_not(None))
    graded = and_(Grade.attempt_id == Attempt.id, Grade.is_current)
    passed = select(Attempt.id).join(Grade, graded).where(*handed_in, Grade.is_passed)
    elsewhere = _elsewhere([exam.id])
    passed_elsewhere = elsewhere.where(ExternalResult.is_passed).exists()
    rule = CountingRule(exam.counting_rule)
    if rule is CountingRule.BEST:
        return or_(passed.exists(), passed_elsewhere)
    other = aliased(Attempt)
    others = select(other.id).where(
        other.exam_id == exam.id, other.person_id == Person.id, other.submitted_at.is_not(None)
    )
    if rule is CountingRule.LAST:
        is_last = ~others.where(other.number > Attempt.number).correlate(Person, Attempt).exists()
        return or_(passed.where(is_last).exists(), and_(passed_elsewhere, ~others.exists()))
    is_first = ~others.where(other.number < Attempt.number).correlate(Person, Attempt).exists()
    return or_(passed_elsewhere, and_(~elsewhere.exists(), passed.where(is_first).exists()))


def _elsewhere(exam_ids: Sequence[int]) -> Select[int]:
    return select(ExternalResult.id).where(
        ExternalResult.exam_id.in_(exam_ids), ExternalResult.person_id == Person.id, ExternalResult.undone_at.is_(None)
    )
