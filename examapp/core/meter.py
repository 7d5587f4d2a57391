"""What this process did in the last minute, counted in memory: nothing of it costs a request a statement."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_WINDOW_S = 60.0
_MOST = 20_000


class Act(StrEnum):
    """What is counted."""

    SAVE = "save"
    START = "start"
    HAND_IN = "hand_in"
    FAILURE = "failure"
    """Answered 500 or 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """Counts of the last minute, and how long saves took, in milliseconds."""

    saves: int = 0
    starts: int = 0
    hand_ins: int = 0
    failures: int = 0
    save_p50_ms: int = 0
    save_p95_ms: int = 0


class Meter:
    """Counts acts with their time, and notes which attempts were heard of."""

    def __init__(self, *, time_s: Callable[[], float] = time.monotonic) -> None:
        self._time_s = time_s
        self._acts: deque[tuple[float, Act, float]] = deque(maxlen=_MOST)
        self._contacts: dict[int, datetime] = {}

    def count(self, act: Act, seconds: float) -> None:
        """Count an act that took so long."""
        self._acts.append((self._time_s(), act, seconds))

    def hear_of(self, attempt_id: int, *, now: datetime) -> None:
        """Note that an attempt's page has called."""
        self._contacts[attempt_id] = now

    def take_contacts(self) -> dict[int, datetime]:
        """Give which attempts were heard of since the last time, and forget them."""
        taken, self._contacts = self._contacts, {}
        return taken

    def minute(self) -> Minute:
        """Give the figures of the last minute."""
        since = self._time_s() - _WINDOW_S
        recent = [(act, seconds) for at, act, seconds in list(self._acts) if at >= since]
        saves = sorted(seconds for act, seconds in recent if act is Act.SAVE)
        return Minute(
            saves=len(saves),
            starts=sum(act is Act.START for act, _ in recent),
            hand_ins=sum(act is Act.HAND_IN for act, _ in recent),
            failures=sum(act is Act.FAILURE for act, _ in recent),
            save_p50_ms=_quantile_ms(saves, 0.5),
            save_p95_ms=_quantile_ms(saves, 0.95),
        )


def _quantile_ms(ascending: list[float], fraction: float) -> int:
    return round(1000 * ascending[min(len(ascending) - 1, int(fraction * len(ascending)))]) if ascending else 0


meter = Meter()
