"""Rules of events: their kinds, the laws they name, when two are the same one, their totals, and the code that is shown in the room."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from examapp.clock import local

KIND_NAMES = {
    "study_group": "党委（党组）理论学习中心组学习",
    "report": "报告会",
    "lecture": "法治讲座",
    "night_school": "法治学（夜）校",
    "court": "旁听庭审",
    "outreach": "宣讲",
    "case": "以案释法",
    "culture": "法治文化活动",
    "other": "其他集中学习",
}
STATE_NAMES = {"planned": "未办结", "held": "已办结", "cancelled": "已取消"}
MAX_OUTSIDE = 1_000_000
CODE_LIFE = timedelta(seconds=60)
"""A new code comes this often; the one before is still taken, for who types slowly."""
CODE_DIGITS = 6
MAX_CHECK_IN_LENGTH = timedelta(hours=2)
MAX_WRONG_CODES = 5
WRONG_CODE_WINDOW = timedelta(minutes=10)
CODE_EARLIEST = timedelta(hours=1)
"""How long before an event begins its check-in may be opened."""
LATEST_CODE_AFTER = timedelta(minutes=30)
"""How long after an event's end its codes are still taken, at most."""


_BETWEEN_LAWS = re.compile(r"[、，,；;\s]+")
_NO_WORD = re.compile(r"[\W_]+")
_OWN_PLACE = re.compile(r"^(?:本|我|单位|会议室|办公楼|机关)")
"""Places that every unit has: two units that write them did not meet."""


def laws_in(text: str) -> list[str]:
    """Read the names of laws from the organiser's words: without title marks and 中华人民共和国, each once."""
    names = (part.strip("《》〈〉 ").removeprefix("中华人民共和国") for part in _BETWEEN_LAWS.split(text))
    return list(dict.fromkeys(name for name in names if name))


def is_like(theme: str, place: str, *, other_theme: str, other_place: str) -> bool:
    """Tell whether two events of one day and kind may be the same one: the same theme, not each in a room of its own, or the same place."""
    are_own = [bool(_OWN_PLACE.match(each.strip())) for each in (place, other_place)]
    if _bare(theme) == _bare(other_theme):
        return not all(are_own)
    return not any(are_own) and bool(_bare(place)) and _bare(place) == _bare(other_place)


def _bare(text: str) -> str:
    return _NO_WORD.sub("", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFigures:
    """A settled event as the totals count it: officials are those put down as present, others as the organiser counted them."""

    event_id: int
    kind: str
    unit_id: int
    unit_code: str
    unit_name: str
    theme: str
    place: str
    laws: tuple[str, ...]
    starts_at: datetime
    present: int
    outside: int
    is_distinct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTotals:
    """How many events under one head, and how often people were there: officials, others, both."""

    key: Hashable
    label: str
    events: int
    present: int
    outside: int

    @property
    def people(self) -> int:
        """Officials and others; who was at two events counts twice (人次)."""
        return self.present + self.outside


def totals(key: Hashable, label: str, rows: Sequence[EventFigures]) -> EventTotals:
    """Add events up under one head."""
    return EventTotals(
        key=key,
        label=label,
        events=len(rows),
        present=sum(row.present for row in rows),
        outside=sum(row.outside for row in rows),
    )


def totals_by(
    rows: Iterable[EventFigures], heads: Callable[[EventFigures], Iterable[tuple[Hashable, str]]]
) -> list[EventTotals]:
    """Add events up by heads in the order in which these come first; an event with two heads counts under both."""
    found: dict[tuple[Hashable, str], list[EventFigures]] = defaultdict(list)
    for row in rows:
        for head in heads(row):
            found[head].append(row)
    return [totals(key, label, some) for (key, label), some in found.items()]


def events_by_kind(rows: Sequence[EventFigures]) -> list[EventTotals]:
    """Add events up by kind, in the order of the kinds' names."""
    found = {row.key: row for row in totals_by(rows, lambda row: [(row.kind, KIND_NAMES[row.kind])])}
    return [found[kind] for kind in KIND_NAMES if kind in found]


def likely_doubles(rows: Iterable[EventFigures]) -> list[tuple[EventFigures, EventFigures]]:
    """Find pairs of events that may be one recorded twice; not those that an organiser has said to be different ones."""
    days: dict[Hashable, list[EventFigures]] = defaultdict(list)
    for row in rows:
        if not row.is_distinct:
            days[local(row.starts_at).date(), row.kind].append(row)
    return [
        (first, second)
        for some in days.values()
        for place, first in enumerate(some)
        for second in some[place + 1 :]
        if is_like(first.theme, first.place, other_theme=second.theme, other_place=second.place)
    ]


def may_open_check_in(now: datetime, *, starts_at: datetime, ends_at: datetime) -> bool:
    """Tell whether the code may be shown now: from an hour before the beginning until half an hour after the end."""
    return starts_at - CODE_EARLIEST <= now < ends_at + LATEST_CODE_AFTER


def room_code(seed: bytes, now: datetime) -> str:
    """Give the code that the room sees now: six digits of a keyed digest of the minute (RFC 4226, 5.3, truncated alike)."""
    return _code_of(seed, _slot(now))


def is_room_code(seed: bytes, typed: str, now: datetime) -> bool:
    """Tell whether this is the code of now or of the minute before."""
    slots = (_slot(now), _slot(now) - 1)
    return any(hmac.compare_digest(_code_of(seed, slot).encode(), typed.encode()) for slot in slots)


def code_changes_in_s(now: datetime) -> int:
    """Give in how many seconds the next code is shown."""
    life = int(CODE_LIFE.total_seconds())
    return life - int(now.timestamp()) % life


def _slot(now: datetime) -> int:
    return int(now.timestamp()) // int(CODE_LIFE.total_seconds())


def _code_of(seed: bytes, slot: int) -> str:
    mac = hmac.new(seed, slot.to_bytes(8, "big"), hashlib.sha256).digest()
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def clean_code(typed: str) -> str:
    """Give a typed code with blanks taken out, and digits of an input method made plain."""
    return "".join(str(int(c)) if c.isdecimal() else c for c in typed if not c.isspace())[:20]
