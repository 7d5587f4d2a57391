"""How a unit is judged: score tables, points from rates, several reviewers, bands, and which act fits which state; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from examapp.oversight.study_progress.rules import DEFINITIONS as STUDY_DEFINITIONS
from examapp.points import mean, percentage, round_points

HUNDRED = Decimal(100)
STUDY_GROUPS_A_YEAR, EVENTS_A_YEAR = 4, 4
"""How many events of a year are all that is asked of a unit."""
COUNTED_KINDS = {"study_group": ("study_group",), "events": ("outreach", "case", "culture")}
"""The kinds of events that an indicator counts."""
ZERO = Decimal(0)


class AssessmentState(StrEnum):
    """Whether the office still designs the score table, or the units have it."""

    DRAFT = "draft"
    OPEN = "open"


class SheetState(StrEnum):
    """Where a unit's score sheet stands."""

    SELF = "self"
    SUBMITTED = "submitted"
    FED_BACK = "fed_back"
    APPEALED = "appealed"
    SEALED = "sealed"


class Indicator(StrEnum):
    """What an item's points follow from by themselves."""

    NONE = ""
    PARTICIPATION = "participation"
    PASS = "pass"  # noqa: S105 – a rate of passes, no password
    STUDY = "study"
    ON_TIME = "on_time"
    VOTE = "vote"
    STUDY_GROUP = "study_group"
    EVENTS = "events"


class Opinion(StrEnum):
    """What a voter says of a unit."""

    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"


ASSESSMENT_STATE_NAMES = {AssessmentState.DRAFT: "草稿", AssessmentState.OPEN: "考核中"}
SHEET_STATE_NAMES = {
    SheetState.SELF: "待自评",
    SheetState.SUBMITTED: "待评审",
    SheetState.FED_BACK: "已反馈",
    SheetState.APPEALED: "申诉待复核",
    SheetState.SEALED: "已封存",
}
SHEET_STATE_STYLES = {
    SheetState.SELF: "",
    SheetState.SUBMITTED: "state-wait",
    SheetState.FED_BACK: "state-good",
    SheetState.APPEALED: "state-wait",
    SheetState.SEALED: "state-good",
}
INDICATOR_NAMES = {
    Indicator.NONE: "由评审打分",
    Indicator.PARTICIPATION: "参考率",
    Indicator.PASS: "合格率",
    Indicator.STUDY: "参学率",
    Indicator.ON_TIME: "事项按期完成率",
    Indicator.VOTE: "社会评议满意度",
    Indicator.STUDY_GROUP: "中心组学法完成率",
    Indicator.EVENTS: "普法活动完成率",
}
INDICATOR_DEFINITIONS = {
    Indicator.PARTICIPATION: "参考率＝参考÷应考，取所选考试含补考的成绩；名册已冻结的，按冻结时的人员和单位统计。",
    Indicator.PASS: "合格率＝合格÷参考，取所选考试含补考的成绩。",
    Indicator.STUDY: f"参学率＝参学÷应学，不计学习时长。{STUDY_DEFINITIONS[0]}{STUDY_DEFINITIONS[1]}",
    Indicator.ON_TIME: "事项按期完成率＝按期完成的事项÷（已完成和已逾期的事项），未到期且未完成的不计。",
    Indicator.VOTE: "满意度＝（满意票＋基本满意票×0.6）÷总票数。",
    Indicator.STUDY_GROUP: f"中心组学法完成率＝本年已办结的中心组学习场次÷{STUDY_GROUPS_A_YEAR}，最高 100%，含下级单位。",
    Indicator.EVENTS: f"普法活动完成率＝本年已办结的宣讲、以案释法、法治文化活动场次÷{EVENTS_A_YEAR}，最高 100%，含下级单位。",
}
OPINION_NAMES = {Opinion.GOOD: "满意", Opinion.FAIR: "基本满意", Opinion.BAD: "不满意"}
_OPINION_WEIGHTS = {Opinion.GOOD: HUNDRED, Opinion.FAIR: Decimal(60), Opinion.BAD: ZERO}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentBand:
    """A grade of the whole sheet: its name, and from how many per cent of the table's points it is given."""

    name: str
    minimum: Decimal


