"""Extra time that an administrator granted: move the deadlines of sittings under way, reopen what the clock has closed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from examapp.attempts.models import Attempt, AttemptState
from examapp.audit.operations import SYSTEM, record
from examapp.exams.models import ExamExtension
from examapp.org.models import Unit
from examapp.people.models import Person

_Granted = aliased(Unit, name="granted_unit")
_Newer = aliased(Attempt, name="newer_attempt")
_has_newer = (
    select(_Newer.id)
    .where(_Newer.exam_id == Attempt.exam_id, _Newer.person_id == Attempt.person_id, _Newer.number > Attempt.number)
    .exists()
)
"""Who has begun a further attempt meanwhile goes on with that one."""


def apply_extensions(session: Session, *, now: datetime) -> list[int]:
    """Apply every extension that was not yet applied, each once; give the ids of the attempts that were reopened.

    Moved are attempts begun before the grant (later ones had it from their start): those in progress, and those closed by the clock whose
    new deadline is still to come. Answers stay as they are; a grade that was made meanwhile is the grading room's to withdraw.
    """
    waiting = select(ExamExtension).where(ExamExtension.applied_at.is_(None)).order_by(ExamExtension.id)
    reopened: list[int] = []
    for extension in session.scalars(waiting.with_for_update(skip_locked=True)).all():
        moved = _attempts_under(session, extension)
        reopened += [attempt.id for attempt in moved if _extend(attempt, extension.seconds, now=now)]
        extension.applied_at = now
        details = {"extension_id": extension.id, "reopened": len(reopened)}
        record(
            session,
            "attempts.apply_extension",
            actor=SYSTEM,
            now=now,
            object_type="exam",
            object_id=extension.exam_id,
            details=details,
        )
    session.flush()
    return reopened


def _attempts_under(session: Session, extension: ExamExtension) -> Sequence[Attempt]:
    statement = (
        select(Attempt)
        .join(Person, Attempt.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .outerjoin(_Granted, _Granted.id == extension.unit_id)
        .where(Attempt.exam_id == extension.exam_id, Attempt.started_at < extension.granted_at)
        .where(
            or_(
                Attempt.state == AttemptState.IN_PROGRESS,
                and_(Attempt.is_forced, Attempt.submitted_at >= Attempt.deadline_at, ~_has_newer),
            )
        )
        .where(or_(Attempt.person_id == extension.person_id, Unit.region_path.startswith(_Granted.region_path)))
        .with_for_update(of=Attempt)
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).all()


def _extend(attempt: Attempt, seconds: int, *, now: datetime) -> bool:
    """Move one attempt's deadline; tell whether it was reopened for it."""
    extra = timedelta(seconds=seconds)
    was_closed = attempt.state != AttemptState.IN_PROGRESS
    if was_closed and attempt.deadline_at + extra <= now:
        return False
    attempt.deadline_at += extra
    attempt.closes_at += extra
    if was_closed:
        attempt.state, attempt.submitted_at, attempt.is_forced = AttemptState.IN_PROGRESS, None, False
        attempt.receipt_number = attempt.receipt_sha256 = attempt.answered = None
        attempt.grading_tries, attempt.grading_began_at = 0, None
    return was_closed
