"""Numbers and names as the international formats write them."""

from __future__ import annotations

import re
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
