"""Who belongs to an exam: SQL conditions over `Person` joined with its `Unit`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from examapp.exams.models import Exam, ExamAudience, ExamKind, Exemption, ExemptionKind, MakeupEligibility
from examapp.org.models import Unit
from examapp.people.models import Person, PersonState

_RegionUnit = aliased(Unit, name="audience_unit")
_SectorUnit = aliased(Unit, name="audience_sector")

ON_ROSTER: ColumnElement[bool] = Person.state == PersonState.ON_ROSTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """An exam's audience by value, but for the people who are named one by one."""

    exam_id: int
    is_of_makeup: bool
    parts: tuple[tuple[tuple[str, ...], str | None, str | None], ...]
    """Ranks, path in the region tree, path in the sector tree; empty for everybody."""


def get_audience(session: Session, exam: Exam) -> Audience:
    """Get an exam's audience, in one statement."""
    parts = session.execute(
        select(ExamAudience.ranks, _RegionUnit.region_path, _SectorUnit.sector_path)
        .outerjoin(_RegionUnit, ExamAudience.unit_id == _RegionUnit.id)
        .outerjoin(_SectorUnit, ExamAudience.sector_unit_id == _SectorUnit.id)
        .where(ExamAudience.exam_id == exam.id, ExamAudience.person_id.is_(None))
        .order_by(ExamAudience.id)
    )
    return Audience(
        exam_id=exam.id,
        is_of_makeup=exam.kind == ExamKind.MAKEUP,
        parts=tuple((tuple(part.ranks), part.region_path, part.sector_path) for part in parts),
    )


def audience_clause(session: Session, exam: Exam) -> ColumnElement[bool]:
    """Give the condition "this person belongs to the exam's audience" for a query over `Person` joined with its `Unit`.

    One statement reads the audience's parts; the condition then holds plain path prefixes and ranks, so that a roster of 8,000 people
    is cut in one pass. Whether the person stands on the roster is not in it: add `ON_ROSTER`. For a make-up only those whom grading
    has found absent or failed.
    """
    return clause_of(get_audience(session, exam))


def clause_of(audience: Audience) -> ColumnElement[bool]:
    """Give the condition of `audience_clause` for an audience that was read before."""
    exam_id = audience.exam_id
    named = select(ExamAudience.person_id).where(ExamAudience.exam_id == exam_id, ExamAudience.person_id.is_not(None))
    groups = [_group(*part) for part in audience.parts]
    belongs = or_(*groups, Person.id.in_(named)) if groups else or_(_has_no_part(exam_id), Person.id.in_(named))
    return and_(belongs, _makeup_clause(exam_id)) if audience.is_of_makeup else belongs


def _group(ranks: tuple[str, ...], region_path: str | None, sector_path: str | None) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if region_path is not None:
        conditions.append(Unit.region_path.startswith(region_path))
    if sector_path is not None:
        conditions.append(Unit.sector_path.startswith(sector_path))
    if ranks:
        conditions.append(Person.rank.in_(ranks))
    return and_(true(), *conditions)


def _has_no_part(exam_id: Any) -> ColumnElement[bool]:
    return ~select(ExamAudience.id).where(ExamAudience.exam_id == exam_id).correlate(Exam).exists()


def _makeup_clause(exam_id: Any) -> ColumnElement[bool]:
    eligible = select(MakeupEligibility.person_id).where(MakeupEligibility.exam_id == exam_id).correlate(Exam)
    return Person.id.in_(eligible)


def matching_parts(exam_id: Any, *columns: Any) -> Select[Any]:
    """Select from the audience's parts those that the outer query's `Person` and `Unit` fall into."""
    return (
        select(*columns)
        .select_from(ExamAudience)
        .outerjoin(_RegionUnit, ExamAudience.unit_id == _RegionUnit.id)
        .outerjoin(_SectorUnit, ExamAudience.sector_unit_id == _SectorUnit.id)
        .where(
            ExamAudience.exam_id == exam_id,
            or_(
                ExamAudience.person_id == Person.id,
                and_(
                    ExamAudience.person_id.is_(None),
                    or_(ExamAudience.unit_id.is_(None), Unit.region_path.like(_RegionUnit.region_path + "%")),
                    or_(ExamAudience.sector_unit_id.is_(None), Unit.sector_path.like(_SectorUnit.sector_path + "%")),
                    or_(
                        func.jsonb_array_length(ExamAudience.ranks) == 0,
                        func.jsonb_exists(ExamAudience.ranks, Person.rank),
                    ),
                ),
            ),
        )
    )


def in_audience_of(exam_id: Any, kind: Any) -> ColumnElement[bool]:
    """Give the same condition with the exam's id (and kind) as a column or value: for one person and many exams in one statement."""
    return and_(
        or_(_has_no_part(exam_id), matching_parts(exam_id, ExamAudience.id).correlate(Person, Unit, Exam).exists()),
        or_(kind != ExamKind.MAKEUP, _makeup_clause(exam_id)),
    )


def blueprint_of(exam_id: Any, default: Any) -> ColumnElement[int | None]:
    """Give the blueprint that applies to the outer query's `Person`: of the first part with one of its own, else the exam's."""
    own = (
        matching_parts(exam_id, ExamAudience.blueprint_id)
        .where(ExamAudience.blueprint_id.is_not(None))
        .order_by(ExamAudience.id)
        .limit(1)
        .correlate(Person, Unit, Exam)
        .scalar_subquery()
    )
    return func.coalesce(own, default)


def excused(exam_id: Any, kind: ExemptionKind | None = None) -> ColumnElement[bool]:
    """Give the condition "this person has an approved exemption or deferral that stands"; of one kind where given."""
    standing = (
        select(Exemption.id)
        .where(
            Exemption.exam_id == exam_id,
            Exemption.person_id == Person.id,
            Exemption.approved_at.is_not(None),
            Exemption.withdrawn_at.is_(None),
            Exemption.refused_at.is_(None),
        )
        .correlate(Exam, Person)
    )
    return (standing if kind is None else standing.where(Exemption.kind == kind)).exists()
