"""Numbers and names as the international formats write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

OWN_NAME = re.compile(r"bank-item-\d+")
"""Identifiers that our writers give to questions without a number of their own."""


def number(text: str | None) -> Decimal | None:
    """A finite number as written, or None."""
    try:
        value = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def as_texts(variants: Iterable[str]) -> tuple[str, ...]:
    """Numbers as a candidate may write them: as in the file, and without idle zeros (`4.0` also as `4`)."""
    found: list[str] = []
    for variant in variants:
        value = number(variant)
        plain = variant if value is None or abs(value.adjusted()) > 30 else f"{value.normalize():f}"
        found += [plain, variant]
    return tuple(dict.fromkeys(found))
