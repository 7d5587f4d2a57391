"""Which questions a person may be given next, and a drawn question as its person sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, and_, distinct, func, not_, or_, select
from sqlalchemy.orm import Session, aliased

from examapp.content.laws.models import Law, LawArticle, LawVersion
from examapp.content.questions.models import (
    BankQuestion,
    KnowledgePoint,
    QuestionCitation,
    QuestionSearch,
    QuestionState,
    QuestionVersion,
)
from examapp.content.questions.queries import PartCitation, list_cited_by_version, list_keys
from examapp.content.questions.rules import search_terms, wanted_grams
from examapp.errors import NotFoundError
from examapp.learning.courses.models import PracticeItem
from examapp.learning.practice.models import PracticeHold, PracticeMark, QuestionNote
from examapp.learning.practice.rules import Wanted
from examapp.learning.spaced_repetition.models import ReviewCard
from question_bank.kinds.registry import DRAWN_KINDS, HAND_GRADED_KINDS, PART_KINDS, kind_of
from question_bank.model import OPTION_LETTERS, Kind

ONE_POINT = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeItemRef:
    """A drawn question without its key."""

    item: PracticeItem
    law: str
    kind: Kind
    material: str | None
    stem: str
    options: tuple[tuple[str, str], ...]
    """Display letter and HTML."""
    blanks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSolution:
    """What is shown only after an answer."""

    key: tuple[str, ...]
    """Display letters, or the accepted texts of each blank."""
    explanation: str
    cited: tuple[PartCitation, ...]


def pick_questions(session: Session, person_id: int, wanted: Wanted, *, count: int) -> list[Row[*tuple[Any, ...]]]:
    """Pick questions of the bank at random, those that the person has not met for longest first; rows of id, version, content."""
    met = (
        select(PracticeItem.question_id, func.max(PracticeItem.id).label("last"))
        .where(PracticeItem.person_id == person_id)
        .group_by(PracticeItem.question_id)
        .subquery()
    )
    statement = (
        fitting(select(BankQuestion.id, QuestionVersion.id.label("version_id"), QuestionVersion.content), wanted)
        .outerjoin(met, met.c.question_id == BankQuestion.id)
        .order_by(met.c.last.nulls_first(), func.random())
        .limit(count)
    )
    return list(session.execute(statement))


def count_questions(session: Session, wanted: Wanted) -> int:
    """Count the questions that practice may draw."""
    return int(session.execute(fitting(select(func.count(BankQuestion.id)), wanted)).scalar_one())


def count_held(session: Session, wanted: Wanted) -> int:
    """Count the active questions that fit but are held back for a coming exam."""
    statement = (
        select(func.count(distinct(BankQuestion.id)))
        .join(PracticeHold, PracticeHold.question_id == BankQuestion.id)
        .where(BankQuestion.state == QuestionState.ACTIVE)
    )
    if wanted.law:
        statement = statement.where(BankQuestion.law_name == wanted.law)
    if wanted.topic:
        statement = statement.where(BankQuestion.topic == wanted.topic)
    return int(session.execute(statement).scalar_one())


def fitting(statement: Select[*tuple[Any, ...]], wanted: Wanted) -> Select[*tuple[Any, ...]]:
    """Narrow a statement over questions to those that practice may draw (docs/decisions/0010) and that fit what is wanted."""
    marked = select(PracticeMark.is_open).where(PracticeMark.question_id == BankQuestion.id).scalar_subquery()
    held = select(PracticeHold.question_id).where(PracticeHold.question_id == BankQuestion.id).exists()
    statement = statement.join(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id).where(
        BankQuestion.state == QuestionState.ACTIVE,
        BankQuestion.law_change == "",
        func.coalesce(marked, not_(held)),
        BankQuestion.kind.in_([str(kind) for kind in DRAWN_KINDS]),
        or_(
            BankQuestion.kind.in_([str(kind) for kind in PART_KINDS]),
            and_(
                *(not_(QuestionVersion.content["parts"].contains([{"kind": str(kind)}])) for kind in HAND_GRADED_KINDS)
            ),
        ),
    )
    for column, value in (
        (BankQuestion.law_name, wanted.law),
        (BankQuestion.topic, wanted.topic),
        (BankQuestion.kind, wanted.kind),
        (BankQuestion.difficulty, wanted.difficulty),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.point:
        statement = statement.where(BankQuestion.knowledge_points.any(KnowledgePoint.name == wanted.point))
    if wanted.articles:
        cited = select(QuestionCitation.id).where(
            QuestionCitation.question_version_id == QuestionVersion.id,
            QuestionCitation.articles.overlap(list(wanted.articles)),
        )
        statement = statement.where(cited.exists())
    return statement


def get_own_item(session: Session, item_id: int, *, person_id: int) -> PracticeItem:
    """Get a question drawn for this person; raises NotFoundError for another's as for none."""
    item = session.scalars(
        select(PracticeItem).where(PracticeItem.id == item_id, PracticeItem.person_id == person_id)
    ).one_or_none()
    if item is None:
        raise NotFoundError
    return item


