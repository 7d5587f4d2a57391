"""Save answers, submit and close attempts, record page events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.db.session import Execute
from examapp.delivery.attempts import queries, rules
from examapp.delivery.attempts.models import Attempt, AttemptEvent, AttemptState, QuarantinedSave
from examapp.delivery.attempts.queries import attempt_error
from examapp.delivery.attempts.rules import FOCUS_LOSS, Change, Event
from examapp.delivery.exams.models import Exam, ExamPledge
from examapp.errors import BadRequestError, DomainError, TryAgainError
from examapp.jobs.publisher import enqueue_after_commit
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.security.rate_limits import slow_down

AUDIT_ACTS = {"attempts.close_for_leaving": "离开页面超过规定次数，自动交卷"}
AUDIT_OBJECTS = {"attempt": "作答"}

GRADE_TASK = "grading.grade_attempt"
_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode


def close_overdue(session: Session, *, now: datetime, limit: int) -> int:
    """Close attempts whose deadline plus grace has passed, with what was saved; return how many. Safe to run concurrently."""
    ids = queries.list_overdue_ids(session, now=now, limit=limit)
    for attempt in session.scalars(
        select(Attempt).where(Attempt.id.in_(ids)).execution_options(populate_existing=True)
    ):
        submit(session, attempt, submitted_at=attempt.deadline_at, is_forced=True)
    return len(ids)


def close_if_overdue(session: Session, attempt_id: int, *, person_id: int, now: datetime) -> Attempt:
    """Get an attempt, closed where its time is over at this instant. Raises NotFoundError."""
    attempt = queries.get_own_attempt(session, attempt_id, person_id=person_id)
    return closed_if_overdue(session, attempt, now=now)


def closed_if_overdue(session: Session, attempt: Attempt, *, now: datetime) -> Attempt:
    """Lock and close an attempt where its time is over at this instant; return it."""
    if attempt.state != AttemptState.IN_PROGRESS or attempt.closes_at > now:
        return attempt
    attempt = queries.lock_own_attempt(session, attempt.id, person_id=attempt.person_id)
    if attempt.state == AttemptState.IN_PROGRESS and attempt.closes_at <= now:
        submit(session, attempt, submitted_at=attempt.deadline_at, is_forced=True)
    return attempt


def submit(
    session: Session, attempt: Attempt, *, submitted_at: datetime, is_forced: bool, sheet: queries.Sheet | None = None
) -> None:
    """Close an attempt whose row is locked, with the answer sheet where it was read under that lock: count the answers, make the receipt, enqueue the grading."""
    sheet = queries.read_sheet(session, attempt.id) if sheet is None else sheet
    answers = ((item, response) for item, (_, _, response) in sheet.items())
    answered, sha256 = rules.sheet_digest(attempt.id, attempt.response_schema, answers)
    attempt.state = AttemptState.SUBMITTED
    attempt.submitted_at = submitted_at
    attempt.is_forced = is_forced
    attempt.answered, attempt.receipt_sha256 = answered, sha256
    attempt.receipt_number = rules.receipt_number(attempt.id, sha256)
    session.flush()
    enqueue_after_commit(session, GRADE_TASK)


def quarantine_save(
    session: Session, attempt: Attempt, reason: str, *, epoch: int, changes: Sequence[Change], now: datetime
) -> bool:
    """Keep the newest content of each item of a save that came too late or from an older device, for an administrator's decision.

    The attempt's row must be locked. One row is kept per epoch until it is judged. Return False where the limits per attempt leave no room for all of it.
    """
    if not changes:
        return True
    rows = session.scalars(select(QuarantinedSave).where(QuarantinedSave.attempt_id == attempt.id)).all()
    known = rules.newest_places((row.epoch, row.changes) for row in rows if row.epoch == epoch)
    row = next((r for r in rows if (r.epoch, r.reason, r.judged_at) == (epoch, reason, None)), None)
    merged = rules.merge_quarantined_changes(
        row.changes if row else [],
        changes,
        known={item: seq for item, (_, seq) in known.items()},
        items=attempt.total,
    )
    if merged is None:
        return True
    others = [r.changes for r in rows if r is not row]
    is_full = len(others) >= rules.MAX_QUARANTINED_ROWS
    if is_full or sum(len(_AS_JSON(kept).encode()) for kept in [*others, merged]) > rules.MAX_QUARANTINED_BYTES:
        return False
    if row is None:
        row = QuarantinedSave(attempt_id=attempt.id, reason=reason, epoch=epoch)
        session.add(row)
    row.changes, row.received_at = merged, now
    row.digest = rules.changes_digest(epoch, (Change(*kept) for kept in merged))
    session.flush()
    return True


SAVE = text("""
WITH attempt AS (
  SELECT id, exam_id, person_id, epoch, response_schema, deadline_at FROM attempts
  WHERE id = :attempt_id AND state = 'in_progress' AND epoch = :epoch AND closes_at > :now AND person_id = coalesce(
    CAST(:person_id AS bigint), (SELECT s.person_id FROM live_sign_ins AS s WHERE s.token_digest = :token_digest AND NOT s.must_change_password)
  )
  FOR SHARE
), change AS (
  SELECT c.*, CASE
    WHEN size_max < 0 THEN 'unknown_item'
    WHEN is_bad THEN 'bad_text'
    WHEN option_count > 0 AND top > option_count THEN 'unknown_option'
    WHEN option_count > 0 AND is_repeated THEN 'repeated_option'
    WHEN option_count > 0 AND size > size_max THEN 'too_many_options'
    WHEN option_count = 0 AND size <> size_max THEN 'wrong_count'
    WHEN option_count = 0 AND is_long THEN 'too_long'
    END AS attempt_error
  FROM attempt, jsonb_to_recordset(CAST(:changes AS jsonb)) AS c(
    item int, seq bigint, response jsonb, is_bad bool, is_long bool, is_repeated bool, size int, top int
  ), LATERAL (SELECT
    ascii(substr(response_schema, least(c.item, 10000) * 3 - 1, 1)) - 48 AS option_count,
    ascii(substr(response_schema, least(c.item, 10000) * 3, 1)) - 48 AS size_max
  ) AS expected
), saved AS (
  INSERT INTO answers AS a (attempt_id, item, epoch, seq, response, saved_at)
  SELECT attempt.id, change.item, attempt.epoch, change.seq, change.response, :now FROM attempt, change WHERE change.attempt_error IS NULL
  ON CONFLICT (attempt_id, item) DO UPDATE
    SET epoch = excluded.epoch, seq = excluded.seq, response = excluded.response, saved_at = excluded.saved_at
    WHERE (a.epoch, a.seq) < (excluded.epoch, excluded.seq)
  RETURNING a.item, a.epoch, a.seq, a.response
), history AS (
  INSERT INTO answer_history (attempt_id, person_id, item, epoch, seq, response, saved_at)
  SELECT attempt.id, attempt.person_id, saved.item, saved.epoch, saved.seq, saved.response, :now FROM attempt, saved
)
SELECT attempt.exam_id, attempt.deadline_at, attempt.response_schema, change.item, change.seq, change.attempt_error, saved.seq IS NOT NULL AS is_saved,
  known.epoch AS known_epoch, known.seq AS known_seq, known.response AS known_response