SHIPPED_BANDS = (
    AssessmentBand(name="优秀", minimum=Decimal(90)),
    AssessmentBand(name="良好", minimum=Decimal(80)),
    AssessmentBand(name="合格", minimum=Decimal(60)),
    AssessmentBand(name="不合格", minimum=ZERO),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableItem:
    """An item of a score table: section (考核项目), content, points, standard, and what fills it by itself."""

    section: str
    content: str
    points: Decimal
    standard: str = ""
    indicator: Indicator = Indicator.NONE
    full_from: Decimal = HUNDRED
    """The rate in per cent from which on full points are given; below it in proportion."""


SHIPPED_TABLE = (
    TableItem(
        section="组织领导",
        content="普法责任落实",
        points=Decimal(10),
        standard="明确分管领导、责任科室和责任人，年初制定并公布普法责任清单，缺一项扣 3 分。",
    ),
    TableItem(
        section="组织领导",
        content="领导干部带头学法",
        points=Decimal(10),
        standard="党组（党委）会前学法全年不少于 4 次，每少一次扣 2 分；主要负责人述法的得 2 分。",
    ),
    TableItem(
        section="学法用法",
        content="课程学习",
        points=Decimal(10),
        standard="按参学率计分，达到 95% 得满分。",
        indicator=Indicator.STUDY,
        full_from=Decimal(95),
    ),
    TableItem(
        section="学法用法",
        content="年度考试参考",
        points=Decimal(15),
        standard="按参考率计分，达到 98% 得满分。",
        indicator=Indicator.PARTICIPATION,
        full_from=Decimal(98),
    ),
    TableItem(
        section="学法用法",
        content="年度考试合格",
        points=Decimal(15),
        standard="按合格率计分，达到 95% 得满分。",
        indicator=Indicator.PASS,
        full_from=Decimal(95),
    ),
    TableItem(
        section="普法履职",
        content="责任清单事项按期完成",
        points=Decimal(20),
        standard="按事项按期完成率计分，全部按期完成得满分。",
        indicator=Indicator.ON_TIME,
    ),
    TableItem(
        section="普法履职",
        content="以案释法和重要节点宣传",
        points=Decimal(10),
        standard="结合执法、服务开展以案释法，国家宪法日等节点有活动，按次数和效果计分。",
    ),
    TableItem(
        section="工作成效",
        content="依法行政和依法治理",
        points=Decimal(10),
        standard="本年度未发生因不懂法、不依法引发的责任事件得满分，每发生一件扣 5 分。",
    ),
)
"""The score table that the application comes with, 100 points; the office changes it as it likes."""


def points_of_rate(rate: Decimal | None, *, points: Decimal, full_from: Decimal) -> Decimal | None:
    """Turn a rate in per cent into points: full from `full_from` on, in proportion below; None over nothing."""
    if rate is None:
        return None
    return points if rate >= full_from else round_points(points * rate / full_from)


def mean_points(given: Sequence[Decimal]) -> Decimal | None:
    """Give the mean of what several reviewers gave, rounded half up; None while nobody has."""
    return mean(sum(given, ZERO), len(given))


def share_of_events(held: int, wanted: int) -> Decimal:
    """Give how much of what is asked for a year was held, in per cent, at most 100."""
    return percentage(min(held, wanted), wanted) or ZERO


def satisfaction(votes: dict[Opinion, int]) -> Decimal | None:
    """Give the share of satisfaction of a vote in per cent; None without a vote."""
    total = sum(votes.values())
    weighed = sum((_OPINION_WEIGHTS[opinion] * count for opinion, count in votes.items()), ZERO)
    return round_points(weighed / total) if total else None


def band_of(total: Decimal, *, possible: Decimal, bands: Iterable[AssessmentBand]) -> str:
    """Name the band of a total; the lowest one also takes what lies below its mark, none over nothing."""
    share = percentage(total, possible)
    ordered = sorted(bands, key=lambda band: band.minimum, reverse=True)
    if share is None or not ordered:
        return ""
    return next((band.name for band in ordered if share >= band.minimum), ordered[-1].name)


_BAND_LINE = re.compile(r"(\S{1,10})[\s:：,，]+(\d{1,3}(?:\.\d{1,2})?)\s*(?:%|分)?")


def read_bands(text: str) -> tuple[list[AssessmentBand], str]:
    """Read bands as people write them, one a line, `优秀 90`; gives the bands from the highest, or a reason."""
    bands: list[AssessmentBand] = []
    for line in filter(None, (raw.strip() for raw in text.splitlines())):
        match = _BAND_LINE.fullmatch(line)
        if match is None or Decimal(match[2]) > HUNDRED:
            return [], f"“{line[:20]}”看不懂，请写成“优秀 90”的样子，一行一个等次，最高 100。"
        bands.append(AssessmentBand(name=match[1], minimum=Decimal(match[2])))
    if not 2 <= len(bands) <= 8:
        return [], "请写 2 到 8 个等次，一行一个，如“优秀 90”。"
    if len({band.name for band in bands}) < len(bands) or len({band.minimum for band in bands}) < len(bands):
        return [], "等次的名称和分数线都不能重复，请改正。"
    return sorted(bands, key=lambda band: band.minimum, reverse=True), ""


def bands_text(bands: Iterable[AssessmentBand]) -> str:
    """Write bands as `read_bands` reads them."""
    return "\n".join(f"{band.name} {band.minimum.normalize():f}" for band in bands)


def read_number(text: str, *, limit: Decimal) -> tuple[Decimal | None, str]:
    """Read points from 0 to `limit` with at most two places; gives them, or a reason."""
    bare = text.strip()
    if not bare:
        return None, "请填写得分。"
    if not re.fullmatch(r"\d{1,5}(\.\d{1,2})?", bare, re.ASCII):
        return None, f"“{bare[:12]}”不是分数，请填 0 到 {limit.normalize():f} 的数，最多两位小数。"
    value = Decimal(bare)
    return (value, "") if value <= limit else (None, f"最多 {limit.normalize():f} 分，请改正。")


def days_to_appeal(last_day: date, today: date) -> int:
    """Count the days on which a unit may still appeal, today among them; 0 once they are over."""
    return max((last_day - today).days + 1, 0)


def last_appeal_day(fed_back_on: date, appeal_days: int) -> date:
    """Give the last day on which a unit may appeal, in the county's calendar."""
    return fed_back_on + timedelta(days=appeal_days)
