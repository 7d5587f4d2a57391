"""The queue before the start (排队): who finds admission full keeps a place, and no clock runs while waiting."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    and_,
    bindparam,
    case,
    column,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningInsert

from examapp.content.blueprints.models import Paper
from examapp.content.blueprints.queries import get_paper
from examapp.db.session import execute_autocommit
from examapp.delivery.attempts import queries as attempt_queries
from examapp.delivery.attempts.actions import closed_if_overdue
from examapp.delivery.attempts.models import Admission, Attempt, AttemptState
from examapp.delivery.attempts.queries import AttemptError, other_attempt_in_progress, refusal
from examapp.delivery.attempts.rules import GIVEN_UP_AFTER
from examapp.delivery.exam_candidates.actions import prepare_paper
from examapp.delivery.exam_candidates.queries import (
    CandidateExam,
    extensions_of,
    find_candidate_exam,
    select_for_start,
    windows_of,
)
from examapp.delivery.exams.models import Exam, PreparedPaper
from examapp.delivery.exams.rules import START_REFUSAL_WORDS, StartRefusal, Window, deadline, start_refusal, window_at
from examapp.errors import NotFoundError
from examapp.organisation.accounts.queries import LIVE_PLAIN_SIGN_IN
from examapp.organisation.accounts.rules import SIGN_IN_LIFE
from examapp.organisation.people.models import Person
from examapp.security.rate_limits import gate
from question_bank.kinds.response_schema import count_items

MAX_PAUSE_S = 25
"""How long a client is told to pause at most, well below what counts as given up."""
_KEPT_FOR = timedelta(hours=1)

OwnPlace = aliased(Admission, name="own_place")
"""The place in the queue of the person asked for: join it by `is_own_place`."""
_OtherPlace = aliased(Admission, name="other_place")
_LOST_AT: BindParameter[datetime] = bindparam("lost_at", type_=DateTime(timezone=True))
AHEAD = (
    select(func.count())
    .select_from(_OtherPlace)
    .where(
        _OtherPlace.admitted_at.is_(None),
        _OtherPlace.called_at > _LOST_AT,
        or_(OwnPlace.ticket.is_(None), _OtherPlace.ticket < OwnPlace.ticket),
    )
    .correlate(OwnPlace)
    .scalar_subquery()
)
"""How many wait before `OwnPlace`: all, where there is none."""


def is_own_place(exam_id: Any, person_id: Any) -> ColumnElement[bool]:
    """Give the condition that joins `OwnPlace`; a place that was given up (at `lost_at`) is none."""
    return and_(OwnPlace.exam_id == exam_id, OwnPlace.person_id == person_id, OwnPlace.called_at > _LOST_AT)


_STANDING = (
    select(OwnPlace.ticket, OwnPlace.admitted_at, AHEAD.label("ahead"))
    .select_from(select(literal(1).label("one")).subquery())
    .outerjoin(OwnPlace, is_own_place(bindparam("exam_id", type_=BigInteger), bindparam("person_id", type_=BigInteger)))
)


@dataclass(frozen=True, slots=True)
class Queued:
    """A place in the queue: 1 is the next; the seconds until it is its turn, by the rate of now."""

    place: int
    wait_s: int

    @property
    def pause_s(self) -> int:
        """How long the client should wait before it calls again."""
        return min(self.wait_s, MAX_PAUSE_S)


def try_admit(session: Session, exam_id: int, *, person_id: int, now: datetime) -> Queued | None:
    """Let a start in (None), or keep the person's place in the queue. One statement while nobody waits and admission is not full.

    The queue is one for all exams, since the machine is one. A start that failed after admission is let in again.
    """
    who = {"exam_id": exam_id, "person_id": person_id}
    standing = session.execute(_STANDING, {**who, "lost_at": lost_at(now)}).one()
    queued = pass_gate(standing)
    if queued is not None:
        session.execute(KEEP_PLACE, {**who, "now": now, "lost_at": lost_at(now)})
    elif standing.ticket is not None:
        session.execute(
            update(Admission)
            .where(Admission.exam_id == exam_id, Admission.person_id == person_id, Admission.admitted_at.is_(None))
            .values(admitted_at=now, called_at=now)
            .execution_options(synchronize_session=False)
        )
    return queued


def pass_gate(standing: Any) -> Queued | None:
    """Let a start in (None) whose `ticket`, `admitted_at` and `ahead` were read; else give the place it is to keep."""
    if standing.admitted_at is not None:
        return None
    wait_s = gate.try_admit(ahead=standing.ahead)
    return Queued(place=standing.ahead + 1, wait_s=math.ceil(wait_s)) if wait_s > 0 else None


def lost_at(now: datetime) -> datetime:
    """Give the last call with which a place is given up by now."""
    return now - GIVEN_UP_AFTER


def _keep_place() -> ReturningInsert[tuple[int]]:
    """Note the call; a place that was given up or used before becomes a new one at the end."""
    now = bindparam("now", type_=DateTime(timezone=True))
    who: dict[str, Any] = {"exam_id": bindparam("exam_id"), "person_id": bindparam("person_id")}
    fresh = insert(Admission).values(**who, queued_at=now, called_at=now)
    is_lost = (Admission.called_at <= _LOST_AT) | Admission.admitted_at.is_not(None)
    return fresh.on_conflict_do_update(
        index_elements=["exam_id", "person_id"],
        set_={
            "called_at": now,
            "ticket": case((is_lost, fresh.excluded.ticket), else_=Admission.ticket),
            "queued_at": case((is_lost, fresh.excluded.queued_at), else_=Admission.queued_at),
            "admitted_at": None,
        },
    ).returning(Admission.ticket)


KEEP_PLACE = _keep_place()
"""Keeps a place in the queue: binds `exam_id`, `person_id`, `now`, `lost_at`."""


def queued_since(session: Session, exam_id: int, *, person_id: int, now: datetime) -> datetime | None:
    """Give since when somebody stands in the queue, None for who does not or has given up."""
    return session.scalar(
        select(Admission.queued_at)
        .where(Admission.exam_id == exam_id, Admission.person_id == person_id)
        .where(Admission.called_at > lost_at(now))
    )


def clear_queue(session: Session, *, now: datetime) -> None:
    """Forget places that were given up or used long ago."""
    session.execute(
        delete(Admission).where(Admission.called_at < now - _KEPT_FOR).execution_options(synchronize_session=False)
    )


MissingOf = Callable[[Session, Exam, int], list[str]]
"""Names what an exam's study gate still asks of a person: the training room's, told by whoever calls."""


def start_or_queue(
    session: Session, exam_id: int, *, person_id: int, missing_of: MissingOf, now: datetime
) -> tuple[Attempt, bool] | Queued:
    """Start an attempt, or give the one that is live, or a place in the queue where admission is full; tell whether an attempt is new.

    A live attempt is never queued. Raises NotFoundError and the protocol's refusals.
    """
    live, candidate, number = _look(session, exam_id, person_id=person_id, missing_of=missing_of, now=now)
    if live is not None:
        return live, False
    queued = try_admit(session, exam_id, person_id=person_id, now=now)
    return queued or _insert_attempt(session, candidate, number=number, now=now)


def _look(
    session: Session, exam_id: int, *, person_id: int, missing_of: MissingOf, now: datetime
) -> tuple[Attempt | None, CandidateExam, int]:
    """Give the live attempt, or None and the number of the next, which the rules allow now."""
    candidate = find_candidate_exam(session, exam_id, person_id)
    if candidate is None:
        raise NotFoundError
    attempts = [
        closed_if_overdue(session, attempt, now=now)
        for attempt in attempt_queries.list_attempts(session, exam_id, person_id)
    ]
    for attempt in attempts:
        if attempt.state == AttemptState.IN_PROGRESS:
            return attempt, candidate, attempt.number
    code = candidate.start_refusal(now)
    if code is StartRefusal.TOO_LATE_TO_START and _came_in_time(session, candidate, now=now):
        code = None
    if code is not None:
        extra = (
            {"missing": missing_of(session, candidate.exam, person_id)} if code is StartRefusal.STUDY_REQUIRED else {}
        )
        raise AttemptError(code, START_REFUSAL_WORDS[code], **extra)
    allowed = candidate.exam.attempts_allowed
    if allowed is not None and len(attempts) >= allowed:
        raise refusal("no_attempts_left")
    _refuse_beside_another(session, exam_id, person_id=person_id, now=now)
    return None, candidate, len(attempts) + 1


def _refuse_beside_another(session: Session, exam_id: int, *, person_id: int, now: datetime) -> None:
    """Raise the refusal of a start while this human has an attempt in progress in an exam that counts; other starts of theirs wait."""
    if attempt_queries.lock_start(session, person_id, exam_id=exam_id, now=now):
        return
    other = attempt_queries.find_counting_attempt(session, person_id, now=now)
    if other is not None:
        raise other_attempt_in_progress(other)


def _came_in_time(session: Session, candidate: CandidateExam, *, now: datetime) -> bool:
    """Tell whether somebody who would be late by now stood in the queue in time: waiting there is nobody's fault."""
    since = queued_since(session, candidate.exam.id, person_id=candidate.person_id, now=now)
    return since is not None and candidate.start_refusal(since) is None


