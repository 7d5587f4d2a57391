"""Reads about attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, text, true
from sqlalchemy.orm import Session

from examapp.content.blueprints.models import Paper
from examapp.db.session import execute_autocommit
from examapp.delivery.attempts.models import Answer, Attempt, AttemptEvent, AttemptState, QuarantinedSave
from examapp.delivery.exams.models import Exam, ExamKind
from examapp.delivery.exams.rules import last_end
from examapp.errors import DomainError, NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.accounts.queries import LIVE_PLAIN_SIGN_IN
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.ttl_cache import TtlCache

_NOTICES = text("SELECT id, sitting_notice FROM exams WHERE sitting_notice <> '' AND state = 'published'")
_MAX_LATE_S = 5.0


def _read_notices() -> dict[int, str]:
    return {row.id: row.sitting_notice for row in execute_autocommit(_NOTICES, {})}


sitting_notices: TtlCache[dict[int, str]] = TtlCache(_read_notices, empty={}, seconds=_MAX_LATE_S)
"""What those who sit are told, by exam; some seconds late, so that a save need not ask."""


def get_own_attempt(session: Session, attempt_id: int, *, person_id: int) -> Attempt:
    """Get an attempt of this person; raises NotFoundError for another's as for none."""
    attempt = session.scalars(
        select(Attempt).where(Attempt.id == attempt_id, Attempt.person_id == person_id)
    ).one_or_none()
    if attempt is None:
        raise NotFoundError
    return attempt


def get_own_attempt_and_events(session: Session, attempt_id: int, *, person_id: int) -> tuple[Attempt, int]:
    """Get an attempt of this person and how many events are kept of it; raises NotFoundError."""
    count = select(func.count()).where(AttemptEvent.attempt_id == Attempt.id).scalar_subquery()
    found = session.execute(
        select(Attempt, count).where(Attempt.id == attempt_id, Attempt.person_id == person_id)
    ).one_or_none()
    if found is None:
        raise NotFoundError
    return found[0], found[1]


def count_events(session: Session, attempt_id: int) -> int:
    """Count the events that are kept of an attempt."""
    statement = select(func.count()).select_from(AttemptEvent).where(AttemptEvent.attempt_id == attempt_id)
    return session.execute(statement).scalar_one()


_PAPER_OF_SIGN_IN = text(f"""
SELECT paper.sections, paper.response_schema FROM attempts AS attempt JOIN papers AS paper ON paper.id = attempt.paper_id
WHERE attempt.id = :attempt_id AND attempt.state = 'in_progress' AND attempt.person_id = ({LIVE_PLAIN_SIGN_IN})
""")  # noqa: S608 – our own words


def find_paper_of_sign_in(attempt_id: int, *, token_digest: bytes) -> Paper | None:
    """Find the paper that whoever holds this live sign-in sits now, in one statement (of no session); None for any other case."""
    for row in execute_autocommit(_PAPER_OF_SIGN_IN, {"attempt_id": attempt_id, "token_digest": token_digest}):
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


def lock_attempt_within(session: Session, attempt_id: int, reach: AccessScope) -> Attempt:
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


def lock_set_aside_within(session: Session, save_id: int, reach: AccessScope) -> tuple[Attempt, QuarantinedSave]:
    """Get and lock a set-aside save and its attempt, of somebody within the reach; raises NotFoundError."""
    attempt_id = session.scalar(select(QuarantinedSave.attempt_id).where(QuarantinedSave.id == save_id))
    if attempt_id is None:
        raise NotFoundError
    attempt = lock_attempt_within(session, attempt_id, reach)
    kept = session.scalars(
        select(QuarantinedSave).where(QuarantinedSave.id == save_id).execution_options(populate_existing=True)
    ).one()
    return attempt, kept


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAttempt:
    """An attempt under way, as every page of its owner names it."""

    attempt_id: int
    exam_id: int
    title: str
    deadline_at: datetime


def find_live_attempts(session: Session, person_id: int, *, now: datetime) -> list[LiveAttempt]:
    """Find the attempts that a person has under way, in one statement: exams that count before mock exams, the earliest deadline first."""
    statement = (
        select(Attempt.id.label("attempt_id"), Attempt.exam_id, Exam.title, Attempt.deadline_at)
        .join(Exam, Attempt.exam_id == Exam.id)
        .where(Attempt.person_id == person_id, Attempt.state == AttemptState.IN_PROGRESS, Attempt.closes_at > now)
        .order_by(Exam.kind == ExamKind.MOCK, Attempt.deadline_at, Attempt.id)
    )
    return [LiveAttempt(**row._mapping) for row in session.execute(statement)]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingAttempt:
    """An attempt in progress in an exam that counts, of a person or of another row of the same human."""

    attempt_id: int
    exam_id: int
    title: str
    is_own: bool
    """Whether it belongs to this account: that of a second account cannot be opened from here."""


