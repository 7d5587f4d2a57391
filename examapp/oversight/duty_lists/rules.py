"""What a list may do in which state, how far an item has come, and what the office's words for it are; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from examapp.documents.tables import Grid, GridHeader, UnreadableTableError, cell_text, find_head

MonthDay = tuple[int, int]
KeySpan = tuple[MonthDay, MonthDay]
"""A key date of every year: its first and its last day, the same where it is one day."""
KeyDays = Mapping[KeySpan, str]
"""Names of key dates."""
SOON = timedelta(days=30)
"""How long before its due date an item counts as coming up."""


class DutyListState(StrEnum):
    """Where a list stands between unit and office."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    PUBLISHED = "published"


class ItemKind(StrEnum):
    """Whether the office set the item for every unit, or the unit for itself."""

    COMMON = "common"
    OWN = "own"


class Progress(StrEnum):
    """How far an item has come on a day."""

    DONE = "done"
    DONE_LATE = "done_late"
    OVERDUE = "overdue"
    SOON = "soon"
    LATER = "later"
    UNDATED = "undated"


LIST_STATE_NAMES = {DutyListState.DRAFT: "草稿", DutyListState.PROPOSED: "待审核", DutyListState.PUBLISHED: "已公布"}
ITEM_KIND_NAMES = {ItemKind.COMMON: "共性", ItemKind.OWN: "个性"}
PROGRESS_NAMES = {
    Progress.DONE: "已完成",
    Progress.DONE_LATE: "逾期完成",
    Progress.OVERDUE: "已逾期",
    Progress.SOON: "即将到期",
    Progress.LATER: "未到期",
    Progress.UNDATED: "未定期限",
}
PROGRESS_STATES = {
    Progress.DONE: "state-good",
    Progress.DONE_LATE: "state-wait",
    Progress.OVERDUE: "state-bad",
    Progress.SOON: "state-wait",
    Progress.LATER: "",
    Progress.UNDATED: "",
}
"""The style that a progress is shown in, beside its words."""

SHIPPED_KEY_DAYS = {
    (1, 10): "中国人民警察节（110 宣传日）",
    (3, 8): "国际妇女节",
    (3, 15): "国际消费者权益日",
    (3, 22): "世界水日",
    (4, 7): "世界卫生日",
    (4, 15): "全民国家安全教育日",
    (4, 22): "世界地球日",
    (4, 26): "世界知识产权日",
    (5, 1): "国际劳动节",
    (5, 12): "全国防灾减灾日",
    (5, 15): "全国打击和防范经济犯罪宣传日",
    (5, 22): "国际生物多样性日",
    (6, 1): "国际儿童节",
    (6, 5): "环境日",
    (6, 9): "国际档案日",
    (6, 16): "安全宣传咨询日",
    (6, 25): "全国土地日",
    (6, 26): "国际禁毒日",
    (8, 15): "全国生态日",
    (9, 5): "中华慈善日",
    (9, 10): "教师节",
    (9, 30): "烈士纪念日",
    (10, 16): "世界粮食日",
    (11, 9): "全国消防日",
    (11, 25): "国际消除对妇女的暴力日",
    (12, 2): "全国交通安全日",
    (12, 3): "国际残疾人日",
    (12, 4): "国家宪法日",
}
"""Names of the days of every year on which law is taught, by month and day: those that the application comes with; the office keeps them."""

SHIPPED_KEY_SPANS: dict[KeySpan, str] = {
    ((5, 1), (5, 31)): "民法典宣传月",
    ((6, 1), (6, 30)): "安全生产月",
    ((12, 1), (12, 7)): "宪法宣传周",
}
"""Names of the weeks and months that it comes with."""


SHIPPED_DUTIES = (
    ("学习宣传习近平法治思想", "国家工作人员", "党组理论学习中心组", (6, 30), None),
    ("宪法", "国家工作人员、群众", "宪法宣传周", (12, 4), (12, 4)),
    ("国家安全法", "国家工作人员、群众", "集中宣传", (4, 30), (4, 15)),
    ("民法典", "群众", "民法典宣传月", (5, 31), None),
    ("法治宣传教育法", "国家工作人员", "专题讲座", (10, 31), None),
    ("行政复议法", "执法人员", "以案释法", (9, 30), None),
)
"""Content, audience, carrier, month and day when it is due, and of its key day, of a common list to begin with."""
SHIPPED_MEASURES, SHIPPED_STANDARD = "组织学习，开展宣传，做好记录。", "全年不少于一次，覆盖本单位全体人员。"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPeriod:
    """A five-year plan of legal education: its name, first and last year."""

    name: str
    first_year: int
    last_year: int