def ask(session: Session, item: PracticeItem) -> PracticeItemRef:
    """Give a drawn question's words in this person's order; the key is not even read. One statement."""
    return ask_all(session, [item])[0]


def ask_all(session: Session, items: Sequence[PracticeItem]) -> list[PracticeItemRef]:
    """Give the words of drawn questions, as `ask` does. One statement."""
    rows = session.execute(
        select(QuestionVersion.id, QuestionVersion.content, BankQuestion.law_name)
        .join(BankQuestion, QuestionVersion.question_id == BankQuestion.id)
        .where(QuestionVersion.id.in_({item.question_version_id for item in items}))
    )
    by_version = {row.id: row for row in rows}
    return [_ref(item, by_version[item.question_version_id]) for item in items]


def _ref(item: PracticeItem, row: Row[Any]) -> PracticeItemRef:
    part = row.content["parts"][item.part]
    shown = zip(OPTION_LETTERS, item.order, strict=False)
    return PracticeItemRef(
        item=item,
        law=row.law_name,
        kind=Kind(part["kind"]),
        material=row.content["material"],
        stem=part["stem"],
        options=tuple((letter, part["options"][OPTION_LETTERS.index(stored)]) for letter, stored in shown),
        blanks=int(part["blanks"] or 0),
    )


def solve(session: Session, asked: PracticeItemRef) -> PracticeSolution:
    """Give the key, explanation and source of a question that the person has answered; raises NotFoundError before."""
    return solve_all(session, [asked])[0]


def solve_all(session: Session, asked: Sequence[PracticeItemRef]) -> list[PracticeSolution]:
    """Give the solutions of questions, as `solve` does. Three statements."""
    if any(one.item.answered_at is None for one in asked):
        raise NotFoundError
    version_ids = [one.item.question_version_id for one in asked]
    keys = list_keys(session, version_ids)
    cited = list_cited_by_version(session, version_ids)
    return [
        _solution(one, keys[version_id][0].parts[one.item.part], cited[version_id])
        for one, version_id in zip(asked, version_ids, strict=True)
    ]


def _solution(asked: PracticeItemRef, part: dict[str, Any], cited: Sequence[PartCitation]) -> PracticeSolution:
    item = asked.item
    return PracticeSolution(
        key=tuple(kind_of(asked.kind).describe_key(part["key"], part.get("blanks") or (), item.order)),
        explanation=part.get("explanation") or "",
        cited=tuple(one for one in cited if one.part in {item.part + 1, 0}),
    )


def solve_cards(
    session: Session, cards: Sequence[ReviewCard]
) -> dict[tuple[int, int], tuple[PracticeItemRef, PracticeSolution]]:
    """Give the words and the solution of cards, by question and sub-question; none for a kind that shows its result by the response. Six statements."""
    drawn = list_items(session, [card.item_id for card in cards if card.item_id is not None])
    items = {
        (card.question_id, card.part): drawn[card.item_id] for card in cards if card.item_id in drawn
    } | _items_of_exams(session, [card for card in cards if card.item_id not in drawn])
    asked = ask_all(session, list(items.values()))
    return dict(zip(items, zip(asked, solve_all(session, asked), strict=True), strict=True))


