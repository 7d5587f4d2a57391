"""Queries about questions under which the law has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from examapp.content.laws.models import Law, LawArticle, LawVersion
from examapp.content.questions.models import BankQuestion, LawChange, QuestionFlag, QuestionVersion

_OLD, _NEW = aliased(LawVersion), aliased(LawVersion)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedRow:
    """A flagged part of a question as the list shows it."""

    flag_id: int
    question_id: int
    code: str
    text: str
    part: int
    kind: str
    law: str
    old_on: date
    new_on: date | None
    articles: list[dict[str, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LawWithFlags:
    """A law's pair of versions with how many open flags of each kind there are."""

    law: str
    old_id: int
    old_on: date
    new_id: int | None
    new_on: date | None
    effective_on: date | None
    counts: dict[str, int]


def open_flags(session: Session, question_id: int) -> list[QuestionFlag]:
    """List a question's open flags, by part."""
    statement = select(QuestionFlag).where(QuestionFlag.question_id == question_id, QuestionFlag.decided_at.is_(None))
    return list(session.scalars(statement.order_by(QuestionFlag.part, QuestionFlag.id)))


def settled_flags(session: Session, question_id: int) -> list[QuestionFlag]:
    """List a question's settled flags, the newest first."""
    statement = select(QuestionFlag).where(
        QuestionFlag.question_id == question_id, QuestionFlag.decided_at.is_not(None)
    )
    return list(session.scalars(statement.order_by(QuestionFlag.decided_at.desc())))


def count_flagged(session: Session) -> int:
    """Count the questions that wait for a decision about a changed law."""
    return session.scalar(select(func.count()).select_from(BankQuestion).where(BankQuestion.law_change != "")) or 0


def list_laws_with_flags(session: Session) -> list[LawWithFlags]:
    """List the pairs of versions that flag questions, by law."""
    rows = session.execute(
        select(Law.name, _OLD.id, _OLD.version_on, _NEW.id, _NEW.version_on, _NEW.effective_on, QuestionFlag.kind, func.count())
        .join(_OLD, QuestionFlag.old_version_id == _OLD.id)
        .join(Law, _OLD.law_id == Law.id)
        .outerjoin(_NEW, QuestionFlag.new_version_id == _NEW.id)
        .where(QuestionFlag.decided_at.is_(None))
        .group_by(Law.name, _OLD.id, _NEW.id, QuestionFlag.kind)
        .order_by(Law.name, _OLD.version_on)
    )  # fmt: skip
    found: dict[tuple[int, int | None], LawWithFlags] = {}
    for name, old_id, old_on, new_id, new_on, effective_on, kind, count in rows:
        entry = found.setdefault(
            (old_id, new_id),
            LawWithFlags(
                law=name, old_id=old_id, old_on=old_on, new_id=new_id, new_on=new_on, effective_on=effective_on, counts={}
            ),
        )  # fmt: skip
        entry.counts[kind] = count
    return list(found.values())


def list_flagged(session: Session, *, law: str = "", kind: str = "", page: int, size: int = 50) -> list[FlaggedRow]:
    """List a page of open flags, by law and question."""
    statement = _flagged(law, kind).order_by(Law.name, BankQuestion.code, QuestionFlag.part)
    rows = session.execute(statement.limit(size).offset((page - 1) * size))
    return [FlaggedRow(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name


def count_open_flags(session: Session, *, law: str = "", kind: str = "") -> int:
    """Count open flags."""
    return session.scalar(select(func.count()).select_from(_flagged(law, kind).subquery())) or 0


def _flagged(law: str, kind: str) -> Select[Any]:
    statement = (
        select(
            QuestionFlag.id.label("flag_id"),
            BankQuestion.id.label("question_id"),
            BankQuestion.code,
            func.left(func.split_part(QuestionVersion.search_text, "\n", 1), 100).label("text"),
            QuestionFlag.part,
            QuestionFlag.kind,
            Law.name.label("law"),
            _OLD.version_on.label("old_on"),
            _NEW.version_on.label("new_on"),
            QuestionFlag.articles,
        )
        .join(BankQuestion, QuestionFlag.question_id == BankQuestion.id)
        .join(QuestionVersion, QuestionFlag.question_version_id == QuestionVersion.id)
        .join(_OLD, QuestionFlag.old_version_id == _OLD.id)
        .join(Law, _OLD.law_id == Law.id)
        .outerjoin(_NEW, QuestionFlag.new_version_id == _NEW.id)
        .where(QuestionFlag.decided_at.is_(None))
    )
    if law:
        statement = statement.where(Law.name == law)
    if kind in set(LawChange):
        statement = statement.where(QuestionFlag.kind == kind)
    return statement


def next_flagged(session: Session, *, after: int) -> int | None:
    """Find the question to decide on after this one: the next by id, or else the first."""
    statement = (
        select(BankQuestion.id).where(BankQuestion.law_change != "", BankQuestion.id != after).order_by(BankQuestion.id)
    )
    return session.scalar(statement.where(BankQuestion.id > after).limit(1)) or session.scalar(statement.limit(1))


def texts_of(session: Session, pairs: Sequence[tuple[int | None, str | None]]) -> dict[tuple[int, str], str]:
    """Return articles' texts by version and label; what was not imported is left out."""
    wanted = {(version_id, label) for version_id, label in pairs if version_id is not None and label}
    rows = session.execute(
        select(LawArticle.law_version_id, LawArticle.label, LawArticle.text).where(
            LawArticle.law_version_id.in_({version_id for version_id, _ in wanted}),
            LawArticle.label.in_({label for _, label in wanted}),
        )
    )
    return {(row.law_version_id, row.label): row.text for row in rows if (row.law_version_id, row.label) in wanted}