SHIPPED_PERIODS = (
    PlanPeriod(name="八五", first_year=2021, last_year=2025),
    PlanPeriod(name="九五", first_year=2026, last_year=2030),
)
"""The plan periods that the application comes with; the office adds to them or corrects them."""


def period_of(year: int, periods: Iterable[PlanPeriod]) -> PlanPeriod | None:
    """Find the plan period that a year lies in."""
    return next((period for period in periods if period.first_year <= year <= period.last_year), None)


def key_day_name(day: date | None, names: KeyDays) -> str:
    """Write a key day with its name: `12月4日 国家宪法日`; empty without a day."""
    return "" if day is None else f"{day.month}月{day.day}日 {names.get(key_span_of(day, names), '')}".strip()


def key_span_of(day: date, names: KeyDays) -> KeySpan:
    """Find the key date that a day belongs to: its own, else the shortest one around it, else the day by itself."""
    own = (day.month, day.day)
    around = [(first, last) for first, last in names if first <= own <= last]
    return min(around, key=_length, default=(own, own))


def _length(span: KeySpan) -> int:
    """Count the days of a key date, all months taken as 31 days: enough to compare."""
    (month, day), (last_month, last_day) = span
    return (last_month - month) * 31 + last_day - day


def key_span_label(span: KeySpan) -> str:
    """Write the days of a key date: `12月4日`, `5月1日至31日`, `6月25日至7月5日`."""
    (month, day), (last_month, last_day) = span
    last = "" if span[0] == span[1] else f"至{last_day}日" if month == last_month else f"至{last_month}月{last_day}日"
    return f"{month}月{day}日{last}"


def progress_of(due_on: date | None, first_done_on: date | None, *, today: date) -> Progress:
    """Tell how far an item has come: done by its first record; what is due today is not yet overdue."""
    if first_done_on is not None:
        is_late = due_on is not None and first_done_on > due_on
        return Progress.DONE_LATE if is_late else Progress.DONE
    if due_on is None:
        return Progress.UNDATED
    if due_on < today:
        return Progress.OVERDUE
    return Progress.SOON if due_on - today <= SOON else Progress.LATER


def missing_fields(items: Sequence[tuple[int, str, str]]) -> list[str]:
    """Say what a list needs before it may be proposed; items as number, responsible person, due date (empty where missing)."""
    if not items:
        return ["清单还没有事项，请先添加。"]
    nobody = [str(number) for number, person, _ in items if not person]
    undated = [str(number) for number, _, due in items if not due]
    missing = []
    if nobody:
        missing.append(f"第 {'、'.join(nobody)} 项没有责任人，请填写。")
    if undated:
        missing.append(f"第 {'、'.join(undated)} 项没有完成时限，请填写。")
    return missing


_BETWEEN_NAMES = re.compile(r"[、，,；;/\s]+")
_WITH_NUMBER = re.compile(r"(.+?)[（(]([^（）()]+)[）)]")


def names_in(text: str) -> list[tuple[str, str]]:
    """Read who answers from the words of a list, `张三、李四（P0102）`: names, each with a staff number or none."""
    found = []
    for part in filter(None, _BETWEEN_NAMES.split(text)):
        match = _WITH_NUMBER.fullmatch(part)
        found.append((match[1], match[2]) if match else (part, ""))
    return found


def names_only(text: str) -> str:
    """Write who answers without staff numbers, which are login names: `张三、李四`."""
    return "、".join(name for name, _ in names_in(text))


def is_named(text: str, name: str, staff_number: str) -> bool:
    """Tell whether the words name a person: by name, and by staff number where one stands beside it."""
    return any(found == name and number in {"", staff_number} for found, number in names_in(text))


