"""Reads about the bank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from examapp.core.errors import NotFoundError
from examapp.core.permissions import Permission
from examapp.laws.models import Law, LawArticle, LawVersion
from examapp.laws.queries import find_articles
from examapp.people.models import Person, RoleGrant
from examapp.people.rules import ROLE_PERMISSIONS
from examapp.questions.models import (
    AnswerKey,
    Citation,
    KnowledgePoint,
    Media,
    Question,
    QuestionImport,
    QuestionVersion,
    question_knowledge_points,
)
from examapp.questions.rules.stored import Stored, media_of, to_question
from question_bank import model

PAGE_SIZE = 50
_AT_ONCE = 500
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which questions are asked for; what is empty does not narrow."""

    words: str = ""
    """Substrings that must all occur, separated by spaces; or the beginning of a question's number."""
    law: str = ""
    topic: str = ""
    knowledge_point: str = ""
    kind: str = ""
    difficulty: str = ""
    state: str = ""
    is_doubtful: bool = False
    import_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRow:
    """A question as the list shows it."""

    id: int
    code: str
    kind: str
    state: str
    difficulty: str | None
    law_name: str
    doubt: str
    text: str
    updated_at: datetime


def count_questions(session: Session, wanted: Filter) -> int:
    """Count the questions of a filter."""
    return session.scalar(_filtered(select(func.count()), wanted)) or 0