IS_SITTING = "EXISTS (SELECT FROM counting_attempts(:person_id, :now))"
"""The one rule of what rests while somebody sits (decision 0027), as a condition for statements of upper rooms; takes `person_id` and `now`."""
_COUNTING = text("""
SELECT c.attempt_id, c.exam_id, c.person_id, e.title FROM counting_attempts(:person_id, :now) AS c JOIN exams AS e ON e.id = c.exam_id
ORDER BY c.person_id <> :person_id, c.attempt_id LIMIT 1
""")
_MAY_START = text("SELECT may_start(:person_id, :exam_id, :now)")


def find_counting_attempt(session: Session, person_id: int, *, now: datetime) -> CountingAttempt | None:
    """Find the attempt for whose sake no key reaches this person now and no other exam starts; None where there is none.

    Counting is every kind of exam but the mock. A second account of the same human counts as this one.
    """
    row = session.execute(_COUNTING, {"person_id": person_id, "now": now}).one_or_none()
    if row is None:
        return None
    return CountingAttempt(
        attempt_id=row.attempt_id, exam_id=row.exam_id, title=row.title, is_own=row.person_id == person_id
    )


def has_active_attempt(session: Session, person_id: int, *, now: datetime) -> bool:
    """Tell whether a person has an attempt in progress in an exam that counts: no key reaches them meanwhile."""
    return find_counting_attempt(session, person_id, now=now) is not None


def lock_start(session: Session, person_id: int, *, exam_id: int, now: datetime) -> bool:
    """Keep other starts of the same human waiting until the end of this transaction; tell whether this exam may be started."""
    return bool(session.execute(_MAY_START, {"person_id": person_id, "exam_id": exam_id, "now": now}).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamEnds:
    """When nobody can write an attempt any more."""

    own: datetime
    """At the exam itself."""
    family: datetime
    """At the exam, its main exam and every published make-up of either, which draw from the same questions."""


_FAMILY = text("""
SELECT e.id, e.opens_at, e.closes_at, e.duration_s, e.lateness_s, e.is_full_duration, e.grace_s, x.total AS extension_s,
  greatest(
    CASE WHEN e.closes_at <= :now THEN (SELECT max(closes_at) FROM attempts WHERE exam_id = e.id AND state = 'in_progress') END,
    CASE WHEN x.waiting > 0 THEN (SELECT max(closes_at) FROM attempts WHERE exam_id = e.id) + make_interval(secs => x.waiting) END
  ) AS last_close
FROM exams AS e CROSS JOIN LATERAL (
  SELECT coalesce(sum(seconds), 0)::int AS total, coalesce(sum(seconds) FILTER (WHERE applied_at IS NULL), 0)::int AS waiting
  FROM exam_extensions WHERE exam_id = e.id
) AS x
WHERE e.id = :exam_id OR (e.state = 'published' AND (e.id = :main_id OR e.main_exam_id = :main_id))
""")


def ends_of(session: Session, exam: Exam, *, now: datetime) -> ExamEnds:
    """Tell when the last attempt ends that may still be written, in one statement.

    Attempts to come end by the window, those under way after it was closed by their own deadline; extra time counts, also where it is
    not yet applied to attempts that the clock has closed.
    """
    values = {"exam_id": exam.id, "main_id": exam.main_exam_id or exam.id, "now": now}
    ends = {row.id: _end(row) for row in session.execute(_FAMILY, values)}
    return ExamEnds(own=ends[exam.id], family=max(ends.values()))


def _end(row: Any) -> datetime:
    by_window = last_end(row, longest_extension_s=row.extension_s)
    return max(by_window, row.last_close or by_window)


class AttemptError(DomainError):
    """A refusal of the delivery protocol: the code is the contract."""

    def __init__(self, code: str, message: str, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.code = code  # type: ignore[misc]  # one class for all codes of the protocol


_MESSAGES = {
    "no_attempts_left": "您的作答次数已用完。",
    "already_submitted": "已经交卷，答案不能再改。",
    "deadline_passed": "作答时间已到，系统已按保存的答案交卷。迟到的内容已另行保存，由管理员处理。",
    "taken_over": "已在另一设备或窗口继续作答，此处不再保存。",
    "not_submitted": "还没有交卷，暂无成绩。",
}


def refusal(code: str, **extra: Any) -> AttemptError:
    """Give the protocol's refusal of this code, with its sentence for people."""
    return AttemptError(code, _MESSAGES[code], **extra)


def other_attempt_in_progress(other: CountingAttempt) -> AttemptError:
    """Give the refusal of a start while another exam that counts is being sat, by this account or by a second one."""
    return AttemptError("other_attempt_in_progress", words_of_other(other), attempt_id=other.attempt_id)


def words_of_other(other: CountingAttempt) -> str:
    """Say in Chinese which exam is being sat and what to do."""
    if other.is_own:
        return f"您正在参加「{other.title}」，还没有交卷，不能同时参加另一场考试。请先回到那一场，完成并交卷。"
    return f"您用另一个账号正在参加「{other.title}」，还没有交卷。请先用那个账号完成并交卷，再参加这一场。"
