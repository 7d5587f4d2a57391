"""Start, save, hand in, close: what changes an attempt."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.attempts import queries, rules
from examapp.attempts.models import Answer, Attempt, AttemptEvent, AttemptState, SetAsideSave
from examapp.attempts.rules import Change, Event
from examapp.core.errors import BadRequestError, DomainError, NotFoundError
from examapp.core.nudge import nudge_after_commit
from examapp.exams.operations import extensions_of, prepare_paper
from examapp.exams.queries import CandidateExam, find_candidate_exam
from examapp.exams.rules import START_REFUSAL_WORDS, StartRefusal, deadline
from examapp.papers.queries import get_paper

GRADE_TASK = "grading.grade_attempt"


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


# Start


def start_attempt(session: Session, exam_id: int, *, person_id: int, now: datetime) -> tuple[Attempt, bool]:
    """Start an attempt, or give the one that is live; tell whether it is new. Raises NotFoundError and the protocol's refusals."""
    candidate = find_candidate_exam(session, exam_id, person_id)
    if candidate is None:
        raise NotFoundError
    attempts = [
        _closed_if_overdue(session, attempt, now=now) for attempt in queries.list_attempts(session, exam_id, person_id)
    ]
    for attempt in attempts:
        if attempt.state == AttemptState.IN_PROGRESS:
            return attempt, False
    code = candidate.start_refusal(now)
    if code is not None:
        missing = (
            {"missing": [str(need) for need in candidate.exam.study_gate]}
            if code is StartRefusal.STUDY_REQUIRED
            else {}
        )
        raise AttemptError(code, START_REFUSAL_WORDS[code], **missing)
    allowed = candidate.exam.attempts_allowed
    if allowed is not None and len(attempts) >= allowed:
        raise refusal("no_attempts_left")
    return _insert_attempt(session, candidate, number=len(attempts) + 1, now=now)


def _insert_attempt(session: Session, candidate: CandidateExam, *, number: int, now: datetime) -> tuple[Attempt, bool]:
    exam, person_id = candidate.exam, candidate.person_id
    paper_id = prepare_paper(session, candidate, number, now=now)
    shape = get_paper(session, paper_id).shape
    extension_s = extensions_of(session, exam.id, person_id)
    deadline_at = deadline(exam, candidate.window(now), started_at=now, extension_s=extension_s)
    statement = (
        insert(Attempt)
        .values(
            exam_id=exam.id, person_id=person_id, number=number, paper_id=paper_id, unit_id=candidate.unit_id, state=AttemptState.IN_PROGRESS,
            started_at=now, deadline_at=deadline_at, closes_at=deadline_at + timedelta(seconds=exam.grace_s), epoch=1, shape=shape, unsure=[],
            is_forced=False, total=len(shape) // 2, grading_tries=0,
        )
        .on_conflict_do_nothing()
        .returning(Attempt)
    )  # fmt: skip
    attempt = session.scalars(statement).one_or_none()
    if attempt is not None:
        return attempt, True
    # Another tab was quicker by a moment: what it started is the one live attempt.
    return next(a for a in queries.list_attempts(session, exam.id, person_id) if a.number == number), False


# Save

