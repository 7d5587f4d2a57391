"""Writes about units: one at a time by hand, or many from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from examapp.documents.tables import Grid, cell_text, find_head
from examapp.errors import DomainError
from examapp.organisation.units.models import AREA_KINDS, UNIT_KIND_NAMES, Tree, Unit, UnitKind
from examapp.organisation.units.queries import IS_ROOT, sort_roots
from examapp.organisation.units.rules import DEEPEST_LEVEL, UNIT_HEADS, find_uscc_issue, level_of, normalise_uscc
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "org.close_unit": "停用单位",
    "org.create_unit": "新建单位",
    "org.delete_unit": "删除单位",
    "org.edit_unit": "修改单位",
    "org.reopen_unit": "恢复单位",
}
AUDIT_OBJECTS = {"unit": "单位"}
AUDIT_VALUES = {"region": "按单位层级", "sector": "按主管系统"}

_TREE_LOCK = 70_001
"""Key of the advisory lock under which trees are rebuilt: two crosswise moves at once would make a ring."""


class InvalidUnitError(DomainError):
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


def create_unit(context: ActionContext, facts: UnitFacts) -> Unit:
    """Found a unit below its parents; raises InvalidUnitError."""
    session = context.session
    _lock_trees(session)
    _check(session, facts, unit=None)
    unit = Unit(**asdict(facts), region_path="/0/", created_at=context.now)
    session.add(unit)
    session.flush()
    unit.region_path = f"{_path(session, facts.parent_id, Tree.REGION)}{unit.id}/"
    unit.sector_path = _sector_path(session, unit)
    _check_depth(unit.region_path)
    _note(context, "org.create_unit", unit, facts=facts)
    return unit


def edit_unit(context: ActionContext, unit: Unit, facts: UnitFacts) -> None:
    """Change a unit, and move it with all below it where a parent changed; raises InvalidUnitError."""
    session = context.session
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
    _note(context, "org.edit_unit", unit, facts=facts)


def close_unit(context: ActionContext, unit: Unit) -> None:
    """Close a unit that has no open unit below it; whether people are left is the caller's to check."""
    open_below = context.session.scalar(
        select(func.count())
        .select_from(Unit)
        .where(Unit.region_path.startswith(unit.region_path), Unit.id != unit.id, Unit.closed_at.is_(None))
    )
    if open_below:
        raise InvalidUnitError("closed_at", f"下面还有 {open_below} 个单位没有撤销，请先撤销或划转它们。")
    unit.closed_at = context.now
    _note(context, "org.close_unit", unit)


def reopen_unit(context: ActionContext, unit: Unit) -> None:
    """Open a closed unit again; raises InvalidUnitError where it would be a second root."""
    _lock_trees(context.session)
    if unit.parent_id is None and unit.kind != UnitKind.SECTOR:
        _ensure_only_root(context.session, unit)
    unit.closed_at = None
    _note(context, "org.reopen_unit", unit)


def delete_unit(context: ActionContext, unit: Unit) -> None:
    """Delete a unit that was created by mistake; raises InvalidUnitError where anything refers to it: people, units below, records."""
    session, unit_id, name = context.session, unit.id, unit.name
    try:
        with session.begin_nested():
            session.execute(delete(Unit).where(Unit.id == unit_id), execution_options={"synchronize_session": False})
    except IntegrityError:
        raise InvalidUnitError(
            "code", "单位里有过人员、下级单位或记录，不能删除。不再使用的请撤销，成绩和记录仍保留。"
        ) from None
    session.expunge(unit)
    record(context, "org.delete_unit", object_type="unit", object_id=unit_id, details={"name": name})


def _lock_trees(session: Session) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TREE_LOCK})


