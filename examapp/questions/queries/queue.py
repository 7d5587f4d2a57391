"""What waits for a reviewer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from examapp.questions.models import AnswerKey, Question, QuestionState, QuestionVersion
from examapp.questions.queries.listing import PAGE_SIZE, QuestionRow, list_rows


def count_queue(session: Session, *, person_id: int, may_own: bool) -> int:
    """Count the drafts that this person may review."""
    return session.scalar(_queue(select(func.count()), person_id, may_own=may_own)) or 0


def list_queue(session: Session, *, person_id: int, may_own: bool, page: int) -> list[QuestionRow]:
    """List a page of the drafts that this person may review, those that have waited longest first."""
    statement = _queue(select(Question.id), person_id, may_own=may_own).order_by(Question.updated_at, Question.id)
    ids = list(session.scalars(statement.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)))
    rows = {row.id: row for row in list_rows(session, ids)}
    return [rows[each] for each in ids if each in rows]


def next_in_queue(session: Session, *, person_id: int, may_own: bool, after: int) -> int | None:
    """Find the draft to review next: the one that has waited longest, this one apart."""
    statement = _queue(select(Question.id), person_id, may_own=may_own).where(Question.id != after)
    found: int | None = session.scalar(statement.order_by(Question.updated_at, Question.id).limit(1))
    return found


def count_states(session: Session, *, person_id: int) -> dict[str, int]:
    """Count what else waits: one's own drafts, reviewed ones not yet active, doubtful keys, changed laws."""
    draft = Question.state == QuestionState.DRAFT
    own = _is_own(person_id)
    row = session.execute(
        select(
            func.count().filter(draft, Question.doubt == "", own).label("own"),
            func.count().filter(Question.state == QuestionState.REVIEWED).label("reviewed"),
            func.count().filter(Question.doubt != "", Question.state != QuestionState.RETIRED).label("doubt"),
            func.count().filter(Question.law_change != "").label("law"),
        )
        .select_from(Question)
        .outerjoin(QuestionVersion, Question.current_version_id == QuestionVersion.id)
        .where(
            draft | (Question.state == QuestionState.REVIEWED) | (Question.doubt != "") | (Question.law_change != "")
        )
    ).one()
    return dict(row._mapping)  # noqa: SLF001 – SQLAlchemy's public name


def _is_own(person_id: int) -> ColumnElement[bool]:
    """Whether this person wrote or imported the current version, or set a key of it."""
    writer = func.coalesce(QuestionVersion.created_by_id, Question.created_by_id, 0)
    by_hand = exists().where(AnswerKey.question_version_id == QuestionVersion.id, AnswerKey.created_by_id == person_id)
    return (writer == person_id) | by_hand


def _queue(statement: Select[Any], person_id: int, *, may_own: bool) -> Select[Any]:
    statement = (
        statement.select_from(Question)
        .join(QuestionVersion, Question.current_version_id == QuestionVersion.id)
        .where(Question.state == QuestionState.DRAFT, Question.doubt == "")
    )
    return statement if may_own else statement.where(~_is_own(person_id))
