"""Units from a file: parents named by code, in any order, known units changed, all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor
from examapp.core.errors import DomainError
from examapp.core.tables import Grid, cell_text, find_head
from examapp.org.models import UNIT_KIND_NAMES, Unit, UnitKind
from examapp.org.operations.units import UnitFacts, UnitRefusedError, create_unit, edit_unit
from examapp.org.rules import UNIT_HEADS, normalise_uscc

_KINDS = {name: kind for kind, name in UNIT_KIND_NAMES.items()} | {str(kind): kind for kind in UnitKind}
_MOST_REASONS = 20


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


def import_units(session: Session, grids: Sequence[Grid], *, actor: Actor, now: datetime) -> dict[str, int]:
    """Create and change the units of a file; counts of new and changed ones. Raises UnitFileError with the reasons by row."""
    rows = _in_order(_read(grids))
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for row in rows:
        try:
            counts[_write(session, row, actor=actor, now=now)] += 1
        except UnitRefusedError as refusal:
            faults.append(f"第 {row.line} 行：{refusal.text}")
    if faults:
        rest = len(faults) - _MOST_REASONS
        more = [f"……另有 {rest} 行有问题。"] if rest > 0 else []
        raise UnitFileError("\n".join([*faults[:_MOST_REASONS], *more, "没有导入任何单位，请改好后重新导入。"]))
    return {"new": counts["new"], "changed": counts["changed"]}


def _read(grids: Sequence[Grid]) -> list[_UnitRow]:
    rows = []
    for grid in grids:
        head = find_head(grid.rows, UNIT_HEADS)
        if grid.is_hidden or head is None or not {"code", "name"} <= head.columns.keys():
            continue
        for at in range(head.at + 1, len(grid.rows)):
            cells = [cell_text(cell) for cell in grid.rows[at]]
            says = {field: cells[column] for field, column in head.columns.items() if column < len(cells)}
            if any(says.values()):
                rows.append(_UnitRow(line=at + 1, says=says))
    if not rows:
        raise UnitFileError(
            "没有找到单位表：前 15 行里没有同时写着「单位编码」和「单位名称」的表头，或表头下面没有内容。"
        )
    return rows


def _in_order(rows: list[_UnitRow]) -> list[_UnitRow]:
    """Put parents before their children; a ring, or a code that stands twice, is refused."""
    by_code = {row["code"]: row for row in rows}
    if len(by_code) < len(rows):
        twice = [code for code, count in Counter(row["code"] for row in rows).items() if count > 1]
        raise UnitFileError(f"单位编码重复：{'、'.join(twice[:10])}。请只留一行。")
    done: dict[str, _UnitRow] = {}
    waiting = rows
    while waiting:
        ready = [
            row
            for row in waiting
            if all(
                not parent or parent in done or parent not in by_code
                for parent in (row["parent"], row["sector_parent"])
            )
        ]
        if not ready:
            raise UnitFileError(f"第 {waiting[0].line} 行：上级单位绕成了圈，请核对上级单位编码。")
        done |= {row["code"]: row for row in ready}
        waiting = [row for row in waiting if row["code"] not in done]
    return list(done.values())


def _write(session: Session, row: _UnitRow, *, actor: Actor, now: datetime) -> str:
    kind = _KINDS.get(row["kind"] or UNIT_KIND_NAMES[UnitKind.DEPARTMENT])
    if not row["code"] or not row["name"]:
        raise UnitRefusedError("code", "单位编码和单位名称都要填。")
    if kind is None:
        raise UnitRefusedError("kind", f"没有「{row['kind']}」这种类别，请填：{'、'.join(UNIT_KIND_NAMES.values())}。")
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
        create_unit(session, facts, actor=actor, now=now)
        return "new"
    if all(getattr(unit, name) == getattr(facts, name) for name in facts.__slots__):
        return "unchanged"
    edit_unit(session, unit, facts, actor=actor, now=now)
    return "changed"


def _id_of(session: Session, code: str, field: str) -> int | None:
    if not code:
        return None
    unit_id = session.scalar(select(Unit.id).where(Unit.code == code))
    if unit_id is None:
        raise UnitRefusedError(field, f"没有编码为「{code}」的上级单位，请核对。")
    return unit_id
