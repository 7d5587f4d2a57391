"""The delivery protocol's calls on exams and attempts; the contract of the exam page and of any other client."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

from flask import Blueprint, Response, current_app, g, request
from msgspec import Meta
from sqlalchemy.orm import Session

from examapp import clock
from examapp.content.blueprints.queries import compressed_paper
from examapp.db.session import execute_autocommit, read_session, transaction
from examapp.delivery.attempt_changes import actions as attempt_change_actions
from examapp.delivery.attempt_starts import actions as attempt_start_actions
from examapp.delivery.attempts import actions, queries, rules
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.exam_candidates.queries import list_exams_of
from examapp.delivery.exams.models import Exam
from examapp.delivery.exams.queries import list_organiser_exams
from examapp.delivery.exams.rules import ExamPhase, phase
from examapp.errors import DomainError, NotFoundError, TryAgainError
from examapp.organisation.accounts.guards import (
    my_access,
    my_person_id,
    my_user,
    my_user_if_ready,
    sign_in_policy,
    signed_in,
    signed_in_by_statement,
    token_digest,
)
from examapp.security import rate_limits
from examapp.security.concurrency_limiter import RECEIVED_AT_MONOTONIC
from examapp.web.json_io import (
    Count,
    EmptyBody,
    Id,
    Instant,
    compressed_json_response,
    instant,
    json_response,
    read_body,
)

api_blueprint = Blueprint("attempts_api", __name__, url_prefix="/api/v1")
_SMALL_BYTES = 64 * 1024
_MAX_LOOKS = 3
"""How often a start looks at what stands before it gives up: an overdue attempt is closed, or another start was quicker."""
_NO_SAVER = frozenset({401, 403, 404})
"""Statuses of a save whose caller does not hold this attempt: such calls leave no trace in its rate limit."""


class ExamBody(TypedDict):
    """An exam in the list of exams."""

    id: Id
    title: str
    kind: str
    opens_at: Instant
    closes_at: Instant
    duration_s: Id
    attempts_used: Count
    attempts_allowed: Id | None
    state: ExamPhase


class QueuedBody(TypedDict):
    """A start that waits for admission."""

    state: Literal["queued"]
    place: Count
    wait_s: Count


class ReceiptBody(TypedDict):
    """The receipt of a hand-in."""

    number: str
    submitted_at: Instant
    answered: Count
    total: Count
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    forced: bool


class AnswerBody(TypedDict):
    """A stored answer."""

    item: Id
    epoch: rules.Epoch
    seq: rules.Seq
    response: list[str]


class AttemptBody(TypedDict):
    """An attempt with its stored answers."""

    id: Id
    exam_id: Id
    number: Id
    state: Annotated[str, Meta(extra_json_schema={"enum": list(AttemptState)})]
    started_at: Instant
    deadline_at: Instant
    server_time: Instant
    epoch: rules.Epoch
    next_save_ms: Count
    answers: list[AnswerBody]
    unsure: list[Id]
    receipt: ReceiptBody | None


class EpochBody(TypedDict):
    """The epoch that this device holds now."""

    epoch: rules.Epoch


class SavedBody(EpochBody):
    """What a save came to, by item."""

    acked: dict[int, rules.Seq]
    refused: dict[int, str]
    server_time: Instant
    deadline_at: Instant
    next_save_ms: Count
    notice: str | None


class SubmittedBody(TypedDict):
    """The receipt of a hand-in, with the items that were rejected."""

    receipt: ReceiptBody
    refused: dict[int, str]


@api_blueprint.get("/exams")
@signed_in
def list_exams() -> Response:
    """List the exams of this person, or, as an organiser, those whose figures the caller may read."""
    session, now = read_session(), clock.now()
    if request.args.get("as") == "organiser":
        listed = list_organiser_exams(session, my_access("reports:participation:read"))
        rows = [(exam, exam.attempts_allowed, phase(exam, now)) for exam in listed]
    else:
        own = list_exams_of(session, my_user().person_id, now)
        rows = [(candidate.exam, candidate.attempts_allowed, candidate.phase(now)) for candidate in own]
    used = queries.attempts_used(session, my_user().person_id, [exam.id for exam, _, _ in rows])
    return json_response([_exam_json(exam, used.get(exam.id, 0), allowed, state) for exam, allowed, state in rows])


def _exam_json(exam: Exam, attempts_used: int, attempts_allowed: int | None, state: ExamPhase) -> ExamBody:
    return {
        "id": exam.id, "title": exam.title, "kind": exam.kind, "opens_at": instant(exam.opens_at), "closes_at": instant(exam.closes_at),
        "duration_s": exam.duration_s, "attempts_used": attempts_used, "attempts_allowed": attempts_allowed, "state": state,
    }  # fmt: skip


@api_blueprint.post("/exams/<int:exam_id>/attempts")
@signed_in_by_statement
def start(exam_id: int) -> Response:
    """Start an attempt, or give the live one; while admission is full, a place in the queue. Two statements where the paper was made ahead."""
    read_body(EmptyBody, max_bytes=_SMALL_BYTES, may_be_empty=True)
    now = _arrived()
    not_before = now - sign_in_policy().life(is_administrator=False)
    for _ in range(_MAX_LOOKS):
        eligibility = attempt_start_actions.find_start_eligibility(
            exam_id, token_digest=token_digest(), not_before=not_before, now=now
        )
        if eligibility is None or eligibility.has_limited_sign_in:
            with transaction():  # ends before the start takes a connection of its own
                my_user_if_ready()
        if eligibility is None:
            raise NotFoundError
        if eligibility.live_id is None:
            response = _start(eligibility, now)
        else:
            body = _current_json(eligibility.live_id, eligibility.person_id)
            response = json_response(body) if body["state"] == AttemptState.IN_PROGRESS else None
        if response is not None:
            return response
    raise TryAgainError(retry_after=1)


def _start(eligibility: attempt_start_actions.StartEligibility, now: datetime) -> Response | None:
    """Start an attempt, or keep a place in the queue; None where another start of the same human was quicker by a moment."""
    missing_of = current_app.extensions["study_missing"]
    attempt_start_actions.ensure_may_start(read_session(), eligibility, missing_of=missing_of, now=now)
    queued = attempt_start_actions.try_admit(eligibility, now=now)
    if queued is not None:
        return _queued(queued)
    paper_id, schema = eligibility.paper_id, eligibility.response_schema
    if paper_id is None or schema is None:
        with transaction() as session:
            paper_id, schema = attempt_start_actions.draw_paper(session, eligibility, now=now)
    started = attempt_start_actions.start_attempt(eligibility, paper_id=paper_id, response_schema=schema, now=now)
    return None if started is None else json_response(_attempt_json(started, []), 201)


def _queued(queued: attempt_start_actions.Queued) -> Response:
    body: QueuedBody = {"state": "queued", "place": queued.place, "wait_s": queued.wait_s}
    response = json_response(body, 202)
    response.headers["Retry-After"] = str(queued.pause_s)
    return response


@api_blueprint.get("/attempts/<int:attempt_id>")
@signed_in
def get_attempt(attempt_id: int) -> Response:
    """Give an attempt with the answers that are stored."""
    return json_response(_current_json(attempt_id, my_user().person_id))


@api_blueprint.get("/attempts/<int:attempt_id>/paper")
@signed_in_by_statement
def get_attempt_paper(attempt_id: int) -> Response:
    """Give the attempt's paper; nothing in it reveals a key."""
    paper = queries.find_own_paper(attempt_id, token_digest=token_digest())
    if paper is None or not paper.is_in_progress:
        my_user_if_ready()  # names why a sign-in is rejected; the limits on sign-ins, which rest during an exam, apply
    if paper is None:
        raise NotFoundError
    return compressed_json_response(compressed_paper(read_session(), paper, paper_id=paper.paper_id))