LABELS = {
    "number": "序号",
    "content": "内容清单",
    "leader": "责任领导",
    "person": "责任人",
    "department": "责任科室",
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
    "department": ("责任科室", "责任处室", "责任股室", "责任部门"),
    "audience": ("普法对象", "宣传对象"),
    "carrier": ("学习宣传载体", "宣传载体", "载体"),
    "measures": ("方式措施", "普法措施", "具体措施", "措施"),
    "standard": ("标准清单", "普法标准", "标准"),
    "key_on": ("重要时间节点", "时间节点"),
    "due_on": ("完成时限", "完成时间"),
}
MAX_ROWS = 500
_MAX = {
    "content": 300,
    "audience": 300,
    "carrier": 300,
    "measures": 2000,
    "standard": 2000,
    "leader": 60,
    "person": 60,
}
_MAX_OTHER = 60
_DAYS = ("key_on", "due_on")
_DAY = re.compile(r"(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?(?: 00:00:00)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyTableRow:
    """A row that can stand: its line in the file, and the fields that the file has columns for."""

    line: int
    text: dict[str, str]
    days: dict[str, date | None]

    @property
    def content(self) -> str:
        """The law or theme."""
        return self.text["content"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a row, and what to do."""

    line: int
    column: str
    reason: str


@dataclass(slots=True, kw_only=True)
class TableReading:
    """What a file says."""

    rows: list[DutyTableRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_table(grids: Sequence[Grid], *, year: int) -> TableReading:
    """Read the items of a list for a year from the first sheet with its heads; raises UnreadableTableError without one."""
    for grid in grids:
        head = None if grid.is_hidden else _head_of(grid)
        if head is not None:
            return _read_rows(grid, head, year)
    raise UnreadableTableError("没有找到表头“内容清单”。请下载本页导出的表格，照它的表头填写后再上传。")


def _head_of(grid: Grid) -> GridHeader | None:
    """Find the lower head row, and take from the row above what it leaves open: cells merged over both rows."""
    head = find_head(grid.rows, ALIASES)
    if head is None:
        return None
    above = _labels_in(grid.rows[head.at - 1]) if head.at else {}
    columns = {**above, **head.columns}
    return GridHeader(at=head.at, columns=columns, labels=head.labels) if "content" in columns else None


def _labels_in(row: Sequence[object]) -> dict[str, int]:
    labels = [cell_text(cell) for cell in row]
    return {name: labels.index(label) for name, label in LABELS.items() if label in labels}


def _read_rows(grid: Grid, head: GridHeader, year: int) -> TableReading:
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
    if len(seen) > MAX_ROWS:
        raise UnreadableTableError(f"一份清单最多 {MAX_ROWS} 项。请合并事项，或核对是否选错了文件。")
    return reading


def _lines(grid: Grid, head: GridHeader) -> Iterator[tuple[int, dict[str, str]]]:
    """Give rows with something in them beside their number: headings within the table, `一、共性清单`, stand in that column alone."""
    for line, row in enumerate(grid.rows[head.at + 1 :], head.at + 2):
        cells = {name: cell_text(row[at]) if at < len(row) else "" for name, at in head.columns.items()}
        if any(text for name, text in cells.items() if name != "number"):
            yield line, cells


def _read_row(line: int, cells: dict[str, str], year: int, reading: TableReading) -> DutyTableRow | None:
    wording = {name: text for name, text in cells.items() if name not in {"number", *_DAYS}}
    days: dict[str, date | None] = {}
    found = list(_problems_of_text(line, wording))
    for name in _DAYS:
        if name not in cells:
            continue
        day, reason = read_day(cells[name], year=year)
        days[name] = day
        if reason:
            found.append(Problem(line=line, column=LABELS[name], reason=reason))
    reading.problems += found
    return None if found else DutyTableRow(line=line, text=wording, days=days)


def _problems_of_text(line: int, wording: dict[str, str]) -> Iterator[Problem]:
    if not wording["content"]:
        yield Problem(
            line=line, column=LABELS["content"], reason="没有填写法律法规或主题，请填写；不需要的行请整行删除。"
        )
    for name, text in wording.items():
        limit = _MAX.get(name, _MAX_OTHER)
        if len(text) > limit:
            yield Problem(line=line, column=LABELS[name], reason=f"有 {len(text)} 字，最多 {limit} 字，请精简。")


def read_day(text: str, *, year: int) -> tuple[date | None, str]:
    """Read a day as people write it, `2026-12-04`, `2026年12月4日`, `12月4日`; gives the day, or a reason."""
    bare = text.strip()
    if not bare:
        return None, ""
    match = _DAY.match(bare)
    if match is None:
        return None, f"“{bare[:20]}”不是日期，请写成 {year}-12-04 的样子。"
    try:
        day = date(int(match[1] or year), int(match[2]), int(match[3]))
    except ValueError:
        return None, f"“{bare[:20]}”没有这一天，请核对。"
    return (day, "") if day.year == year else (None, f"应在 {year} 年内，请改正。")
