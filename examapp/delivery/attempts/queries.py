"""Reads about attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import structlog
from cachetools import TLRUCache, cached
from sqlalchemy import ColumnElement, bindparam, func, or_, select, text, true
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from examapp.db.session import execute_autocommit
from examapp.delivery.attempts.models import Attempt, AttemptEvent, AttemptState, QuarantinedSave
from examapp.delivery.exams.models import Exam, ExamExtension, ExamState
from examapp.delivery.exams.queries import in_audience_of
from examapp.delivery.exams.rules import last_end
from examapp.errors import DomainError, NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.accounts.queries import live_sign_ins
from examapp.organisation.people.models import Person, RoleGrant
from examapp.organisation.units.models import Unit

log = structlog.get_logger()
_NOTICES = text("SELECT id, exam_notice FROM exams WHERE exam_notice <> '' AND state = 'published'")
_MAX_LATE_S = 5.0


_last_notices: dict[int, str] = {}


@cached(TLRUCache(1, ttu=lambda _key, _value, now: now + _MAX_LATE_S), lock=Lock())
def exam_notices() -> dict[int, str]:
    """List the notices shown during exams, by exam: at most 5 s old, older ones while the database does not answer."""
    global _last_notices  # noqa: PLW0603 – a cache of this process
    try:
        _last_notices = {row.id: row.exam_notice for row in execute_autocommit(_NOTICES, {})}
    except SQLAlchemyError as error:
        log.warning("notices_not_read", error=type(error).__name__)
    return _last_notices


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPaper:
    """The paper of somebody's own attempt."""

    paper_id: int
    is_in_progress: bool
    sections: list[dict[str, Any]]
    response_schema: str


_OWN_PAPER = text("""
SELECT p.id AS paper_id, a.state = 'in_progress' AS is_in_progress, p.sections, p.response_schema FROM attempts AS a JOIN papers AS p ON p.id = a.paper_id
WHERE a.id = :attempt_id AND a.person_id = (
  SELECT s.person_id FROM live_sign_ins AS s WHERE s.token_digest = :token_digest AND NOT s.must_change_password
)
""")


def find_own_paper(attempt_id: int, *, token_digest: bytes) -> OwnPaper | None:
    """Find the paper of an attempt of the holder of a live sign-in, in one statement; None where there is no such sign-in or attempt."""
    rows = execute_autocommit(_OWN_PAPER, {"attempt_id": attempt_id, "token_digest": token_digest})
    return OwnPaper(**rows[0]._asdict()) if rows else None


def lock_own_attempt(session: Session, attempt_id: int, *, person_id: int) -> Attempt:
    """Get and lock an attempt of this person, as it is now; raises NotFoundError."""
    statement = select(Attempt).where(Attempt.id == attempt_id, Attempt.person_id == person_id).with_for_update()
    attempt = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if attempt is None:
        raise NotFoundError
    return attempt


_LOCK_OF_SIGN_IN = (
    select(Attempt)
    .where(Attempt.id == bindparam("attempt_id"), Attempt.state == AttemptState.IN_PROGRESS)
    .where(
        Attempt.person_id
        == select(live_sign_ins.c.person_id)
        .where(live_sign_ins.c.token_digest == bindparam("token_digest"), ~live_sign_ins.c.must_change_password)
        .scalar_subquery()
    )
    .with_for_update(of=Attempt)
    .execution_options(populate_existing=True)
)


def lock_attempt_of_sign_in(session: Session, attempt_id: int, *, token_digest: bytes) -> Attempt | None:
    """Lock the attempt in progress of the holder of a live sign-in, as it is now; None for any other case."""
    values = {"attempt_id": attempt_id, "token_digest": token_digest}
    return session.scalars(_LOCK_OF_SIGN_IN, values).one_or_none()


def list_attempts(session: Session, exam_id: int, person_id: int) -> Sequence[Attempt]:
    """List a person's attempts at an exam, first to last."""
    statement = (
        select(Attempt).where(Attempt.exam_id == exam_id, Attempt.person_id == person_id).order_by(Attempt.number)
    )
    return session.scalars(statement.execution_options(populate_existing=True)).all()


_SHEET = text("""
SELECT coalesce(json_agg(json_build_array(item, epoch, seq, response) ORDER BY item), '[]') FROM answers WHERE attempt_id = :attempt_id
""")


Sheet = dict[int, tuple[int, int, list[str]]]
"""The stored answers of an attempt by item: epoch, counter, response."""


def read_sheet(session: Session, attempt_id: int) -> Sheet:
    """Read the stored answers of an attempt. They come as one row, which costs a tenth of 65."""
    rows = session.connection().execute(_SHEET, {"attempt_id": attempt_id}).scalar_one()
    return {item: (epoch, seq, response) for item, epoch, seq, response in rows}


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
    of_person = (ExamExtension.exam_id == exam.id, ExamExtension.person_id == Person.id)
    more = select(func.coalesce(func.sum(ExamExtension.more_attempts), 0)).where(*of_person).correlate(Person)
    return begun.scalar_subquery() < exam.attempts_allowed + more.scalar_subquery()