def _insert_attempt(session: Session, candidate: CandidateExam, *, number: int, now: datetime) -> tuple[Attempt, bool]:
    exam, person_id = candidate.exam, candidate.person_id
    paper_id = prepare_paper(session, candidate, number, now=now)
    schema = get_paper(session, paper_id).response_schema
    extension_s = extensions_of(session, exam.id, person_id)
    deadline_at = deadline(exam, candidate.window(now), started_at=now, extension_s=extension_s)
    statement = (
        insert(Attempt)
        .values(
            exam_id=exam.id, person_id=person_id, number=number, paper_id=paper_id, unit_id=candidate.unit_id, state=AttemptState.IN_PROGRESS,
            started_at=now, deadline_at=deadline_at, closes_at=deadline_at + timedelta(seconds=exam.grace_s), epoch=1, response_schema=schema, unsure=[],
            is_forced=False, total=count_items(schema), grading_retry_count=0,
        )
        .on_conflict_do_nothing()
        .returning(Attempt)
    )  # fmt: skip
    attempt = session.scalars(statement).one_or_none()
    if attempt is not None:
        return attempt, True
    # Another tab was quicker by a moment: what it started is the one live attempt.
    return next(a for a in attempt_queries.list_attempts(session, exam.id, person_id) if a.number == number), False


