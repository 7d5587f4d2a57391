"""Start an attempt, or keep a place in the queue before the start (排队): who finds admission full waits in it, and no clock runs meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    LargeBinary,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningInsert

from examapp.content.blueprints.models import Paper
from examapp.content.blueprints.queries import get_paper
from examapp.db.session import execute_autocommit
from examapp.delivery.attempts.models import Admission, Attempt, AttemptState
from examapp.delivery.attempts.queries import (
    AttemptError,
    attempt_error,
    find_counting_attempt,
    other_attempt_in_progress,
)
from examapp.delivery.attempts.rules import GIVEN_UP_AFTER
from examapp.delivery.exam_candidates.actions import prepare_paper
from examapp.delivery.exam_candidates.queries import find_candidate_exam, select_for_start, windows_of
from examapp.delivery.exams.models import Exam, PreparedPaper
from examapp.delivery.exams.rules import (
    START_REJECTION_LABELS,
    StartRejection,
    Window,
    deadline,
    start_rejection,
    window_at,
)
from examapp.errors import NotFoundError
from examapp.organisation.accounts.queries import live_sign_ins
from examapp.organisation.people.models import Person, RoleGrant
from examapp.security.rate_limits import gate
from question_bank.kinds.response_schema import count_items

MAX_PAUSE_S = 25
"""How long a client is told to pause at most, well below what counts as given up."""
MAX_COUNTED = 10_000
"""How many waiting before a person are counted at most: more than all processes may admit at once, so it changes no admission, and a queue
of 200,000 costs each look no more than one of 10,000."""
_KEPT_FOR = timedelta(hours=1)
_NOW = bindparam("now", type_=DateTime(timezone=True))
_LOST_AT = bindparam("lost_at", type_=DateTime(timezone=True))
"""The last call with which a place in the queue is given up by now."""
_Own = aliased(Admission, name="own_admission")
_Other = aliased(Admission, name="other_admission")


@dataclass(frozen=True, slots=True)
class Queued:
    """A place in the queue: 1 is the next; the seconds until a start from it, by the rate of now."""

    place: int
    wait_s: int

    @property
    def pause_s(self) -> int:
        """How long the client should wait before it calls again."""
        return min(self.wait_s, MAX_PAUSE_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedAttempt:
    """An attempt that was started just now, as far as its owner's client is told of it."""

    id: int
    exam_id: int
    number: int
    started_at: datetime
    deadline_at: datetime
    epoch: int = 1
    unsure: list[int] = field(default_factory=list)
    state: str = AttemptState.IN_PROGRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEligibility:
    """A published exam's times (a TimedExam), and how the holder of a live sign-in stands to it."""

    exam_id: int
    opens_at: datetime
    closes_at: datetime
    duration_s: int
    lateness_s: int | None
    is_full_duration: bool
    grace_s: int
    attempts_allowed: int | None
    person_id: int
    unit_id: int
    sessions: Sequence[Sequence[str]] | None
    is_eligible: bool
    is_study_missing: bool
    extension_s: int
    own_windows: Sequence[Sequence[str]] | None
    """Windows that this person alone was granted."""
    has_limited_sign_in: bool
    """Whether limits on sign-ins may apply outside an exam: to those of a person with a role, and to old ones."""
    has_counting: bool
    """Whether this human has an attempt in progress in an exam that counts."""
    used: int
    """How many attempts at this exam the person has begun."""
    live_id: int | None
    """The one in progress, which may be overdue."""
    paper_id: int | None
    """The paper made ahead for the next attempt."""
    response_schema: str | None
    ticket: int | None
    queued_at: datetime | None
    admitted_at: datetime | None
    ahead: int
    """How many wait before this person; all, where the person has no place in the queue. Counted up to MAX_COUNTED."""

    def window_at(self, instant: datetime) -> Window:
        """Give the window that applies to this person at an instant."""
        return window_at(self, windows_of(self.sessions), instant, own=windows_of(self.own_windows))

    def rejection_at(self, instant: datetime) -> StartRejection | None:
        """Return why a start at this instant is rejected, None where it is let in; attempts used up are not in it."""
        return start_rejection(
            self,
            instant,
            window=self.window_at(instant),
            is_eligible=self.is_eligible,
            is_study_missing=self.is_study_missing,
        )


