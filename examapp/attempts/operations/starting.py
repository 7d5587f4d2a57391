"""Start an attempt, or give the one that is live, or a place in the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.attempts import queries
from examapp.attempts.models import Attempt, AttemptState
from examapp.attempts.operations.admitting import Queued, admit, queued_since
from examapp.attempts.operations.closing import closed_if_overdue
from examapp.attempts.operations.refusals import AttemptError, other_attempt_in_progress, refusal
from examapp.core.errors import NotFoundError
from examapp.exams.models import Exam
from examapp.exams.operations import extensions_of, prepare_paper
from examapp.exams.queries import CandidateExam, find_candidate_exam
from examapp.exams.rules import START_REFUSAL_WORDS, StartRefusal, deadline
from examapp.papers.queries import get_paper
from question_bank.kinds.response_schema import count_items

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
    queued = admit(session, exam_id, person_id=person_id, now=now)
    return queued or _insert_attempt(session, candidate, number=number, now=now)


def _look(
    session: Session, exam_id: int, *, person_id: int, missing_of: MissingOf, now: datetime
) -> tuple[Attempt | None, CandidateExam, int]:
    """Give the live attempt, or None and the number of the next, which the rules allow now."""
    candidate = find_candidate_exam(session, exam_id, person_id)
    if candidate is None:
        raise NotFoundError
    attempts = [
        closed_if_overdue(session, attempt, now=now) for attempt in queries.list_attempts(session, exam_id, person_id)
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
    if queries.lock_start(session, person_id, exam_id=exam_id, now=now):
        return
    other = queries.find_counting_attempt(session, person_id, now=now)
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
            is_forced=False, total=count_items(schema), grading_tries=0,
        )
        .on_conflict_do_nothing()
        .returning(Attempt)
    )  # fmt: skip
    attempt = session.scalars(statement).one_or_none()
    if attempt is not None:
        return attempt, True
    # Another tab was quicker by a moment: what it started is the one live attempt.
    return next(a for a in queries.list_attempts(session, exam.id, person_id) if a.number == number), False