def _items_of_exams(session: Session, cards: Sequence[ReviewCard]) -> dict[tuple[int, int], PracticeItem]:
    """Make up, for cards whose questions were answered in an exam, drawn questions in the bank's order; they are not kept."""
    rows = session.execute(
        select(BankQuestion.id, QuestionVersion.id.label("version_id"), QuestionVersion.content)
        .join(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
        .where(BankQuestion.id.in_({card.question_id for card in cards}))
    )
    by_question = {row.id: row for row in rows}
    items = {}
    for card in cards:
        row = by_question[card.question_id]
        part = row.content["parts"][card.part]
        if not kind_of(Kind(part["kind"])).has_own_result:
            items[card.question_id, card.part] = PracticeItem(
                question_version_id=row.version_id,
                part=card.part,
                order="".join(OPTION_LETTERS[: len(part["options"] or ())]),
                response=[],
                answered_at=card.answered_at,
                is_right=card.is_right,
            )
    return items


def count_answers(session: Session, person_id: int) -> tuple[int, int]:
    """Count the questions that a person has practised, and how many of the answers were right."""
    row = session.execute(
        select(func.count(), func.count().filter(PracticeItem.is_right.is_(True))).where(
            PracticeItem.person_id == person_id, PracticeItem.answered_at.is_not(None)
        )
    ).one()
    return row[0], row[1]


MAX_FOUND = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found: articles in force, and questions that may be practised, at most twenty of each."""

    articles: Sequence[Any]
    """Law, version day, label, text."""
    questions: Sequence[Any]
    """Question id, law, content; no key."""


def search(session: Session, text: str, *, on: date, with_questions: bool = True) -> Found:
    """Look for words in the articles in force and, where wanted, in the questions of the practice pool. Two statements at most."""
    wording = search_terms(text)[:5]
    if not wording:
        return Found(articles=(), questions=())
    return Found(
        articles=_articles(session, text.split()[:5], on),
        questions=_questions(session, wording) if with_questions else (),
    )


def _articles(session: Session, text: Sequence[str], on: date) -> Sequence[Any]:
    newer = aliased(LawVersion)
    effective = func.coalesce(LawVersion.effective_on, LawVersion.version_on)
    is_replaced = (
        select(newer.id)
        .where(
            newer.law_id == LawVersion.law_id,
            newer.version_on > LawVersion.version_on,
            func.coalesce(newer.effective_on, newer.version_on) <= on,
            func.coalesce(newer.repealed_on > func.coalesce(newer.effective_on, newer.version_on), True),
        )
        .exists()
    )
    statement = (
        select(Law.name, LawVersion.version_on, LawArticle.label, LawArticle.text)
        .join(LawVersion, LawArticle.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(effective <= on, (LawVersion.repealed_on.is_(None)) | (LawVersion.repealed_on > on), ~is_replaced)
        .order_by(Law.name, LawArticle.position)
        .limit(MAX_FOUND)
    )
    for word in text:
        statement = statement.where(
            LawArticle.text.contains(word, autoescape=True) | Law.name.contains(word, autoescape=True)
        )
    return session.execute(statement).all()


def _questions(session: Session, text: Sequence[str]) -> Sequence[Any]:
    statement = (
        fitting(select(BankQuestion.id, BankQuestion.law_name, QuestionVersion.content), Wanted())
        .join(QuestionSearch, QuestionSearch.question_id == BankQuestion.id)
        .where(QuestionSearch.grams.contains(sorted({gram for word in text for gram in wanted_grams(word)})))
        .order_by(BankQuestion.id)
        .limit(MAX_FOUND)
    )
    for word in text:
        statement = statement.where(QuestionSearch.text.contains(word, autoescape=True))
    return session.execute(statement).all()


def find_note(session: Session, person_id: int, question_id: int) -> QuestionNote | None:
    """Find one's note to a question."""
    return session.get(QuestionNote, (person_id, question_id))


def list_notes(session: Session, person_id: int, *, page: int, size: int) -> tuple[int, Sequence[Any]]:
    """Count one's favourites and notes, and give a page of them, the latest first: note, law, content. Two statements."""
    total = session.execute(select(func.count()).where(QuestionNote.person_id == person_id)).scalar_one()
    rows = session.execute(
        select(QuestionNote, BankQuestion.law_name, QuestionVersion.content)
        .join(BankQuestion, QuestionNote.question_id == BankQuestion.id)
        .join(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
        .where(QuestionNote.person_id == person_id)
        .order_by(QuestionNote.updated_at.desc(), QuestionNote.question_id)
        .limit(size)
        .offset((page - 1) * size)
    ).all()
    return total, rows


def pick_cards(session: Session, person_id: int, wanted: Wanted, *, now: datetime) -> list[Row[Any]]:
    """Pick the card that comes next: of the due ones the longest overdue; ahead of time the one not seen for longest. At most one row."""
    statement = (
        fitting(
            select(
                BankQuestion.id, QuestionVersion.id.label("version_id"), QuestionVersion.content, ReviewCard.part
            ).join(ReviewCard, ReviewCard.question_id == BankQuestion.id),
            wanted,
        )
        .where(ReviewCard.person_id == person_id, ReviewCard.due_at.is_not(None))
        .limit(1)
    )
    if wanted.is_ahead:
        statement = statement.order_by(ReviewCard.answered_at, ReviewCard.question_id)
    else:
        statement = statement.where(ReviewCard.due_at <= now).order_by(ReviewCard.due_at, ReviewCard.question_id)
    return list(session.execute(statement))


def list_items(session: Session, ids: list[int]) -> dict[int, PracticeItem]:
    """Give practised items by id."""
    return {item.id: item for item in session.scalars(select(PracticeItem).where(PracticeItem.id.in_(ids)))}
