"""Writes about units: create, edit, move, close; the paths of both trees always agree with the parents."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import DomainError
from examapp.org.models import Tree, Unit, UnitKind
from examapp.org.rules import DEEPEST_LEVEL, level_of, uscc_fault

_TREE_LOCK = 70_001
"""Key of the advisory lock under which trees are rebuilt: two crosswise moves at once would make a ring."""


class UnitRefusedError(DomainError):
    """A unit cannot be so; `field` names where."""

    code = "unit_refused"
    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """What is written down about a unit; `uscc` normalised or None."""

    code: str
    name: str
    kind: str
    uscc: str | None
    parent_id: int | None
    sector_parent_id: int | None


def create_unit(session: Session, facts: UnitFacts, *, actor: Actor, now: datetime) -> Unit:
    """Found a unit below its parents; raises UnitRefusedError."""
    _lock_trees(session)
    _check(session, facts, unit=None)
    unit = Unit(**asdict(facts), region_path="/0/", created_at=now)
    session.add(unit)
    session.flush()
    unit.region_path = f"{_path(session, facts.parent_id, Tree.REGION)}{unit.id}/"
    unit.sector_path = _sector_path(session, unit)
    _check_depth(unit.region_path)
    _note(session, "org.create_unit", unit, actor=actor, now=now, facts=facts)
    return unit


def edit_unit(session: Session, unit: Unit, facts: UnitFacts, *, actor: Actor, now: datetime) -> None:
    """Change a unit, and move it with all below it where a parent changed; raises UnitRefusedError."""
    _lock_trees(session)
    session.refresh(unit)
    _check(session, facts, unit=unit)
    for name, value in asdict(facts).items():
        setattr(unit, name, value)
    session.flush()
    new_region = f"{_path(session, facts.parent_id, Tree.REGION)}{unit.id}/"
    _move(session, Unit.region_path, unit.region_path, new_region)
    if unit.sector_path is None:
        unit.sector_path = _sector_path(session, unit)
    else:
        _move(session, Unit.sector_path, unit.sector_path, _sector_path(session, unit) or f"/{unit.id}/")
    session.flush()
    session.expire_all()
    _check_depth(_deepest_path(session, unit))
    _note(session, "org.edit_unit", unit, actor=actor, now=now, facts=facts)


def close_unit(session: Session, unit: Unit, *, actor: Actor, now: datetime) -> None:
    """Close a unit that has no open unit below it; whether people are left is the people room's question."""
    open_below = session.scalar(
        select(func.count())
        .select_from(Unit)
        .where(Unit.region_path.startswith(unit.region_path), Unit.id != unit.id, Unit.closed_at.is_(None))
    )
    if open_below:
        raise UnitRefusedError("closed_at", f"下面还有 {open_below} 个单位没有撤销，请先撤销或划转它们。")
    unit.closed_at = now
    _note(session, "org.close_unit", unit, actor=actor, now=now)


def reopen_unit(session: Session, unit: Unit, *, actor: Actor, now: datetime) -> None:
    """Open a closed unit again."""
    unit.closed_at = None
    _note(session, "org.reopen_unit", unit, actor=actor, now=now)


def _lock_trees(session: Session) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TREE_LOCK})


def _check(session: Session, facts: UnitFacts, *, unit: Unit | None) -> None:
    own_id = unit.id if unit else 0
    if session.scalar(select(Unit.id).where(Unit.code == facts.code, Unit.id != own_id)):
        raise UnitRefusedError("code", f"单位编码「{facts.code}」已经用过，请换一个。")
    if facts.uscc and (fault := uscc_fault(facts.uscc)):
        raise UnitRefusedError("uscc", fault)
    if facts.uscc and session.scalar(select(Unit.id).where(Unit.uscc == facts.uscc, Unit.id != own_id)):
        raise UnitRefusedError("uscc", "这个统一社会信用代码已登记在另一个单位名下，请核对。")
    if facts.kind == UnitKind.SECTOR and facts.parent_id:
        raise UnitRefusedError("parent_id", "「系统」只挂在条线上，请不要选择上级单位。")
    _check_parent(session, facts.parent_id, "parent_id", Tree.REGION, unit)
    _check_parent(session, facts.sector_parent_id, "sector_parent_id", Tree.SECTOR, unit)


def _check_parent(session: Session, parent_id: int | None, field: str, tree: Tree, unit: Unit | None) -> None:
    if parent_id is None:
        return
    path = _path(session, parent_id, tree)
    if path == "/":
        raise UnitRefusedError(field, "没有找到所选的上级，请重新选择。")
    if unit is not None and f"/{unit.id}/" in path:
        raise UnitRefusedError(field, "不能挂在自己或自己的下级单位下面，请重新选择。")


def _check_depth(path: str) -> None:
    if level_of(path) > DEEPEST_LEVEL:
        raise UnitRefusedError("parent_id", f"单位最多 {DEEPEST_LEVEL} 级，请选择更上一级的单位。")


def _deepest_path(session: Session, unit: Unit) -> str:
    below = session.scalars(select(Unit.region_path).where(Unit.region_path.startswith(unit.region_path)))
    return max(below, key=level_of)


def _path(session: Session, unit_id: int | None, tree: Tree) -> str:
    """Give a parent's path in a tree, `/` where there is none or the parent does not hang in it."""
    parent = session.get(Unit, unit_id) if unit_id else None
    return (parent.path_in(tree) if parent else None) or "/"


def _sector_path(session: Session, unit: Unit) -> str | None:
    if unit.sector_parent_id is None and unit.kind != UnitKind.SECTOR:
        return None
    return f"{_path(session, unit.sector_parent_id, Tree.SECTOR)}{unit.id}/"


def _move(
    session: Session, column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], old: str, new: str
) -> None:
    if old != new:
        rest = func.substr(column, len(old) + 1)
        session.execute(
            update(Unit).where(column.startswith(old)).values({column: func.concat(new, rest)}),
            execution_options={"synchronize_session": False},
        )


def _note(
    session: Session, act: str, unit: Unit, *, actor: Actor, now: datetime, facts: UnitFacts | None = None
) -> None:
    details = asdict(facts) if facts else {}
    record(session, act, actor=actor, now=now, object_type="unit", object_id=unit.id, details=details)