@api_blueprint.post("/attempts/<int:attempt_id>/epoch")
@signed_in
def take_over(attempt_id: int) -> Response:
    """Let this device take the attempt over."""
    read_body(EmptyBody, max_bytes=_SMALL_BYTES, may_be_empty=True)
    operations_person = my_user().person_id
    with transaction() as session:
        actions.close_if_overdue(session, attempt_id, person_id=operations_person, now=_arrived())
    with transaction() as session:
        epoch = actions.take_over(session, attempt_id, person_id=operations_person, now=_arrived())
    reply: EpochBody = {"epoch": epoch}
    return json_response(reply)


@api_blueprint.put("/attempts/<int:attempt_id>/answers")
@signed_in_by_statement
def save_answers(attempt_id: int) -> Response:
    """Save changes; the reply is sent after the commit, never before."""
    body = read_body(rules.SaveRequest, max_bytes=rules.MAX_SAVE_BYTES)
    epoch, changes = body.epoch, body.changes
    digest = token_digest()
    saver = (attempt_id, digest)
    rate_limits.check(saver)
    try:
        with rate_limits.timed(request.environ.get(RECEIVED_AT_MONOTONIC)):
            saved = _save(attempt_id, digest, epoch, changes)
    except DomainError as error:
        if error.status in _NO_SAVER:
            rate_limits.forget(saver)
        raise
    assert saved.deadline_at is not None
    reply: SavedBody = {
        "acked": saved.acked, "refused": saved.rejected, "epoch": epoch, "server_time": instant(clock.now()),
        "deadline_at": instant(saved.deadline_at), "next_save_ms": rate_limits.next_save_ms(), "notice": queries.exam_notices().get(saved.exam_id),
    }  # fmt: skip
    return json_response(reply)


