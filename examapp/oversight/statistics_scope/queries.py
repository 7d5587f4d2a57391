"""What a table stands on: the exam with its make-ups, the scope, the roster's day, the unit with its tree."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from examapp.clock import start_of
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.evidence.models import EvidencePack
from examapp.delivery.exams.models import (
    CountingRule,
    Exam,
    ExamAudience,
    ExamState,
    Exemption,
    MakeupEligibility,
    RosterSnapshotUnit,
)
from examapp.delivery.exams.queries import Audience, ensure_exam_in_scope, get_audience
from examapp.delivery.grading.models import ExternalResult, Grade
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import ensure_unit_in_scope, within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, RosterMove
from examapp.organisation.people.queries import UNCOVERED_UNITS
from examapp.organisation.units.models import AREA_KINDS, Tree, Unit, UnitKind
from examapp.organisation.units.queries import CELLS
from examapp.organisation.units.rules import cells_label
from examapp.oversight.statistics_definitions.rules import Scope, UnitNode
from examapp.oversight.statistics_scope.rules import ReportFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """An exam as figures see it, at an instant."""

    exam: Exam
    makeups: tuple[Exam, ...]
    scope: Scope
    as_of: datetime
    uncovered: tuple[str, ...] = ()
    """Names of the units with people that hang below no county: no report of the county has them."""
    cells: str = ""  # at a province, up to which instant it has its cells' data

    @property
    def exams(self) -> tuple[Exam, ...]:
        """The exams whose attempts count in this scope."""
        return (self.exam, *self.makeups) if self.scope is Scope.FINAL else (self.exam,)

    @property
    def is_over(self) -> bool:
        """Whether nobody can begin any more: who has not is absent."""
        return all(exam.closes_at <= self.as_of for exam in self.exams)

    @property
    def counting_rules(self) -> dict[int, CountingRule]:
        """The counting rule of each of these exams."""
        return {exam.id: CountingRule(exam.counting_rule) for exam in self.exams}

    @property
    def snapshot_due_at(self) -> datetime | None:
        """The instant whose roster the figures stand on; None while they stand on the present one."""
        taken_at = self.exam.snapshot_created_at
        return self.exam.snapshot_due_at if taken_at is not None and taken_at <= self.as_of else None

    @property
    def snapshot_exam_id(self) -> int | None:
        """The exam whose frozen units and people the figures stand on; None while they stand on the present ones."""
        return None if self.snapshot_due_at is None else self.exam.id


def get_report_context(
    session: Session, exam_id: int, *, scope: Scope | None, now: datetime, access: AccessScope | None = None
) -> ReportContext:
    """Get what the figures of a published exam stand on, in one statement; raises NotFoundError.

    With an access scope, an exam that concerns nobody within it is as one that is not there (one statement more, none for who reaches everything).
    Without a chosen scope it is 本次考试 until a make-up has closed, 含补考 from then on.
    """
    if access is not None:
        ensure_exam_in_scope(session, exam_id, access)
    rows = session.execute(_EXAM_WITH_MAKEUPS, {"exam_id": exam_id}).all()
    exam = next((row.Exam for row in rows if row.Exam.id == exam_id), None)
    if exam is None:
        raise NotFoundError
    makeups = tuple(row.Exam for row in rows if row.Exam is not exam)
    chosen = scope or (Scope.FINAL if any(makeup.closes_at <= now for makeup in makeups) else Scope.THIS)
    return ReportContext(
        exam=exam,
        makeups=makeups,
        scope=chosen if makeups else Scope.THIS,
        as_of=now,
        uncovered=tuple(rows[0].uncovered or ()),
        cells=cells_label(rows[0].cells or (), now=now),
    )


_EXAM_WITH_MAKEUPS = (
    select(Exam, UNCOVERED_UNITS, CELLS)
    .where(
        or_(Exam.id == bindparam("exam_id"), Exam.main_exam_id == bindparam("exam_id")),
        Exam.state == ExamState.PUBLISHED,
    )
    .order_by(Exam.opens_at, Exam.id)
)


def find_earlier_exam(session: Session, exam: Exam, *, wanted_id: int | None = None) -> Exam | None:
    """Find the exam to compare with: the one that is asked for, else the newest of the same kind that closed before this one opened."""
    query = select(Exam).where(Exam.state == ExamState.PUBLISHED, Exam.id != exam.id, Exam.main_exam_id.is_(None))
    if wanted_id is not None:
        query = query.where(Exam.id == wanted_id)
    else:
        query = query.where(Exam.kind == exam.kind, Exam.closes_at <= exam.opens_at)
    return session.scalars(query.order_by(Exam.opens_at.desc(), Exam.id.desc()).limit(1)).one_or_none()


def list_reported_exams(session: Session) -> list[Exam]:
    """List the exams that have figures, the newest first."""
    return list(
        session.scalars(
            select(Exam).where(Exam.state == ExamState.PUBLISHED).order_by(Exam.opens_at.desc(), Exam.id.desc())
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTree:
    """A unit within the access scope, the units above it and below it that are within the access scope too."""

    above: list[UnitNode]
    """From the highest down."""
    nodes: list[UnitNode]
    """The unit itself first, then all below it, by code."""

    @property
    def top(self) -> UnitNode:
        """The unit itself."""
        return self.nodes[0]

    @property
    def unit_ids(self) -> list[int]:
        """The ids of the unit and of all below it."""
        return [node.unit_id for node in self.nodes]


def get_unit_tree(
    session: Session, unit_id: int, *, tree: Tree, access: AccessScope, snapshot_exam_id: int | None = None
) -> UnitTree:
    """Get a unit with what is above and below it in a tree, as far as it is within the access scope, in one statement.

    The region's top, which hangs in no system, stands in the sector tree above all systems. With an exam whose roster is frozen the
    units are those of that day, by their names and places of then. Raises NotFoundError for a unit outside the access scope.
    """
    place = _current_units() if snapshot_exam_id is None else _snapshot_units(snapshot_exam_id, unit_id)
    top = select(place.c.region_path, place.c.sector_path, place.c.parent_id).where(place.c.id == unit_id).cte("top")
    path, top_path = (
        (place.c.region_path, top.c.region_path) if tree is Tree.REGION else (place.c.sector_path, top.c.sector_path)
    )
    wanted = or_(place.c.id == unit_id, path.startswith(top_path), top_path.startswith(path))
    if tree is Tree.SECTOR:
        is_above_all = and_(top.c.sector_path.is_(None), top.c.parent_id.is_(None))
        hangs_somewhere = or_(place.c.sector_path.is_not(None), place.c.region_path.startswith(top.c.region_path))
        wanted = or_(wanted, and_(is_above_all, hangs_somewhere))
    within_scope = _within(access, place, snapshot_exam_id)
    in_tree = place.c.parent_id if tree is Tree.REGION else place.c.sector_parent_id
    is_closed = place.c.closed_at.is_not(None).label("is_closed")
    shown = (place.c.id, place.c.code, place.c.name, place.c.kind, in_tree, is_closed, path.label("path"))
    query = select(*shown).select_from(place).join(top, wanted)
    query = query.join(Unit, Unit.id == place.c.id).where(within_scope).order_by(place.c.code)
    rows = session.connection().execute(query).all()
    own = next((row for row in rows if row.id == unit_id), None)
    if own is None:
        raise NotFoundError
    above = sorted((row for row in rows if _is_above(row.path, own.path or "")), key=lambda row: len(row.path))
    known = {row.id for row in rows}.difference(row.id for row in above)
    nodes = [  # the top stands for parents that are not shown
        UnitNode(id_, code, name, kind, parent_id if parent_id in known else unit_id, has_closed)
        for id_, code, name, kind, parent_id, has_closed, _ in rows
        if id_ in known and id_ != unit_id
    ]
    return UnitTree(above=[_top(row) for row in above], nodes=[_top(own), *nodes])


def ensure_unit_in_report_scope(
    session: Session, report_context: ReportContext, unit_id: int, *, access: AccessScope
) -> None:
    """Look whether a unit is one of those that an exam's figures stand on, and within the access scope; raises NotFoundError as its tree would."""
    snapshot_exam_id = report_context.snapshot_exam_id
    if snapshot_exam_id is None:
        ensure_unit_in_scope(session, unit_id, access)
        return
    place = _snapshot_units(snapshot_exam_id, unit_id)
    query = select(place.c.id).join(Unit, Unit.id == place.c.id).where(place.c.id == unit_id)
    if session.scalar(query.where(_within(access, place, snapshot_exam_id))) is None:
        raise NotFoundError