FROM attempt LEFT JOIN change ON true LEFT JOIN saved ON saved.item = change.item
LEFT JOIN answers AS known ON known.attempt_id = attempt.id AND known.item = change.item
""")
"""Judge and save a batch in one statement, for the person given or for the holder of a live sign-in: lock the attempt's row against a
submission that commits meanwhile, compare each change with the two numbers of the item's response schema, replace an answer only by a newer
one, and append what was replaced to the history. Return a row a change (or one row without a change), none where the attempt takes no save
from this person and epoch now. A sign-in of any age will do, since nobody is signed out during an exam. Beyond the schema's end there is no
character, whose code counts as 0: below "0", so such an item is unknown; `minimum` keeps the product within an int."""
_STORED = text("""
SELECT item, epoch AS known_epoch, seq AS known_seq, response AS known_response FROM answers WHERE attempt_id = :attempt_id AND item = ANY(:items)
""")


@dataclass(slots=True)
class Saved:
    """What became of each change of a save: the counter now stored of an item, or why it was rejected alone."""

    exam_id: int = 0
    deadline_at: datetime | None = None
    acked: dict[int, int] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)


def save_answers(
    execute: Execute,
    attempt_id: int,
    *,
    epoch: int,
    changes: Sequence[Change],
    now: datetime,
    token_digest: bytes | None = None,
    person_id: int | None = None,
) -> Saved | None:
    """Save a batch for the holder of a live sign-in, or for a known person. One statement; one more for each further change of the same item.

    `execute` runs it within a transaction, or as one that commits by itself (db.session). Return None where the attempt takes no save from
    this person and epoch now: `reject_save` finds out why.
    """
    saved = Saved()
    for batch in list(rules.rounds(changes)) or [[]]:
        values = {
            "attempt_id": attempt_id, "token_digest": token_digest, "person_id": person_id, "epoch": epoch, "now": now,
            "changes": _AS_JSON([rules.describe(change) for change in batch]),
        }  # fmt: skip
        rows = execute(SAVE, values)
        if not rows:
            return None
        saved.exam_id, saved.deadline_at = rows[0].exam_id, rows[0].deadline_at
        kept = _judge(saved, rows)
        if kept:
            _judge_kept(execute, saved, kept, attempt_id=attempt_id, epoch=epoch, sent={c.item: c for c in batch})
    return saved


def _judge(saved: Saved, rows: Sequence[Any]) -> list[Any]:
    """Note what was rejected and what was stored; return the rows of changes whose item kept an answer at least as new."""
    kept = []
    for row in rows:
        if row.item is None:
            continue
        if row.attempt_error is not None:
            saved.rejected[row.item] = row.attempt_error
        elif row.is_saved:
            saved.acked[row.item] = row.seq
        else:
            kept.append(row)
    return kept


def _judge_kept(
    execute: Execute, saved: Saved, kept: list[Any], *, attempt_id: int, epoch: int, sent: dict[int, Change]
) -> None:
    """Acknowledge what is stored instead of an older or equal change; reject an equal place with another response."""
    known = {row.item: row for row in kept}
    if any(row.known_seq is None or (row.known_epoch, row.known_seq) < (epoch, row.seq) for row in kept):
        # Another save committed while this one waited for the answer's row: what it stored is not in this statement's snapshot.
        known = {row.item: row for row in execute(_STORED, {"attempt_id": attempt_id, "items": list(known)})}
    for row in kept:
        stored, schema = known[row.item], row.response_schema
        is_same_place = (stored.known_epoch, stored.known_seq) == (epoch, row.seq)
        if is_same_place and not rules.is_same(schema, row.item, stored.known_response, sent[row.item].response):
            saved.rejected[row.item] = "seq_conflict"
        else:
            saved.acked[row.item] = stored.known_seq


def reject_save(
    session: Session, attempt_id: int, *, person_id: int, epoch: int, changes: Sequence[Change], now: datetime
) -> DomainError:
    """Find out why an attempt took no save, close it where it is overdue, and keep the content for an administrator.

    Return the error to raise after the commit. Raises NotFoundError, BadRequestError.
    """
    attempt = queries.lock_own_attempt(session, attempt_id, person_id=person_id)
    attempt = closed_if_overdue(session, attempt, now=now)
    is_open = attempt.state == AttemptState.IN_PROGRESS
    if is_open and epoch > attempt.epoch:
        raise BadRequestError
    if is_open and epoch == attempt.epoch:
        return TryAgainError(retry_after=1)  # reopened, or extended, since the save was rejected
    if is_open:
        rejection = attempt_error("taken_over", epoch=attempt.epoch)
    elif attempt.is_forced:
        rejection = attempt_error("deadline_passed")
    else:
        return attempt_error("already_submitted")
    is_kept = quarantine_save(session, attempt, rejection.code, epoch=epoch, changes=changes, now=now)
    return rejection if is_kept else slow_down()


def take_over(session: Session, attempt_id: int, *, person_id: int, now: datetime) -> int:
    """Let another device or tab take the attempt over: the new epoch. Raises NotFoundError and the protocol's rejections."""
    attempt = queries.lock_own_attempt(session, attempt_id, person_id=person_id)
    if attempt.state == AttemptState.IN_PROGRESS and attempt.closes_at > now:
        attempt.epoch += 1
        session.flush()
        return attempt.epoch
    raise attempt_error(
        "deadline_passed" if attempt.is_forced or attempt.state == AttemptState.IN_PROGRESS else "already_submitted"
    )


