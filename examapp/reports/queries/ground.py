"""What figures are asked of, by value: which people, and all that the select of them is built from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Session

from examapp.core.clock import start_of
from examapp.exams.models import CountingRule
from examapp.exams.queries import Audience, get_audience
from examapp.people.models import Person
from examapp.reports.queries.basis import Basis
from examapp.reports.rules import Narrowing


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFilter:
    """Which of the roster's people are looked at; empty for all."""

    unit_ids: Collection[int] | None = None
    """Units of the roster, None for all."""
    rank: str = ""
    position: str = ""
    search: str = ""
    """Part of a name, or a staff number."""
    person_id: int | None = None
    since: datetime | None = None
    """Only what was handed in from this instant on counts."""
    until: datetime | None = None
    """… and before this one."""

    @classmethod
    def of(cls, narrowing: Narrowing, *, unit_ids: Collection[int] | None, search: str = "") -> PeopleFilter:
        """Give the people of these units whom a narrowing leaves, whatever their group."""
        return cls(
            unit_ids=unit_ids,
            rank=narrowing.rank,
            position=narrowing.position,
            search=search,
            since=start_of(narrowing.since) if narrowing.since else None,
            until=start_of(narrowing.until + timedelta(days=1)) if narrowing.until else None,
        )

    @property
    def is_of_units_alone(self) -> bool:
        """Whether all people of the units are wanted."""
        return replace(self, unit_ids=None) == EVERYBODY

    def conditions(self, rank: ColumnElement[str], position: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """Give the conditions on `Person` and on the roster's rank and position; the unit's stands elsewhere."""
        wanted: list[ColumnElement[bool]] = []
        if self.rank:
            wanted.append(rank == self.rank)
        if self.position:
            wanted.append(position == self.position)
        if self.search:
            wanted.append(or_(Person.name.contains(self.search, autoescape=True), Person.staff_number == self.search))
        if self.person_id is not None:
            wanted.append(Person.id == self.person_id)
        return wanted


EVERYBODY = PeopleFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All of a basis that the select of its people is built from, by value: equal grounds give equal selects."""

    exam_id: int
    audience: Audience | None
    """None where the roster is frozen."""
    counting_rules: tuple[tuple[int, CountingRule], ...]
    has_outside_results: bool

    @property
    def exam_ids(self) -> list[int]:
        """The exams whose attempts count."""
        return [exam_id for exam_id, _ in self.counting_rules]

    def exams_with(self, rule: CountingRule) -> list[int]:
        """Give those of them that count by a rule."""
        return [exam_id for exam_id, its_rule in self.counting_rules if its_rule is rule]


def ground_of(session: Session, basis: Basis) -> Ground:
    """Get what the select of people is built from; the audience's parts are read, in one statement."""
    return Ground(
        exam_id=basis.exam.id,
        audience=get_audience(session, basis.exam) if basis.frozen_at is None else None,
        counting_rules=tuple(basis.counting_rules.items()),
        has_outside_results=any(exam.has_outside_results for exam in basis.exams),
    )
