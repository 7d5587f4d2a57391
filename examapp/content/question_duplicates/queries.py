"""Reads about near-duplicates in the bank."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.content.questions.models import (
    AnswerKey,
    BankQuestion,
    DistinctPair,
    DuplicateSearch,
    QuestionState,
    QuestionVersion,
)
from examapp.content.questions.queries import list_keys
from question_bank.quality import similarity_of

_SHORT_STEM = 15
"""A first line shorter than this says little by itself (下列说法正确的是): the options are compared with it."""
_LIKE = 30
"""Per cent from which a question is shown as similar."""
_MAX_LIKE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LikeQuestion:
    """One of two similar questions."""

    id: int
    code: str
    kind: str
    state: str
    law_name: str
    text: str
    key: AnswerKey
    kinds: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LikePair:
    """Two similar questions, the older first, with their similarity in per cent."""

    one: LikeQuestion
    other: LikeQuestion
    similarity: int


def last_search(session: Session) -> DuplicateSearch | None:
    """Find the last search for duplicates."""
    return session.scalars(select(DuplicateSearch).order_by(DuplicateSearch.id.desc()).limit(1)).first()


def open_pairs(session: Session, search: DuplicateSearch) -> list[tuple[int, int, int]]:
    """List the undecided pairs of a search: both questions still in use, and not recorded as distinct."""
    ids = {question_id for pair in search.pairs for question_id in pair[:2]}
    kept = set(
        session.scalars(
            select(BankQuestion.id).where(BankQuestion.id.in_(ids), BankQuestion.state != QuestionState.RETIRED)
        )
    )
    settled = {(pair.lower_id, pair.higher_id) for pair in session.scalars(select(DistinctPair))}
    return [
        (one, other, similarity)
        for one, other, similarity in search.pairs
        if one in kept and other in kept and (one, other) not in settled
    ]


def like_pairs(session: Session, pairs: list[tuple[int, int, int]]) -> list[LikePair]:
    """Return pairs with both questions' texts and keys."""
    ids = {question_id for pair in pairs for question_id in pair[:2]}
    rows = session.execute(
        select(BankQuestion, QuestionVersion)
        .join(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
        .where(BankQuestion.id.in_(ids))
    ).all()
    keys = list_keys(session, [version.id for _, version in rows])
    found = {
        question.id: LikeQuestion(
            id=question.id, code=question.code, kind=question.kind, state=question.state, law_name=question.law_name,
            text=version.search_text, key=keys[version.id][0], kinds=[part["kind"] for part in version.content["parts"]],
        )
        for question, version in rows
    }  # fmt: skip
    return [LikePair(one=found[one], other=found[other], similarity=similarity) for one, other, similarity in pairs]


def distinctive_text(text: str) -> str:
    """Return what tells a question apart from others: its first line, or all of it where that says little."""
    first = text.split("\n", 1)[0]
    return first if len(first) >= _SHORT_STEM else text


def list_similar(session: Session, question: BankQuestion, version: QuestionVersion) -> list[LikePair]:
    """List the questions of the same law that are most like this one, retired ones left out, the likest first."""
    rows = session.execute(
        select(BankQuestion.id, QuestionVersion.search_text)
        .join(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
        .where(
            BankQuestion.law_name == question.law_name,
            BankQuestion.id != question.id,
            BankQuestion.state != QuestionState.RETIRED,
        )
    )
    mine = distinctive_text(version.search_text)
    found = [(round(100 * similarity_of(mine, distinctive_text(text))), other) for other, text in rows]
    likest = sorted((pair for pair in found if pair[0] >= _LIKE), reverse=True)[:_MAX_LIKE]
    return like_pairs(session, [(question.id, other, similarity) for similarity, other in likest])
