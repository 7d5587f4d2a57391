"""Find questions: by words, law, article, knowledge point, kind, difficulty, state, author and flag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, select, text
from sqlalchemy.orm import Session

from examapp.content.law_texts.rules import article_labels
from examapp.content.laws.models import Law, LawVersion
from examapp.content.questions.models import (
    BankQuestion,
    KnowledgePoint,
    Media,
    QuestionCitation,
    QuestionSearch,
    QuestionVersion,
    question_knowledge_points,
)
from examapp.content.questions.queries import list_keys
from examapp.content.questions.rules import Stored, media_of, search_terms, to_question, wanted_grams
from examapp.organisation.people.models import Person
from question_bank import model

PAGE_SIZE = 50
_EXACT_LENGTH = 2
"""A word no longer than a pair is found exactly by the index alone."""


class Flag(StrEnum):
    """What marks a question."""

    REVIEW_NOTE = "doubt"
    LAW = "law"
    UNCITED = "uncited"
    """Without a law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFilter:
    """Which questions are wanted; empty fields do not narrow."""

    text: str = ""
    """Substrings that must all occur in number, stem, material or options, separated by spaces."""
    law: str = ""
    article: str = ""
    topic: str = ""
    knowledge_point: str = ""
    kind: str = ""
    difficulty: str = ""
    state: str = ""
    flag: str = ""
    """A word of Flag."""
    author_id: int | None = None
    import_id: int | None = None
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRow:
    """A question as the list shows it."""

    id: int
    code: str
    kind: str
    state: str
    difficulty: str | None
    law_name: str
    topic: str
    review_note: str
    law_change: str
    text: str
    updated_at: datetime


def count_questions(session: Session, wanted: QuestionFilter) -> int:
    """Count the questions of a filter."""
    wording = search_terms(wanted.text)
    if not wording:
        return session.scalar(filtered(select(func.count()), wanted)) or 0
    session.execute(_PLAN, {"seqscan": "off", "workers": "0"})
    is_text_only = wanted == QuestionFilter(text=wanted.text)
    statement = (
        select(func.count()).select_from(QuestionSearch).where(*_in_text(wording))
        if is_text_only
        else filtered(select(func.count()), wanted)
    )
    count = session.scalar(statement) or 0
    session.execute(_PLAN, {"seqscan": "on", "workers": "2"})
    return count


_PLAN = text(
    "SELECT set_config('enable_seqscan', :seqscan, true), set_config('max_parallel_workers_per_gather', :workers, true)"
)
"""The planner holds comparing arrays for cheap and would read the whole table where half of it matches; the index takes a tenth of that."""


def list_questions(session: Session, wanted: QuestionFilter, *, page: int, size: int = PAGE_SIZE) -> list[QuestionRow]:
    """List one page of the questions of a filter, the last changed first."""
    ordered = filtered(select(BankQuestion.id), wanted).order_by(BankQuestion.updated_at.desc(), BankQuestion.id.desc())
    ids = list(session.scalars(ordered.limit(size).offset((page - 1) * size)))
    rows = {row.id: row for row in list_rows(session, ids)}
    return [rows[each] for each in ids if each in rows]