def _count_ahead() -> ColumnElement[int]:
    some = (
        select(_Other.ticket)
        .where(
            _Other.admitted_at.is_(None),
            _Other.called_at > _LOST_AT,
            or_(_Own.ticket.is_(None), _Other.ticket < _Own.ticket),
        )
        .correlate(_Own)
        .limit(MAX_COUNTED)
        .lateral("waiting")
    )
    return select(func.count()).select_from(some).scalar_subquery()


def _select_start_eligibility() -> Select[*tuple[Any, ...]]:
    live_id = func.max(Attempt.id).filter(Attempt.state == AttemptState.IN_PROGRESS).label("live_id")
    begun = (
        select(func.count().label("used"), live_id)
        .where(Attempt.exam_id == Exam.id, Attempt.person_id == Person.id)
        .correlate(Exam, Person)
        .lateral("begun")
    )
    counting = func.counting_attempts(Person.id, _NOW).table_valued("attempt_id")
    has_role = select(RoleGrant.id).where(RoleGrant.person_id == Person.id).correlate(Person).exists()
    is_old = live_sign_ins.c.started_at <= bindparam("not_before", type_=DateTime(timezone=True))
    return (
        select_for_start()
        .join(live_sign_ins, live_sign_ins.c.person_id == Person.id)
        .where(live_sign_ins.c.token_digest == bindparam("token_digest", type_=LargeBinary))
        .where(~live_sign_ins.c.must_change_password)
        .join(begun, true())
        .outerjoin(
            PreparedPaper,
            and_(
                PreparedPaper.exam_id == Exam.id,
                PreparedPaper.person_id == Person.id,
                PreparedPaper.number == begun.c.used + 1,
            ),
        )
        .outerjoin(Paper, PreparedPaper.paper_id == Paper.id)
        .outerjoin(_Own, and_(_Own.exam_id == Exam.id, _Own.person_id == Person.id, _Own.called_at > _LOST_AT))
        .add_columns(
            or_(has_role, is_old).label("has_limited_sign_in"),
            select(counting.c.attempt_id).correlate(Person).exists().label("has_counting"),
            begun.c.used,
            begun.c.live_id,
            PreparedPaper.paper_id,
            Paper.response_schema,
            _Own.ticket,
            _Own.queued_at,
            _Own.admitted_at,
            _count_ahead().label("ahead"),
        )
    )


_START_ELIGIBILITY = _select_start_eligibility()
# Built once: putting such a statement together costs more than running it.


def find_start_eligibility(
    exam_id: int, *, token_digest: bytes, not_before: datetime, now: datetime
) -> StartEligibility | None:
    """Find how the holder of a live sign-in stands to a published exam, in one statement; None where there is no such sign-in or exam.

    Of a sign-in begun before `not_before` the statement does not know whether it is still alive.
    """
    values = {
        "exam_id": exam_id,
        "token_digest": token_digest,
        "not_before": not_before,
        "lost_at": now - GIVEN_UP_AFTER,
        "now": now,
    }
    rows = execute_autocommit(_START_ELIGIBILITY, values)
    return StartEligibility(**rows[0]._asdict()) if rows else None


MissingOf = Callable[[Session, Exam, int], list[str]]
"""Names what an exam's study gate still asks of a person."""


