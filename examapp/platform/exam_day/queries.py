"""Reads for the exam-day board: how an attempt stands at this moment, and what waits for a decision."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text, union
from sqlalchemy.orm import Session

from examapp.delivery.attempts.models import Admission, Answer, Attempt, AttemptContact, AttemptState, QuarantinedSave
from examapp.delivery.attempts.rules import GIVEN_UP_AFTER
from examapp.delivery.exams.models import Exam
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Account, Person, PersonState, SignIn
from examapp.organisation.units.models import Unit

RECENTLY = timedelta(minutes=5)
"""Who was heard of within this is present; an attempt that was not heard of for so long is stuck (the page calls every minute)."""
_MAX_LISTED = 50
_NEWEST_SIGN_INS = 20_000
"""So many of the newest sign-ins are looked at: more than five minutes of a whole county."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamDayStatus:
    """How one exam stands now: persons unless it says attempts."""

    started: int
    in_progress: int
    handed_in: int
    ungraded: int
    """Attempts that wait for their grade."""
    oldest_ungraded_at: datetime | None
    set_aside: int
    """Attempts whose grading failed three times."""
    stuck: int
    """Attempts in progress that were not heard of for five minutes."""
    queued: int
    present: int
    undecided: int
    """Attempts with late saves that nobody has judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLine:
    """An attempt as the board lists it."""

    attempt_id: int
    name: str
    staff_number: str
    unit_name: str
    number: int
    state: str
    deadline_at: datetime
    seen_at: datetime | None
    quarantined_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateLine:
    """An attempt with content that waits for a decision, as the board lists it: `id` is of the save to be judged first."""

    id: int
    attempt_id: int
    name: str
    unit_name: str
    reason: str
    received_at: datetime
    deadline_at: datetime
    saves: int
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LateSave:
    """Content that was set aside, for a decision."""

    id: int
    attempt_id: int
    exam_id: int
    name: str
    staff_number: str
    unit_name: str
    reason: str
    received_at: datetime
    deadline_at: datetime
    changes: list[tuple[int, int, list[str]]]
    is_accepted: bool | None
    judged_reason: str


_IS_ANYTHING_LEFT_OUT = """EXISTS (
  SELECT 1 FROM jsonb_array_elements(quarantined_saves.changes) AS change
  WHERE NOT EXISTS (
    SELECT 1 FROM answer_history AS entered
    WHERE entered.attempt_id = quarantined_saves.attempt_id AND entered.item = (change ->> 0)::int AND entered.response = change -> 2
      AND (entered.epoch, entered.seq) >= (quarantined_saves.epoch, (change ->> 1)::bigint)
  )
)"""
"""Whether a set-aside save holds an answer that was not accepted at that place or a later one."""


def _of_people(statement: Select[*tuple[Any, ...]], access: AccessScope) -> Select[*tuple[Any, ...]]:
    return (
        statement.join(Person, Attempt.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .outerjoin(AttemptContact, AttemptContact.attempt_id == Attempt.id)
        .where(within(access))
    )


def _is_stuck(now: datetime) -> ColumnElement[bool]:
    last_seen = func.greatest(Attempt.started_at, AttemptContact.seen_at)
    return and_(Attempt.state == AttemptState.IN_PROGRESS, Attempt.closes_at > now, last_seen < now - RECENTLY)


def get_exam_day_status(session: Session, exam_id: int, access: AccessScope, *, now: datetime) -> ExamDayStatus:
    """Count how an exam stands, of the people within the access scope, in four statements."""
    submitted = Attempt.state == AttemptState.SUBMITTED
    waits = and_(submitted, Attempt.quarantined_at.is_(None))
    row = session.execute(
        _of_people(
            select(
                func.count(Attempt.person_id.distinct()).label("started"),
                func.count().filter(Attempt.state == AttemptState.IN_PROGRESS).label("in_progress"),
                func.count(Attempt.person_id.distinct())
                .filter(Attempt.state != AttemptState.IN_PROGRESS)
                .label("handed_in"),
                func.count().filter(waits).label("ungraded"),
                func.min(Attempt.submitted_at).filter(waits).label("oldest_ungraded_at"),
                func.count().filter(submitted, Attempt.quarantined_at.is_not(None)).label("set_aside"),
                func.count().filter(_is_stuck(now)).label("stuck"),
            ).where(Attempt.exam_id == exam_id),
            access,
        )
    ).one()
    return ExamDayStatus(
        **row._mapping,  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping
        queued=_count_queued(session, exam_id, now=now),
        present=_count_present(session, exam_id, access, now=now),
        undecided=_count_undecided(session, exam_id, access),
    )


def _count_queued(session: Session, exam_id: int, *, now: datetime) -> int:
    statement = select(func.count()).where(
        Admission.exam_id == exam_id, Admission.admitted_at.is_(None), Admission.called_at > now - GIVEN_UP_AFTER
    )
    return session.execute(statement).scalar_one()


def _count_present(session: Session, exam_id: int, access: AccessScope, *, now: datetime) -> int:
    newest = select(func.max(SignIn.id) - _NEWEST_SIGN_INS).scalar_subquery()
    signed_in = (
        select(Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .join(Account, Account.person_id == Person.id)
        .join(SignIn, SignIn.account_id == Account.id)
        .where(SignIn.id > newest, SignIn.started_at > now - RECENTLY, Person.state == PersonState.ON_ROSTER)
        .where(within(access))
    )
    attempt = _of_people(select(Attempt.person_id), access).where(
        Attempt.exam_id == exam_id,
        Attempt.state == AttemptState.IN_PROGRESS,
        func.greatest(Attempt.started_at, AttemptContact.seen_at) > now - RECENTLY,
    )
    return session.execute(select(func.count()).select_from(union(signed_in, attempt).subquery())).scalar_one()


def _lines(session: Session, statement: Select[*tuple[Any, ...]]) -> list[AttemptLine]:
    return [AttemptLine(**row._mapping) for row in session.execute(statement)]  # noqa: SLF001 – as above


def _select_lines(exam_id: int, access: AccessScope) -> Select[*tuple[Any, ...]]:
    columns = select(
        Attempt.id.label("attempt_id"),
        Person.name,
        Person.staff_number,
        Unit.name.label("unit_name"),
        Attempt.number,
        Attempt.state,
        Attempt.deadline_at,
        func.greatest(Attempt.started_at, AttemptContact.seen_at).label("seen_at"),
        Attempt.quarantined_at,
    )
    return _of_people(columns, access).where(Attempt.exam_id == exam_id).limit(_MAX_LISTED)


def list_stuck(session: Session, exam_id: int, access: AccessScope, *, now: datetime) -> list[AttemptLine]:
    """List attempts in progress that were not heard of for five minutes, the longest silent first, at most fifty."""
    silent_first = func.greatest(Attempt.started_at, AttemptContact.seen_at)
    return _lines(session, _select_lines(exam_id, access).where(_is_stuck(now)).order_by(silent_first))


def list_set_aside(session: Session, exam_id: int, access: AccessScope) -> list[AttemptLine]:
    """List attempts whose grading failed three times, at most fifty."""
    return _lines(
        session,
        _select_lines(exam_id, access).where(Attempt.quarantined_at.is_not(None)).order_by(Attempt.quarantined_at),
    )


_MAX_NAMED = 100


def list_attempts_of(session: Session, exam_id: int, named: str, access: AccessScope) -> list[AttemptLine]:
    """List the attempts of who has this staff number or name within the access scope."""
    is_named = or_(Person.staff_number == named, Person.name == named)
    statement = _select_lines(exam_id, access).where(is_named).order_by(Person.staff_number, Attempt.number)
    return _lines(session, statement.limit(_MAX_NAMED))


def map_attempts_in_progress(
    session: Session, exam_id: int, person_ids: Collection[int]
) -> dict[int, tuple[datetime, datetime]]:
    """Map each of these people who sits an exam now to the end of the attempt's time and when it was last heard of."""
    last_seen = func.greatest(Attempt.started_at, AttemptContact.seen_at)
    rows = session.execute(
        select(Attempt.person_id, Attempt.deadline_at, last_seen.label("seen_at"))
        .outerjoin(AttemptContact, AttemptContact.attempt_id == Attempt.id)
        .where(Attempt.exam_id == exam_id, Attempt.state == AttemptState.IN_PROGRESS)
        .where(Attempt.person_id.in_(person_ids))
    )
    return {row.person_id: (row.deadline_at, row.seen_at) for row in rows}


