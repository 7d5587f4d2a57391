"""Rows that belong together (a case and its questions, rows on one material) put into one question."""

from __future__ import annotations

import re

from question_bank.formats.raw import RawQuestion
from question_bank.formats.tables.table import TableRow
from question_bank.model import Kind
from question_bank.parse_result import Note

_NAMED_CASE = re.compile(r"案例#\d+")


def join_cases(rows: list[TableRow]) -> list[RawQuestion]:
    """The questions of the rows: parts under their case by number, or under the case row above them."""
    parents = {row.raw.code: row for row in rows if row.raw.code and not _is_part(row)}
    found: list[RawQuestion] = []
    parts: dict[int, list[TableRow]] = {}
    above: TableRow | None = None
    for row in rows:
        if not _is_part(row):
            above = row if row.raw.kind is Kind.CASE else None
            found.append(row.raw)
            continue
        parent = parents.get(row.parent) if row.parent else above
        if parent is None or parent is row:
            row.raw.refusal = Note(row.raw.where, _orphan(row), "case_missing")
            found.append(row.raw)
            continue
        parts.setdefault(id(parent.raw), []).append(row)
    for raw in found:
        if id(raw) in parts:
            raw.parts = [row.raw for row in sorted(parts[id(raw)], key=_order)]
    for row in rows:
        row.raw.code = _own_code(row.raw.code)
    return _with_materials(rows, found)


def _is_part(row: TableRow) -> bool:
    return row.is_part or (bool(row.parent) and row.parent not in {"0", "-1", row.raw.code or ""})


def _orphan(row: TableRow) -> str:
    if row.parent:
        return f"所属的案例“{row.parent[:20]}”在同一工作表里找不到，没有导入。请补上案例题那一行，或改正编号。"
    return "这一行是案例题的小题，上面却没有案例题。请补上案例题那一行，或写明所属案例的编号。"


def _order(row: TableRow) -> tuple[int, int]:
    return (0, int(row.order[:9])) if row.order.isascii() and row.order.isdigit() else (1, 0)


def _with_materials(rows: list[TableRow], found: list[RawQuestion]) -> list[RawQuestion]:
    """Neighbouring rows on one material become a case with that material as its common text."""
    materials = {id(row.raw): row.material for row in rows if row.material and not row.raw.parts}
    if not materials:
        return found
    joined: list[RawQuestion] = []
    current = ""
    for raw in found:
        material = materials.get(id(raw), "")
        if material and material == current:
            joined[-1].parts.append(raw)
            continue
        if material:
            case = RawQuestion(raw.where, stem=material, kind=Kind.CASE, parts=[raw], neighbourhood=raw.neighbourhood)
            joined.append(case)
        else:
            joined.append(raw)
        current = material
    return joined


def _own_code(code: str | None) -> str | None:
    """The code without the place-holder that our own writer gives to a case that has none."""
    return None if code and _NAMED_CASE.fullmatch(code) else code
