"""The roster file: which heads mean which field, and what a row says, with its faults in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from examapp.documents.tables import Grid, GridHeader, cell_text, find_head
from examapp.organisation.accounts.rules import clean_login_name
from examapp.organisation.people.rules import (
    find_id_number_issue,
    find_mobile_issue,
    normalise_id_number,
    normalise_mobile,
)

HEAD_ALIASES: dict[str, tuple[str, ...]] = {
    "staff_number": (
        "工号", "人员编号", "职工号", "职工编号", "员工编号", "员工号", "人员编码", "干部编号", "登录名", "账号", "用户名", "工作证号",
    ),
    "name": ("姓名", "人员姓名", "名字", "职工姓名", "考生姓名"),
    "unit_code": ("单位编码", "单位代码", "单位编号", "机构编码", "部门编码"),
    "unit_name": (
        "单位", "单位名称", "所在单位", "工作单位", "所属单位", "单位全称", "部门", "部门名称", "所在部门", "所属部门", "机构名称",
    ),
    "position": ("职务", "现任职务", "岗位", "职务名称", "担任职务"),
    "rank": ("职级", "现任职级", "职务层次", "级别", "职级层次"),
    "id_number": ("身份证号", "身份证号码", "身份证", "公民身份号码", "居民身份证号", "证件号码", "证件号"),
    "mobile": ("手机号", "手机号码", "手机", "联系电话", "电话", "联系方式", "移动电话", "电话号码"),
}  # fmt: skip
_TOTAL = re.compile(r"(?:合|总|小|共)\s*计")
"""How a row of totals begins, which is nobody's."""
_MAX_LENGTH = {"staff_number": 32, "name": 60, "unit_code": 32, "unit_name": 100, "position": 60, "rank": 30}
FIELD_NAMES = {
    "staff_number": "工号",
    "name": "姓名",
    "unit_code": "单位编码",
    "unit_name": "单位",
    "position": "职务",
    "rank": "职级",
    "id_number": "身份证号",
    "mobile": "手机号",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIssue:
    """Why a row cannot be taken over: the column's head as written in the file, and the reason with what to do."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFileRow:
    """A row of a roster file: where it stands (index of sheet and row from 0), what it says, what is wrong with it alone."""

    sheet: int
    at: int
    head_at: int
    labels: Mapping[str, str]
    staff_number: str
    name: str
    unit_code: str
    unit_name: str
    position: str
    rank: str
    id_number: str
    mobile: str
    issues: tuple[RowIssue, ...]

    @property
    def line(self) -> int:
        """The row's number as Excel counts."""
        return self.at + 1

    def issue(self, field: str, reason: str) -> RowIssue:
        """Make a fault of one of this row's columns."""
        return RowIssue(column=self.labels.get(field, FIELD_NAMES[field]), reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFile:
    """A roster file as read: its grids, its rows in order, and remarks on what was left aside."""

    grids: tuple[Grid, ...]
    rows: tuple[RosterFileRow, ...]
    remarks: tuple[str, ...]
    has_units: bool


def read_roster(grids: Sequence[Grid]) -> RosterFile | None:
    """Read the rows of all visible sheets that have a roster's head; None where no sheet has."""
    rows: list[RosterFileRow] = []
    remarks: list[str] = []
    found, has_units = False, False
    for number, grid in enumerate(grids):
        head = find_head(grid.rows, HEAD_ALIASES)
        if head is None or "name" not in head.columns or not {"staff_number", "id_number"} & head.columns.keys():
            if any(any(cell_text(cell) for cell in row) for row in grid.rows):
                remarks.append(f"工作表“{grid.name}”里没有同时写着姓名和工号（或身份证号）的表头，没有读取。")
            continue
        if grid.is_hidden:
            remarks.append(f"工作表“{grid.name}”是隐藏的，没有读取。如需导入，请取消隐藏后重新上传。")
            continue
        found = True
        has_units = has_units or bool({"unit_code", "unit_name"} & head.columns.keys())
        rows += _rows_of(number, grid, head)
    if not found:
        return None
    return RosterFile(grids=tuple(grids), rows=tuple(rows), remarks=tuple(remarks), has_units=has_units)


def _rows_of(number: int, grid: Grid, head: GridHeader) -> list[RosterFileRow]:
    rows = []
    for at in range(head.at + 1, len(grid.rows)):
        cells = {
            field: cell_text(grid.rows[at][column]) if column < len(grid.rows[at]) else ""
            for field, column in head.columns.items()
        }
        is_total = any(_TOTAL.match(cells.get(field, "")) for field in ("name", "staff_number")) and not cells.get(
            "id_number"
        )
        if not is_total and (cells.get("name") or cells.get("staff_number") or cells.get("id_number")):
            rows.append(_row(number, at, head, cells))
    return rows


def _row(number: int, at: int, head: GridHeader, cells: Mapping[str, str]) -> RosterFileRow:
    says = {field: cells.get(field, "") for field in FIELD_NAMES}
    says["id_number"] = normalise_id_number(says["id_number"])
    says["mobile"] = normalise_mobile(says["mobile"])
    row = RosterFileRow(sheet=number, at=at, head_at=head.at, labels=head.labels, issues=(), **says)
    issues = tuple(_issues_of(row))
    return replace(row, issues=issues) if issues else row


def _issues_of(row: RosterFileRow) -> list[RowIssue]:
    issues = []
    if not row.staff_number and not row.id_number:
        issues.append(row.issue("staff_number", "没有填工号，也没有身份证号，请至少补上一项。"))
    elif "E+" in row.staff_number:
        issues.append(row.issue("staff_number", "工号已被 Excel 变成科学计数，请把该列设为“文本”格式后重新填写。"))
    elif row.staff_number and clean_login_name(row.staff_number) != row.staff_number:
        issues.append(row.issue("staff_number", "工号不能有空格和全角字符，请改正。"))
    if not row.name:
        issues.append(row.issue("name", "没有填姓名，请补上。"))
    if row.id_number and (reason := find_id_number_issue(row.id_number)):
        issues.append(row.issue("id_number", reason))
    if row.mobile and (reason := find_mobile_issue(row.mobile)):
        issues.append(row.issue("mobile", reason))
    for field, longest in _MAX_LENGTH.items():
        if len(getattr(row, field)) > longest:
            issues.append(row.issue(field, f"内容过长（最多 {longest} 字），请检查是否填错了列。"))
    return issues