def mark_unsure(
    session: Session, attempt_id: int, *, person_id: int, epoch: int, unsure: list[int], now: datetime
) -> DomainError | None:
    """Keep which items the candidate is unsure of; gives the rejection to raise after the commit. Raises NotFoundError, BadRequestError."""
    changed = session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id, Attempt.person_id == person_id, Attempt.state == AttemptState.IN_PROGRESS)
        .where(Attempt.epoch == epoch, Attempt.closes_at > now)
        .values(unsure=unsure)
        .returning(Attempt.total)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if changed is None:
        return reject_save(session, attempt_id, person_id=person_id, epoch=epoch, changes=[], now=now)
    if any(not 1 <= item <= changed.total for item in unsure):
        raise BadRequestError
    return None


def record_events(session: Session, attempt_id: int, *, person_id: int, events: Sequence[Event], now: datetime) -> None:
    """Record the exam page's events; submit the attempt of a candidate who leaves the page too often. Raises NotFoundError.

    Dropped are repeats, what comes later than a while after the hand-in, and what goes beyond the number that is kept of one attempt.
    """
    attempt, count = queries.get_own_attempt_and_events(session, attempt_id, person_id=person_id)
    if not events or (attempt.submitted_at is not None and now > attempt.submitted_at + rules.EVENTS_AFTER_HAND_IN):
        return
    if count >= rules.MAX_EVENTS:
        # Several calls at once must not pass the bound together; a page of a person has far fewer events.
        queries.lock_own_attempt(session, attempt_id, person_id=person_id)
        count = queries.count_events(session, attempt_id)
    rows = {
        event.n: {
            "attempt_id": attempt.id, "n": event.n, "type": event.type, "client_at": _client_instant(event.client_at),
            "duration_ms": event.duration_ms, "received_at": now,
        }
        for event in events
    }  # fmt: skip
    kept = list(rows.values())[: max(0, rules.MAX_EVENTS_KEPT - count)]
    if not kept:
        return
    session.execute(insert(AttemptEvent).values(kept).on_conflict_do_nothing())
    if any(row["type"] == FOCUS_LOSS for row in kept):
        _hold_to_limit(session, attempt, now=now)


