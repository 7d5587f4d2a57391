"""Draw a paper from the bank, and foresee what the drawing of many will be like: pure."""

from examapp.papers.rules.drawing import (
    BankTooSmallError,
    DrawnPaper,
    Group,
    Pool,
    PoolPart,
    PoolQuestion,
    Section,
    draw,
    parts_of,
    prepare_pool,
)
from examapp.papers.rules.forecast import Forecast, SectionForecast, forecast, sharing_chance

__all__ = [
    "BankTooSmallError",
    "DrawnPaper",
    "Forecast",
    "Group",
    "Pool",
    "PoolPart",
    "PoolQuestion",
    "Section",
    "SectionForecast",
    "draw",
    "forecast",
    "parts_of",
    "prepare_pool",
    "sharing_chance",
]
