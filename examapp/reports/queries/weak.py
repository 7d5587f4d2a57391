"""What a unit's people know least: the share of points they got, by law and by knowledge point, the lowest first. Never by person."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import BigInteger, Integer, Numeric, and_, cast, func, select, true
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.orm import InstrumentedAttribute, Session

from examapp.attempts.models import Attempt
from examapp.core.points import percentage
from examapp.grading.models import Grade
from examapp.papers.models import Paper
from examapp.questions.models import KnowledgePoint, Question, QuestionVersion, question_knowledge_points
from examapp.reports.queries.basis import Basis
from examapp.reports.queries.ground import PeopleFilter
from examapp.reports.queries.people import people_of

MOST_SHEETS = 10_000
"""Of more answer sheets than these, every n-th is looked at."""
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """A law or knowledge point with how its items were answered."""

    name: str
    items: int
    points: Decimal
    points_possible: Decimal

    @property
    def rate(self) -> Decimal | None:
        """得分率: points got of those possible, in per cent."""
        return percentage(self.points, self.points_possible)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weaknesses:
    """The weakest laws and knowledge points, and whether all sheets were looked at or every n-th."""

    laws: list[Weakness]
    knowledge_points: list[Weakness]
    every: int


def find_weaknesses(session: Session, basis: Basis, wanted: PeopleFilter, *, participated: int) -> Weaknesses:
    """Find what the counted sheets of these people show, in two statements; `participated` says how many there are."""
    every = max(1, -(-participated // MOST_SHEETS))
    return Weaknesses(
        laws=_weakest(session, basis, wanted, every, by_law=True),
        knowledge_points=_weakest(session, basis, wanted, every, by_law=False),
        every=every,
    )


def _weakest(session: Session, basis: Basis, wanted: PeopleFilter, every: int, *, by_law: bool) -> list[Weakness]:
    people = people_of(session, basis, wanted)
    path = cast("$[*].items[*]", JSONPATH)
    item = func.jsonb_path_query(Paper.sections, path).table_valued("value", with_ordinality="n").render_derived()
    value = cast(item.c.value, JSONB)
    got = Grade.item_points.op("->>")(cast(item.c.n - 1, Integer))
    possible = value.op("->>")(3)
    version_id = cast(value.op("->>")(0), BigInteger)
    name: InstrumentedAttribute[str] = Question.law_name if by_law else KnowledgePoint.name
    query = (
        select(
            name.label("name"),
            func.count().label("items"),
            func.sum(cast(got, Numeric(7, 2))).label("points"),
            func.sum(cast(possible, Numeric(7, 2))).label("points_possible"),
        )
        .select_from(people.of)
        .join(Attempt, Attempt.id == people.of.c.attempt_id)
        .join(Grade, and_(Grade.attempt_id == Attempt.id, Grade.is_current))
        .join(Paper, Paper.id == Attempt.paper_id)
        .join(item, true())
        .join(QuestionVersion, QuestionVersion.id == version_id)
        .join(Question, Question.id == QuestionVersion.question_id)
    )
    if not by_law:
        query = query.join(question_knowledge_points, question_knowledge_points.c.question_id == Question.id).join(
            KnowledgePoint, KnowledgePoint.id == question_knowledge_points.c.knowledge_point_id
        )
    query = query.where(people.participated, name != "", got.is_not(None), people.of.c.attempt_id % every == 0)
    rows = session.execute(query.group_by(name)).all()
    found = [Weakness(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping
    return sorted((one for one in found if one.rate is not None), key=lambda one: (one.rate, one.name))[:_SHOWN]