def _check(session: Session, facts: UnitFacts, *, unit: Unit | None) -> None:
    own_id = unit.id if unit else 0
    if session.scalar(select(Unit.id).where(Unit.code == facts.code, Unit.id != own_id)):
        raise InvalidUnitError("code", f"单位编码“{facts.code}”已经用过，请换一个。")
    if facts.uscc and (issue := find_uscc_issue(facts.uscc)):
        raise InvalidUnitError("uscc", issue)
    if facts.uscc and session.scalar(select(Unit.id).where(Unit.uscc == facts.uscc, Unit.id != own_id)):
        raise InvalidUnitError("uscc", "这个统一社会信用代码已登记在另一个单位名下，请核对。")
    if facts.kind == UnitKind.SECTOR and facts.parent_id:
        raise InvalidUnitError("parent_id", "“系统”类只用于垂直管理，请不要选择上级单位。")
    is_root = unit is not None and unit.parent_id is None and unit.kind != UnitKind.SECTOR
    if facts.parent_id is None and facts.kind != UnitKind.SECTOR and not is_root:
        _ensure_only_root(session, unit)
    if unit is None and facts.parent_id is not None:
        _check_name(session, facts)
    _check_parent(session, facts.parent_id, "parent_id", Tree.REGION, unit)
    _check_area(session, facts)
    _check_parent(session, facts.sector_parent_id, "sector_parent_id", Tree.SECTOR, unit)


def _ensure_only_root(session: Session, unit: Unit | None) -> None:
    """Reject a second root: the county's reports cover the units below one root only."""
    roots = session.scalars(select(Unit).where(IS_ROOT, Unit.id != (unit.id if unit else 0)))
    other = next(iter(sort_roots(roots)), None)
    if other is not None:
        raise InvalidUnitError(
            "parent_id", f"请选择上级单位。已有最上级单位“{other.name}”，没有上级的单位不会计入全县的报表。"
        )


def _check_name(session: Session, facts: UnitFacts) -> None:
    """Reject a new unit with the name of an open one below the same parent; a merger may bring two of a name together."""
    same = select(Unit.code).where(Unit.name == facts.name, Unit.parent_id == facts.parent_id, Unit.closed_at.is_(None))
    if (code := session.scalar(same.limit(1))) is not None:
        raise InvalidUnitError("name", f"同一上级下已有“{facts.name}”（编码 {code}），请核对是否重复。")


def _check_parent(session: Session, parent_id: int | None, field: str, tree: Tree, unit: Unit | None) -> None:
    if parent_id is None:
        return
    path = _path(session, parent_id, tree)
    if path == "/":
        raise InvalidUnitError(field, "没有找到所选的上级，请重新选择。")
    if unit is not None and f"/{unit.id}/" in path:
        raise InvalidUnitError(field, "不能挂在自己或自己的下级单位下面，请重新选择。")


def _check_area(session: Session, facts: UnitFacts) -> None:
    """Reject a county, prefecture or province below anything but a higher area."""
    if facts.parent_id is None or facts.kind not in AREA_KINDS:
        return
    higher = AREA_KINDS[: AREA_KINDS.index(UnitKind(facts.kind))]
    if session.get_one(Unit, facts.parent_id).kind not in higher:
        names = "只能是" + "、".join(UNIT_KIND_NAMES[kind] for kind in higher) if higher else "应当不填"
        raise InvalidUnitError("parent_id", f"这一类单位的上级{names}，请改选上级，或改正类别。")


def _check_depth(path: str) -> None:
    if level_of(path) > DEEPEST_LEVEL:
        raise InvalidUnitError("parent_id", f"单位最多 {DEEPEST_LEVEL} 级，请选择更上一级的单位。")


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


def _note(context: ActionContext, act: str, unit: Unit, *, facts: UnitFacts | None = None) -> None:
    details = asdict(facts) if facts else {}
    record(context, act, object_type="unit", object_id=unit.id, details=details)