def get_attempt_line(session: Session, attempt_id: int, access: AccessScope) -> tuple[AttemptLine, Exam]:
    """Get one attempt of somebody within the access scope, and its exam; raises NotFoundError."""
    of_attempt = select(Exam).join(Attempt, Attempt.exam_id == Exam.id).where(Attempt.id == attempt_id)
    exam = session.scalar(_of_people(of_attempt, access))
    lines = _lines(session, _select_lines(exam.id, access).where(Attempt.id == attempt_id)) if exam else []
    if exam is None or not lines:
        raise NotFoundError
    return lines[0], exam


def _select_late(access: AccessScope) -> Select[*tuple[Any, ...]]:
    columns = select(
        QuarantinedSave.id,
        QuarantinedSave.attempt_id,
        Attempt.exam_id,
        Person.name,
        Person.staff_number,
        Unit.name.label("unit_name"),
        QuarantinedSave.reason,
        QuarantinedSave.received_at,
        Attempt.deadline_at,
        QuarantinedSave.changes,
        QuarantinedSave.is_accepted,
        QuarantinedSave.judged_reason,
    )
    return _of_people(columns.join(Attempt, QuarantinedSave.attempt_id == Attempt.id), access)


def _undecided(exam_id: int, access: AccessScope) -> Select[*tuple[Any, ...]]:
    """Select each attempt's oldest content that nobody has judged, with how much of it there is.

    Left out is what an older device sent while the attempt is still being sat (there is nothing to decide yet), and what its person entered
    again after taking the attempt back.
    """
    by = QuarantinedSave.attempt_id
    columns = select(
        QuarantinedSave.id,
        QuarantinedSave.attempt_id,
        Person.name,
        Unit.name.label("unit_name"),
        QuarantinedSave.reason,
        QuarantinedSave.received_at,
        Attempt.deadline_at,
        func.count().over(partition_by=by).label("saves"),
        func.sum(func.jsonb_array_length(QuarantinedSave.changes)).over(partition_by=by).label("answers"),
        func.row_number()
        .over(partition_by=by, order_by=(QuarantinedSave.received_at, QuarantinedSave.id))
        .label("place"),
    )
    return (
        _of_people(columns.join(Attempt, QuarantinedSave.attempt_id == Attempt.id), access)
        .where(Attempt.exam_id == exam_id, QuarantinedSave.judged_at.is_(None))
        .where(
            or_(
                QuarantinedSave.reason == "deadline_passed",
                and_(Attempt.state != AttemptState.IN_PROGRESS, text(_IS_ANYTHING_LEFT_OUT)),
            )
        )
    )


