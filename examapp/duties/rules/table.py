"""The responsibility list as counties write it in Excel: two head rows, one row an item; read with a reason for every row that cannot stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from examapp.core.tables import Grid, Head, UnreadableTableError, cell_text, find_head

LABELS = {
    "number": "序号",
    "content": "内容清单",
    "leader": "责任领导",
    "person": "责任人",
    "department": "责任处室",
    "audience": "普法对象",
    "carrier": "学习宣传载体",
    "measures": "方式措施",
    "standard": "标准清单",
    "key_on": "重要时间节点",
    "due_on": "完成时限",
}
"""Fields in the order of the form, with the heads of a township's list of 2022; the two days are ours."""

ALIASES: Mapping[str, Sequence[str]] = {
    **{name: (label,) for name, label in LABELS.items()},
    "content": ("内容清单", "普法内容", "内容", "法律法规", "普法主题"),
    "leader": ("责任领导", "分管领导"),
    "department": ("责任处室", "责任科室", "责任股室", "责任部门"),
    "audience": ("普法对象", "宣传对象"),
    "carrier": ("学习宣传载体", "宣传载体", "载体"),
    "measures": ("方式措施", "普法措施", "具体措施", "措施"),
    "standard": ("标准清单", "普法标准", "标准"),
    "key_on": ("重要时间节点", "时间节点"),
    "due_on": ("完成时限", "完成时间"),
}
MOST_ROWS = 500
_MOST = {
    "content": 300,
    "audience": 300,
    "carrier": 300,
    "measures": 2000,
    "standard": 2000,
    "leader": 60,
    "person": 60,
}
_MOST_OTHER = 60
_DAYS = ("key_on", "due_on")
_DAY = re.compile(r"(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?(?: 00:00:00)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row that can stand: its line in the file, and the fields that the file has columns for."""

    line: int
    words: dict[str, str]
    days: dict[str, date | None]

    @property
    def content(self) -> str:
        """The law or theme."""
        return self.words["content"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a row, and what to do."""

    line: int
    column: str
    reason: str


@dataclass(slots=True, kw_only=True)
class TableReading:
    """What a file says."""

    rows: list[TableRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_table(grids: Sequence[Grid], *, year: int) -> TableReading:
    """Read the items of a list for a year from the first sheet with its heads; raises UnreadableTableError without one."""
    for grid in grids:
        head = None if grid.is_hidden else _head_of(grid)
        if head is not None:
            return _read_rows(grid, head, year)
    raise UnreadableTableError("没有找到表头「内容清单」。请下载本页导出的表格，照它的表头填写后再上传。")


def _head_of(grid: Grid) -> Head | None:
    """Find the lower head row, and take from the row above what it leaves open: cells merged over both rows."""
    head = find_head(grid.rows, ALIASES)
    if head is None:
        return None
    above = _labels_in(grid.rows[head.at - 1]) if head.at else {}
    columns = {**above, **head.columns}
    return Head(at=head.at, columns=columns, labels=head.labels) if "content" in columns else None


def _labels_in(row: Sequence[object]) -> dict[str, int]:
    labels = [cell_text(cell) for cell in row]
    return {name: labels.index(label) for name, label in LABELS.items() if label in labels}


def _read_rows(grid: Grid, head: Head, year: int) -> TableReading:
    reading, seen = TableReading(), dict[tuple[str, ...], int]()
    for line, cells in _lines(grid, head):
        row = _read_row(line, cells, year, reading)
        key = tuple(cells.get(name, "") for name in LABELS if name != "number")
        if key in seen:
            reason = f"与第 {seen[key]} 行完全相同，请删除其中一行。"
            reading.problems.append(Problem(line=line, column=LABELS["content"], reason=reason))
        elif row is not None:
            reading.rows.append(row)
        seen.setdefault(key, line)
    if not seen:
        raise UnreadableTableError("表头下面没有内容。请填写后再上传。")
    if len(seen) > MOST_ROWS:
        raise UnreadableTableError(f"一份清单最多 {MOST_ROWS} 项。请合并事项，或核对是否选错了文件。")
    return reading


def _lines(grid: Grid, head: Head) -> Iterator[tuple[int, dict[str, str]]]:
    """Give rows with something in them beside their number: headings within the table, `一、共性清单`, stand in that column alone."""
    for line, row in enumerate(grid.rows[head.at + 1 :], head.at + 2):
        cells = {name: cell_text(row[at]) if at < len(row) else "" for name, at in head.columns.items()}
        if any(text for name, text in cells.items() if name != "number"):
            yield line, cells


def _read_row(line: int, cells: dict[str, str], year: int, reading: TableReading) -> TableRow | None:
    words = {name: text for name, text in cells.items() if name not in {"number", *_DAYS}}
    days: dict[str, date | None] = {}
    found = list(_problems_of_words(line, words))
    for name in _DAYS:
        if name not in cells:
            continue
        day, reason = read_day(cells[name], year=year)
        days[name] = day
        if reason:
            found.append(Problem(line=line, column=LABELS[name], reason=reason))
    reading.problems += found
    return None if found else TableRow(line=line, words=words, days=days)


def _problems_of_words(line: int, words: dict[str, str]) -> Iterator[Problem]:
    if not words["content"]:
        yield Problem(
            line=line, column=LABELS["content"], reason="没有填写法律法规或主题，请填写；不需要的行请整行删除。"
        )
    for name, text in words.items():
        most = _MOST.get(name, _MOST_OTHER)
        if len(text) > most:
            yield Problem(line=line, column=LABELS[name], reason=f"有 {len(text)} 字，最多 {most} 字，请精简。")


def read_day(text: str, *, year: int) -> tuple[date | None, str]:
    """Read a day as people write it, `2026-12-04`, `2026年12月4日`, `12月4日`; gives the day, or a reason."""
    bare = text.strip()
    if not bare:
        return None, ""
    match = _DAY.match(bare)
    if match is None:
        return None, f"「{bare[:20]}」不是日期，请写成 {year}-12-04 的样子。"
    try:
        day = date(int(match[1] or year), int(match[2]), int(match[3]))
    except ValueError:
        return None, f"「{bare[:20]}」没有这一天，请核对。"
    return (day, "") if day.year == year else (None, f"应在 {year} 年内，请改正。")
