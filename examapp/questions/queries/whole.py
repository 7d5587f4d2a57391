"""Questions read whole: as formats write them and the editor shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.laws.models import Law, LawVersion
from examapp.questions.models import (
    Citation,
    KnowledgePoint,
    Media,
    Question,
    QuestionVersion,
    question_knowledge_points,
)
from examapp.questions.queries.listing import Filter, filtered
from examapp.questions.queries.single import list_keys
from examapp.questions.rules.stored import Stored, media_of, to_question
from question_bank import model

_AT_ONCE = 500
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}


def read_question(
    session: Session, question: Question, version: QuestionVersion, *, is_editable: bool = False
) -> model.Question:
    """Give a version as formats and the editor have it."""
    stored = _stored(session, [(question, version)])[0]
    media = {} if is_editable else _media(session, [stored])
    return to_question(stored, media=media, is_editable=is_editable)


def iter_questions(session: Session, wanted: Filter) -> Iterator[model.Question]:
    """Give the questions of a filter as formats write them, by number, in a few statements per 500."""
    ids = list(session.scalars(filtered(select(Question.id), wanted).order_by(Question.law_name, Question.code)))
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        statement = select(Question, QuestionVersion).join(
            QuestionVersion, Question.current_version_id == QuestionVersion.id
        )
        rows = session.execute(statement.where(Question.id.in_(part)))
        found = {question.id: (question, version) for question, version in rows}
        stored = _stored(session, [found[each] for each in part if each in found])
        media = _media(session, stored)
        yield from (to_question(one, media=media) for one in stored)


def _stored(session: Session, pairs: Sequence[tuple[Question, QuestionVersion]]) -> list[Stored]:
    version_ids = [version.id for _, version in pairs]
    keys = list_keys(session, version_ids)
    citations = _citations(session, version_ids)
    points = _points(session, [question.id for question, _ in pairs])
    return [
        Stored(
            code=question.code,
            kind=question.kind,
            difficulty=question.difficulty,
            topic=question.topic,
            content=version.content,
            key_parts=keys[version.id][0].parts,
            knowledge_points=points.get(question.id, []),
            citations=citations.get(version.id, {}),
        )
        for question, version in pairs
    ]


def _citations(session: Session, version_ids: Sequence[int]) -> dict[int, dict[int, model.Citation]]:
    rows = session.execute(
        select(Citation.question_version_id, Citation.part, Citation.articles, Law.name, LawVersion.version_on)
        .join(LawVersion, Citation.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(Citation.question_version_id.in_(version_ids))
        .order_by(Citation.id.desc())
    )
    found: dict[int, dict[int, model.Citation]] = {}
    for row in rows:
        cited = model.Citation(law=row.name, article="、".join(row.articles), version=row.version_on.isoformat())
        found.setdefault(row.question_version_id, {})[row.part] = cited
    return found


def _points(session: Session, question_ids: Sequence[int]) -> dict[int, list[str]]:
    statement = (
        select(question_knowledge_points.c.question_id, KnowledgePoint.name)
        .join(KnowledgePoint, KnowledgePoint.id == question_knowledge_points.c.knowledge_point_id)
        .where(question_knowledge_points.c.question_id.in_(question_ids))
        .order_by(KnowledgePoint.name)
    )
    found: dict[int, list[str]] = {}
    for row in session.execute(statement):
        found.setdefault(row.question_id, []).append(row.name)
    return found


def _media(session: Session, stored: Sequence[Stored]) -> dict[str, model.Image]:
    digests = {digest for one in stored for digest in media_of(one.content, one.key_parts)}
    if not digests:
        return {}
    rows = session.scalars(select(Media).where(Media.sha256.in_(digests)))
    return {
        row.sha256: model.Image(
            name=f"{row.sha256[:16]}{_SUFFIXES[row.media_type]}", media_type=row.media_type, content=row.content
        )
        for row in rows
    }
