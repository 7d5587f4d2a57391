"""Where the marks of a chart stand: the participation curve, the hours of a day, the distribution of points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

from examapp.reports.rules.figures import CurvePoint

CHART_WIDTH, CHART_HEIGHT = 760, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 724, 36, 272
"""The frame of a chart's drawing, in its own units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in a chart with the words that stand at it."""

    x: int
    y: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveChart:
    """The participation curve ready to be drawn: a line, ticks, the deadline's place, and the newest point."""

    line: str
    x_ticks: list[Mark]
    y_ticks: list[Mark]
    deadline: Mark
    newest: Mark


def curve_chart(points: Sequence[CurvePoint], *, deadline_on: date, eligible: int) -> CurveChart:
    """Lay out a curve of at least one day: days to the deadline across, people up to all eligible ones upwards."""
    first, most = points[0].day, max(eligible, points[-1].total, 1)
    days = max((max(deadline_on, points[-1].day) - first).days, 1)

    def across(day: date) -> int:
        return _LEFT + (_RIGHT - _LEFT) * (day - first).days // days

    def upwards(count: int) -> int:
        return _BOTTOM - (_BOTTOM - _TOP) * count // most

    step = max(1, -(-days // 7))
    newest = points[-1]
    rate = "" if newest.rate is None else f"（{newest.rate}%）"
    return CurveChart(
        line=" ".join(f"{across(point.day)},{upwards(point.total)}" for point in points),
        x_ticks=[
            Mark(x=across(day), y=_BOTTOM, words=f"{day.month}/{day.day}")
            for day in (first + timedelta(days=offset) for offset in range(0, days + 1, step))
        ],
        y_ticks=[Mark(x=_LEFT, y=upwards(count), words=str(count)) for count in sorted({0, most // 2, most})],
        deadline=Mark(x=across(deadline_on), y=_TOP, words=f"截止 {deadline_on.month}月{deadline_on.day}日"),
        newest=Mark(x=across(newest.day), y=upwards(newest.total), words=f"{newest.total} 人{rate}"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HourChart:
    """The hand-ins of one day by the hour, cumulated, ready to be drawn."""

    line: str
    x_ticks: list[Mark]
    y_ticks: list[Mark]
    newest: Mark


def hour_chart(new_by_hour: Sequence[int]) -> HourChart:
    """Lay out the curve of one day: 24 hours across, the day's hand-ins upwards."""
    totals = list(accumulate(new_by_hour, initial=0))
    most = max(totals[-1], 1)

    def place(hour: int) -> tuple[int, int]:
        return _LEFT + (_RIGHT - _LEFT) * hour // 24, _BOTTOM - (_BOTTOM - _TOP) * totals[hour] // most

    last = max((hour + 1 for hour, new in enumerate(new_by_hour) if new), default=0)
    x, y = place(last)
    return HourChart(
        line=" ".join("{},{}".format(*place(hour)) for hour in range(25)),
        x_ticks=[Mark(x=place(hour)[0], y=_BOTTOM, words=f"{hour}时") for hour in range(0, 25, 4)],
        y_ticks=[
            Mark(x=_LEFT, y=_BOTTOM - (_BOTTOM - _TOP) * count // most, words=str(count))
            for count in sorted({0, most // 2, most})
        ],
        newest=Mark(x=x, y=y, words=f"{totals[-1]} 人"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of the distribution."""

    x: int
    y: int
    width: int
    height: int
    count: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """The score distribution ready to be drawn, with the place of the pass mark."""

    bars: list[Bar]
    base: int
    pass_mark: Mark


def bar_chart(bins: Sequence[int], *, pass_percent: Decimal) -> BarChart:
    """Lay out the ten bands, the highest as high as the frame; the pass mark stands where it cuts the scale of a hundred."""
    width, most = (_RIGHT - _LEFT) // 10, max(*bins, 1)
    bars = []
    for index, count in enumerate(bins):
        height = (_BOTTOM - _TOP - 16) * count // most
        words = f"{index * 10}–{index * 10 + 10}"
        bars.append(
            Bar(x=_LEFT + index * width, y=_BOTTOM - height, width=width - 6, height=height, count=count, words=words)
        )
    x = _LEFT - 3 + int(Decimal(width * 10) * pass_percent / 100)
    return BarChart(bars=bars, base=_BOTTOM, pass_mark=Mark(x=x, y=_TOP, words=f"合格线 {pass_percent.normalize():f}"))