_KINDS = {name: kind for kind, name in UNIT_KIND_NAMES.items()} | {str(kind): kind for kind in UnitKind}
_TOP_KINDS = {name for name, kind in _KINDS.items() if kind in {*AREA_KINDS, UnitKind.SECTOR}}
"""As a file writes the kinds that hang below nothing in the region tree."""
_ATTRIBUTES = {"kind": "kind", "parent": "parent_id", "sector_parent": "sector_parent_id", "uscc": "uscc"}
"""Columns that a file may leave out; a unit that is there already keeps what they would say."""
_MAX_REASONS = 20


class UnitFileError(DomainError):
    """The file cannot be taken over; the message names the rows."""

    code = "unit_file"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnitRow:
    line: int
    says: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.says.get(field, "")


def preview_units(context: ActionContext, grids: Sequence[Grid], *, parent: Unit | None = None) -> dict[str, int]:
    """Count what `import_units` would create and change, and change nothing; raises UnitFileError as it does."""
    savepoint = context.session.begin_nested()
    try:
        return import_units(context, grids, parent=parent)
    finally:
        savepoint.rollback()


def import_units(context: ActionContext, grids: Sequence[Grid], *, parent: Unit | None = None) -> dict[str, int]:
    """Create and change the units of a file; counts of new and changed ones. Raises UnitFileError with the reasons by row.

    With a `parent`, rows that name none come below it, and rows without a code keep that of the unit of their name there, or get the next free one.
    """
    rows = _in_order(_completed(context.session, _read(grids, is_code_needed=parent is None), parent))
    counts: Counter[str] = Counter()
    issues: list[str] = []
    faulty: dict[str, int] = {}
    for row in rows:
        try:
            counts[_write(context, row, faulty)] += 1
        except InvalidUnitError as rejection:
            issues.append(f"第 {row.line} 行：{rejection.text}")
            faulty[row["code"]] = row.line
    if issues:
        rest = len(issues) - _MAX_REASONS
        more = [f"……另有 {rest} 行有问题。"] if rest > 0 else []
        raise UnitFileError("\n".join([*issues[:_MAX_REASONS], *more, "没有导入任何单位，请改好后重新导入。"]))
    return {"new": counts["new"], "changed": counts["changed"]}


def _read(grids: Sequence[Grid], *, is_code_needed: bool) -> list[_UnitRow]:
    rows, needed = [], {"code", "name"} if is_code_needed else {"name"}
    for grid in grids:
        head = find_head(grid.rows, UNIT_HEADS)
        if grid.is_hidden or head is None or not needed <= head.columns.keys():
            continue
        for at in range(head.at + 1, len(grid.rows)):
            cells = [cell_text(cell) for cell in grid.rows[at]]
            says = {field: cells[column] for field, column in head.columns.items() if column < len(cells)}
            if any(says.values()):
                rows.append(_UnitRow(line=at + 1, says=says))
    if not rows:
        raise UnitFileError(
            "没有找到单位表：前 15 行里没有写着单位名称、单位编码、类别、上级单位等至少两项的表头，或表头下面没有内容。"
        )
    return rows


def _completed(session: Session, rows: list[_UnitRow], parent: Unit | None) -> list[_UnitRow]:
    """Give each row a code and the code of its parent, where the file leaves them out or names a parent by its name."""
    units = list(session.execute(select(Unit.code, Unit.name, Unit.parent_id, Unit.closed_at)))
    known = {unit.code for unit in units}
    taken = known | {row["code"] for row in rows}
    if parent is not None:
        below = {unit.name: unit.code for unit in units if unit.parent_id == parent.id and unit.closed_at is None}
        rows = [_below(row, parent, below=below, known=known, taken=taken) for row in rows]
    codes: dict[str, set[str]] = {}
    named = [(row["name"], row["code"]) for row in rows]
    for name, code in named + [(unit.name, unit.code) for unit in units if unit.closed_at is None]:
        codes.setdefault(name, set()).add(code)
    return [_with_parent_code(row, taken, codes) for row in rows]


