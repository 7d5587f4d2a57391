"""Search the bank for near-duplicates as a background job, and record which pairs are no duplicates."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.content.question_duplicates.queries import distinctive_text
from examapp.content.questions.models import BankQuestion, DistinctPair, DuplicateSearch, QuestionState, QuestionVersion
from examapp.jobs.actions import enqueue
from examapp.jobs.models import ACTIVE
from examapp.jobs.runner import JobRun
from examapp.platform.audit.actions import ActionContext, record
from question_bank.quality import find_near_duplicates

AUDIT_ACTS = {"questions.confirm_distinct": "确认两题不重复", "questions.search_duplicates": "查找重复试题"}
AUDIT_OBJECTS = {"duplicate_search": "重复试题查找"}

MAX_PAIRS = 2000


def request_duplicate_search(context: ActionContext) -> DuplicateSearch:
    """Enqueue a search of the whole bank for near-duplicates; return the running one instead of a second."""
    active = select(DuplicateSearch).where(DuplicateSearch.state.in_(ACTIVE))
    row = context.session.scalars(active.order_by(DuplicateSearch.id.desc()).limit(1)).first()
    if row is not None:
        return row
    row = enqueue(
        context.session, DuplicateSearch(created_by_id=context.actor.person_id, created_at=context.now, pairs=[])
    )
    record(context, "questions.search_duplicates", object_type="duplicate_search", object_id=row.id)
    return row


def search_duplicates(session: Session, run: JobRun) -> None:
    """Compare all questions that are not retired, store the most similar pairs, and complete the job."""
    rows = session.execute(
        select(BankQuestion.id, QuestionVersion.search_text)
        .join(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
        .where(BankQuestion.state != QuestionState.RETIRED)
        .order_by(BankQuestion.id)
    ).all()
    run.progress(0, len(rows))
    distinct = {(row.lower_id, row.higher_id) for row in session.scalars(select(DistinctPair))}
    texts = [distinctive_text(row.search_text) for row in rows]
    found = [
        (rows[one].id, rows[other].id, round(100 * similarity))
        for one, other, similarity in find_near_duplicates(
            texts, note_progress=lambda done: run.progress(done, len(rows))
        )
        if (rows[one].id, rows[other].id) not in distinct
    ]
    row = session.get_one(DuplicateSearch, run.id)
    row.pairs = [list(pair) for pair in sorted(found, key=lambda pair: -pair[2])[:MAX_PAIRS]]
    more = f"，只列出最像的 {MAX_PAIRS} 对" if len(found) > MAX_PAIRS else ""
    run.complete(session, total=len(rows), message=f"比较了 {len(rows)} 道题，找到 {len(found)} 对相近的题{more}。")


def keep_both(context: ActionContext, *, one: int, other: int) -> None:
    """Record that two similar questions are no duplicates; later searches leave the pair out."""
    lower, higher = sorted((one, other))
    context.session.execute(
        insert(DistinctPair)
        .values(lower_id=lower, higher_id=higher, decided_by_id=context.actor.person_id, decided_at=context.now)
        .on_conflict_do_nothing()
    )
    details = {"other": higher}
    record(context, "questions.confirm_distinct", object_type="question", object_id=lower, details=details)
