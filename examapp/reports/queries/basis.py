"""What a table stands on: the exam with its make-ups, the scope, the roster's day, the unit with its tree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from examapp.core.errors import NotFoundError
from examapp.exams.models import CountingRule, Exam, ExamState
from examapp.org.models import Tree, Unit, UnitKind
from examapp.people.queries import within
from examapp.people.rules import Reach
from examapp.reports.rules import Scope, UnitNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """An exam as figures see it, at an instant."""

    exam: Exam
    makeups: tuple[Exam, ...]
    scope: Scope
    as_of: datetime

    @property
    def exams(self) -> tuple[Exam, ...]:
        """The exams whose attempts count in this scope."""
        return (self.exam, *self.makeups) if self.scope is Scope.FINAL else (self.exam,)

    @property
    def counting_rules(self) -> dict[int, CountingRule]:
        """The counting rule of each of these exams."""
        return {exam.id: CountingRule(exam.counting_rule) for exam in self.exams}

    @property
    def frozen_at(self) -> datetime | None:
        """The instant whose roster the figures stand on; None while they stand on the present one."""
        frozen_at = self.exam.frozen_at
        return frozen_at if frozen_at is not None and frozen_at <= self.as_of else None


def get_basis(session: Session, exam_id: int, *, scope: Scope | None, now: datetime) -> Basis:
    """Get what the figures of a published exam stand on, in one statement; raises NotFoundError.

    Without a wish for the scope it is 本场 until a make-up has closed, 最终 from then on.
    """
    found = session.scalars(
        select(Exam)
        .where(or_(Exam.id == exam_id, Exam.main_exam_id == exam_id), Exam.state == ExamState.PUBLISHED)
        .order_by(Exam.opens_at, Exam.id)
    ).all()
    exam = next((exam for exam in found if exam.id == exam_id), None)
    if exam is None:
        raise NotFoundError
    makeups = tuple(other for other in found if other is not exam)
    has_closed = any(makeup.closes_at <= now for makeup in makeups)
    chosen = scope or (Scope.FINAL if has_closed else Scope.THIS)
    return Basis(exam=exam, makeups=makeups, scope=chosen if makeups else Scope.THIS, as_of=now)


def list_reported_exams(session: Session) -> list[Exam]:
    """List the exams that have figures, the newest first."""
    return list(
        session.scalars(
            select(Exam).where(Exam.state == ExamState.PUBLISHED).order_by(Exam.opens_at.desc(), Exam.id.desc())
        )
    )


def list_nodes(session: Session, unit_id: int, *, tree: Tree, reach: Reach) -> list[UnitNode]:
    """List a unit within reach, first, and all below it in a tree that is within reach too, in one statement.

    The region's top, which hangs in no system, stands in the sector tree above all systems. Raises NotFoundError for a unit out of
    reach.
    """
    top = select(Unit.region_path, Unit.sector_path, Unit.parent_id).where(Unit.id == unit_id).cte("top")
    if tree is Tree.REGION:
        below = Unit.region_path.startswith(top.c.region_path)
    else:
        is_above_all = and_(top.c.sector_path.is_(None), top.c.parent_id.is_(None))
        below = or_(
            Unit.sector_path.startswith(top.c.sector_path),
            and_(is_above_all, or_(Unit.sector_path.is_not(None), Unit.region_path.startswith(top.c.region_path))),
        )
    rows = session.execute(
        select(
            Unit.id,
            Unit.code,
            Unit.name,
            Unit.kind,
            Unit.parent_id,
            Unit.sector_parent_id,
            Unit.sector_path,
            Unit.closed_at,
        )
        .where(or_(below, Unit.id == unit_id), within(reach), select(top).exists())
        .add_cte(top)
        .order_by(Unit.code)
    ).all()
    known = {row.id for row in rows}
    if unit_id not in known:
        raise NotFoundError
    nodes = [
        UnitNode(
            unit_id=row.id,
            code=row.code,
            name=row.name,
            kind=row.kind,
            parent_id=None if row.id == unit_id else _parent(row.parent_id, row.sector_parent_id, tree, unit_id, known),
            is_closed=row.closed_at is not None,
        )
        for row in rows
    ]
    return sorted(nodes, key=lambda node: node.unit_id != unit_id)


def _parent(parent_id: int | None, sector_parent_id: int | None, tree: Tree, top_id: int, known: set[int]) -> int:
    """Give the parent in the tree; the top where the tree has none within what is shown."""
    wanted = parent_id if tree is Tree.REGION else sector_parent_id
    return wanted if wanted is not None and wanted in known else top_id


def list_tops(session: Session, reach: Reach) -> list[Unit]:
    """List the units at which a reach begins, by code."""
    query = select(Unit).order_by(Unit.code)
    if reach.is_everything:
        query = query.where(Unit.parent_id.is_(None), Unit.kind != UnitKind.SECTOR)
    else:
        query = query.where(or_(Unit.region_path.in_(reach.region_paths), Unit.sector_path.in_(reach.sector_paths)))
    return list(session.scalars(query))