def _save(attempt_id: int, digest: bytes, epoch: int, changes: list[rules.Change]) -> actions.Saved:
    """Save in one statement, which proves the sign-in too; raise why the attempt took no save."""
    sent: dict[str, Any] = {"epoch": epoch, "changes": changes, "now": _arrived()}
    saved = actions.save_answers(execute_autocommit, attempt_id, token_digest=digest, **sent)
    if saved is not None:
        return saved
    person_id = my_person_id()
    with transaction() as session:
        rejection = actions.reject_save(session, attempt_id, person_id=person_id, **sent)
    raise rejection


@api_blueprint.put("/attempts/<int:attempt_id>/marks")
@signed_in
def mark_unsure(attempt_id: int) -> Response:
    """Keep which items the candidate is unsure of."""
    body = read_body(rules.UnsureMarks, max_bytes=_SMALL_BYTES)
    with transaction() as session:
        rejection = actions.mark_unsure(
            session,
            attempt_id,
            person_id=my_user().person_id,
            epoch=body.epoch,
            unsure=sorted(set(body.unsure)),
            now=_arrived(),
        )
    if rejection is not None:
        raise rejection
    return Response(status=204)


@api_blueprint.post("/attempts/<int:attempt_id>/events")
@signed_in
def record_events(attempt_id: int) -> Response:
    """Record the exam page's events."""
    events = read_body(rules.EventsRequest, max_bytes=_SMALL_BYTES).events
    with transaction() as session:
        actions.record_events(session, attempt_id, person_id=my_user().person_id, events=events, now=_arrived())
    return Response(status=204)


@api_blueprint.post("/attempts/<int:attempt_id>/submission")
@signed_in_by_statement
def hand_in(attempt_id: int) -> Response:
    """Hand in: merge the sheet, close the attempt, give the receipt; any repeat gives the same."""
    body = read_body(rules.SubmissionRequest, max_bytes=rules.MAX_SHEET_BYTES)
    digest = token_digest()
    with transaction() as session:
        attempt = queries.lock_attempt_of_sign_in(session, attempt_id, token_digest=digest)
        answered = None if attempt is None else _hand_in(session, attempt, body)
    if answered is None:
        person_id = my_user_if_ready().person_id
        with transaction() as session:
            attempt = queries.lock_own_attempt(session, attempt_id, person_id=person_id)
            answered = _hand_in(session, attempt, body)
    handed_in, receipt = answered
    if handed_in.rejection is not None:
        raise handed_in.rejection
    assert receipt is not None
    reply: SubmittedBody = {"receipt": receipt, "refused": handed_in.rejected}
    return json_response(reply, 201 if handed_in.is_first else 200)


def _hand_in(
    session: Session, attempt: Attempt, body: rules.SubmissionRequest
) -> tuple[attempt_change_actions.HandedIn, ReceiptBody | None]:
    handed_in = attempt_change_actions.hand_in(session, attempt, epoch=body.epoch, changes=body.answers, now=_arrived())
    return handed_in, _receipt_json(handed_in.attempt)


def _arrived() -> datetime:
    arrived: datetime = g.arrived_at
    return arrived


def _current_json(attempt_id: int, person_id: int) -> AttemptBody:
    """Give an attempt with its answers as they are at this instant: closed where its time is over. Raises NotFoundError."""
    with transaction() as session:
        attempt = actions.close_if_overdue(session, attempt_id, person_id=person_id, now=_arrived())
        answers: list[AnswerBody] = [
            {"item": item, "epoch": epoch, "seq": seq, "response": response}
            for item, (epoch, seq, response) in queries.read_sheet(session, attempt.id).items()
        ]
        return _attempt_json(attempt, answers, receipt=_receipt_json(attempt))


def _attempt_json(
    attempt: Attempt | attempt_start_actions.StartedAttempt,
    answers: list[AnswerBody],
    receipt: ReceiptBody | None = None,
) -> AttemptBody:
    return {
        "id": attempt.id, "exam_id": attempt.exam_id, "number": attempt.number, "state": attempt.state,
        "started_at": instant(attempt.started_at), "deadline_at": instant(attempt.deadline_at), "server_time": instant(clock.now()),
        "epoch": attempt.epoch, "next_save_ms": rate_limits.next_save_ms(), "answers": answers, "unsure": attempt.unsure,
        "receipt": receipt,
    }  # fmt: skip


def _receipt_json(attempt: Attempt) -> ReceiptBody | None:
    if attempt.state == AttemptState.IN_PROGRESS or attempt.submitted_at is None:
        return None
    assert attempt.receipt_number
    assert attempt.receipt_sha256
    assert attempt.answered is not None
    return {
        "number": attempt.receipt_number, "submitted_at": instant(attempt.submitted_at), "answered": attempt.answered,
        "total": attempt.total, "sha256": attempt.receipt_sha256, "forced": attempt.is_forced,
    }  # fmt: skip
