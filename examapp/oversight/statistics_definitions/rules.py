"""What every figure of a unit means, and where a chart's marks stand: pure functions; screens, files and the API all take them from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from operator import add
from typing import NamedTuple

from examapp.delivery.exams.models import CountingRule
from examapp.points import mean, percentage

ZERO = Decimal("0.00")


class Scope(StrEnum):
    """Which attempts a figure stands on."""

    THIS = "this"
    FINAL = "final"


class PiiDisclosure(StrEnum):
    """Whether ID numbers and mobiles stand in a file."""

    NONE = "none"
    MASKED = "masked"
    WHOLE = "whole"


NUMBERS_NAMES = {
    PiiDisclosure.NONE: "不含身份证号、手机号",
    PiiDisclosure.MASKED: "含身份证号、手机号（隐去中间各位）",
    PiiDisclosure.WHOLE: "含完整身份证号、手机号（须有权限并填写事由）",
}
SCOPE_NAMES = {Scope.THIS: "本次考试", Scope.FINAL: "含补考"}

CONTENT_NAMES = {
    "scores": "成绩明细",
    "participation": "参考情况统计表",
    "absent": "未参考人员名单",
    "score_sheet": "成绩汇总表",
    "circular": "参考情况通报",
}
"""What may be exported."""

TEMPLATE_FORMATS = {"circular": ("docx", "pdf"), "score_sheet": ("xlsx",)}
"""Which files are made by a form that the office may change; the first one is the form's own format."""


class Moment(StrEnum):
    """When a report is made by itself."""

    MONDAY = "monday"
    CLOSE = "close"


