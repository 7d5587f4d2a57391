"""Which questions a person may be given next, and a drawn question as its person sees it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, and_, distinct, func, not_, or_, select
from sqlalchemy.orm import Session

from examapp.core.errors import NotFoundError
from examapp.questions.models import KnowledgePoint, Question, QuestionState, QuestionVersion
from examapp.questions.queries import Cited, current_key, list_cited
from examapp.training.models import PracticeHold, PracticeItem, PracticeMark
from examapp.training.rules import Wanted
from question_bank.kinds.registry import DRAWN_KINDS, HAND_GRADED_KINDS, PART_KINDS, kind_of
from question_bank.model import OPTION_LETTERS, Kind

ONE_POINT = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedItem:
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
class Solution:
    """What is shown only after an answer."""

    key: tuple[str, ...]
    """Display letters, or the accepted texts of each blank."""
    explanation: str
    cited: tuple[Cited, ...]


def pick_questions(session: Session, person_id: int, wanted: Wanted, *, count: int) -> list[Row[*tuple[Any, ...]]]:
    """Pick questions of the bank at random, those that the person has not met for longest first; rows of id, version, content."""
    met = (
        select(PracticeItem.question_id, func.max(PracticeItem.id).label("last"))
        .where(PracticeItem.person_id == person_id)
        .group_by(PracticeItem.question_id)
        .subquery()
    )
    statement = (
        fitting(select(Question.id, QuestionVersion.id.label("version_id"), QuestionVersion.content), wanted)
        .outerjoin(met, met.c.question_id == Question.id)
        .order_by(met.c.last.nulls_first(), func.random())
        .limit(count)
    )
    return list(session.execute(statement))


def count_questions(session: Session, wanted: Wanted) -> int:
    """Count the questions that practice may draw."""
    return int(session.execute(fitting(select(func.count(Question.id)), wanted)).scalar_one())


def count_held(session: Session, wanted: Wanted) -> int:
    """Count the active questions that fit but are held back for a coming exam."""
    statement = (
        select(func.count(distinct(Question.id)))
        .join(PracticeHold, PracticeHold.question_id == Question.id)
        .where(Question.state == QuestionState.ACTIVE)
    )
    if wanted.law:
        statement = statement.where(Question.law_name == wanted.law)
    if wanted.topic:
        statement = statement.where(Question.topic == wanted.topic)
    return int(session.execute(statement).scalar_one())


def fitting(statement: Select[*tuple[Any, ...]], wanted: Wanted) -> Select[*tuple[Any, ...]]:
    """Narrow a statement over questions to those that practice may draw (docs/decisions/0010) and that fit what is wanted."""
    marked = select(PracticeMark.is_open).where(PracticeMark.question_id == Question.id).scalar_subquery()
    held = select(PracticeHold.question_id).where(PracticeHold.question_id == Question.id).exists()
    statement = statement.join(QuestionVersion, Question.current_version_id == QuestionVersion.id).where(
        Question.state == QuestionState.ACTIVE,
        Question.law_change == "",
        func.coalesce(marked, not_(held)),
        Question.kind.in_([str(kind) for kind in DRAWN_KINDS]),
        or_(
            Question.kind.in_([str(kind) for kind in PART_KINDS]),
            and_(
                *(not_(QuestionVersion.content["parts"].contains([{"kind": str(kind)}])) for kind in HAND_GRADED_KINDS)
            ),
        ),
    )
    for column, value in (
        (Question.law_name, wanted.law),
        (Question.topic, wanted.topic),
        (Question.kind, wanted.kind),
        (Question.difficulty, wanted.difficulty),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.point:
        statement = statement.where(Question.knowledge_points.any(KnowledgePoint.name == wanted.point))
    return statement


def get_own_item(session: Session, item_id: int, *, person_id: int) -> PracticeItem:
    """Get a question drawn for this person; raises NotFoundError for another's as for none."""
    item = session.scalars(
        select(PracticeItem).where(PracticeItem.id == item_id, PracticeItem.person_id == person_id)
    ).one_or_none()
    if item is None:
        raise NotFoundError
    return item


def ask(session: Session, item: PracticeItem) -> AskedItem:
    """Give a drawn question's words in this person's order; the key is not even read. One statement."""
    row = session.execute(
        select(QuestionVersion.content, Question.law_name)
        .join(Question, QuestionVersion.question_id == Question.id)
        .where(QuestionVersion.id == item.question_version_id)
    ).one()
    part = row.content["parts"][item.part]
    shown = zip(OPTION_LETTERS, item.order, strict=False)
    return AskedItem(
        item=item,
        law=row.law_name,
        kind=Kind(part["kind"]),
        material=row.content["material"],
        stem=part["stem"],
        options=tuple((letter, part["options"][OPTION_LETTERS.index(stored)]) for letter, stored in shown),
        blanks=int(part["blanks"] or 0),
    )


def solve(session: Session, asked: AskedItem) -> Solution:
    """Give the key, explanation and source of a question that the person has answered; raises NotFoundError before."""
    item = asked.item
    if item.answered_at is None:
        raise NotFoundError
    part = current_key(session, item.question_version_id).parts[item.part]
    return Solution(
        key=tuple(kind_of(asked.kind).describe_key(part["key"], part.get("blanks") or (), item.order)),
        explanation=part.get("explanation") or "",
        cited=tuple(
            cited for cited in list_cited(session, item.question_version_id) if cited.part in {item.part + 1, 0}
        ),
    )


def count_answers(session: Session, person_id: int) -> tuple[int, int]:
    """Count the questions that a person has practised, and how many of the answers were right."""
    row = session.execute(
        select(func.count(), func.count().filter(PracticeItem.is_right.is_(True))).where(
            PracticeItem.person_id == person_id, PracticeItem.answered_at.is_not(None)
        )
    ).one()
    return row[0], row[1]
