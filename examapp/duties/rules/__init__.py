"""What a list may do in which state, how far an item has come, and what the office's words for it are; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

KeyDays = Mapping[tuple[int, int], str]
"""Names of key dates by month and day."""
SOON = timedelta(days=30)
"""How long before its due date an item counts as coming up."""


class ListState(StrEnum):
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


LIST_STATE_NAMES = {ListState.DRAFT: "编制中", ListState.PROPOSED: "待审核", ListState.PUBLISHED: "已公布"}
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
"""Names of the days of every year on which law is taught, by month and day: those that the house comes with; the office keeps them."""


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
"""The plan periods that the house comes with; the office adds to them or corrects them."""


def period_of(year: int, periods: Iterable[PlanPeriod]) -> PlanPeriod | None:
    """Find the plan period that a year lies in."""
    return next((period for period in periods if period.first_year <= year <= period.last_year), None)


def key_day_name(day: date | None, names: KeyDays) -> str:
    """Write a key day with its name: `12月4日 国家宪法日`; empty without a day."""
    return "" if day is None else key_day_words(day.month, day.day, names.get((day.month, day.day), ""))


def key_day_words(month: int, day: int, name: str) -> str:
    """Write a day of every year with its name, if it has one."""
    return f"{month}月{day}日 {name}".strip()


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


def lacks_of(items: Sequence[tuple[int, str, str]]) -> list[str]:
    """Say what a list needs before it may be proposed; items as number, responsible person, due date (empty where missing)."""
    if not items:
        return ["清单还没有事项，请先添加。"]
    nobody = [str(number) for number, person, _ in items if not person]
    undated = [str(number) for number, _, due in items if not due]
    lacks = []
    if nobody:
        lacks.append(f"第 {'、'.join(nobody)} 项没有责任人，请填写。")
    if undated:
        lacks.append(f"第 {'、'.join(undated)} 项没有完成时限，请填写。")
    return lacks


_BETWEEN_NAMES = re.compile(r"[、，,；;/\s]+")
_WITH_NUMBER = re.compile(r"(.+?)[（(]([^（）()]+)[）)]")


def names_in(text: str) -> list[tuple[str, str]]:
    """Read who answers from the words of a list, `张三、李四（P0102）`: names, each with a staff number or none."""
    found = []
    for part in filter(None, _BETWEEN_NAMES.split(text)):
        match = _WITH_NUMBER.fullmatch(part)
        found.append((match[1], match[2]) if match else (part, ""))
    return found


def is_named(text: str, name: str, staff_number: str) -> bool:
    """Tell whether the words name a person: by name, and by staff number where one stands beside it."""
    return any(found == name and number in {"", staff_number} for found, number in names_in(text))
