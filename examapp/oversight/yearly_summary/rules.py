"""The sentences of the yearly report, from its figures; pure, so that page and document say the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from examapp.points import round_points

HEADS = {
    "exams": "组织学法用法考试",
    "events": "开展普法活动",
    "campaigns": "专项宣传",
    "lists": "落实普法责任清单",
    "reports": "述法",
    "assessment": "普法责任制考核",
}
OWN_HEADS = ("存在的问题", "下一步打算")
"""Heads that the office writes itself."""
TO_WRITE = "（请补充）"


def percent_text(rate: Decimal | None) -> str:
    """Write a rate; – over nothing."""
    return "–" if rate is None else f"{round_points(rate)}%"


def exam_sentence(
    title: str, *, eligible: int, participated: int, passed: int, participation: Decimal | None, passing: Decimal | None
) -> str:
    """Say how an exam went."""
    return (
        f"{title}应考 {eligible} 人，参考 {participated} 人，参考率 {percent_text(participation)}；"
        f"合格 {passed} 人，合格率 {percent_text(passing)}。"
    )


def events_sentence(kinds: Iterable[tuple[str, int]], *, events: int, present: int, outside: int) -> str:
    """Say how many events were held, of which kinds, and how many people they reached."""
    if not events:
        return "本年度没有已办结的普法活动。"
    spread = "、".join(f"{name} {count} 场" for name, count in kinds)
    return f"全年开展普法活动 {events} 场，其中{spread}；在册人员 {present} 人次，群众和服务对象 {outside} 人次。"


def campaigns_sentence(rows: Sequence[tuple[str, int, int]]) -> str:
    """Say for each campaign how many of its units did something; rows as name, units, done."""
    if not rows:
        return "本年度没有部署专项宣传。"
    return "；".join(_campaign_part(*row) for row in rows) + "。"


def _campaign_part(name: str, units: int, done: int) -> str:
    return f"{name}，{units} 个单位中 {done} 个已开展" if done else f"{name}，{units} 个单位均未登记"


def lists_sentence(*, published: int, items: int, done: int, overdue: int) -> str:
    """Say how far the lists have come."""
    return f"{published} 个单位公布普法责任清单，事项 {items} 项，已完成 {done} 项，逾期未完成 {overdue} 项。"


def reports_sentence(*, owed: int, submitted: int, late: int) -> str:
    """Say how many leaders have reported."""
    if not owed:
        return "本年度没有部署述法。"
    return f"应述法的第一责任人 {owed} 人，已述法 {submitted} 人，其中逾期 {late} 人；没有述法 {owed - submitted} 人。"


def assessment_sentence(sheets: int, bands: Mapping[str, int]) -> str:
    """Say how the assessment stands."""
    if not sheets:
        return "本年度没有开展考核。"
    done = sum(bands.values())
    spread = "、".join(f"{name or '未定等次'} {count} 个" for name, count in bands.items())
    return f"考核 {sheets} 个单位，{f'已形成结果 {done} 个：{spread}' if done else '尚未形成结果'}。"


_GAP = re.compile(r"(?<=[\u3400-\u9fff]) (?=[0-9–])|(?<=[0-9%–]) (?=[\u3400-\u9fff])")


def without_gaps(text: str) -> str:
    """Take out the spaces between figures and Chinese letters that pages have and official documents have not."""
    return _GAP.sub("", text)
