"""Reads about attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, text, true
from sqlalchemy.orm import Session

from examapp.attempts.models import Answer, Attempt, AttemptState, SetAsideSave
from examapp.core import sabotage
from examapp.core.db import run_alone
from examapp.core.errors import NotFoundError
from examapp.core.lately import Lately
from examapp.exams.models import Exam
from examapp.org.models import Unit
from examapp.papers.models import Paper
from examapp.people.models import Person
from examapp.people.queries import LIVE_PLAIN_SIGN_IN, within
from examapp.people.rules import Reach

_NOTICES = text("SELECT id, sitting_notice FROM exams WHERE sitting_notice <> '' AND state = 'published'")
_MOST_LATE_S = 5.0


def _read_notices() -> dict[int, str]:
    return {row.id: row.sitting_notice for row in run_alone(_NOTICES, {})}


sitting_notices: Lately[dict[int, str]] = Lately(_read_notices, empty={}, seconds=_MOST_LATE_S)
"""What those who sit are told, by exam; some seconds late, so that a save need not ask."""


def get_own_attempt(session: Session, attempt_id: int, *, person_id: int) -> Attempt:
    """Get an attempt of this person; raises NotFoundError for another's as for none."""
    attempt = session.scalars(
        select(Attempt).where(Attempt.id == attempt_id, Attempt.person_id == person_id)
    ).one_or_none()
    if attempt is None:
        raise NotFoundError
    return attempt


_PAPER_OF_SIGN_IN = text(f"""
SELECT paper.sections, paper.response_schema FROM attempts AS attempt JOIN papers AS paper ON paper.id = attempt.paper_id
WHERE attempt.id = :attempt_id AND attempt.state = 'in_progress' AND attempt.person_id = ({LIVE_PLAIN_SIGN_IN})
""")  # noqa: S608 – our own words


def find_paper_of_sign_in(attempt_id: int, *, token_digest: bytes) -> Paper | None:
    """Find the paper that whoever holds this live sign-in sits now, in one statement (of no session); None for any other case."""
    if sabotage.is_any_broken():
        return None
    for row in run_alone(_PAPER_OF_SIGN_IN, {"attempt_id": attempt_id, "token_digest": token_digest}):
        return Paper(sections=row.sections, response_schema=row.response_schema)
    return None


def lock_own_attempt(session: Session, attempt_id: int, *, person_id: int) -> Attempt:
    """Get and lock an attempt of this person, as it is now; raises NotFoundError."""
    statement = select(Attempt).where(Attempt.id == attempt_id, Attempt.person_id == person_id).with_for_update()
    attempt = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if attempt is None:
        raise NotFoundError
    return attempt


def list_attempts(session: Session, exam_id: int, person_id: int) -> Sequence[Attempt]:
    """List a person's attempts at an exam, first to last."""
    statement = (
        select(Attempt).where(Attempt.exam_id == exam_id, Attempt.person_id == person_id).order_by(Attempt.number)
    )
    return session.scalars(statement.execution_options(populate_existing=True)).all()


def list_answers(session: Session, attempt_id: int) -> Sequence[Answer]:
    """List the answers of an attempt by item."""
    statement = select(Answer).where(Answer.attempt_id == attempt_id).order_by(Answer.item)
    return session.scalars(statement.execution_options(populate_existing=True)).all()


def attempts_used(session: Session, person_id: int, exam_ids: Sequence[int]) -> dict[int, int]:
    """Count a person's attempts by exam."""
    rows = session.execute(
        select(Attempt.exam_id, func.count())
        .where(Attempt.person_id == person_id, Attempt.exam_id.in_(exam_ids))
        .group_by(Attempt.exam_id)
    )
    return {exam_id: count for exam_id, count in rows}  # noqa: C416 – rows are not plain tuples for the type checker


def has_attempts_left(exam: Exam) -> ColumnElement[bool]:
    """Give the condition that a `Person` has begun an exam less often than it allows."""
    if exam.attempts_allowed is None:
        return true()
    begun = select(func.count()).where(Attempt.exam_id == exam.id, Attempt.person_id == Person.id).correlate(Person)
    return begun.scalar_subquery() < exam.attempts_allowed


def list_overdue_ids(session: Session, *, now: datetime, most: int) -> Sequence[int]:
    """List attempts in progress whose deadline plus grace has passed, oldest first."""
    return session.scalars(
        select(Attempt.id)
        .where(Attempt.state == AttemptState.IN_PROGRESS, Attempt.closes_at <= now)
        .order_by(Attempt.closes_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()


def count_in_progress(session: Session) -> int:
    """Count the attempts that are being sat now, for monitoring."""
    statement = select(func.count()).select_from(Attempt).where(Attempt.state == AttemptState.IN_PROGRESS)
    return session.execute(statement).scalar_one()


def has_attempt_in_progress(session: Session, person_id: int) -> bool:
    """Tell whether somebody sits an exam now."""
    sat = select(Attempt.id).where(Attempt.person_id == person_id, Attempt.state == AttemptState.IN_PROGRESS)
    return bool(session.scalar(select(sat.exists())))


def has_newer_attempt(session: Session, attempt: Attempt) -> bool:
    """Tell whether the person has begun a further attempt at the same exam."""
    newer = select(Attempt.id).where(
        Attempt.exam_id == attempt.exam_id, Attempt.person_id == attempt.person_id, Attempt.number > attempt.number
    )
    return bool(session.scalar(select(newer.exists())))


def lock_attempt_within(session: Session, attempt_id: int, reach: Reach) -> Attempt:
    """Get and lock an attempt of somebody within the reach, as it is now; raises NotFoundError."""
    attempt = session.scalars(
        select(Attempt)
        .join(Person, Attempt.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Attempt.id == attempt_id, within(reach))
        .with_for_update(of=Attempt)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if attempt is None:
        raise NotFoundError
    return attempt


def lock_attempt(session: Session, attempt_id: int) -> Attempt:
    """Get and lock an attempt for whom its reach was looked up before; raises NotFoundError."""
    statement = select(Attempt).where(Attempt.id == attempt_id).with_for_update()
    attempt = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if attempt is None:
        raise NotFoundError
    return attempt


def lock_set_aside_within(session: Session, save_id: int, reach: Reach) -> tuple[Attempt, SetAsideSave]:
    """Get and lock a set-aside save and its attempt, of somebody within the reach; raises NotFoundError."""
    attempt_id = session.scalar(select(SetAsideSave.attempt_id).where(SetAsideSave.id == save_id))
    if attempt_id is None:
        raise NotFoundError
    attempt = lock_attempt_within(session, attempt_id, reach)
    kept = session.scalars(
        select(SetAsideSave).where(SetAsideSave.id == save_id).execution_options(populate_existing=True)
    ).one()
    return attempt, kept


def is_sitting(session: Session, person_id: int, *, now: datetime) -> bool:
    """Tell whether a person has an attempt under way now."""
    running = select(Attempt.id).where(
        Attempt.person_id == person_id, Attempt.state == AttemptState.IN_PROGRESS, Attempt.closes_at > now
    )
    return session.scalar(running.limit(1)) is not None


IS_SITTING = "EXISTS (SELECT 1 FROM attempts AS a WHERE a.person_id = :person_id AND a.state = 'in_progress' AND a.closes_at > :now)"
"""The same as a condition, for statements of upper rooms that have no round trip to spare; takes `person_id` and `now`."""