def list_questions(session: Session, wanted: Filter, *, page: int) -> list[QuestionRow]:
    """List one page (50) of the questions of a filter, the last changed first."""
    columns = (
        Question.id,
        Question.code,
        Question.kind,
        Question.state,
        Question.difficulty,
        Question.law_name,
        Question.doubt,
        func.left(func.split_part(QuestionVersion.search_text, "\n", 1), 100).label("text"),
        Question.updated_at,
    )
    statement = _filtered(select(*columns), wanted).order_by(Question.updated_at.desc(), Question.id.desc())
    rows = session.execute(statement.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE))
    return [QuestionRow(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def _filtered(statement: Select[Any], wanted: Filter) -> Select[Any]:
    return (
        statement.select_from(Question)
        .outerjoin(QuestionVersion, Question.current_version_id == QuestionVersion.id)
        .where(*_conditions(wanted))
    )


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    for word in wanted.words.split()[:5]:
        yield or_(
            QuestionVersion.search_text.contains(word, autoescape=True), Question.code.startswith(word, autoescape=True)
        )
    equal = {
        Question.law_name: wanted.law,
        Question.topic: wanted.topic,
        Question.kind: wanted.kind,
        Question.difficulty: wanted.difficulty,
        Question.state: wanted.state,
        Question.import_id: wanted.import_id,
    }
    for column, value in equal.items():
        if value:
            yield column == value
    if wanted.knowledge_point:
        yield Question.knowledge_points.any(KnowledgePoint.name == wanted.knowledge_point)
    if wanted.is_doubtful:
        yield Question.doubt != ""


def list_law_names(session: Session) -> list[str]:
    """List the laws that questions cite."""
    return list(
        session.scalars(select(Question.law_name).where(Question.law_name != "").distinct().order_by("law_name"))
    )


def list_topics(session: Session) -> list[str]:
    """List the topics of questions."""
    return list(session.scalars(select(Question.topic).where(Question.topic != "").distinct().order_by("topic")))


def list_knowledge_points(session: Session, *, law: str = "") -> list[str]:
    """List knowledge points in use, of one law's questions where a law is given."""
    statement = select(KnowledgePoint.name).join(question_knowledge_points).join(Question).distinct()
    if law:
        statement = statement.where(Question.law_name == law)
    return list(session.scalars(statement.order_by(KnowledgePoint.name).limit(500)))


def get_question(session: Session, question_id: int, *, is_locked: bool = False) -> Question:
    """Get a question, locked for an act where wished; raises NotFoundError."""
    found = session.get(Question, question_id, with_for_update={"of": Question} if is_locked else None)
    if found is None:
        raise NotFoundError("没有找到这道题，可能已被删除。请从题库重新进入。")
    return found


def get_version(session: Session, question: Question, number: int | None = None) -> QuestionVersion:
    """Get a question's version by its number, the current one without; raises NotFoundError."""
    statement = select(QuestionVersion).where(QuestionVersion.question_id == question.id)
    statement = (
        statement.where(QuestionVersion.id == question.current_version_id)
        if number is None
        else statement.where(QuestionVersion.number == number)
    )
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def stamp_of(question: Question, version: QuestionVersion) -> str:
    """Give a mark that changes whenever somebody changes the question: what an editor has read."""
    return f"{version.number}.{question.updated_at.timestamp():.6f}"


def current_key(session: Session, version_id: int) -> AnswerKey:
    """Get the key that counts for a version."""
    statement = select(AnswerKey).where(AnswerKey.question_version_id == version_id).order_by(AnswerKey.number.desc())
    return session.scalars(statement.limit(1)).one()


def list_versions(session: Session, question_id: int) -> list[QuestionVersion]:
    """List a question's versions, the newest first."""
    statement = select(QuestionVersion).where(QuestionVersion.question_id == question_id)
    return list(session.scalars(statement.order_by(QuestionVersion.number.desc())))


def list_keys(session: Session, version_ids: Sequence[int]) -> dict[int, list[AnswerKey]]:
    """List all keys of versions, by version, the newest first."""
    keys: dict[int, list[AnswerKey]] = {version_id: [] for version_id in version_ids}
    statement = select(AnswerKey).where(AnswerKey.question_version_id.in_(version_ids))
    for key in session.scalars(statement.order_by(AnswerKey.number.desc())):
        keys[key.question_version_id].append(key)
    return keys


def names_of(session: Session, person_ids: Sequence[int | None]) -> dict[int, str]:
    """Give the names of persons by their ids."""
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_({p for p in person_ids if p})))
    return {row.id: row.name for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """The articles that a part of a version has its answer from; `articles` only where the law's text was imported."""

    part: int
    law: str
    version: LawVersion
    labels: list[str]
    articles: list[LawArticle]


def list_cited(session: Session, version_id: int) -> list[Cited]:
    """List what a version cites, with the articles' texts."""
    rows = session.execute(
        select(Citation, LawVersion, Law.name)
        .join(LawVersion, Citation.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(Citation.question_version_id == version_id)
        .order_by(Citation.part, Citation.id)
    )
    return [
        Cited(
            part=citation.part,
            law=name,
            version=version,
            labels=citation.articles,
            articles=find_articles(session, version.id, citation.articles),
        )
        for citation, version, name in rows
    ]


def count_reviewers(session: Session, *, now: datetime) -> int:
    """Count who may review questions: where it is one person alone, the writer may be the reviewer."""
    roles = [str(role) for role, held in ROLE_PERMISSIONS.items() if Permission.QUESTIONS_REVIEW in held]
    statement = select(func.count(RoleGrant.person_id.distinct())).where(
        RoleGrant.role.in_(roles), or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)
    )
    return session.scalar(statement) or 0


def find_existing(session: Session, digests: Sequence[str]) -> dict[str, tuple[int, list[Any]]]:
    """Find which contents the bank has among questions not retired: by digest the question's id and the parts of its key."""
    statement = (
        select(QuestionVersion.digest, Question.id, AnswerKey.parts)
        .join(Question, Question.current_version_id == QuestionVersion.id)
        .join(AnswerKey, AnswerKey.question_version_id == QuestionVersion.id)
        .where(QuestionVersion.digest.in_(digests), Question.state != "retired")
        .order_by(AnswerKey.number)
    )
    return {row.digest: (row.id, row.parts) for row in session.execute(statement)}


def get_media(session: Session, sha256: str) -> Media:
    """Get a picture by its digest; raises NotFoundError."""
    found = session.get(Media, sha256)
    if found is None:
        raise NotFoundError
    return found


def get_import(session: Session, import_id: int, *, is_locked: bool = False) -> QuestionImport:
    """Get an import, locked for an act where wished; raises NotFoundError."""
    found = session.get(QuestionImport, import_id, with_for_update=is_locked or None)
    if found is None:
        raise NotFoundError("没有找到这次导入。请从导入记录重新进入。")
    return found


def find_earlier_import(session: Session, row: QuestionImport) -> QuestionImport | None:
    """Find an earlier import of the very same file that was taken over and not undone."""
    statement = select(QuestionImport).where(
        QuestionImport.digest == row.digest,
        QuestionImport.id < row.id,
        QuestionImport.is_confirmed,
        QuestionImport.undone_at.is_(None),
    )
    return session.scalars(statement.order_by(QuestionImport.id.desc()).limit(1)).first()


def list_imports(session: Session, *, limit: int = 30) -> list[QuestionImport]:
    """List the newest imports."""
    return list(session.scalars(select(QuestionImport).order_by(QuestionImport.id.desc()).limit(limit)))


def read_question(
    session: Session, question: Question, version: QuestionVersion, *, is_editable: bool = False
) -> model.Question:
    """Give a version as formats and the editor have it."""
    stored = _stored(session, [(question, version)])[0]
    media = {} if is_editable else _media(session, [stored])
    return to_question(stored, media=media, is_editable=is_editable)


def iter_questions(session: Session, wanted: Filter) -> Iterator[model.Question]:
    """Give the questions of a filter as formats write them, by number, in a few statements per 500."""
    ids = list(session.scalars(_filtered(select(Question.id), wanted).order_by(Question.law_name, Question.code)))
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
