"""Search the bank for near-duplicates as a long job, and settle what it found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.content.questions.models import DistinctPair, DuplicateSearch, Question, QuestionState, QuestionVersion
from examapp.jobs.columns import MAX_TRIES, JobState
from examapp.jobs.publisher import nudge_after_commit
from examapp.platform.audit.actions import Actor, record
from question_bank.similarity import find_near_duplicates

SEARCH_TASK = "questions.search_duplicates"
MAX_PAIRS = 2000
_SHORT_STEM = 15
"""A first line shorter than this says little by itself (下列说法正确的是): the options are compared with it."""
_STALE_AFTER = timedelta(minutes=15)


def request_duplicate_search(session: Session, *, actor: Actor, now: datetime) -> DuplicateSearch:
    """Have a worker search the whole bank; a search that is under way is given instead of a second."""
    running = DuplicateSearch.state.in_([JobState.WAITING, JobState.RUNNING])
    row = session.scalars(select(DuplicateSearch).where(running).order_by(DuplicateSearch.id.desc()).limit(1)).first()
    if row is not None:
        return row
    row = DuplicateSearch(created_by_id=actor.person_id, created_at=now, pairs=[])
    session.add(row)
    session.flush()
    record(
        session, "questions.search_duplicates", actor=actor, now=now, object_type="duplicate_search", object_id=row.id
    )
    nudge_after_commit(session, SEARCH_TASK, row.id)
    return row


def begin_duplicate_search(session: Session, *, search_id: int, now: datetime) -> bool:
    """Note that a run begins; False where there is nothing to do."""
    row = session.get(DuplicateSearch, search_id, with_for_update={"skip_locked": True})
    if row is None or row.state != JobState.WAITING:
        return False
    row.begin(now=now)
    row.total = session.scalar(select(func.count()).select_from(Question).where(_kept())) or 0
    return True


def _kept() -> ColumnElement[bool]:
    return Question.state != QuestionState.RETIRED


def finish_duplicate_search(
    session: Session, *, search_id: int, now: datetime, note_progress: Callable[[int], None]
) -> None:
    """Compare all questions that are not retired, and write the likest pairs down."""
    rows = session.execute(
        select(Question.id, QuestionVersion.search_text)
        .join(QuestionVersion, Question.current_version_id == QuestionVersion.id)
        .where(_kept())
        .order_by(Question.id)
    ).all()
    distinct = {(row.lower_id, row.higher_id) for row in session.scalars(select(DistinctPair))}
    texts = [_telling(row.search_text) for row in rows]
    found = [
        (rows[one].id, rows[other].id, round(100 * likeness))
        for one, other, likeness in find_near_duplicates(texts, note_progress=note_progress)
        if (rows[one].id, rows[other].id) not in distinct
    ]
    row = session.get_one(DuplicateSearch, search_id, with_for_update=True)
    if row.state != JobState.RUNNING:
        return
    row.pairs = [list(pair) for pair in sorted(found, key=lambda pair: -pair[2])[:MAX_PAIRS]]
    row.total = len(rows)
    more = f"，只列出最像的 {MAX_PAIRS} 对" if len(found) > MAX_PAIRS else ""
    row.succeed(now=now, message=f"比较了 {len(rows)} 道题，找到 {len(found)} 对相近的题{more}。")


def _telling(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) >= _SHORT_STEM else text


def note_search_progress(session: Session, *, search_id: int, done: int) -> None:
    """Write down how far a search has come."""
    session.execute(update(DuplicateSearch).where(DuplicateSearch.id == search_id).values(done=done))


def sweep_duplicate_searches(session: Session, *, now: datetime) -> None:
    """Nudge searches that wait, take up those whose worker has died, and set aside what failed three times."""
    died = (DuplicateSearch.state == JobState.RUNNING) & (DuplicateSearch.started_at < now - _STALE_AFTER)
    waiting = DuplicateSearch.state == JobState.WAITING
    rows = session.scalars(select(DuplicateSearch).where(or_(waiting, died)).with_for_update(skip_locked=True))
    for row in rows:
        if row.tries >= MAX_TRIES:
            row.fail(now=now, message="查了三次都没有查完，已停下。请稍后重新查找。")
            continue
        row.state = JobState.WAITING
        nudge_after_commit(session, SEARCH_TASK, row.id)


def keep_both(session: Session, *, one: int, other: int, actor: Actor, now: datetime) -> None:
    """Note that two like questions are two; searches no longer show them."""
    lower, higher = sorted((one, other))
    session.execute(
        insert(DistinctPair)
        .values(lower_id=lower, higher_id=higher, decided_by_id=actor.person_id, decided_at=now)
        .on_conflict_do_nothing()
    )
    details = {"other": higher}
    record(
        session,
        "questions.confirm_distinct",
        actor=actor,
        now=now,
        object_type="question",
        object_id=lower,
        details=details,
    )
