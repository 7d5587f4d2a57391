"""Marks and rates: Decimal only, one rounding, one way to write them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_TWO_PLACES = Decimal("0.01")


def round_points(value: Decimal | int) -> Decimal:
    """Round to two places, half up: the one rounding of the application."""
    return Decimal(value).quantize(_TWO_PLACES, ROUND_HALF_UP)


def percentage(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """Divide as a percentage with two places; None over nothing, never 0 % or 100 %."""
    return round_points(Decimal(part) * 100 / Decimal(whole)) if whole else None


def mean(total: Decimal, count: int) -> Decimal | None:
    """Divide a sum of points; None over nothing."""
    return round_points(total / count) if count else None


def as_text(value: Decimal | None) -> str | None:
    """Write a mark or rate as the API gives it: `"1.50"`, None over nothing."""
    return None if value is None else str(round_points(value))


def for_people(value: Decimal | None) -> str:
    """Write a mark or rate as people read it: without useless zeros, `–` over nothing."""
    if value is None:
        return "–"
    text = f"{round_points(value):f}"
    return text.rstrip("0").rstrip(".")
