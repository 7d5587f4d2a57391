"""Files of results from other platforms: what their sealed bytes are bound to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from examapp.documents.tables import Grid, cell_text, find_head
from examapp.organisation.people.rules import normalise_id_number
from examapp.organisation.roster_imports.rules import HEAD_ALIASES
from examapp.points import round_points

AUDIT_ACTS = {
    "external_results.approve": "计入其他平台成绩",
    "external_results.undo": "撤销其他平台成绩",
    "external_results.upload": "上传其他平台成绩",
}
AUDIT_OBJECTS = {"result_import": "其他平台成绩导入"}


def result_file_binding(import_id: int) -> str:
    """Name the row that a file is sealed for."""
    return f"result_import:{import_id}:file"


RESULT_ALIASES: dict[str, tuple[str, ...]] = {
    **{name: HEAD_ALIASES[name] for name in ("staff_number", "name", "unit_name", "id_number")},
    "points": (
        "成绩",
        "分数",
        "得分",
        "考试成绩",
        "考试分数",
        "考试得分",
        "总分",
        "总成绩",
        "最终成绩",
        "最高分",
        "最好成绩",
    ),
}
"""Heads that platforms write, by field."""
_ABSENT = frozenset(
    {"", "缺考", "未考", "未参加", "未参考", "未作答", "免考", "缓考", "弃考", "-", "–", "—", "/", "无"}
)
_POINTS = re.compile(r"\d{1,4}(\.\d+)?")
_MAX_LENGTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """A row of the file; `points` None for who was absent, `issue` what is wrong with it alone."""

    line: int
    name: str
    unit_name: str
    staff_number: str
    id_number: str
    points: Decimal | None
    issue: str = ""


def read_results(grids: Sequence[Grid], *, possible: Decimal) -> tuple[list[ResultRow], list[str]] | None:
    """Read all visible sheets that have a head with name and points; gives the rows and remarks, None where no sheet has."""
    rows: list[ResultRow] = []
    remarks: list[str] = []
    is_found = False
    for grid in grids:
        head = find_head(grid.rows, RESULT_ALIASES)
        if head is None or not {"name", "points"} <= head.columns.keys():
            if any(any(cell_text(cell) for cell in row) for row in grid.rows):
                remarks.append(f"工作表“{grid.name}”里没有同时写着姓名和成绩的表头，没有读取。")
            continue
        if grid.is_hidden:
            remarks.append(f"工作表“{grid.name}”是隐藏的，没有读取。如需导入，请取消隐藏后重新上传。")
            continue
        is_found = True
        for at in range(head.at + 1, len(grid.rows)):
            cells = grid.rows[at]
            says = {name: cell_text(cells[n]).strip() if n < len(cells) else "" for name, n in head.columns.items()}
            if says.get("name") or says.get("staff_number") or says.get("id_number"):
                rows.append(_row(at + 1, says, possible))
    return (rows, remarks) if is_found else None


def _row(line: int, says: Mapping[str, str], possible: Decimal) -> ResultRow:
    points, issue = _points(says.get("points", ""), possible)
    if not says.get("name"):
        issue = issue or "没有姓名，请补上。"
    return ResultRow(
        line=line,
        name="".join(says.get("name", "").split())[:_MAX_LENGTH],
        unit_name=says.get("unit_name", "")[:_MAX_LENGTH],
        staff_number=says.get("staff_number", "")[:_MAX_LENGTH],
        id_number=normalise_id_number(says.get("id_number", ""))[:_MAX_LENGTH],
        points=points,
        issue=issue,
    )


def _points(text: str, possible: Decimal) -> tuple[Decimal | None, str]:
    """Read points, half-up to two places; a word for absence gives none, anything else a fault."""
    bare = text.removesuffix("分").strip()
    if bare in _ABSENT:
        return None, ""
    try:
        points = round_points(Decimal(bare)) if _POINTS.fullmatch(bare) else None
    except InvalidOperation:
        points = None
    if points is None:
        return None, f"成绩“{text[:20]}”不是分数，请改正后重新上传。"
    if points > possible:
        return None, f"成绩 {points} 超过满分 {possible}，请核对满分和成绩。"
    return points, ""
