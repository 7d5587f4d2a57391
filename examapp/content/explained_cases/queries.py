"""Reads about cases: one's own units' whatever their state, and everybody's once they are in the library."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import Session

from examapp.content.explained_cases.models import ExplainedCase
from examapp.content.explained_cases.rules import CaseState, find_names
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit

PAGE = 50
_MAX_NAMES = 20


def _seen_by(access: AccessScope) -> ColumnElement[bool]:
    return or_(ExplainedCase.state == CaseState.PUBLISHED, within(access))


def list_cases(
    session: Session, access: AccessScope, *, page: int, law: str = "", state: str = ""
) -> tuple[list[tuple[ExplainedCase, str]], int]:
    """List a page of the cases that somebody may read, the latest first, with their units, and count all."""
    conditions = [_seen_by(access)]
    if law:
        conditions.append(
            or_(ExplainedCase.laws.contains(law, autoescape=True), ExplainedCase.title.contains(law, autoescape=True))
        )
    if state:
        conditions.append(ExplainedCase.state == state)
    rows = session.execute(
        select(ExplainedCase, Unit.name)
        .join(Unit, Unit.id == ExplainedCase.unit_id)
        .where(*conditions)
        .order_by(ExplainedCase.created_at.desc(), ExplainedCase.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    count = select(func.count()).select_from(ExplainedCase).join(Unit, Unit.id == ExplainedCase.unit_id)
    return [(case, name) for case, name in rows], session.scalar(count.where(*conditions)) or 0


def get_case(session: Session, case_id: int, access: AccessScope, *, is_own: bool = False, has_lock: bool = False) -> ExplainedCase:  # fmt: skip
    """Get a case that somebody may read, or with `is_own` one of the units within the access scope; raises NotFoundError."""
    query = select(ExplainedCase).join(Unit, Unit.id == ExplainedCase.unit_id)
    query = query.where(ExplainedCase.id == case_id, within(access) if is_own else _seen_by(access))
    if has_lock:
        query = query.with_for_update(of=ExplainedCase).execution_options(populate_existing=True)
    case = session.scalar(query)
    if case is None:
        raise NotFoundError
    return case


def list_published(session: Session) -> list[ExplainedCase]:
    """List the cases of the library by title."""
    query = select(ExplainedCase).where(ExplainedCase.state == CaseState.PUBLISHED)
    return list(session.scalars(query.order_by(ExplainedCase.title, ExplainedCase.id)))


def find_published(session: Session, case_id: int | None) -> ExplainedCase | None:
    """Find a case of the library."""
    case = session.get(ExplainedCase, case_id) if case_id is not None else None
    return case if case is not None and case.state == CaseState.PUBLISHED else None


def suspected_names(session: Session, case: ExplainedCase) -> list[str]:
    """Find what in a case may be a real person's name; whole names of three characters and more on the roster are among it."""
    text = f"{case.title}\n{case.facts}\n{case.holding}\n{case.lesson}"
    known = session.scalars(
        select(Person.name)
        .where(func.char_length(Person.name) >= 3, func.strpos(literal(text), Person.name) > 0)
        .distinct()
        .order_by(Person.name)
        .limit(_MAX_NAMES)
    )
    return find_names(text, known=known.all())
