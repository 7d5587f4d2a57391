"""Rules of events: their kinds, and the code that is shown in the room."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

KIND_NAMES = {
    "study_group": "党委（党组）理论学习中心组学习",
    "report": "报告会",
    "lecture": "法治讲座",
    "night_school": "法治学（夜）校",
    "court": "旁听庭审",
    "other": "其他集中学习",
}
STATE_NAMES = {"planned": "未办结", "held": "已办结", "cancelled": "已取消"}
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
