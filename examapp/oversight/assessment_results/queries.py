"""Reads about the yearly assessment: score tables, sheets with everything on them, versions; what is outside the access scope is not found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from examapp.errors import NotFoundError
from examapp.organisation.access.rules import AccessScope, Grant, Role
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Tree, Unit
from examapp.oversight.assessments.models import (
    Assessment,
    AssessmentItem,
    AssessmentOpinion,
    AssessmentReview,
    AssessmentReviewer,
    AssessmentSheet,
    VoteTaken,
)
from examapp.oversight.assessments.rules import AssessmentState, Indicator, SheetState
from examapp.oversight.duty_lists.queries import DutyScope


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTask:
    """A sheet that somebody may review, and whether he or she has."""

    sheet_id: int
    unit: Unit
    year: int
    state: SheetState
    is_done: bool


def list_review_tasks(session: Session, person_id: int) -> list[ReviewTask]:
    """List the sheets that a person is to review or has reviewed, by year and unit code, without those of the own unit's subtree."""
    done = exists().where(AssessmentReview.sheet_id == AssessmentSheet.id, AssessmentReview.reviewer_id == person_id)
    own_path = select(Unit.region_path).join(Person, Person.unit_id == Unit.id).where(Person.id == person_id)
    rows = session.execute(
        select(AssessmentSheet.id, Unit, Assessment.year, AssessmentSheet.state, done)
        .join(Assessment, Assessment.id == AssessmentSheet.assessment_id)
        .join(AssessmentReviewer, AssessmentReviewer.assessment_id == Assessment.id)
        .join(Unit, Unit.id == AssessmentSheet.unit_id)
        .where(
            AssessmentReviewer.person_id == person_id,
            AssessmentSheet.state != SheetState.SELF,
            ~own_path.scalar_subquery().startswith(Unit.region_path),
        )
        .order_by(Assessment.year.desc(), Unit.code)
    )
    return [
        ReviewTask(sheet_id=sheet_id, unit=unit, year=year, state=SheetState(state), is_done=is_done)
        for sheet_id, unit, year, state, is_done in rows
    ]


def bureau_scope(grants: Sequence[Grant]) -> DutyScope:
    """Give the units that somebody reaches as the admin of a system or of a bureau above them."""
    above = [g.path for g in grants if g.role == Role.UNIT_ADMIN and g.tree is Tree.SECTOR and g.path is not None]
    return DutyScope(write=AccessScope(is_everything=False, sector_paths=tuple(above)))


def find_bureau(unit: Unit, grants: Sequence[Grant]) -> int | None:
    """Find the bureau above a unit in the sector tree for which somebody acts; not the unit itself."""
    for grant in grants:
        if grant.role == Role.UNIT_ADMIN and grant.tree is Tree.SECTOR and grant.path is not None:
            is_below = unit.sector_path is not None and unit.sector_path.startswith(grant.path)
            if is_below and grant.unit_id != unit.id:
                return grant.unit_id
    return None


def list_opinions(session: Session, sheet_id: int) -> list[tuple[AssessmentOpinion, str]]:
    """List what supervising bureaus propose for a sheet, with their names."""
    rows = session.execute(
        select(AssessmentOpinion, Unit.name)
        .join(Unit, Unit.id == AssessmentOpinion.bureau_id)
        .where(AssessmentOpinion.sheet_id == sheet_id)
        .order_by(Unit.code)
    )
    return [(opinion, name) for opinion, name in rows]


def get_review_row(session: Session, sheet_id: int, person_id: int, *, has_lock: bool = False) -> AssessmentSheet:
    """Get a sheet that a person reviews; raises NotFoundError for anybody else, and for the reviewer's own unit."""
    if sheet_id not in {task.sheet_id for task in list_review_tasks(session, person_id)}:
        raise NotFoundError
    query = select(AssessmentSheet).where(AssessmentSheet.id == sheet_id)
    if has_lock:
        query = query.with_for_update()
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFoundError
    return row


def list_vote_units(session: Session, assessment: Assessment, person_id: int) -> list[tuple[Unit, bool]]:
    """List the units that a person may give an opinion on, by code, and whether he or she has; without the own one."""
    own_path = select(Unit.region_path).join(Person, Person.unit_id == Unit.id).where(Person.id == person_id)
    taken = exists().where(
        VoteTaken.assessment_id == assessment.id, VoteTaken.unit_id == Unit.id, VoteTaken.person_id == person_id
    )
    rows = session.execute(
        select(Unit, taken)
        .join(AssessmentSheet, AssessmentSheet.unit_id == Unit.id)
        .where(AssessmentSheet.assessment_id == assessment.id, ~own_path.scalar_subquery().startswith(Unit.region_path))
        .order_by(Unit.code)
    )
    return [(unit, has_voted) for unit, has_voted in rows]


def find_open_vote(session: Session, *, today: date) -> Assessment | None:
    """Find the assessment whose vote is open on a day: its table has the vote as an item, and its last day has not passed."""
    query = (
        select(Assessment)
        .join(AssessmentItem, AssessmentItem.assessment_id == Assessment.id)
        .where(
            Assessment.state == AssessmentState.OPEN,
            Assessment.vote_until >= today,
            AssessmentItem.indicator == Indicator.VOTE,
        )
        .order_by(Assessment.year.desc())
    )
    return session.scalars(query.limit(1)).first()