def list_overdue_ids(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """List attempts in progress whose deadline plus grace has passed, oldest first."""
    return session.scalars(
        select(Attempt.id)
        .where(Attempt.state == AttemptState.IN_PROGRESS, Attempt.closes_at <= now)
        .order_by(Attempt.closes_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def count_in_progress(session: Session) -> int:
    """Count the attempts that are being sat now, for monitoring."""
    statement = select(func.count()).select_from(Attempt).where(Attempt.state == AttemptState.IN_PROGRESS)
    return session.execute(statement).scalar_one()


def has_attempt_in_progress(session: Session, person_id: int) -> bool:
    """Tell whether a person has any attempt in progress."""
    in_progress = select(Attempt.id).where(Attempt.person_id == person_id, Attempt.state == AttemptState.IN_PROGRESS)
    return bool(session.scalar(select(in_progress.exists())))


def has_newer_attempt(session: Session, attempt: Attempt) -> bool:
    """Tell whether the person has begun a further attempt at the same exam."""
    newer = select(Attempt.id).where(
        Attempt.exam_id == attempt.exam_id, Attempt.person_id == attempt.person_id, Attempt.number > attempt.number
    )
    return bool(session.scalar(select(newer.exists())))


def lock_attempt_within(session: Session, attempt_id: int, access: AccessScope) -> Attempt:
    """Get and lock an attempt of somebody within the access scope, as it is now; raises NotFoundError."""
    attempt = session.scalars(
        select(Attempt)
        .join(Person, Attempt.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Attempt.id == attempt_id, within(access))
        .with_for_update(of=Attempt)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if attempt is None:
        raise NotFoundError
    return attempt


def lock_attempt(session: Session, attempt_id: int) -> Attempt:
    """Get and lock an attempt whose access was checked before; raises NotFoundError."""
    statement = select(Attempt).where(Attempt.id == attempt_id).with_for_update()
    attempt = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if attempt is None:
        raise NotFoundError
    return attempt


def lock_quarantined_save_within(
    session: Session, save_id: int, access: AccessScope
) -> tuple[Attempt, QuarantinedSave]:
    """Get and lock a quarantined save and its attempt, of somebody within the access scope; raises NotFoundError."""
    attempt_id = session.scalar(select(QuarantinedSave.attempt_id).where(QuarantinedSave.id == save_id))
    if attempt_id is None:
        raise NotFoundError
    attempt = lock_attempt_within(session, attempt_id, access)
    kept = session.scalars(
        select(QuarantinedSave).where(QuarantinedSave.id == save_id).execution_options(populate_existing=True)
    ).one()
    return attempt, kept


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamPage:
    """What the shell of the exam page says of a published exam and of the person who opens it."""

    exam_id: int
    title: str
    grace_s: int
    focus_loss_limit: int | None
    person_id: int
    name: str
    login_name: str
    has_elder_mode: bool | None
    unit_name: str
    attempt_id: int | None
    """The attempt in progress."""
    has_limited_sign_in: bool
    """Whether there are limits on this sign-in, of a role or of its age (begun before `not_before`), that this statement does not know."""


_BEGUN = select(Attempt.id).where(Attempt.exam_id == Exam.id, Attempt.person_id == Person.id).correlate(Exam, Person)
_HAS_ROLE = select(RoleGrant.id).where(RoleGrant.person_id == Person.id).correlate(Person).exists()
_EXAM_PAGE = (
    select(
        Exam.id.label("exam_id"), Exam.title, Exam.grace_s, Exam.focus_loss_limit, Person.id.label("person_id"), Person.name,
        live_sign_ins.c.login_name, live_sign_ins.c.has_elder_mode, Unit.name.label("unit_name"),
        _BEGUN.where(Attempt.state == AttemptState.IN_PROGRESS, Attempt.closes_at > bindparam("now"))
        .scalar_subquery().label("attempt_id"),
        or_(_HAS_ROLE, live_sign_ins.c.started_at <= bindparam("not_before")).label("has_limited_sign_in"),
    )
    .select_from(Exam)
    .join(Person, true())
    .join(live_sign_ins, live_sign_ins.c.person_id == Person.id)
    .join(Unit, Person.unit_id == Unit.id)
    .where(live_sign_ins.c.token_digest == bindparam("token_digest"), ~live_sign_ins.c.must_change_password)
    .where(Exam.id == bindparam("exam_id"), Exam.state == ExamState.PUBLISHED)
    .where(or_(_BEGUN.exists(), in_audience_of(Exam.id, Exam.kind)))
)  # fmt: skip


def find_exam_page(exam_id: int, *, token_digest: bytes, not_before: datetime, now: datetime) -> ExamPage | None:
    """Find the exam page of the holder of a live sign-in, in one statement; None where there is no such sign-in, or exam of this person."""
    values = {"exam_id": exam_id, "token_digest": token_digest, "not_before": not_before, "now": now}
    rows = execute_autocommit(_EXAM_PAGE, values)
    return ExamPage(**rows[0]._asdict()) if rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAttempt:
    """An attempt in progress, of a person or of another account of the same human."""

    attempt_id: int
    exam_id: int
    title: str
    deadline_at: datetime
    is_counting: bool
    """Whether the exam counts, which is every kind but the mock: no key is shown and no other exam starts meanwhile (decision 0027)."""
    is_own: bool
    """Whether it belongs to this account: that of a second account cannot be opened from here."""


_LIVE_ATTEMPTS = text("""
WITH live AS (
  SELECT attempt_id, true AS is_counting FROM counting_attempts(:person_id, :now)
  UNION ALL
  SELECT a.id, false FROM attempts AS a JOIN exams AS e ON e.id = a.exam_id
  WHERE a.person_id = :person_id AND a.state = 'in_progress' AND a.closes_at > :now AND e.kind = 'mock'
)
SELECT live.attempt_id, a.exam_id, e.title, a.deadline_at, live.is_counting, a.person_id = :person_id AS is_own
FROM live JOIN attempts AS a ON a.id = live.attempt_id JOIN exams AS e ON e.id = a.exam_id
ORDER BY live.is_counting DESC, is_own DESC, a.deadline_at, a.id
""")


def find_live_attempts(session: Session, person_id: int, *, now: datetime) -> list[LiveAttempt]:
    """Find a person's attempts in progress, and those of other accounts of the same human in exams that count, in one statement.

    Exams that count come first, then one's own, then the earliest deadline.
    """
    rows = session.execute(_LIVE_ATTEMPTS, {"person_id": person_id, "now": now})
    return [LiveAttempt(**row._asdict()) for row in rows]


def find_counting_attempt(session: Session, person_id: int, *, now: datetime) -> LiveAttempt | None:
    """Find the attempt for whose sake no key reaches this person now and no other exam starts; None where there is none."""
    return next((live for live in find_live_attempts(session, person_id, now=now) if live.is_counting), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamEnds:
    """When nobody can write an attempt any more."""

    own: datetime
    """At the exam itself."""
    family: datetime
    """At the exam, its main exam and every published make-up of either, which draw from the same questions."""


_FAMILY = text("""
SELECT e.id, e.opens_at, greatest(e.closes_at, x.own_closes_at) AS closes_at, e.duration_s, e.lateness_s, e.is_full_duration, e.grace_s, x.total AS extension_s,
  greatest(
    CASE WHEN e.closes_at <= :now THEN (SELECT max(closes_at) FROM attempts WHERE exam_id = e.id AND state = 'in_progress') END,
    CASE WHEN x.waiting > 0 THEN (SELECT max(closes_at) FROM attempts WHERE exam_id = e.id) + make_interval(secs => x.waiting) END
  ) AS last_close
FROM exams AS e CROSS JOIN LATERAL (
  SELECT coalesce(sum(seconds), 0)::int AS total, coalesce(sum(seconds) FILTER (WHERE applied_at IS NULL), 0)::int AS waiting,
    max(closes_at) AS own_closes_at
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
    """A rejection of the delivery protocol: the code is the contract."""

    def __init__(self, code: str, message: str, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.code = code  # type: ignore[misc]  # one class for all codes of the protocol


_MESSAGES = {
    "no_attempts_left": "本场考试次数已用完。",
    "already_submitted": "已经交卷，答案不能再改。",
    "deadline_passed": "作答时间已到，系统已按保存的答案交卷。迟到的内容已另行保存，由管理员处理。",
    "taken_over": "已在另一设备或窗口继续作答，此处不再保存。",
    "not_submitted": "还没有交卷，暂无成绩。",
}


def attempt_error(code: str, **extra: Any) -> AttemptError:
    """Give the protocol's rejection of this code, with its sentence for people."""
    return AttemptError(code, _MESSAGES[code], **extra)


def other_attempt_in_progress(other: LiveAttempt) -> AttemptError:
    """Give the rejection of a start while another exam that counts is being sat, by this account or by a second one."""
    return AttemptError("other_attempt_in_progress", text_of_other(other), attempt_id=other.attempt_id)


def text_of_other(other: LiveAttempt) -> str:
    """Say in Chinese which exam is being sat and what to do."""
    if other.is_own:
        return f"您正在参加“{other.title}”，还没有交卷，不能同时参加另一场考试。请先回到那一场，完成并交卷。"
    return f"您用另一个账号正在参加“{other.title}”，还没有交卷。请先用那个账号完成并交卷，再参加这一场。"