def list_late_attempts(session: Session, exam_id: int, access: AccessScope) -> list[LateLine]:
    """List the attempts that have content which was set aside and nobody has judged, the longest waiting first, at most fifty."""
    found = _undecided(exam_id, access).subquery()
    names = [field.name for field in fields(LateLine)]
    statement = select(*(found.c[name] for name in names)).where(found.c.place == 1)
    rows = session.execute(statement.order_by(found.c.received_at, found.c.id).limit(_MAX_LISTED))
    return [LateLine(**row._mapping) for row in rows]  # noqa: SLF001 – as above


def _count_undecided(session: Session, exam_id: int, access: AccessScope) -> int:
    found = _undecided(exam_id, access).subquery()
    return session.execute(select(func.count()).select_from(found).where(found.c.place == 1)).scalar_one()


def get_late_save(session: Session, save_id: int, access: AccessScope) -> LateSave:
    """Get content that was set aside, of somebody within the access scope; raises NotFoundError."""
    row = session.execute(_select_late(access).where(QuarantinedSave.id == save_id)).one_or_none()
    if row is None:
        raise NotFoundError
    return LateSave(**row._mapping)  # noqa: SLF001 – as above


def stored_responses(session: Session, attempt_id: int, items: Sequence[int]) -> dict[int, list[str]]:
    """Give the stored responses to these items."""
    rows = session.execute(
        select(Answer.item, Answer.response).where(Answer.attempt_id == attempt_id, Answer.item.in_(items))
    )
    return {item: response for item, response in rows}  # noqa: C416 – rows are no plain tuples for the type checker
