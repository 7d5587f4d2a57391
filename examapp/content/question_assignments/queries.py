"""Reads about assignments: those of units within the access scope, one with its files, how many wait."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from examapp.content.question_assignments.models import AssignmentFile, AssignmentState, QuestionAssignment
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Unit

_MAX_SHOWN = 300
_WITH_FILES = selectinload(QuestionAssignment.files).selectinload(AssignmentFile.question_import)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRow:
    """An assignment with its unit and how many questions stand in its files so far."""

    assignment: QuestionAssignment
    unit_name: str
    written: int


def count_written(assignment: QuestionAssignment) -> int:
    """Count the questions that an assignment's files hold and the bank can take."""
    summaries = [file.question_import.summary for file in assignment.files]
    return sum(summary.get("imported", 0) + len(summary.get("doubtful", [])) for summary in summaries)


def list_assignments(session: Session, access: AccessScope, *, state: str = "") -> list[AssignmentRow]:
    """List the assignments of units within the access scope, what waits first, then by day due."""
    statement = (
        select(QuestionAssignment, Unit.name)
        .join(Unit, QuestionAssignment.unit_id == Unit.id)
        .where(within(access))
        .options(_WITH_FILES)
    )
    if state in set(AssignmentState):
        statement = statement.where(QuestionAssignment.state == state)
    is_over = QuestionAssignment.state.in_([AssignmentState.ACCEPTED, AssignmentState.WITHDRAWN])
    ordered = statement.order_by(is_over, QuestionAssignment.due_on, QuestionAssignment.id).limit(_MAX_SHOWN)
    return [
        AssignmentRow(assignment=row, unit_name=name, written=count_written(row))
        for row, name in session.execute(ordered)
    ]


def get_assignment(
    session: Session, assignment_id: int, access: AccessScope, *, is_locked: bool = False
) -> QuestionAssignment:
    """Get an assignment of a unit within the access scope with its files, locked for an act if asked for; raises NotFoundError."""
    statement = select(QuestionAssignment).join(Unit, QuestionAssignment.unit_id == Unit.id)
    statement = statement.where(QuestionAssignment.id == assignment_id, within(access)).options(_WITH_FILES)
    if is_locked:
        statement = statement.with_for_update(of=QuestionAssignment).execution_options(populate_existing=True)
    found = session.scalar(statement)
    if found is None:
        raise NotFoundError
    return found


def count_assignments(session: Session, access: AccessScope, states: Iterable[AssignmentState]) -> int:
    """Count the assignments of units within the access scope that stand so."""
    statement = (
        select(func.count())
        .select_from(QuestionAssignment)
        .join(Unit, QuestionAssignment.unit_id == Unit.id)
        .where(within(access), QuestionAssignment.state.in_(list(states)))
    )
    return session.execute(statement).scalar_one()