def _within(access: AccessScope, place: Subquery, snapshot_exam_id: int | None) -> ColumnElement[bool]:
    here = within(access)
    return here if snapshot_exam_id is None else or_(here, *_was_below(place, access))


def _is_above(path: str | None, own_path: str) -> bool:
    return path is not None and len(path) < len(own_path) and own_path.startswith(path)


_UNIT_FIELDS = ("code", "name", "kind", "parent_id", "sector_parent_id", "region_path", "sector_path", "closed_at")


def _current_units() -> Subquery:
    here = Unit.__table__.alias("here")
    return select(here.c.id, *(here.c[name] for name in _UNIT_FIELDS)).subquery("place")


def _snapshot_units(exam_id: int, unit_id: int) -> Subquery:
    """Select the units of a frozen roster; the one that is asked for stands in it even where it was founded later."""
    then, here = RosterSnapshotUnit.__table__.alias("then"), Unit.__table__.alias("here")
    snapshot = select(then.c.unit_id.label("id"), *(then.c[name] for name in _UNIT_FIELDS)).where(
        then.c.exam_id == exam_id
    )
    is_known = select(then.c.unit_id).where(then.c.exam_id == exam_id, then.c.unit_id == unit_id).exists()
    founded_later = select(here.c.id, *(here.c[name] for name in _UNIT_FIELDS)).where(here.c.id == unit_id, ~is_known)
    return snapshot.union_all(founded_later).subquery("place")