_SIGNED_IN = (
    # meant: both parts are our own words
    text(f"{LIVE_PLAIN_SIGN_IN} AND s.started_at > :not_before")
    .columns(column("person_id", BigInteger))
    .scalar_subquery()
)
_USED = (
    select(func.count())
    .where(Attempt.exam_id == Exam.id, Attempt.person_id == Person.id)
    .correlate(Exam, Person)
    .scalar_subquery()
)
_IS_LIVE = (
    select(Attempt.id)
    .where(Attempt.exam_id == Exam.id, Attempt.person_id == Person.id, Attempt.state == AttemptState.IN_PROGRESS)
    .correlate(Exam, Person)
    .exists()
)
_LOOK = (
    select_for_start(_SIGNED_IN)
    .add_columns(
        PreparedPaper.paper_id,
        PreparedPaper.number,
        Paper.response_schema,
        OwnPlace.ticket,
        OwnPlace.admitted_at,
        AHEAD.label("ahead"),
    )
    .join(
        PreparedPaper,
        and_(PreparedPaper.exam_id == Exam.id, PreparedPaper.person_id == Person.id, PreparedPaper.number == _USED + 1),
    )
    .join(Paper, PreparedPaper.paper_id == Paper.id)
    .outerjoin(OwnPlace, is_own_place(Exam.id, Person.id))
    .where(~_IS_LIVE)
    .where(text("NOT EXISTS (SELECT FROM counting_attempts(persons.id, :now))"))
)
_START = text("""
WITH admitted AS (
  UPDATE admissions SET admitted_at = :now, called_at = :now
  WHERE exam_id = :exam_id AND person_id = :person_id AND admitted_at IS NULL
)
INSERT INTO attempts (
  exam_id, person_id, number, paper_id, unit_id, state, started_at, deadline_at, closes_at, epoch, response_schema, unsure, is_forced, total, grading_retry_count
)
SELECT :exam_id, :person_id, :number, :paper_id, :unit_id, 'in_progress', :now, :deadline_at, :closes_at, 1, :response_schema, '{}', false, :total, 0
WHERE may_start(:person_id, :exam_id, :now)
ON CONFLICT DO NOTHING RETURNING id
""")


def start_of_sign_in(exam_id: int, *, token_digest: bytes, now: datetime) -> Attempt | Queued | None:
    """Start an attempt for whoever holds this live sign-in, or keep a place in the queue.

    Gives the attempt as it was written (of no session), or None for whatever is not the plain case: nothing was written then.
    """
    values = {
        "exam_id": exam_id,
        "token_digest": token_digest,
        "not_before": now - SIGN_IN_LIFE,
        "lost_at": lost_at(now),
        "now": now,
    }
    found = next(iter(execute_autocommit(_LOOK, values)), None)
    if found is None:
        return None
    window = window_at(found, windows_of(found.sessions), now)
    if not _is_let_in(found, window, now):
        return None
    queued = pass_gate(found)
    if queued is not None:
        execute_autocommit(
            KEEP_PLACE, {"exam_id": exam_id, "person_id": found.person_id, "now": now, "lost_at": lost_at(now)}
        )
        return queued
    deadline_at = deadline(found, window, started_at=now, extension_s=found.extension_s)
    row = {
        "exam_id": exam_id, "person_id": found.person_id, "number": found.number, "paper_id": found.paper_id, "unit_id": found.unit_id,
        "deadline_at": deadline_at, "closes_at": deadline_at + timedelta(seconds=found.grace_s), "response_schema": found.response_schema,
        "total": count_items(found.response_schema),
    }  # fmt: skip
    written = execute_autocommit(_START, {**row, "now": now})
    if not written:  # another tab was quicker by a moment
        return None
    return Attempt(**row, id=written[0].id, state=AttemptState.IN_PROGRESS, started_at=now, epoch=1, unsure=[])


def _is_let_in(found: Any, window: Window, now: datetime) -> bool:
    if found.attempts_allowed is not None and found.number > found.attempts_allowed:
        return False
    refusal = start_refusal(
        found, now, window=window, is_eligible=found.is_eligible, is_study_missing=found.is_study_missing
    )
    return refusal is None