SAVE = text("""
WITH attempt AS (
  SELECT id, person_id, epoch, shape, deadline_at FROM attempts
  WHERE id = :attempt_id AND person_id = :person_id AND state = 'in_progress' AND epoch = :epoch AND closes_at > :now
  FOR SHARE
), change AS (
  SELECT c.*, CASE
    WHEN kind = '' OR c.item < 1 THEN 'unknown_item'
    WHEN is_bad THEN 'bad_text'
    WHEN kind IN ('S', 'M', 'T') AND top > parts THEN 'unknown_option'
    WHEN kind IN ('S', 'M', 'T') AND is_repeated THEN 'repeated_option'
    WHEN kind IN ('S', 'T') AND size > 1 THEN 'too_many_options'
    WHEN kind IN ('B', 'W') AND size <> parts THEN 'wrong_count'
    WHEN kind IN ('B', 'W') AND is_long THEN 'too_long'
    END AS refusal
  FROM attempt, jsonb_to_recordset(CAST(:changes AS jsonb)) AS c(
    item int, seq bigint, response jsonb, is_bad bool, is_long bool, is_repeated bool, size int, top int
  ), LATERAL (SELECT
    CASE WHEN c.item > 0 AND c.item <= length(shape) / 2 THEN substr(shape, c.item * 2 - 1, 1) ELSE '' END AS kind,
    CASE WHEN c.item > 0 AND c.item <= length(shape) / 2 THEN ascii(substr(shape, c.item * 2, 1)) - 48 ELSE 0 END AS parts
  ) AS expected
), saved AS (
  INSERT INTO answers AS a (attempt_id, item, epoch, seq, response, saved_at)
  SELECT attempt.id, change.item, attempt.epoch, change.seq, change.response, :now FROM attempt, change WHERE change.refusal IS NULL
  ON CONFLICT (attempt_id, item) DO UPDATE
    SET epoch = excluded.epoch, seq = excluded.seq, response = excluded.response, saved_at = excluded.saved_at
    WHERE (a.epoch, a.seq) < (excluded.epoch, excluded.seq)
  RETURNING a.item, a.epoch, a.seq, a.response
), history AS (
  INSERT INTO answer_history (attempt_id, person_id, item, epoch, seq, response, saved_at)
  SELECT attempt.id, attempt.person_id, saved.item, saved.epoch, saved.seq, saved.response, :now FROM attempt, saved
)
SELECT attempt.deadline_at, attempt.shape, change.item, change.seq, change.refusal, saved.seq IS NOT NULL AS is_saved,
  known.epoch AS known_epoch, known.seq AS known_seq, known.response AS known_response
FROM attempt LEFT JOIN change ON true LEFT JOIN saved ON saved.item = change.item
LEFT JOIN answers AS known ON known.attempt_id = attempt.id AND known.item = change.item
""")
"""Judge and save a batch in one statement: the attempt's row is locked against a hand-in that commits meanwhile, each change is held
against the paper's shape, an answer is replaced only by a newer one, and only what was replaced goes into the history. Gives a row a
change (or one row without a change), none where the attempt does not take saves from this person and epoch now."""


@dataclass(slots=True)
class Saved:
    """What a save came to, or why none of it was taken (`refused_as`, to be raised after the commit)."""

    deadline_at: datetime | None = None
    acked: dict[int, int] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    refused_as: DomainError | None = None


def save_answers(
    session: Session, attempt_id: int, *, person_id: int, epoch: int, changes: Sequence[Change], now: datetime
) -> Saved:
    """Save a batch of changes: one statement; a further read only to name a refusal. Raises NotFoundError, BadRequestError."""
    saved = Saved()
    for batch in list(rules.rounds(changes)) or [[]]:
        rows = _save_round(session, attempt_id, person_id=person_id, epoch=epoch, batch=batch, now=now)
        if not rows:
            return _explain(session, attempt_id, person_id=person_id, epoch=epoch, changes=changes, now=now)
        saved.deadline_at = rows[0].deadline_at
        _judge(session, saved, rows, attempt_id=attempt_id, epoch=epoch, sent={change.item: change for change in batch})
    return saved


def _save_round(
    session: Session, attempt_id: int, *, person_id: int, epoch: int, batch: Iterable[Change], now: datetime
) -> Sequence[Row[Any]]:
    described = json.dumps([rules.describe(change) for change in batch], ensure_ascii=False)
    values = {"attempt_id": attempt_id, "person_id": person_id, "epoch": epoch, "now": now, "changes": described}
    return session.connection().execute(SAVE, values).all()