def _was_below(place: Subquery, access: AccessScope) -> list[ColumnElement[bool]]:
    """Give the conditions that a unit hung, on that day, below one that the access scope begins at: what it counted then it still answers for."""
    ends = [(place.c.region_path, path) for path in access.region_paths]
    ends += [(place.c.sector_path, path) for path in access.sector_paths]
    return [column.contains(f"/{path.strip('/').rsplit('/', 1)[-1]}/", autoescape=True) for column, path in ends]


def get_tree_of(
    session: Session, report_context: ReportContext, unit_id: int, *, tree: Tree, access: AccessScope
) -> UnitTree:
    """Get a unit's tree as the figures of an exam stand on it: the present one, or that of the freeze."""
    return get_unit_tree(session, unit_id, tree=tree, access=access, snapshot_exam_id=report_context.snapshot_exam_id)


def _top(row: Row[*tuple[Any, ...]]) -> UnitNode:
    """Give a unit without what it hangs in."""
    return UnitNode(row.id, row.code, row.name, row.kind, None, row.is_closed)


def list_tops(session: Session, access: AccessScope) -> list[Unit]:
    """List the units at which an access scope begins, by code; for everything the county, or whatever hangs below nothing."""
    query = select(Unit).order_by(Unit.code)
    if access.is_everything:
        roots = session.scalars(query.where(Unit.parent_id.is_(None), Unit.kind != UnitKind.SECTOR)).all()
        return [unit for unit in roots if unit.kind in AREA_KINDS] or list(roots)
    is_top = or_(Unit.region_path.in_(access.region_paths), Unit.sector_path.in_(access.sector_paths))
    return list(session.scalars(query.where(is_top)))


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
    def of(cls, filters: ReportFilter, *, unit_ids: Collection[int] | None, search: str = "") -> PeopleFilter:
        """Give the people of these units whom a filter leaves, whatever their group."""
        return cls(
            unit_ids=unit_ids,
            rank=filters.rank,
            position=filters.position,
            search=search,
            since=start_of(filters.since) if filters.since else None,
            until=start_of(filters.until + timedelta(days=1)) if filters.until else None,
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
class RosterQueryKey:
    """All of a basis that the select of its people is built from, by value: equal grounds give equal selects."""

    exam_id: int
    audience: Audience | None
    """None where the roster is frozen."""
    counting_rules: tuple[tuple[int, CountingRule], ...]
    has_external_results: bool

    @property
    def exam_ids(self) -> list[int]:
        """The exams whose attempts count."""
        return [exam_id for exam_id, _ in self.counting_rules]

    def exams_with(self, rule: CountingRule) -> list[int]:
        """Give those of them that count by a rule."""
        return [exam_id for exam_id, its_rule in self.counting_rules if its_rule is rule]


def roster_query_key(session: Session, report_context: ReportContext) -> RosterQueryKey:
    """Get what the select of people is built from; the audience's parts are read, in one statement."""
    return RosterQueryKey(
        exam_id=report_context.exam.id,
        audience=get_audience(session, report_context.exam) if report_context.snapshot_due_at is None else None,
        counting_rules=tuple(report_context.counting_rules.items()),
        has_external_results=any(exam.has_external_results for exam in report_context.exams),
    )


def data_fingerprint(session: Session, report_context: ReportContext) -> str:
    """Give the version of all that an exam's figures are made of, in one statement.

    It may change where the figures do not (another exam's grade), never the other way round.
    """
    exam_ids = [report_context.exam.id, *(exam.id for exam in report_context.makeups)]
    values = session.connection().execute(_select_marks(), {"exam_ids": exam_ids}).one()
    return hashlib.sha256(repr(tuple(map(str, values))).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _select_marks() -> Select[*tuple[Any, ...]]:
    """Select the marks; kept, for building it costs as much as running it."""
    return select(*(mark.label(f"m{n}") for n, mark in enumerate(_marks())))


def _marks() -> list[ScalarSelect[Any]]:
    exam_ids: BindParameter[Any] = bindparam("exam_ids", expanding=True)
    of_exams = Attempt.exam_id.in_(exam_ids)
    unit_label = func.hashtext(
        func.concat_ws("|", Unit.id, Unit.code, Unit.name, Unit.region_path, Unit.sector_path, Unit.closed_at)
    )
    return [
        select(func.max(Grade.id)).scalar_subquery(),
        select(func.max(Attempt.id)).scalar_subquery(),
        select(func.max(ExternalResult.id)).scalar_subquery(),
        select(func.count()).where(ExternalResult.undone_at.is_(None)).scalar_subquery(),
        select(func.count()).where(of_exams, Attempt.state == AttemptState.IN_PROGRESS).scalar_subquery(),
        select(func.count()).where(Attempt.state == AttemptState.SUBMITTED).scalar_subquery(),
        select(func.max(Attempt.submitted_at)).where(Attempt.state == AttemptState.SUBMITTED).scalar_subquery(),
        select(func.max(RosterMove.id)).scalar_subquery(),
        select(func.count()).select_from(RosterMove).scalar_subquery(),
        select(func.max(Person.updated_at)).scalar_subquery(),
        select(func.count()).select_from(Person).scalar_subquery(),
        select(func.max(Exam.updated_at)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(Exam.pass_percent + Exam.excellent_percent)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.max(Exam.snapshot_due_at)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.max(Exam.snapshot_created_at)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(Exam.corrections)).where(Exam.id.in_(exam_ids)).scalar_subquery(),
        select(func.max(EvidencePack.id)).where(EvidencePack.exam_id.in_(exam_ids), EvidencePack.result_version > 0).scalar_subquery(),
        select(func.count()).where(ExamAudience.exam_id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(func.hashtext(func.concat_ws("|", Exemption.id, Exemption.approved_at, Exemption.rejected_at, Exemption.withdrawn_at)))).where(Exemption.exam_id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(func.hashtext(func.concat_ws("|", MakeupEligibility.exam_id, MakeupEligibility.person_id)))).where(MakeupEligibility.exam_id.in_(exam_ids)).scalar_subquery(),
        select(func.sum(unit_label)).scalar_subquery(),
    ]  # fmt: skip