def list_rows(session: Session, ids: list[int]) -> list[QuestionRow]:
    """List questions by their ids as the list shows them, by number."""
    columns = (
        BankQuestion.id, BankQuestion.code, BankQuestion.kind, BankQuestion.state, BankQuestion.difficulty, BankQuestion.law_name, BankQuestion.topic, BankQuestion.review_note,
        BankQuestion.law_change, func.left(func.split_part(QuestionVersion.search_text, "\n", 1), 100).label("text"), BankQuestion.updated_at,
    )  # fmt: skip
    statement = select(*columns).outerjoin(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
    rows = session.execute(statement.where(BankQuestion.id.in_(ids)).order_by(BankQuestion.code))
    return [QuestionRow(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def list_ids(session: Session, wanted: QuestionFilter, *, limit: int) -> list[int]:
    """List the ids of the questions of a filter, so many at most."""
    return list(session.scalars(filtered(select(BankQuestion.id), wanted).order_by(BankQuestion.id).limit(limit)))


def filtered(statement: Select[Any], wanted: QuestionFilter) -> Select[Any]:
    """Narrow a statement over questions to a filter."""
    statement = statement.select_from(BankQuestion)
    wording = search_terms(wanted.text)
    if wording:
        statement = statement.join(QuestionSearch, QuestionSearch.question_id == BankQuestion.id).where(
            *_in_text(wording)
        )
    return statement.where(*_conditions(wanted))


def _in_text(wording: list[str]) -> Iterator[ColumnElement[bool]]:
    yield QuestionSearch.grams.contains(sorted({gram for word in wording for gram in wanted_grams(word)}))
    for word in wording:
        if len(word) > _EXACT_LENGTH:
            yield QuestionSearch.text.contains(word, autoescape=True)


def _conditions(wanted: QuestionFilter) -> Iterator[ColumnElement[bool]]:
    equal = {
        BankQuestion.topic: wanted.topic,
        BankQuestion.kind: wanted.kind,
        BankQuestion.difficulty: wanted.difficulty,
        BankQuestion.state: wanted.state,
        BankQuestion.import_id: wanted.import_id,
        BankQuestion.created_by_id: wanted.author_id,
    }
    for column, value in equal.items():
        if value:
            yield column == value
    if wanted.law:
        yield _of_law(wanted.law)
    if wanted.ids is not None:
        yield BankQuestion.id.in_(wanted.ids)
    if wanted.article:
        yield _cites(wanted.article)
    if wanted.knowledge_point:
        yield BankQuestion.id.in_(
            select(question_knowledge_points.c.question_id)
            .join(KnowledgePoint, KnowledgePoint.id == question_knowledge_points.c.knowledge_point_id)
            .where(KnowledgePoint.name == wanted.knowledge_point)
        )
    yield from _marked(wanted.flag)


def _of_law(law: str) -> ColumnElement[bool]:
    """Return the condition that a question, or any sub-question of a case, cites a law; one not in the library is known by name alone."""
    cited = (
        select(BankQuestion.id)
        .join(QuestionCitation, QuestionCitation.question_version_id == BankQuestion.current_version_id)
        .join(LawVersion, QuestionCitation.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(Law.name == law)
    )
    named = select(BankQuestion.id).where(BankQuestion.law_name == law)
    return BankQuestion.id.in_(named.union(cited))


def _cites(article: str) -> ColumnElement[bool]:
    labels = article_labels(article) or [article]
    return exists().where(
        QuestionCitation.question_version_id == BankQuestion.current_version_id,
        QuestionCitation.articles.contains(labels),
    )


def _marked(flag: str) -> Iterator[ColumnElement[bool]]:
    if flag == Flag.REVIEW_NOTE:
        yield BankQuestion.review_note != ""
    elif flag == Flag.LAW:
        yield BankQuestion.law_change != literal("")
    elif flag == Flag.UNCITED:
        yield BankQuestion.law_name == ""


def list_law_names(session: Session) -> list[str]:
    """List the laws that questions or their parts cite; one step of an index a law, however large the bank."""
    is_cited = exists().where(LawVersion.law_id == Law.id, QuestionCitation.law_version_id == LawVersion.id)
    return sorted({*_steps(session, "law_name"), *session.scalars(select(Law.name).where(is_cited))})


def list_topics(session: Session) -> list[str]:
    """List the topics of questions."""
    return _steps(session, "topic")


def _steps(session: Session, column: str) -> list[str]:
    steps = text(
        f"WITH RECURSIVE step AS ((SELECT {column} AS value FROM questions WHERE {column} > '' ORDER BY {column} LIMIT 1) "  # noqa: S608 – the two names above
        f"UNION ALL SELECT (SELECT {column} FROM questions WHERE {column} > step.value ORDER BY {column} LIMIT 1) "
        "FROM step WHERE step.value IS NOT NULL) SELECT value FROM step WHERE value IS NOT NULL"
    )
    return sorted(session.scalars(steps))


def list_authors(session: Session) -> list[tuple[int, str]]:
    """List who has written questions: id and name."""
    steps = text(
        "WITH RECURSIVE step AS ((SELECT min(created_by_id) AS value FROM questions) "
        "UNION ALL SELECT (SELECT min(created_by_id) FROM questions WHERE created_by_id > step.value) FROM step WHERE step.value IS NOT NULL) "
        "SELECT value FROM step WHERE value IS NOT NULL"
    )
    ids = list(session.scalars(steps))
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)).order_by(Person.name, Person.id))
    return [(row.id, row.name) for row in rows]


_AT_ONCE = 500
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}


def read_question(
    session: Session, question: BankQuestion, version: QuestionVersion, *, is_editable: bool = False
) -> model.Question:
    """Return a version as formats and the editor have it."""
    stored = _stored(session, [(question, version)])[0]
    media = {} if is_editable else _media(session, [stored])
    return to_question(stored, media=media, is_editable=is_editable)


def iter_questions(session: Session, wanted: QuestionFilter) -> Iterator[model.Question]:
    """Yield the questions of a filter as formats write them, by number, in a few statements per 500."""
    ids = list(
        session.scalars(filtered(select(BankQuestion.id), wanted).order_by(BankQuestion.law_name, BankQuestion.code))
    )
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        statement = select(BankQuestion, QuestionVersion).join(
            QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id
        )
        rows = session.execute(statement.where(BankQuestion.id.in_(part)))
        found = {question.id: (question, version) for question, version in rows}
        stored = _stored(session, [found[each] for each in part if each in found])
        media = _media(session, stored)
        yield from (to_question(one, media=media) for one in stored)


def _stored(session: Session, pairs: Sequence[tuple[BankQuestion, QuestionVersion]]) -> list[Stored]:
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
        select(
            QuestionCitation.question_version_id,
            QuestionCitation.part,
            QuestionCitation.articles,
            Law.name,
            LawVersion.version_on,
        )
        .join(LawVersion, QuestionCitation.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(QuestionCitation.question_version_id.in_(version_ids))
        .order_by(QuestionCitation.id.desc())
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
