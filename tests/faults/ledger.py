"""The acknowledgement ledger: what was sent, what the server acknowledged, rejected, or left unknown."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

Place = tuple[int, int, int, int]
"""attempt, item, epoch, seq"""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it went: `status` 0 where no whole reply came."""

    began_at: float
    seconds: float
    what: str
    status: int
    note: str = ""


@dataclass(slots=True)
class Ledger:
    """Shared by all candidates of a load; instants are of the monotonic clock."""

    sent: dict[Place, list[str]] = field(default_factory=dict)
    persons: dict[int, int] = field(default_factory=dict)
    """The person of each attempt."""
    acked: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """The highest acknowledged (epoch, seq) of each (attempt, item)."""
    stored: set[Place] = field(default_factory=set)
    """Every change whose storing was acknowledged, those that a newer one has replaced since among them."""
    acknowledgements: int = 0
    rejected: list[tuple[Place, str]] = field(default_factory=list)
    receipts: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    requests: list[Request] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)
    """First sending and acknowledgement of each change that was acknowledged."""
    first_sent: dict[Place, float] = field(default_factory=dict)
    forced_sign_ins: int = 0
    brought_back: dict[Place, list[str]] = field(default_factory=dict)
    """What a device had not sent when another took over, by the place it had there, and brought back before the deadline."""
    shown: set[Place] = field(default_factory=set)
    """Of these, what was shown to the person to decide."""
    odd: list[str] = field(default_factory=list)
    """Replies that the protocol does not know."""

    def note_sent(self, place: Place, response: list[str]) -> None:
        self.sent[place] = response
        self.first_sent.setdefault(place, time.monotonic())

    def note_acked(self, place: Place, stored_seq: int) -> None:
        attempt, item, epoch, seq = place
        key, now = (attempt, item), time.monotonic()
        self.acked[key] = max(self.acked.get(key, (0, 0)), (epoch, stored_seq))
        self.stored.add((attempt, item, epoch, stored_seq))
        self.acknowledgements += 1
        if stored_seq < seq:
            self.odd.append(f"attempt {attempt} item {item}: seq {seq} acknowledged as {stored_seq}")
        if place in self.first_sent:
            self.waits.append((self.first_sent.pop(place), now))

    def note_rejected(self, place: Place, code: str) -> None:
        self.rejected.append((place, code))
        self.first_sent.pop(place, None)

    def note_replaced(self, place: Place) -> None:
        """A newer change of the same item has taken the place of one that was not acknowledged."""
        self.first_sent.pop(place, None)

    def note_request(self, began_at: float, what: str, status: int, note: str = "") -> None:
        self.requests.append(Request(began_at, time.monotonic() - began_at, what, status, note))

    # What a row's table asks for

    def longest_silence_s(self) -> float:
        """The longest time that a change waited for its acknowledgement."""
        return max((end - begin for begin, end in self.waits), default=0.0)

    def first_save_after(self, instant: float) -> float | None:
        """When a save that was sent after an instant was first acknowledged."""
        ends = [
            r.began_at + r.seconds
            for r in self.requests
            if r.what == "save" and r.status == 200 and r.began_at >= instant
        ]
        return min(ends, default=None)

    def select(self, what: str = "", *, since: float = 0.0, until: float = float("inf")) -> list[Request]:
        return [r for r in self.requests if r.what.startswith(what) and since <= r.began_at < until]

    def slowest_s(self, *, since: float = 0.0, until: float = float("inf")) -> float:
        return max((r.seconds for r in self.select(since=since, until=until)), default=0.0)

    def failures(self, what: str = "", *, since: float = 0.0, until: float = float("inf")) -> list[Request]:
        """Requests without a reply or with a fault of the server's."""
        return [r for r in self.select(what, since=since, until=until) if r.status == 0 or r.status >= 500]


def percentile(requests: list[Request], share: float) -> float:
    """Seconds within which this share of the requests was answered."""
    ordered = sorted(r.seconds for r in requests)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
