"""Search in laws and questions, and one's own notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from examapp.laws.models import Law, LawArticle, LawVersion
from examapp.questions.models import Question, QuestionSearch, QuestionVersion
from examapp.questions.rules.searching import wanted_grams, wanted_words
from examapp.training.models import QuestionNote
from examapp.training.queries.practice import fitting
from examapp.training.rules import Wanted

MOST_FOUND = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found: articles in force, and questions that may be practised, at most twenty of each."""

    articles: Sequence[Any]
    """Law, version day, label, text."""
    questions: Sequence[Any]
    """Question id, law, content; no key."""


def search(session: Session, text: str, *, on: date, with_questions: bool = True) -> Found:
    """Look for words in the articles in force and, where wanted, in the questions of the practice pool. Two statements at most."""
    words = wanted_words(text)[:5]
    if not words:
        return Found(articles=(), questions=())
    return Found(
        articles=_articles(session, text.split()[:5], on),
        questions=_questions(session, words) if with_questions else (),
    )


def _articles(session: Session, words: Sequence[str], on: date) -> Sequence[Any]:
    newer = aliased(LawVersion)
    effective = func.coalesce(LawVersion.effective_on, LawVersion.version_on)
    is_replaced = (
        select(newer.id)
        .where(
            newer.law_id == LawVersion.law_id,
            newer.version_on > LawVersion.version_on,
            func.coalesce(newer.effective_on, newer.version_on) <= on,
        )
        .exists()
    )
    statement = (
        select(Law.name, LawVersion.version_on, LawArticle.label, LawArticle.text)
        .join(LawVersion, LawArticle.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(effective <= on, (LawVersion.repealed_on.is_(None)) | (LawVersion.repealed_on > on), ~is_replaced)
        .order_by(Law.name, LawArticle.position)
        .limit(MOST_FOUND)
    )
    for word in words:
        statement = statement.where(
            LawArticle.text.contains(word, autoescape=True) | Law.name.contains(word, autoescape=True)
        )
    return session.execute(statement).all()


def _questions(session: Session, words: Sequence[str]) -> Sequence[Any]:
    statement = (
        fitting(select(Question.id, Question.law_name, QuestionVersion.content), Wanted())
        .join(QuestionSearch, QuestionSearch.question_id == Question.id)
        .where(QuestionSearch.grams.contains(sorted({gram for word in words for gram in wanted_grams(word)})))
        .order_by(Question.id)
        .limit(MOST_FOUND)
    )
    for word in words:
        statement = statement.where(QuestionSearch.text.contains(word, autoescape=True))
    return session.execute(statement).all()


def find_note(session: Session, person_id: int, question_id: int) -> QuestionNote | None:
    """Find one's note to a question."""
    return session.get(QuestionNote, (person_id, question_id))


def list_notes(session: Session, person_id: int, *, page: int, size: int) -> tuple[int, Sequence[Any]]:
    """Count one's favourites and notes, and give a page of them, the latest first: note, law, content. Two statements."""
    total = session.execute(select(func.count()).where(QuestionNote.person_id == person_id)).scalar_one()
    rows = session.execute(
        select(QuestionNote, Question.law_name, QuestionVersion.content)
        .join(Question, QuestionNote.question_id == Question.id)
        .join(QuestionVersion, Question.current_version_id == QuestionVersion.id)
        .where(QuestionNote.person_id == person_id)
        .order_by(QuestionNote.updated_at.desc(), QuestionNote.question_id)
        .limit(size)
        .offset((page - 1) * size)
    ).all()
    return total, rows