def _below(row: _UnitRow, parent: Unit, *, below: Mapping[str, str], known: set[str], taken: set[str]) -> _UnitRow:
    """Put a row without a parent below this one, save a unit that is there already; give a row without a code one."""
    says = dict(row.says)
    if row["name"] and not row["code"]:
        says["code"] = below.get(row["name"]) or _next_code(parent.code, taken)
        taken.add(says["code"])
    if not row["parent"] and row["kind"] not in _TOP_KINDS:
        says.pop("parent", None)
        if says.get("code") not in known:
            says["parent"] = parent.code
    return _UnitRow(line=row.line, says=says)


def _next_code(prefix: str, taken: set[str]) -> str:
    return next(code for number in count(1) if (code := f"{prefix}{number:02d}") not in taken)


def _with_parent_code(row: _UnitRow, taken: set[str], codes: Mapping[str, set[str]]) -> _UnitRow:
    """Replace the names of parents by their codes; a name that several units have stays, and is rejected as no code."""
    found = {
        field: next(iter(codes[row[field]]))
        for field in ("parent", "sector_parent")
        if row[field] and row[field] not in taken and len(codes.get(row[field], ())) == 1
    }
    return _UnitRow(line=row.line, says={**row.says, **found})


def _in_order(rows: list[_UnitRow]) -> list[_UnitRow]:
    """Put parents before their children; a ring, or a code that stands twice, is rejected."""
    by_code = {row["code"]: row for row in rows}
    if len(by_code) < len(rows):
        twice = [code for code, count in Counter(row["code"] for row in rows).items() if count > 1]
        raise UnitFileError(f"单位编码重复：{'、'.join(twice[:10])}。请只留一行。")
    done: dict[str, _UnitRow] = {}
    waiting = rows
    while waiting:
        missing = by_code.keys() - done.keys() - {""}
        ready = [row for row in waiting if not missing & {row["parent"], row["sector_parent"]}]
        if not ready:
            lines = "、".join(str(row.line) for row in waiting[:_MAX_REASONS])
            raise UnitFileError(f"第 {lines} 行：上级单位绕成了圈，请核对上级单位编码。没有导入任何单位。")
        done |= {row["code"]: row for row in ready}
        waiting = [row for row in waiting if row["code"] not in done]
    return list(done.values())


def _write(context: ActionContext, row: _UnitRow, faulty: Mapping[str, int]) -> str:
    session = context.session
    kind = _KINDS.get(row["kind"] or UNIT_KIND_NAMES[UnitKind.DEPARTMENT])
    if not row["code"] or not row["name"]:
        raise InvalidUnitError("code", "单位编码和单位名称都要填。")
    if kind is None:
        raise InvalidUnitError("kind", f"没有“{row['kind']}”这种类别，请填：{'、'.join(UNIT_KIND_NAMES.values())}。")
    if line := faulty.get(row["parent"]) or faulty.get(row["sector_parent"]):
        raise InvalidUnitError("parent_id", f"上级单位在第 {line} 行，请先改好那一行。")
    facts = UnitFacts(
        code=row["code"],
        name=row["name"],
        kind=kind,
        uscc=normalise_uscc(row["uscc"]) or None,
        parent_id=_id_of(session, row["parent"], "parent_id"),
        sector_parent_id=_id_of(session, row["sector_parent"], "sector_parent_id"),
    )
    unit = session.scalar(select(Unit).where(Unit.code == facts.code))
    if unit is None:
        create_unit(context, facts)
        return "new"
    kept = {name: getattr(unit, name) for column, name in _ATTRIBUTES.items() if column not in row.says}
    facts = replace(facts, **kept)
    if all(getattr(unit, name) == getattr(facts, name) for name in facts.__slots__):
        return "unchanged"
    edit_unit(context, unit, facts)
    return "changed"


def _id_of(session: Session, code: str, field: str) -> int | None:
    if not code:
        return None
    unit_id = session.scalar(select(Unit.id).where(Unit.code == code))
    if unit_id is None:
        raise InvalidUnitError(field, f"没有编码为“{code}”的上级单位，也没有唯一叫这个名称的，请核对。")
    return unit_id
