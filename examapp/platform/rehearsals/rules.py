"""What a machine must bear for a roster, and whether what a rehearsal measured is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

SIGN_IN_WAVE_S = 300
START_WAVE_S = 60
SAVE_EVERY_S = 20
HAND_IN_WAVE_S = 60
GRADED_WITHIN_S = 120
SLOWEST_SAVE_MS = 200
SLOWEST_START_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictLine:
    """One line of a verdict: what was measured, what is needed (at least, or at most for times and losses), and whether it suffices."""

    name: str
    title: str
    measured: float
    needed: float
    unit: str
    is_enough: bool

    def as_json(self) -> dict[str, Any]:
        """Give the line as it is stored."""
        return asdict(self)


_RATES = (
    ("sign_ins", "登录", SIGN_IN_WAVE_S),
    ("starts", "开考", START_WAVE_S),
    ("saves", "保存", SAVE_EVERY_S),
    ("hand_ins", "交卷", HAND_IN_WAVE_S),
    ("gradings", "评分", GRADED_WITHIN_S),
)
_MAXIMA = (
    ("save_p95_ms", "保存耗时（95% 不超过）", SLOWEST_SAVE_MS, "毫秒"),
    ("start_p95_ms", "开考耗时（95% 不超过）", SLOWEST_START_MS, "毫秒"),
    ("failed", "没有成功的请求", 0, "次"),
    ("lost", "确认后丢失的答案", 0, "题"),
)


def judge(measured: Mapping[str, float], *, roster: int) -> list[VerdictLine]:
    """Hold the measured rates a second, times and losses against what so many candidates need; a figure that is missing is not enough.

    All sign in within five minutes and start within one, each saves every twenty seconds, all hand in within a minute and are graded two
    minutes later (docs/drills.md, F27 and F28).
    """
    rates = [_rate(name, title, measured.get(name, 0.0), roster / seconds) for name, title, seconds in _RATES]
    mosts = [_upper_limit_line(name, title, measured.get(name), limit, unit) for name, title, limit, unit in _MAXIMA]
    return [*rates, *mosts]


def _rate(name: str, title: str, found: float, needed: float) -> VerdictLine:
    return VerdictLine(
        name=name,
        title=title,
        measured=round(found, 1),
        needed=round(needed, 1),
        unit="每秒",
        is_enough=found >= needed,
    )


def _upper_limit_line(name: str, title: str, found: float | None, limit: float, unit: str) -> VerdictLine:
    is_enough = found is not None and found <= limit
    return VerdictLine(
        name=name,
        title=title,
        measured=round(-1 if found is None else found),
        needed=limit,
        unit=unit,
        is_enough=is_enough,
    )


def is_go(lines: Sequence[VerdictLine]) -> bool:
    """Tell whether every line suffices."""
    return bool(lines) and all(line.is_enough for line in lines)


def verdict_text(lines: Sequence[VerdictLine], *, roster: int) -> str:
    """Say the verdict and the headroom in one sentence, and what to do where something is lacking."""
    starts = next(line for line in lines if line.name == "starts")
    headroom = f"测得每秒开考 {starts.measured:g} 人，需要 {starts.needed:g} 人"
    if is_go(lines):
        return f"可以开考：按 {roster} 人计算，{headroom}，各项都够。"
    missing = "、".join(line.title for line in lines if not line.is_enough)
    return f"不能开考：按 {roster} 人计算，{headroom}；不够的是{missing}。请分场次错开，或换更快的服务器后再演练。"
