"""Queries about questions, their versions, keys and citations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from examapp.content.laws.models import Law, LawVersion
from examapp.content.laws.queries import ArticleContent, find_article_contents
from examapp.content.questions.models import (
    AnswerKey,
    BankQuestion,
    Media,
    QuestionCitation,
    QuestionUse,
    QuestionVersion,
)
from examapp.errors import NotFoundError
from examapp.organisation.access.rules import PERMISSION_HOLDERS
from examapp.organisation.people.models import Person, RoleGrant


def get_question(session: Session, question_id: int, *, is_locked: bool = False) -> BankQuestion:
    """Get a question, locked for an act if asked for; raises NotFoundError."""
    lock = {"of": BankQuestion} if is_locked else None
    found = session.get(BankQuestion, question_id, with_for_update=lock, populate_existing=is_locked)
    if found is None:
        raise NotFoundError("没有找到这道题，可能已被删除。请从题库重新进入。")
    return found


def get_version(session: Session, question: BankQuestion, number: int | None = None) -> QuestionVersion:
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


def stamp_of(question: BankQuestion, version: QuestionVersion) -> str:
    """Return a stamp that changes whenever the question changes: the version that an editor has read."""
    return f"{version.number}.{question.updated_at.timestamp():.6f}"


def current_key(session: Session, version_id: int) -> AnswerKey:
    """Get the valid key of a version."""
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
    """Return the names of persons by their ids."""
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_({p for p in person_ids if p})))
    return {row.id: row.name for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCitation:
    """The articles that a part of a version cites, each with what there is to read of it."""

    part: int
    law: str
    version: LawVersion
    labels: list[str]
    articles: list[ArticleContent]


def list_cited(session: Session, version_id: int) -> list[PartCitation]:
    """List what a version cites, with the articles' texts and gists."""
    return list_cited_by_version(session, [version_id])[version_id]


def list_cited_by_version(session: Session, version_ids: Sequence[int]) -> dict[int, list[PartCitation]]:
    """List what versions cite, by version, with the articles' texts and gists. Two statements."""
    rows = session.execute(
        select(QuestionCitation, LawVersion, Law.name)
        .join(LawVersion, QuestionCitation.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(QuestionCitation.question_version_id.in_(version_ids))
        .order_by(QuestionCitation.part, QuestionCitation.id)
    ).all()
    contents = find_article_contents(session, ((row[1].id, label) for row in rows for label in row[0].articles))
    cited: dict[int, list[PartCitation]] = {version_id: [] for version_id in version_ids}
    for citation, version, name in rows:
        articles = [contents.get((version.id, label), ArticleContent(label=label)) for label in citation.articles]
        cited[citation.question_version_id].append(
            PartCitation(part=citation.part, law=name, version=version, labels=citation.articles, articles=articles)
        )
    return cited


def count_reviewers(session: Session, *, now: datetime) -> int:
    """Count who may review questions: where it is one person alone, the writer may be the reviewer."""
    roles = [str(role) for role in PERMISSION_HOLDERS["questions:question:review"]]
    statement = select(func.count(RoleGrant.person_id.distinct())).where(
        RoleGrant.role.in_(roles), or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now)
    )
    return session.scalar(statement) or 0


def get_media(session: Session, sha256: str) -> Media:
    """Get a picture by its digest; raises NotFoundError."""
    found = session.get(Media, sha256)
    if found is None:
        raise NotFoundError
    return found


def is_author(session: Session, version: QuestionVersion, question: BankQuestion, person_id: int | None) -> bool:
    """Return whether a person wrote or imported a version, or set a key of it, and so may not review it."""
    if person_id is None:
        return False
    by_hand = exists().where(AnswerKey.question_version_id == version.id, AnswerKey.created_by_id == person_id)
    writer = version.created_by_id or question.created_by_id
    return writer == person_id or bool(session.scalar(select(by_hand)))


def list_uses(session: Session, version_ids: Sequence[int]) -> list[QuestionUse]:
    """List the results of versions in each exam, the newest exam first."""
    statement = select(QuestionUse).where(QuestionUse.question_version_id.in_(version_ids))
    return list(
        session.scalars(
            statement.order_by(QuestionUse.exam_id.desc(), QuestionUse.question_version_id, QuestionUse.part)
        )
    )
