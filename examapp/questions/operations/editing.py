"""Change a question: in place while it is an unused draft, else as its next version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import ConflictError
from examapp.core.pictures import Picture, encode_picture
from examapp.laws.rules import law_name
from examapp.questions.models import (
    AnswerKey,
    Citation,
    Decision,
    Question,
    QuestionState,
    QuestionVersion,
    question_knowledge_points,
)
from examapp.questions.operations.adding import add_citations, add_knowledge_points, add_pictures
from examapp.questions.operations.flagging import check_questions
from examapp.questions.operations.indexing import index_questions
from examapp.questions.queries import get_question, stamp_of
from examapp.questions.rules.content import TOPICS, Prepared, prepare
from question_bank import model


def save_question(
    session: Session, *, question_id: int, question: model.Question, read_stamp: str, actor: Actor, now: datetime
) -> QuestionVersion:
    """Save an edited question; raises ConflictError where somebody else saved since `read_stamp` (queries.stamp_of) was read.

    An unused draft is changed in place. Otherwise the next version is made and the question is a draft again, to be reviewed before new
    papers draw it; papers that hold the old version keep it.
    """
    row = get_question(session, question_id, is_locked=True)
    current = _locked(session, row)
    if stamp_of(row, current) != read_stamp:
        raise ConflictError("这道题刚刚被他人修改过。请刷新页面，看过新内容后再改。")
    prepared = prepare(question)
    add_pictures(session, pictures=prepared.pictures, now=now)
    is_in_place = current.used_at is None and row.state == QuestionState.DRAFT
    version = (
        _rewrite(session, current, prepared)
        if is_in_place
        else _next_version(session, current, prepared, actor=actor, now=now)
    )
    row.current_version_id = version.id
    _set_key(session, version, prepared.key_parts, actor=actor, now=now, is_in_place=is_in_place)
    session.execute(delete(Citation).where(Citation.question_version_id == version.id))
    add_citations(session, version_id=version.id, question=question, now=now)
    _describe(session, row, question, now=now)
    row.state, row.doubt, row.reviewed_by_id = QuestionState.DRAFT, "", None
    session.flush()
    index_questions(session, [(row.id, row.code, prepared.search_text)])
    check_questions(session, ids=[row.id], now=now, closed_as=Decision.EDIT, actor=actor)
    details = {"version": version.number, "is_in_place": is_in_place}
    record(
        session,
        "questions.save_question",
        actor=actor,
        now=now,
        object_type="question",
        object_id=row.id,
        details=details,
    )
    return version


def _locked(session: Session, row: Question) -> QuestionVersion:
    statement = select(QuestionVersion).where(QuestionVersion.id == row.current_version_id).with_for_update()
    return session.scalars(statement).one()


def _rewrite(session: Session, version: QuestionVersion, prepared: Prepared) -> QuestionVersion:
    version.content, version.search_text, version.digest = prepared.content, prepared.search_text, prepared.digest
    session.flush()
    return version


def _next_version(
    session: Session, current: QuestionVersion, prepared: Prepared, *, actor: Actor, now: datetime
) -> QuestionVersion:
    version = QuestionVersion(
        question_id=current.question_id,
        number=current.number + 1,
        content=prepared.content,
        search_text=prepared.search_text,
        digest=prepared.digest,
        created_by_id=actor.person_id,
        created_at=now,
    )
    session.add(version)
    session.flush()
    return version


def _set_key(
    session: Session,
    version: QuestionVersion,
    parts: list[dict[str, Any]],
    *,
    actor: Actor,
    now: datetime,
    is_in_place: bool,
) -> None:
    if is_in_place:
        session.execute(delete(AnswerKey).where(AnswerKey.question_version_id == version.id))
    session.add(
        AnswerKey(question_version_id=version.id, number=1, parts=parts, created_by_id=actor.person_id, created_at=now)
    )
    session.flush()


def _describe(session: Session, row: Question, question: model.Question, *, now: datetime) -> None:
    row.kind = str(question.kind)
    row.difficulty = question.difficulty
    row.law_name = law_name(question.citation.law) if question.citation else ""
    row.topic = next((tag for tag in question.tags if tag in TOPICS), "")
    row.updated_at = now
    points = question_knowledge_points
    session.execute(delete(points).where(points.c.question_id == row.id))
    add_knowledge_points(session, pairs=[(row.id, question.knowledge_points)])
    session.expire(row, ["knowledge_points"])


def upload_picture(session: Session, *, content: bytes, actor: Actor, now: datetime) -> Picture:
    """Keep a picture for use in questions; raises UnfitImageError with what to do."""
    picture = encode_picture(content)
    add_pictures(session, pictures=[picture], now=now)
    details = {"sha256": picture.sha256, "bytes": len(picture.content)}
    record(session, "questions.upload_picture", actor=actor, now=now, object_type="media", details=details)
    return picture
