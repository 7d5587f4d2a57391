"""Who may sit a make-up follows from the main exam's results: absent or failed, minus exempt."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, case, delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.attempts.models import Attempt, AttemptState
from examapp.exams.models import Exam, ExamKind, ExamState, ExemptionKind, MakeupEligibility
from examapp.exams.queries import ON_ROSTER, audience_clause, excused, longest_extension_of
from examapp.exams.rules import last_end
from examapp.grading.models import Grade
from examapp.org.models import Unit
from examapp.people.models import Person


def renew_makeup_eligibility(session: Session, *, now: datetime) -> int:
    """Write, for every published make-up whose main exam has ended, who may sit it; gives how many make-ups were looked at.

    Deferred candidates (缓考) are among the absent; whoever still waits for a grade comes in with it. Safe to run at any time: rows that no
    longer hold (passed by a corrected key, exempted since) go.
    """
    makeups = session.scalars(
        select(Exam).where(Exam.kind == ExamKind.MAKEUP, Exam.state == ExamState.PUBLISHED, Exam.closes_at > now)
    ).all()
    ended = [makeup for makeup in makeups if _main_has_ended(session, makeup, now=now)]
    for makeup in ended:
        _renew(session, makeup)
    return len(ended)


def _main_has_ended(session: Session, makeup: Exam, *, now: datetime) -> bool:
    main = session.get_one(Exam, makeup.main_exam_id)
    return last_end(main, longest_extension_s=longest_extension_of(session, main.id)) <= now


def _renew(session: Session, makeup: Exam) -> None:
    main = session.get_one(Exam, makeup.main_exam_id)
    of_main = and_(Attempt.exam_id == main.id, Attempt.person_id == Person.id)
    has_passed = (
        select(Attempt.id)
        .join(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .where(of_main, Grade.is_passed)
        .exists()
    )
    has_sat = select(Attempt.id).where(of_main, Attempt.state != AttemptState.IN_PROGRESS).exists()
    still_waits = select(Attempt.id).where(of_main, Attempt.state != AttemptState.GRADED).exists()
    eligible = (
        select(literal(makeup.id), Person.id, case((has_sat, "failed"), else_="absent"))
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            ON_ROSTER,
            audience_clause(session, main),
            ~excused(main.id, ExemptionKind.EXEMPTION),
            ~has_passed,
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
