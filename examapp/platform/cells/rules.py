"""Ranges of ids: what makes the rows of many databases rows of one province."""

from __future__ import annotations

from dataclasses import dataclass

from examapp.organisation.units.rules import CELL_RANGE

MAX_CELL = 999
_MAX_NAMED = 5
SEEDED = frozenset({"exemption_reasons"})
"""Tables that migrations fill: the same few rows, with the same ids, in every database."""


@dataclass(frozen=True, slots=True)
class IdSequence:
    """The sequence behind an identity column, and the ids that the column holds; None where the table is empty."""

    table: str
    column: str
    sequence: str
    next_id: int
    lowest: int | None = None
    highest: int | None = None


def first_id(cell: int) -> int:
    """Give the first id of a cell's range; 1 for a site that is no cell."""
    return cell * CELL_RANGE + 1


def cell_of(row_id: int) -> int:
    """Give the cell in whose range an id lies; 0 for one of a site that is no cell, or of the province itself."""
    return row_id // CELL_RANGE


def list_foreign_tables(sequences: list[IdSequence], cell: int) -> list[str]:
    """List the tables that hold ids of another range, by name."""
    return sorted(
        found.table
        for found in sequences
        if found.table not in SEEDED
        and found.lowest is not None
        and found.highest is not None
        and {cell_of(found.lowest), cell_of(found.highest)} != {cell}
    )


def find_cell_issue(sequences: list[IdSequence], cell: int) -> str:
    """Say in Chinese what is wrong with the ids of a site whose setting CELL is this; empty where all lie in its range.

    Rows of other ranges are named for a cell alone: a province (0) holds those of all its cells.
    """
    wrong = [found for found in sequences if cell_of(found.next_id) != cell]
    if not wrong:
        return _name_foreign_rows(list_foreign_tables(sequences, cell), cell) if cell else ""
    if cell_of(wrong[0].next_id) == 0 and len(wrong) == len(sequences):
        return f"CELL 是 {cell}，数据库的编号还没有划到这个分区。请在空数据库上执行 flask cell begin {cell}。"
    others = sorted({cell_of(found.next_id) for found in wrong})
    return (
        f"CELL 是 {cell}，数据库的编号却在分区 {'、'.join(map(str, others))}（{len(wrong)} 张表，如 {wrong[0].table}）。"
        "请改正 CELL 或 DATABASE_URL：编号混用后，上级汇总会把两个分区的人当成一个人。"
    )


def _name_foreign_rows(tables: list[str], cell: int) -> str:
    if not tables:
        return ""
    return (
        f"CELL 是 {cell}，库里却有别的分区的数据：{name_tables(tables)}。"
        "请先不要发布考试：核对 DATABASE_URL 是否指到了别的分区的库；是误导入的，从备份恢复到导入以前，再重新导入。"
    )


def name_tables(tables: list[str]) -> str:
    """Name the first tables of a list, and how many there are where that is not all."""
    return "、".join(tables[:_MAX_NAMED]) + (f" 等 {len(tables)} 张表" if len(tables) > _MAX_NAMED else "")
