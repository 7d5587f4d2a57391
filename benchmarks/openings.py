"""The shape of an exam's opening, and the counts by which a measured and a simulated one are compared."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningShape:
    """Who comes, and when: so many within so many seconds, some of whom signed in on a day before."""

    people: int
    seconds: float
    signed_in_before: int = 0
    addresses: int = 160
    pause_s: float = 20.0
    """Between two saves of one candidate."""
    is_even: bool = True
    """At even distances; else each at a moment of their own, drawn."""

    def arrivals(self, rng: random.Random) -> list[float]:
        """Give the seconds at which they come, in order."""
        if self.is_even:
            return [self.seconds * number / self.people for number in range(self.people)]
        return sorted(rng.uniform(0, self.seconds) for _ in range(self.people))

    def is_signed_in(self, number: int) -> bool:
        """Tell whether this one signed in before: they come mixed with the others."""
        return (number + 1) * self.signed_in_before // self.people > number * self.signed_in_before // self.people

    def address(self, number: int) -> str:
        """Give the address this one calls from."""
        return f"10.1.{number % self.addresses // 250}.{number % self.addresses % 250 + 1}"


@dataclass(slots=True)
class Tally:
    """Counts who waits where, in a measured wave as in a simulated one."""

    signing_in: int = 0
    starting: int = 0
    longest_sign_in_queue: int = 0
    longest_start_queue: int = 0
    last_sign_in_s: float = 0.0
    last_start_s: float = 0.0
    signed_in: int = 0
    started: int = 0
    turned_away: int = 0
    looks: int = 0
    queued: int = 0
    saves: int = 0

    def wants_to_sign_in(self) -> None:
        """Count one who opens the sign-in page."""
        self.signing_in += 1
        self.longest_sign_in_queue = max(self.longest_sign_in_queue, self.signing_in)

    def has_signed_in(self, at_s: float) -> None:
        """Count one who is signed in now."""
        self.signing_in -= 1
        self.signed_in += 1
        self.last_sign_in_s = at_s

    def wants_to_start(self) -> None:
        """Count one who calls for the start the first time."""
        self.starting += 1
        self.longest_start_queue = max(self.longest_start_queue, self.starting)

    def has_started(self, at_s: float) -> None:
        """Count one who was let in now."""
        self.starting -= 1
        self.started += 1
        self.last_start_s = at_s

    def as_json(self) -> dict[str, Any]:
        """Give all counts."""
        return asdict(self)


COMPARED = {
    "longest_sign_in_queue": "people",
    "last_sign_in_s": "s",
    "longest_start_queue": "people",
    "last_start_s": "s",
}
"""What a simulation is judged by, and its unit."""


def deviations(simulated: Tally, measured: Mapping[str, Any]) -> dict[str, float]:
    """Give how far each judged figure is from the measured one, as a share of it; infinite where nothing was measured."""
    return {
        name: (getattr(simulated, name) - measured[name]) / measured[name] if measured[name] else math.inf
        for name in COMPARED
    }