def ensure_may_start(session: Session, eligibility: StartEligibility, *, missing_of: MissingOf, now: datetime) -> None:
    """Raise the protocol's rejection of a start that the exam's rules, the attempts used, or another exam in progress do not allow now."""
    code = eligibility.rejection_at(now)
    has_queued_in_time = eligibility.queued_at is not None and eligibility.rejection_at(eligibility.queued_at) is None
    if code is StartRejection.STUDY_REQUIRED:
        missing = missing_of(session, session.get_one(Exam, eligibility.exam_id), eligibility.person_id)
        raise AttemptError(code, START_REJECTION_LABELS[code], missing=missing)
    if code is not None and not (code is StartRejection.TOO_LATE_TO_START and has_queued_in_time):
        raise AttemptError(code, START_REJECTION_LABELS[code])
    if eligibility.attempts_allowed is not None and eligibility.used >= eligibility.attempts_allowed:
        raise attempt_error("no_attempts_left")
    other = find_counting_attempt(session, eligibility.person_id, now=now) if eligibility.has_counting else None
    if other is not None:
        raise other_attempt_in_progress(other)


def try_admit(eligibility: StartEligibility, *, now: datetime) -> Queued | None:
    """Let a start in (None), or keep the person's place in the queue, in one statement.

    The queue is one for all exams and all machines. A start that failed after it was let in is let in again.
    """
    if eligibility.admitted_at is not None:
        return None
    wait_s = gate.try_admit(ahead=eligibility.ahead)
    if wait_s <= 0:
        return None
    values = {
        "exam_id": eligibility.exam_id,
        "person_id": eligibility.person_id,
        "now": now,
        "lost_at": now - GIVEN_UP_AFTER,
    }
    execute_autocommit(_KEEP_PLACE, values)
    return Queued(place=eligibility.ahead + 1, wait_s=math.ceil(wait_s))


def _keep_place() -> ReturningInsert[tuple[int]]:
    """Build the statement that notes a call; a place that was given up or used before becomes a new one at the end."""
    user: dict[str, Any] = {name: bindparam(name, type_=BigInteger) for name in ("exam_id", "person_id")}
    fresh = insert(Admission).values(**user, queued_at=_NOW, called_at=_NOW)
    is_lost = (Admission.called_at <= _LOST_AT) | Admission.admitted_at.is_not(None)
    return fresh.on_conflict_do_update(
        index_elements=["exam_id", "person_id"],
        set_={
            "called_at": _NOW,
            "ticket": case((is_lost, fresh.excluded.ticket), else_=Admission.ticket),
            "queued_at": case((is_lost, fresh.excluded.queued_at), else_=Admission.queued_at),
            "admitted_at": None,
        },
    ).returning(Admission.ticket)


_KEEP_PLACE = _keep_place()


def draw_paper(session: Session, eligibility: StartEligibility, *, now: datetime) -> tuple[int, str]:
    """Make the paper of the person's next attempt where none was made ahead; return its id and response schema. Raises ConflictError, BankTooSmallError."""
    candidate = find_candidate_exam(session, eligibility.exam_id, eligibility.person_id)
    if candidate is None:
        raise NotFoundError
    paper_id = prepare_paper(session, candidate, eligibility.used + 1, now=now)
    return paper_id, get_paper(session, paper_id).response_schema


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


def start_attempt(
    eligibility: StartEligibility, *, paper_id: int, response_schema: str, now: datetime
) -> StartedAttempt | None:
    """Write an attempt that was let in, in one statement; None where another start of the same human was quicker by a moment."""
    window = eligibility.window_at(now)
    deadline_at = deadline(eligibility, window, started_at=now, extension_s=eligibility.extension_s)
    number = eligibility.used + 1
    written = execute_autocommit(
        _START,
        {
            "exam_id": eligibility.exam_id, "person_id": eligibility.person_id, "number": number, "paper_id": paper_id,
            "unit_id": eligibility.unit_id, "deadline_at": deadline_at, "closes_at": deadline_at + timedelta(seconds=eligibility.grace_s),
            "response_schema": response_schema, "total": count_items(response_schema), "now": now,
        },
    )  # fmt: skip
    if not written:
        return None
    return StartedAttempt(
        id=written[0].id, exam_id=eligibility.exam_id, number=number, started_at=now, deadline_at=deadline_at
    )


def clear_queue(session: Session, *, now: datetime) -> None:
    """Delete places in the queue that were given up or used long ago."""
    session.execute(
        delete(Admission).where(Admission.called_at < now - _KEPT_FOR).execution_options(synchronize_session=False)
    )