MOMENT_NAMES = {Moment.MONDAY: "考试期间每周一早晨", Moment.CLOSE: "考试结束、评分完成后"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is made at a moment by itself."""

    moment: Moment
    content: str
    format: str
    is_on: bool = True


USUAL_SCHEDULES = (
    Plan(moment=Moment.MONDAY, content="participation", format="pdf"),
    Plan(moment=Moment.CLOSE, content="score_sheet", format="pdf"),
)
"""What holds until the office says otherwise."""

DEFINITIONS = {
    "roster": "名册人数：名册基准日（未冻结时为当前）在册、属于本考试范围的人员；每人只计一次，计入名册所在单位。",
    "exempt": "免考：已批准免考的人数。",
    "deferred": "缓考：已批准缓考的人数。",
    "eligible": "应考＝名册人数－免考－缓考。",
    "participated": "参考：应考人员中已交卷的人数（到时强制交卷计入）；不论在哪个单位作答，均计入名册所在单位。",
    "passed": "合格：参考人员中成绩达到合格线的人数，含良好和优秀。",
    "good": "良好：参考人员中成绩达到良好线、未达到优秀线的人数。",
    "excellent": "优秀：参考人员中成绩达到优秀线的人数。",
    "failed": "不合格：参考人员中成绩已评出、未达到合格线的人数。",
    "participation_rate": "参考率＝参考÷应考。",
    "pass_rate": "合格率＝合格÷参考。",
    "pass_of_eligible_rate": "通过率＝合格÷应考。",
    "excellence_rate": "优秀率＝优秀÷参考。",
    "mean_points": "平均分：只按参考人员已评出的成绩计算，缺考不按零分计入。",
    "outside": "从其他平台导入的成绩与本平台的作答一并计入，按本考试的合格线和等次线评定；取最后一次、第一次的考试，视为早于本平台的各次作答。",
    "nothing": "分母为零时写“–”。免考、缓考人员参加了考试的，不计入应考和参考，另行列出。",
}
SCOPE_DEFINITIONS = {
    Scope.THIS: "本次考试：只计这一场考试；有多次作答的，按本考试的取分规则取一次。",
    Scope.FINAL: "含补考：主考与补考合并；每场按其取分规则取一次，再取其中最好的一次。",
}


def definitions(scope: Scope) -> dict[str, str]:
    """Give the definitions of all figures of a table of this scope, by the field's name."""
    return {"scope": SCOPE_DEFINITIONS[scope], **DEFINITIONS}


class Counts(NamedTuple):
    """What is counted of the people of a unit; every other figure follows from it. Each field can be summed over units.

    A tuple, for a table over 15,000 units makes and adds as many of them.
    """

    roster: int = 0
    exempt: int = 0
    deferred: int = 0
    participated: int = 0
    passed: int = 0
    good: int = 0
    """Exactly the band 良好."""
    excellent: int = 0
    graded: int = 0
    """Of those who took part, how many have their points already."""
    in_progress: int = 0
    """Eligible, nothing handed in, but started."""
    excused_sat: int = 0
    """Exempt or deferred, and yet handed in: listed apart."""
    points_total: Decimal = ZERO

    def __add__(self, other: Counts) -> Counts:  # type: ignore[override]  # a sum, where a plain tuple would be joined
        return Counts._make(map(add, self, other))

    @property
    def eligible(self) -> int:
        """应考."""
        return self.roster - self.exempt - self.deferred

    @property
    def absent(self) -> int:
        """未考: eligible without a hand-in."""
        return self.eligible - self.participated

    @property
    def not_started(self) -> int:
        """Absent and not even started."""
        return self.absent - self.in_progress

    @property
    def failed(self) -> int:
        """Graded and below the pass mark."""
        return self.graded - self.passed

    @property
    def ungraded(self) -> int:
        """Handed in, points still to come."""
        return self.participated - self.graded

    @property
    def passed_only(self) -> int:
        """Exactly the band 合格: passed, neither good nor excellent."""
        return self.passed - self.good - self.excellent

    @property
    def participation_rate(self) -> Decimal | None:
        """参考率 in per cent."""
        return percentage(self.participated, self.eligible)

    @property
    def pass_rate(self) -> Decimal | None:
        """合格率 in per cent."""
        return percentage(self.passed, self.participated)

    @property
    def pass_of_eligible_rate(self) -> Decimal | None:
        """通过率 in per cent."""
        return percentage(self.passed, self.eligible)

    @property
    def excellence_rate(self) -> Decimal | None:
        """优秀率 in per cent."""
        return percentage(self.excellent, self.participated)

    @property
    def mean_points(self) -> Decimal | None:
        """平均分 over those who took part and have their points."""
        return mean(self.points_total, self.graded)


class UnitNode(NamedTuple):
    """A unit as it hangs in the tree that a table stands on; `parent_id` None for the table's top."""

    unit_id: int
    code: str
    name: str
    kind: str
    parent_id: int | None
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatsRow:
    """A row of the unit table: a unit with the counts of its whole subtree."""

    unit: UnitNode
    depth: int
    """0 for the table's top."""
    counts: Counts
    has_children: bool = False


def rollup(nodes: Sequence[UnitNode], counts: Mapping[int, Counts], *, depth: int) -> list[UnitStatsRow]:
    """Give the rows of a table: the top (the first node) with its whole subtree, then what is below it down to `depth`.

    Parents stand before children, siblings by code. A closed unit with nobody in it is left out.
    """
    children: dict[int, list[UnitNode]] = {}
    for node in nodes[1:]:
        if node.parent_id is not None:
            children.setdefault(node.parent_id, []).append(node)
    rows: list[UnitStatsRow] = []
    _add_rows(rows, nodes[0], children, counts, level=0, deepest=depth)
    return rows


def _add_rows(
    rows: list[UnitStatsRow],
    node: UnitNode,
    children: Mapping[int, list[UnitNode]],
    counts: Mapping[int, Counts],
    *,
    level: int,
    deepest: int,
) -> Counts:
    place = len(rows)
    total = counts.get(node.unit_id, Counts())
    below = sorted(children.get(node.unit_id, ()), key=lambda child: child.code)
    for child in below:
        total += _add_rows(rows, child, children, counts, level=level + 1, deepest=deepest)
    if level <= deepest and not (level and node.is_closed and total == Counts()):
        rows.insert(place, UnitStatsRow(unit=node, depth=level, counts=total, has_children=bool(below)))
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedAttempt:
    """A handed-in attempt, as far as the choice among several needs it; marks are None until it is graded."""

    attempt_id: int | None
    """None for a result from another platform, whose number is 0."""
    exam_id: int
    number: int
    submitted_at: datetime
    percent: Decimal | None = None
    points: Decimal | None = None
    is_passed: bool | None = None


def select_effective_attempt(
    attempts: Iterable[SubmittedAttempt], rules: Mapping[int, CountingRule]
) -> SubmittedAttempt | None:
    """Choose the attempt that counts: in each exam by its counting rule, over main and make-ups the best of those.

    `rules` by exam id; attempts of other exams are left out. None where nothing was handed in.
    """
    chosen: dict[int, SubmittedAttempt] = {}
    for attempt in attempts:
        if attempt.exam_id in rules:
            rule, other = rules[attempt.exam_id], chosen.get(attempt.exam_id)
            chosen[attempt.exam_id] = attempt if other is None else _preferred(other, attempt, rule)
    return min(chosen.values(), key=_ranking_key, default=None)


def _preferred(one: SubmittedAttempt, other: SubmittedAttempt, rule: CountingRule) -> SubmittedAttempt:
    if rule is CountingRule.LAST:
        return max(one, other, key=lambda attempts: attempts.number)
    if rule is CountingRule.FIRST:
        return min(one, other, key=lambda attempts: attempts.number)
    return min(one, other, key=_ranking_key)


def _ranking_key(attempts: SubmittedAttempt) -> tuple[bool, bool, Decimal, Decimal, datetime, bool, int]:
    """Order attempts from the best: graded, passed, per cent, points, then the earlier one."""
    return (
        attempts.percent is None,
        not attempts.is_passed,
        -(attempts.percent or ZERO),
        -(attempts.points or ZERO),
        attempts.submitted_at,
        attempts.attempt_id is None,
        attempts.attempt_id or 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """A day of the participation curve, in the county's calendar."""

    day: date
    new: int
    total: int
    rate: Decimal | None


def curve(new_by_day: Mapping[date, int], *, first: date, last: date, eligible: int) -> list[CurvePoint]:
    """Cumulate who took part by day, from `first` to `last`, every day between; what lies outside widens the span."""
    first, last = min([first, *new_by_day]), max([last, first, *new_by_day])
    points, total = [], 0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        new = new_by_day.get(day, 0)
        total += new
        points.append(CurvePoint(day=day, new=new, total=total, rate=percentage(total, eligible)))
    return points


BIN_NAMES = ("不满10分", *(f"{low}分至不满{low + 10}分" for low in range(10, 90, 10)), "90分至100分")
"""Ten-point bands of the score turned to a hundred."""


def tidy_bins(counted: Mapping[int, int]) -> list[int]:
    """Give the ten bands' counts in order; the full mark belongs to the topmost."""
    bins = [0] * 10
    for index, count in counted.items():
        bins[min(index, 9)] += count
    return bins
