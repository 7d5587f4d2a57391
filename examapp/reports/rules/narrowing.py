"""Whom of a roster a table, a list or a file is narrowed to: by value, in words, and as a line of the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date

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
"""Which groups a list of people can be narrowed to; every other content has its own people."""


MOST_WORD = 50
"""Characters of a rank or a position that is asked for."""
_YEARS = range(2000, 2101)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
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
    def of_json(cls, kept: Mapping[str, str]) -> Narrowing:
        """Read what `as_json` wrote."""
        since, until = (date.fromisoformat(kept[name]) if name in kept else None for name in ("since", "until"))
        group, rank, position = (kept.get(name, "") for name in ("group", "rank", "position"))
        return cls(group=group, rank=rank, position=position, since=since, until=until)

    def as_json(self) -> dict[str, str]:
        """Write down what is asked, leaving out what is not."""
        return {name: str(value) for name, value in asdict(self).items() if value}

    def of_content(self, content: str) -> Narrowing:
        """Leave out a group that a content cannot be narrowed to."""
        return self if self.group in LIST_GROUPS.get(content, ()) else replace(self, group="")

    @property
    def words(self) -> str:
        """Say it as it stands above a table; empty for everybody."""
        people = [f"{what}为「{word}」" for what, word in (("职级", self.rank), ("职务", self.position)) if word]
        days = [f" {day} {end}" for day, end in ((self.since, "起"), (self.until, "止")) if day]
        parts = (
            f"只统计{'、'.join(people)}的人员" if people else "",
            f"只计{''.join(days)}交卷的，其余应考人员列为未参考" if days else "",
            f"只列{GROUP_NAMES[self.group]}" if self.group else "",
        )
        return "；".join(part for part in parts if part)


EVERYONE = Narrowing()


def find_day(words: str) -> date | None:
    """Find the day that somebody wrote, as ISO 8601 has it; None for what is none, or lies in no year of this program's."""
    try:
        day = date.fromisoformat(words)
    except ValueError:
        return None
    return day if day.year in _YEARS else None