def _judge(
    session: Session, saved: Saved, rows: Sequence[Row[Any]], *, attempt_id: int, epoch: int, sent: dict[int, Change]
) -> None:
    for row in rows:
        if row.item is None:
            continue
        if row.refusal is not None:
            saved.refused[row.item] = row.refusal
        elif row.is_saved:
            saved.acked[row.item] = row.seq
        else:
            known = (row.known_epoch, row.known_seq, row.known_response)
            if row.known_seq is None or (row.known_epoch, row.known_seq) < (epoch, row.seq):
                # A save beside this one was quicker by a moment: only a new look shows what it stored.
                stored = session.execute(
                    select(Answer.epoch, Answer.seq, Answer.response).where(
                        Answer.attempt_id == attempt_id, Answer.item == row.item
                    )
                ).one()
                known = (stored.epoch, stored.seq, stored.response)
            _judge_kept(saved, row, epoch, known, sent[row.item])


def _judge_kept(saved: Saved, row: Row[Any], epoch: int, known: tuple[int, int, list[str]], change: Change) -> None:
    is_choice = rules.is_choice(row.shape, row.item)
    if known[:2] == (epoch, row.seq) and not rules.is_same(known[2], change.response, is_choice=is_choice):
        saved.refused[row.item] = "seq_conflict"
    else:
        saved.acked[row.item] = known[1]


def _explain(
    session: Session, attempt_id: int, *, person_id: int, epoch: int, changes: Sequence[Change], now: datetime
) -> Saved:
    """Find out why an attempt took no save, close it where it is overdue, and set the content aside."""
    attempt = queries.lock_own_attempt(session, attempt_id, person_id=person_id)
    attempt = _closed_if_overdue(session, attempt, now=now)
    if attempt.state != AttemptState.IN_PROGRESS:
        if not attempt.is_forced:
            return Saved(refused_as=refusal("already_submitted"))
        _set_aside(session, attempt, "deadline_passed", epoch=epoch, changes=changes, now=now)
        return Saved(refused_as=refusal("deadline_passed"))
    if epoch > attempt.epoch:
        raise BadRequestError
    _set_aside(session, attempt, "taken_over", epoch=epoch, changes=changes, now=now)
    return Saved(refused_as=refusal("taken_over", epoch=attempt.epoch))


def _set_aside(
    session: Session, attempt: Attempt, reason: str, *, epoch: int, changes: Sequence[Change], now: datetime
) -> None:
    kept = [[c.item, c.seq, c.response] for c in changes if not rules.describe(c)["is_bad"]]
    if not kept:
        return
    values = {"attempt_id": attempt.id, "reason": reason, "epoch": epoch, "changes": kept, "received_at": now}
    session.execute(
        insert(SetAsideSave).values(digest=rules.changes_digest(epoch, changes), **values).on_conflict_do_nothing()
    )


def take_over(session: Session, attempt_id: int, *, person_id: int, now: datetime) -> int:
    """Let another device or tab take the attempt over: the new epoch. Raises NotFoundError and the protocol's refusals."""
    attempt = queries.lock_own_attempt(session, attempt_id, person_id=person_id)
    if attempt.state == AttemptState.IN_PROGRESS and attempt.closes_at > now:
        attempt.epoch += 1
        session.flush()
        return attempt.epoch
    raise refusal(
        "deadline_passed" if attempt.is_forced or attempt.state == AttemptState.IN_PROGRESS else "already_submitted"
    )


def mark_unsure(
    session: Session, attempt_id: int, *, person_id: int, epoch: int, unsure: list[int], now: datetime
) -> DomainError | None:
    """Keep which items the candidate is unsure of; gives the refusal to raise after the commit. Raises NotFoundError, BadRequestError."""
    changed = session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id, Attempt.person_id == person_id, Attempt.state == AttemptState.IN_PROGRESS)
        .where(Attempt.epoch == epoch, Attempt.closes_at > now)
        .values(unsure=unsure)
        .returning(Attempt.total)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if changed is None:
        return _explain(session, attempt_id, person_id=person_id, epoch=epoch, changes=[], now=now).refused_as
    if any(not 1 <= item <= changed.total for item in unsure):
        raise BadRequestError
    return None