def _hold_to_limit(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Submit an attempt whose candidate has left the page more often than the exam allows; by default any number is allowed."""
    limit = session.scalar(select(Exam.focus_loss_limit).where(Exam.id == attempt.exam_id))
    if limit is None:
        return
    times = select(func.count()).where(AttemptEvent.attempt_id == attempt.id, AttemptEvent.type == FOCUS_LOSS)
    left = session.execute(times).scalar_one()
    if left <= limit:
        return
    attempt = queries.lock_own_attempt(session, attempt.id, person_id=attempt.person_id)
    if attempt.state != AttemptState.IN_PROGRESS or attempt.closes_at <= now:
        return
    submit(session, attempt, submitted_at=min(now, attempt.deadline_at), is_forced=True)
    record(
        ActionContext(session, SYSTEM, now),
        "attempts.close_for_leaving",
        object_type="attempt",
        object_id=attempt.id,
        person_id=attempt.person_id,
        details={"left": left, "limit": limit},
    )


def _client_instant(wording: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(wording) if wording else None
    except ValueError:
        raise BadRequestError from None
    if instant is not None and (instant.tzinfo is None or not 1970 <= instant.year <= 9000):
        raise BadRequestError
    return instant


def keep_pledge(session: Session, *, exam_id: int, person_id: int, now: datetime) -> None:
    """Keep that a person has ticked an exam's pledge of honesty; the first time stands."""
    row = {"exam_id": exam_id, "person_id": person_id, "pledged_at": now}
    session.execute(insert(ExamPledge).values(row).on_conflict_do_nothing())
