"""A measured figure and its limit; and the memory that a program has held."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`ratio` is what was measured over its limit, so that 1 is just kept; for a floor (`at least`) limit over measured."""

    name: str
    value: float
    unit: str
    limit: str
    limit_value: float
    error: str = ""
    """Why it could not be measured; empty for a measured figure."""

    @property
    def ratio(self) -> float:
        if self.limit == "at least":
            return round(self.limit_value / self.value, 4) if self.value else float("inf")
        return round(self.value / self.limit_value, 4) if self.limit_value else 0.0

    @property
    def is_kept(self) -> bool:
        if self.error:
            return False
        return self.value >= self.limit_value if self.limit == "at least" else self.value <= self.limit_value

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"ratio": self.ratio}


def at_most(name: str, value: float, limit_value: float, unit: str) -> Figure:
    return Figure(name=name, value=round(value, 4), unit=unit, limit="at most", limit_value=limit_value)


def at_least(name: str, value: float, limit_value: float, unit: str) -> Figure:
    return Figure(name=name, value=round(value, 4), unit=unit, limit="at least", limit_value=limit_value)


def not_measured(topic: str, error: BaseException) -> Figure:
    """Give the row of a topic that could not run, with the reason; it counts as not kept."""
    reason = str(error).strip().splitlines()
    return Figure(
        name=f"{topic}: not measured",
        value=0.0,
        unit="",
        limit="at most",
        limit_value=0.0,
        error=f"{type(error).__name__}: {reason[-1][:300] if reason else ''}".rstrip(": "),
    )


def peak_kb() -> int:
    """Give the most memory that this program has held; `ru_maxrss` would count what its parent held when it forked."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])
