"""The plain start in two statements: what a start wave is made of, and therefore what must cost little.

One reads who signed in, the exam, the paper made ahead and the queue; the rules decide; the other writes the attempt. Whatever is not
plain (an administrator, a live attempt, no paper yet, any refusal) is left to `start_or_queue`, which gives its reasons.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, and_, column, func, select, text

from examapp.attempts.models import Attempt, AttemptState
from examapp.attempts.operations.admitting import AHEAD, KEEP_PLACE, OwnPlace, Queued, is_own_place, lost_at, pass_gate
from examapp.core import sabotage
from examapp.core.db import run_alone
from examapp.exams.models import Exam, PreparedPaper
from examapp.exams.queries import select_for_start, windows_of
from examapp.exams.rules import Window, deadline, start_refusal, window_at
from examapp.papers.models import Paper
from examapp.people.models import Person
from examapp.people.queries import LIVE_PLAIN_SIGN_IN
from examapp.people.rules import SIGN_IN_LIFE
from question_bank.kinds.response_schema import count_items

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
  exam_id, person_id, number, paper_id, unit_id, state, started_at, deadline_at, closes_at, epoch, response_schema, unsure, is_forced, total, grading_tries
)
SELECT :exam_id, :person_id, :number, :paper_id, :unit_id, 'in_progress', :now, :deadline_at, :closes_at, 1, :response_schema, '{}', false, :total, 0
WHERE may_start(:person_id, :exam_id, :now)
ON CONFLICT DO NOTHING RETURNING id
""")


def start_of_sign_in(exam_id: int, *, token_digest: bytes, now: datetime) -> Attempt | Queued | None:
    """Start an attempt for whoever holds this live sign-in, or keep a place in the queue.

    Gives the attempt as it was written (of no session), or None for whatever is not the plain case: nothing was written then.
    """
    if sabotage.is_any_broken():
        return None
    values = {
        "exam_id": exam_id,
        "token_digest": token_digest,
        "not_before": now - SIGN_IN_LIFE,
        "lost_at": lost_at(now),
        "now": now,
    }
    found = next(iter(run_alone(_LOOK, values)), None)
    if found is None:
        return None
    window = window_at(found, windows_of(found.sessions), now)
    if not _is_let_in(found, window, now):
        return None
    queued = pass_gate(found)
    if queued is not None:
        run_alone(KEEP_PLACE, {"exam_id": exam_id, "person_id": found.person_id, "now": now, "lost_at": lost_at(now)})
        return queued
    deadline_at = deadline(found, window, started_at=now, extension_s=found.extension_s)
    row = {
        "exam_id": exam_id, "person_id": found.person_id, "number": found.number, "paper_id": found.paper_id, "unit_id": found.unit_id,
        "deadline_at": deadline_at, "closes_at": deadline_at + timedelta(seconds=found.grace_s), "response_schema": found.response_schema,
        "total": count_items(found.response_schema),
    }  # fmt: skip
    written = run_alone(_START, {**row, "now": now})
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
