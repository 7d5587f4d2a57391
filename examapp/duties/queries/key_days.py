"""The year's key dates, and the calendar by month: which items belong to a key date, and which are due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.duties.models import KeyDayRow
from examapp.duties.queries import CalendarRow
from examapp.duties.rules import SHIPPED_KEY_DAYS, KeyDays, key_day_words


def key_days(session: Session) -> dict[tuple[int, int], str]:
    """Give the key dates in the order of the year: the shipped ones, and over them what the office has set."""
    rows = session.execute(select(KeyDayRow.month, KeyDayRow.day, KeyDayRow.name))
    names = SHIPPED_KEY_DAYS | {(month, day): name for month, day, name in rows}
    return {day: names[day] for day in sorted(names) if names[day]}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDate:
    """A key date with the items that are meant for it."""

    words: str
    rows: Sequence[CalendarRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarMonth:
    """A month of the calendar: its key dates, and what is due in it; the last one holds what is due on no day."""

    title: str
    key_dates: Sequence[KeyDate]
    due: Sequence[CalendarRow]


def months_of(rows: Sequence[CalendarRow], names: KeyDays) -> list[CalendarMonth]:
    """Arrange a year's items by month: each under the key date it is meant for, and where it is due; without empty months."""
    due: dict[int, list[CalendarRow]] = defaultdict(list)
    meant: dict[tuple[int, int], list[CalendarRow]] = {day: [] for day in names}
    for row in rows:
        due[row.item.due_on.month if row.item.due_on else 0].append(row)
        if row.item.key_on:
            meant.setdefault((row.item.key_on.month, row.item.key_on.day), []).append(row)
    months = []
    for month in (*range(1, 13), 0):
        dates = [
            KeyDate(words=key_day_words(*day, names.get(day, "")), rows=meant[day])
            for day in sorted(meant)
            if day[0] == month
        ]
        if dates or due[month]:
            title = f"{month} 月" if month else "未定期限"
            months.append(CalendarMonth(title=title, key_dates=dates, due=due[month]))
    return months
