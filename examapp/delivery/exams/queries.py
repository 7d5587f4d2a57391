"""Reads about exams: who belongs to them, how a candidate stands to them, what an organiser sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session, aliased, selectinload

from examapp.delivery.exams.models import (
    Exam,
    ExamAudience,
    ExamExtension,
    ExamKind,
    ExamState,
    Exemption,
    ExemptionKind,
    MakeupEligibility,
    PreparedPaper,
)
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit, UnitKind

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


_HAS_ITS_UNITS = (
    or_(ExamAudience.unit_id.is_(None), _RegionUnit.id.is_not(None)),
    or_(ExamAudience.sector_unit_id.is_(None), _SectorUnit.id.is_not(None)),
)
"""A part of a province's exam may name a unit of another cell, which is not in this database: nobody here belongs to it."""


def get_audience(session: Session, exam: Exam) -> Audience:
    """Get an exam's audience, in one statement."""
    parts = session.execute(
        select(ExamAudience.ranks, _RegionUnit.region_path, _SectorUnit.sector_path)
        .outerjoin(_RegionUnit, ExamAudience.unit_id == _RegionUnit.id)
        .outerjoin(_SectorUnit, ExamAudience.sector_unit_id == _SectorUnit.id)
        .where(ExamAudience.exam_id == exam.id, ExamAudience.person_id.is_(None), *_HAS_ITS_UNITS)
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
    in_force = (
        select(Exemption.id)
        .where(
            Exemption.exam_id == exam_id,
            Exemption.person_id == Person.id,
            Exemption.approved_at.is_not(None),
            Exemption.withdrawn_at.is_(None),
            Exemption.rejected_at.is_(None),
        )
        .correlate(Exam, Person)
    )
    return (in_force if kind is None else in_force.where(Exemption.kind == kind)).exists()


def concerns(access: AccessScope) -> ColumnElement[bool]:
    """Give the condition on `Exam` "somebody within the access scope belongs to it"."""
    return (
        select(Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(ON_ROSTER, within(access), in_audience_of(Exam.id, Exam.kind))
        .correlate(Exam)
        .exists()
    )


def held_by(access: AccessScope) -> ColumnElement[bool]:
    """Give the condition on `Exam` "its whole audience lies within the access scope": who may decide about it (`actions.may_hold` as a condition)."""
    if access.is_everything:
        return true()
    is_within = func.coalesce(within(access), false())
    parts = select(ExamAudience.id).where(ExamAudience.exam_id == Exam.id)
    unit_id = func.coalesce(ExamAudience.unit_id, ExamAudience.sector_unit_id, Person.unit_id)
    beyond = parts.outerjoin(Person, ExamAudience.person_id == Person.id).outerjoin(Unit, Unit.id == unit_id)
    outside = select(Unit.id).where(Unit.kind != UnitKind.SECTOR, ~is_within)
    is_own = and_(parts.correlate(Exam).exists(), ~beyond.where(~is_within).correlate(Exam).exists())
    return or_(~outside.exists(), is_own)


def list_organiser_exams(session: Session, access: AccessScope) -> list[Exam]:
    """List the published exams that somebody within the access scope belongs to, the latest first."""
    statement = select(Exam).where(Exam.state == ExamState.PUBLISHED).order_by(Exam.opens_at.desc(), Exam.id.desc())
    if not access.is_everything:
        statement = statement.where(concerns(access))
    return list(session.scalars(statement))


def list_exams(session: Session, reading: AccessScope, *, may_write: bool) -> list[Exam]:
    """List exams for the back office, the latest first; drafts and cancelled ones only for those who write exams."""
    statement = select(Exam).order_by(Exam.opens_at.desc(), Exam.id.desc())
    if not may_write:
        statement = statement.where(Exam.state == ExamState.PUBLISHED)
    if not reading.is_everything:
        statement = statement.where(concerns(reading))
    return list(session.scalars(statement))


def get_exam(session: Session, exam_id: int) -> Exam:
    """Get an exam with its sessions and audience; raises NotFoundError."""
    exam = session.scalar(
        select(Exam).where(Exam.id == exam_id).options(selectinload(Exam.sessions), selectinload(Exam.audiences))
    )
    if exam is None:
        raise NotFoundError
    return exam


def get_organiser_exam(session: Session, exam_id: int, access: AccessScope) -> Exam:
    """Get an exam that concerns somebody within the access scope, whatever its state; raises NotFoundError."""
    ensure_exam_in_scope(session, exam_id, access)
    return get_exam(session, exam_id)


def ensure_exam_in_scope(session: Session, exam_id: int, access: AccessScope) -> None:
    """Raise NotFoundError for an exam that concerns nobody within the access scope, by the statement that a missing one costs."""
    if not access.is_everything and session.scalar(select(Exam.id).where(Exam.id == exam_id, concerns(access))) is None:
        raise NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How far the making of papers has come."""

    eligible: int
    prepared: int

    @property
    def is_ready(self) -> bool:
        """Whether everybody has a paper."""
        return self.prepared >= self.eligible


def readiness(session: Session, exam: Exam) -> Readiness:
    """Count the eligible candidates of an exam and those among them with a paper made ahead, in two statements."""
    row = session.execute(
        select(func.count(Person.id), func.count(PreparedPaper.paper_id))
        .join(Unit, Person.unit_id == Unit.id)
        .outerjoin(
            PreparedPaper,
            (PreparedPaper.exam_id == exam.id) & (PreparedPaper.person_id == Person.id) & (PreparedPaper.number == 1),
        )
        .where(ON_ROSTER, audience_clause(session, exam), ~excused(exam.id))
    ).one()
    return Readiness(eligible=row[0], prepared=row[1])


def count_makeup_reasons(session: Session, exam: Exam) -> dict[str, int]:
    """Count by reason (absent, failed) who may sit a make-up so far."""
    rows = session.execute(
        select(MakeupEligibility.reason, func.count())
        .where(MakeupEligibility.exam_id == exam.id)
        .group_by(MakeupEligibility.reason)
    )
    return {row[0]: row[1] for row in rows}


def list_exams_to_prepare(session: Session, *, now: datetime) -> list[int]:
    """List the ids of published exams that have not closed: the sweep looks whether anybody lacks a paper."""
    return list(
        session.scalars(
            select(Exam.id).where(Exam.state == ExamState.PUBLISHED, Exam.closes_at > now).order_by(Exam.opens_at)
        )
    )


def list_blueprint_ids(session: Session, exam: Exam) -> list[int]:
    """List the blueprints that an exam draws from: its own and those of its audience's parts."""
    of_parts = session.scalars(
        select(ExamAudience.blueprint_id).where(ExamAudience.exam_id == exam.id, ExamAudience.blueprint_id.is_not(None))
    )
    return list(dict.fromkeys(i for i in [exam.blueprint_id, *of_parts] if i is not None))


def list_staff_numbers(session: Session, exam: Exam) -> list[str]:
    """List the staff numbers of the people that an exam's audience names one by one."""
    named = select(ExamAudience.person_id).where(ExamAudience.exam_id == exam.id)
    return list(session.scalars(select(Person.staff_number).where(Person.id.in_(named)).order_by(Person.staff_number)))


def list_units_within(session: Session, access: AccessScope) -> list[Unit]:
    """List the units within an access scope in the order of the region tree, closed ones and mere nodes of the sector tree left out."""
    return list(
        session.scalars(
            select(Unit)
            .where(within(access), Unit.closed_at.is_(None), Unit.kind != UnitKind.SECTOR)
            .order_by(Unit.code, Unit.id)
        )
    )


def list_sector_units(session: Session) -> list[Unit]:
    """List the units that others hang below in the sector tree."""
    below = aliased(Unit)
    has_others = select(below.id).where(below.sector_parent_id == Unit.id).exists()
    is_node = or_(Unit.kind == UnitKind.SECTOR, has_others)
    return list(session.scalars(select(Unit).where(Unit.sector_path.is_not(None), is_node).order_by(Unit.sector_path)))


def list_main_exams(session: Session) -> list[Exam]:
    """List the exams that a make-up may be bound to."""
    return list(
        session.scalars(
            select(Exam)
            .where(Exam.state != ExamState.CANCELLED, Exam.kind.notin_([ExamKind.MAKEUP, ExamKind.MOCK]))
            .order_by(Exam.opens_at.desc())
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExtension:
    """Extra time that was granted, and to whom."""

    extension: ExamExtension
    unit_name: str | None
    person_name: str | None


def list_extensions(session: Session, exam: Exam) -> list[ListedExtension]:
    """List the extra time granted in an exam, the newest first."""
    rows = session.execute(
        select(ExamExtension, Unit.name.label("unit_name"), Person.name.label("person_name"))
        .outerjoin(Unit, ExamExtension.unit_id == Unit.id)
        .outerjoin(Person, ExamExtension.person_id == Person.id)
        .where(ExamExtension.exam_id == exam.id)
        .order_by(ExamExtension.id.desc())
    )
    return [
        ListedExtension(extension=row.ExamExtension, unit_name=row.unit_name, person_name=row.person_name)
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedPart:
    """One part of an audience in words."""

    unit_name: str | None
    sector_name: str | None
    ranks: tuple[str, ...]
    blueprint_id: int | None


def describe_audience(session: Session, exam: Exam) -> tuple[list[DescribedPart], int]:
    """Give an audience's parts with the names of their units, and how many people it names one by one."""
    sector = aliased(Unit)
    rows = session.execute(
        select(ExamAudience, Unit.name.label("unit_name"), sector.name.label("sector_name"))
        .outerjoin(Unit, ExamAudience.unit_id == Unit.id)
        .outerjoin(sector, ExamAudience.sector_unit_id == sector.id)
        .where(ExamAudience.exam_id == exam.id)
        .order_by(ExamAudience.id)
    ).all()
    parts = [
        DescribedPart(
            unit_name=row.unit_name,
            sector_name=row.sector_name,
            ranks=tuple(row.ExamAudience.ranks),
            blueprint_id=row.ExamAudience.blueprint_id,
        )
        for row in rows
        if row.ExamAudience.person_id is None
    ]
    return parts, len(rows) - len(parts)