def record_events(session: Session, attempt_id: int, *, person_id: int, events: Sequence[Event], now: datetime) -> None:
    """Record what the page tells of itself; repeats are dropped. Raises NotFoundError."""
    attempt = queries.get_own_attempt(session, attempt_id, person_id=person_id)
    if not events:
        return
    rows = {
        event.n: {
            "attempt_id": attempt.id, "n": event.n, "type": event.type, "client_at": _client_instant(event.client_at),
            "duration_ms": event.duration_ms, "received_at": now,
        }
        for event in events
    }  # fmt: skip
    session.execute(insert(AttemptEvent).values(list(rows.values())).on_conflict_do_nothing())


def _client_instant(words: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(words) if words else None
    except ValueError:
        raise BadRequestError from None
    if instant is not None and (instant.tzinfo is None or not 1970 <= instant.year <= 9000):
        raise BadRequestError
    return instant


# Hand in and close


def hand_in(
    session: Session, attempt_id: int, *, person_id: int, epoch: int, changes: Sequence[Change], now: datetime
) -> tuple[Attempt, bool, Saved]:
    """Merge the whole sheet, close the attempt and make the receipt, in one transaction; a repeat gives the same receipt.

    Tells whether it was closed by this call. Raises NotFoundError, BadRequestError.
    """
    attempt = queries.lock_own_attempt(session, attempt_id, person_id=person_id)
    attempt = _closed_if_overdue(session, attempt, now=now)
    if attempt.state != AttemptState.IN_PROGRESS:
        if attempt.is_forced:
            _set_aside(session, attempt, "deadline_passed", epoch=epoch, changes=changes, now=now)
        return attempt, False, Saved()
    saved = save_answers(session, attempt_id, person_id=person_id, epoch=epoch, changes=changes, now=now)
    if saved.refused_as is not None:
        return attempt, False, saved
    _submit(session, attempt, submitted_at=min(now, attempt.deadline_at), is_forced=False)
    return attempt, True, saved


def close_overdue(session: Session, *, now: datetime, most: int = 200) -> int:
    """Close attempts whose deadline plus grace has passed, with what was saved; safe beside any number of others. Gives how many."""
    ids = queries.list_overdue_ids(session, now=now, most=most)
    for attempt in session.scalars(
        select(Attempt).where(Attempt.id.in_(ids)).execution_options(populate_existing=True)
    ):
        _submit(session, attempt, submitted_at=attempt.deadline_at, is_forced=True)
    return len(ids)


def close_if_overdue(session: Session, attempt_id: int, *, person_id: int, now: datetime) -> Attempt:
    """Get an attempt as it stands at this instant: closed where its time is over. Raises NotFoundError."""
    attempt = queries.get_own_attempt(session, attempt_id, person_id=person_id)
    return _closed_if_overdue(session, attempt, now=now)


def _closed_if_overdue(session: Session, attempt: Attempt, *, now: datetime) -> Attempt:
    if attempt.state != AttemptState.IN_PROGRESS or attempt.closes_at > now:
        return attempt
    attempt = queries.lock_own_attempt(session, attempt.id, person_id=attempt.person_id)
    if attempt.state == AttemptState.IN_PROGRESS and attempt.closes_at <= now:
        _submit(session, attempt, submitted_at=attempt.deadline_at, is_forced=True)
    return attempt


def _submit(session: Session, attempt: Attempt, *, submitted_at: datetime, is_forced: bool) -> None:
    answers = queries.list_answers(session, attempt.id)
    answered, sha256 = rules.sheet_digest(attempt.id, attempt.shape, ((a.item, a.response) for a in answers))
    attempt.state = AttemptState.SUBMITTED
    attempt.submitted_at = submitted_at
    attempt.is_forced = is_forced
    attempt.answered, attempt.receipt_sha256 = answered, sha256
    attempt.receipt_number = rules.receipt_number(attempt.id, sha256)
    session.flush()
    nudge_after_commit(session, GRADE_TASK, attempt.id)
