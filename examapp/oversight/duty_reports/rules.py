"""Heads of the reports, where one stands on a day, and what is asked of a first responsible person; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from examapp.clock import day_of

KIND_NAMES = {"leader": "述法报告", "unit": "履职报告"}
HEADS = {
    "leader": {
        "study": "学习贯彻习近平法治思想、带头学法情况",
        "decision": "落实法治建设第一责任人职责、依法决策情况",
        "enforcement": "推进依法行政、规范执法情况",
        "publicity": "落实普法责任制情况",
        "problems": "存在的问题",
        "plan": "下一步打算",
    },
    "unit": {
        "list": "普法责任清单完成情况",
        "events": "开展普法活动情况",
        "study": "组织学法用法考试情况",
        "cases": "以案释法情况",
        "problems": "存在的问题",
        "plan": "下一步打算",
    },
}
"""Heads in their order, as the notices of county offices name them."""
MAX_TEXT = 5000


class ReportState(StrEnum):
    """The life of a report."""

    OPEN = "open"
    SUBMITTED = "submitted"
    READ = "read"


class ReportStatus(StrEnum):
    """Where a report stands on a day."""

    WAITING = "waiting"
    OVERDUE = "overdue"
    SUBMITTED = "submitted"
    LATE = "late"
    READ = "read"
    CLOSED = "closed"


STATUS_NAMES = {
    ReportStatus.WAITING: "待报送",
    ReportStatus.OVERDUE: "逾期未报",
    ReportStatus.SUBMITTED: "已报送",
    ReportStatus.LATE: "逾期报送",
    ReportStatus.READ: "已审阅",
    ReportStatus.CLOSED: "单位已撤并，不用报",
}
STATUS_STYLES = {
    ReportStatus.WAITING: "state-wait",
    ReportStatus.OVERDUE: "state-bad",
    ReportStatus.SUBMITTED: "state-good",
    ReportStatus.LATE: "state-wait",
    ReportStatus.READ: "state-good",
    ReportStatus.CLOSED: "",
}
MISSING = frozenset({ReportStatus.WAITING, ReportStatus.OVERDUE})


def is_late(state: str, *, due_on: date, submitted_at: datetime | None) -> bool:
    """Tell whether a report came after its due day; that it has been read since changes nothing."""
    return state != ReportState.OPEN and submitted_at is not None and day_of(submitted_at) > due_on


def report_status(
    state: str, *, due_on: date, submitted_at: datetime | None, is_closed: bool, today: date
) -> ReportStatus:
    """Tell where a report stands: after its due day it is still taken, and named late; a closed unit owes none."""
    if state == ReportState.READ:
        return ReportStatus.READ
    if state == ReportState.SUBMITTED and submitted_at is not None:
        return ReportStatus.LATE if is_late(state, due_on=due_on, submitted_at=submitted_at) else ReportStatus.SUBMITTED
    if is_closed:
        return ReportStatus.CLOSED
    return ReportStatus.OVERDUE if today > due_on else ReportStatus.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyCheck:
    """One thing that is asked of a first responsible person, whether it is done, and by what."""

    name: str
    is_done: bool
    found: str
    href_kind: str = ""
    """Which page shows what it was counted from."""


def missing_heads(kind: str, texts: dict[str, str]) -> list[str]:
    """Name the heads under which nothing stands."""
    return [name for key, name in HEADS[kind].items() if not texts.get(key, "").strip()]
