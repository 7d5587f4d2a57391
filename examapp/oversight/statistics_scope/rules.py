"""Whom of a roster a table, a list or a file is filtered to: by value, in words, and as a line of the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

from examapp.oversight.statistics_definitions.rules import CurvePoint

GROUP_NAMES = {
    "roster": "名册人员",
    "exempt": "免考人员",
    "deferred": "缓考人员",
    "eligible": "应考人员",
    "participated": "参考人员",
    "absent": "未参考人员",
    "not_started": "未开始",
    "in_progress": "已开始未交卷",
    "failed": "不合格",
    "passed": "合格人员（含良好、优秀）",
    "excellent": "优秀",
    "good": "良好",
    "passed_only": "合格（不含良好、优秀）",
    "ungraded": "正在评分",
    "excused_sat": "免考、缓考而参加了考试",
}
"""Groups of people that a table's numbers lead to; `Counts` has each under its name."""
LIST_GROUPS = {
    "scores": frozenset(GROUP_NAMES) - {"roster"},
    "absent": frozenset({"not_started", "in_progress"}),
}
"""Which groups a list of people can be filtered to; every other content has its own people."""


MAX_WORD = 50
"""Characters of a rank or a position that is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFilter:
    """What is asked of people besides their unit; empty for everybody. A name that is searched for is no part of it: it goes into no ledger."""

    group: str = ""
    """A key of `GROUP_NAMES`."""
    rank: str = ""
    position: str = ""
    since: date | None = None
    """Only what was handed in from this day on counts."""
    until: date | None = None
    """… up to and with this day."""

    @classmethod
    def of_json(cls, kept: Mapping[str, str]) -> ReportFilter:
        """Read what `as_json` wrote."""
        since, until = (date.fromisoformat(kept[name]) if name in kept else None for name in ("since", "until"))
        group, rank, position = (kept.get(name, "") for name in ("group", "rank", "position"))
        return cls(group=group, rank=rank, position=position, since=since, until=until)

    def as_json(self) -> dict[str, str]:
        """Write down what is asked, leaving out what is not."""
        return {name: str(value) for name, value in asdict(self).items() if value}

    def of_content(self, content: str) -> ReportFilter:
        """Leave out a group that a content cannot be filtered to."""
        return self if self.group in LIST_GROUPS.get(content, ()) else replace(self, group="")

    @property
    def text(self) -> str:
        """Say it as it stands above a table; empty for everybody."""
        people = [f"{what}为“{word}”" for what, word in (("职级", self.rank), ("职务", self.position)) if word]
        days = [f" {day} {end}" for day, end in ((self.since, "起"), (self.until, "止")) if day]
        parts = (
            f"只统计{'、'.join(people)}的人员" if people else "",
            f"只计{''.join(days)}交卷的，其余应考人员列为未参考" if days else "",
            f"只列{GROUP_NAMES[self.group]}" if self.group else "",
        )
        return "；".join(part for part in parts if part)


NO_FILTER = ReportFilter()


CHART_WIDTH, CHART_HEIGHT = 760, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 724, 36, 272
"""The frame of a chart's drawing, in its own units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in a chart with the words that stand at it."""

    x: int
    y: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveChart:
    """The participation curve ready to be drawn: a line, ticks, the deadline's place, and the newest point."""

    line: str
    x_ticks: list[Mark]
    y_ticks: list[Mark]
    deadline: Mark
    newest: Mark


def curve_chart(points: Sequence[CurvePoint], *, deadline_on: date, eligible: int) -> CurveChart:
    """Lay out a curve of at least one day: days to the deadline across, people up to all eligible ones upwards.

    An exam of one day begins with nobody the day before, so that there is a line and the deadline stands at the right.
    """
    first, limit = min(points[0].day, deadline_on - timedelta(days=1)), max(eligible, points[-1].total, 1)
    days = max((max(deadline_on, points[-1].day) - first).days, 1)

    def across(day: date) -> int:
        return _LEFT + (_RIGHT - _LEFT) * (day - first).days // days

    def upwards(count: int) -> int:
        return _BOTTOM - (_BOTTOM - _TOP) * count // limit

    step = max(1, -(-days // 7))
    newest = points[-1]
    rate = "" if newest.rate is None else f"（{newest.rate}%）"
    return CurveChart(
        line=" ".join(
            [f"{_LEFT},{_BOTTOM}"] * (points[0].day > first)
            + [f"{across(point.day)},{upwards(point.total)}" for point in points]
        ),
        x_ticks=[
            Mark(x=across(day), y=_BOTTOM, text=f"{day.month}/{day.day}")
            for day in (first + timedelta(days=offset) for offset in range(0, days + 1, step))
        ],
        y_ticks=[Mark(x=_LEFT, y=upwards(count), text=str(count)) for count in sorted({0, limit // 2, limit})],
        deadline=Mark(x=across(deadline_on), y=_TOP, text=f"截止 {deadline_on.month}月{deadline_on.day}日"),
        newest=Mark(x=across(newest.day), y=upwards(newest.total), text=f"{newest.total} 人{rate}"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HourChart:
    """The hand-ins of one day by the hour, cumulated, ready to be drawn."""

    line: str
    x_ticks: list[Mark]
    y_ticks: list[Mark]
    newest: Mark


def hour_chart(new_by_hour: Sequence[int], *, until: int = 24) -> HourChart:
    """Lay out the curve of one day: 24 hours across, the day's hand-ins upwards, drawn as far as the hour `until` that has begun."""
    totals = list(accumulate(new_by_hour, initial=0))
    limit = max(totals[-1], 1)

    def place(hour: int) -> tuple[int, int]:
        return _LEFT + (_RIGHT - _LEFT) * hour // 24, _BOTTOM - (_BOTTOM - _TOP) * totals[hour] // limit

    last = max((hour + 1 for hour, new in enumerate(new_by_hour) if new), default=0)
    x, y = place(last)
    return HourChart(
        line=" ".join("{},{}".format(*place(hour)) for hour in range(until + 1)),
        x_ticks=[Mark(x=place(hour)[0], y=_BOTTOM, text=f"{hour}时") for hour in range(0, 25, 4)],
        y_ticks=[
            Mark(x=_LEFT, y=_BOTTOM - (_BOTTOM - _TOP) * count // limit, text=str(count))
            for count in sorted({0, limit // 2, limit})
        ],
        newest=Mark(x=x, y=y, text=f"{totals[-1]} 人"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of the distribution."""

    x: int
    y: int
    width: int
    height: int
    count: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """The score distribution ready to be drawn, with the place of the pass mark."""

    bars: list[Bar]
    base: int
    pass_mark: Mark


def bar_chart(bins: Sequence[int], *, pass_percent: Decimal) -> BarChart:
    """Lay out the ten bands, the highest as high as the frame; the pass mark stands where it cuts the scale of a hundred."""
    width, limit = (_RIGHT - _LEFT) // 10, max(*bins, 1)
    bars = []
    for index, count in enumerate(bins):
        height = (_BOTTOM - _TOP - 16) * count // limit
        text = f"{index * 10}–{index * 10 + 10}"
        bars.append(
            Bar(x=_LEFT + index * width, y=_BOTTOM - height, width=width - 6, height=height, count=count, text=text)
        )
    x = _LEFT - 3 + int(Decimal(width * 10) * pass_percent / 100)
    return BarChart(bars=bars, base=_BOTTOM, pass_mark=Mark(x=x, y=_TOP, text=f"合格线 {pass_percent.normalize():f}"))
