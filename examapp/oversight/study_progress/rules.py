"""What is counted of study: definitions, rates, subtrees, and which courses and exercises call for a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal

from examapp.oversight.statistics_definitions.rules import UnitNode
from examapp.points import percentage

DEFINITIONS = (
    "应学：当前在册、属于本年度至少一门已发布必修课学习范围的人员；每人只计一次，计入现在所在单位。",
    "参学：应学人员中，至少学完其中一章（读完并通过练习）的人数。",
    "学完：应学人员中，范围内的必修课全部学完的人数。",
    "参学率＝参学÷应学；学完率＝学完÷应学。分母为零时写“–”。不计学习时长。",
)
FEW_FINISH, FEW_PASS = Decimal(20), Decimal(40)
"""Per cent below which a course or an exercise is shown as one to look at."""
MIN_BEGUN, MIN_RUNS = 10, 10
"""Below so many people or runs a share says nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCounts:
    """What is counted of a unit's people; each field can be summed over units."""

    due: int = 0
    begun: int = 0
    done: int = 0

    def __add__(self, other: StudyCounts) -> StudyCounts:
        return StudyCounts(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    @property
    def study_rate(self) -> Decimal | None:
        """参学率 in per cent."""
        return percentage(self.begun, self.due)

    @property
    def done_rate(self) -> Decimal | None:
        """学完率 in per cent."""
        return percentage(self.done, self.due)

    @property
    def open(self) -> int:
        """How many have not done all."""
        return self.due - self.done


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """A row of the unit table: a unit with the counts of its whole subtree."""

    unit: UnitNode
    depth: int
    counts: StudyCounts


def study_rows(nodes: Sequence[UnitNode], counts: Mapping[int, StudyCounts]) -> list[StudyRow]:
    """Give the top (the first node) with its whole subtree, then every unit below it, parents before children, siblings by code."""
    children: dict[int, list[UnitNode]] = {}
    for node in nodes[1:]:
        if node.parent_id is not None:
            children.setdefault(node.parent_id, []).append(node)
    rows: list[StudyRow] = []
    _add_rows(rows, nodes[0], children, counts, depth=0)
    return rows


def _add_rows(
    rows: list[StudyRow],
    node: UnitNode,
    children: Mapping[int, list[UnitNode]],
    counts: Mapping[int, StudyCounts],
    *,
    depth: int,
) -> StudyCounts:
    place, total = len(rows), counts.get(node.unit_id, StudyCounts())
    for child in sorted(children.get(node.unit_id, ()), key=lambda child: child.code):
        total += _add_rows(rows, child, children, counts, depth=depth + 1)
    if not (depth and node.is_closed and total == StudyCounts()):
        rows.insert(place, StudyRow(unit=node, depth=depth, counts=total))
    return total


def is_seldom_finished(*, begun: int, done: int) -> bool:
    """Tell whether hardly anybody who began a course has finished it."""
    share = percentage(done, begun)
    return begun >= MIN_BEGUN and share is not None and share < FEW_FINISH


def is_mostly_failed(*, runs: int, passed: int) -> bool:
    """Tell whether hardly anybody passes an exercise."""
    share = percentage(passed, runs)
    return runs >= MIN_RUNS and share is not None and share < FEW_PASS
