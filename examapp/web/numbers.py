"""The one way in which a number in a form, an address or a field's name is read."""

from __future__ import annotations

MAX_ID = 2**63 - 1
"""The largest number that a row can have."""
_MAX_DIGITS = len(str(MAX_ID))


def read_whole(text: object, *, least: int = 0, most: int = MAX_ID) -> int | None:
    """Read a whole number in plain digits within its bounds; None for anything else, however long it is."""
    words = str(text) if isinstance(text, str | int) and not isinstance(text, bool) else ""
    if not (words.isascii() and words.isdigit() and len(words) <= _MAX_DIGITS):
        return None
    number = int(words)
    return number if least <= number <= most else None


def read_page(text: object) -> int:
    """Read the page of a list, from 1; the first for nonsense."""
    return read_whole(text, least=1, most=100_000) or 1


def read_year(text: object, *, least: int = 2000, most: int = 2100) -> int | None:
    """Read a year of four digits; None for anything else."""
    return read_whole(text, least=least, most=most) if len(str(text)[:5]) == 4 else None


def read_id(text: object) -> int | None:
    """Read a select's value or a hidden field: an id, or empty for none. Raises ValueError for anything else, as a field's `coerce` must."""
    if text is None or text in ("", "None"):
        return None
    number = read_whole(text)
    if number is None:
        raise ValueError("no id")
    return number


def sent_number(text: object) -> int:
    """Read a whole number for a field's `coerce` or the `type` of a value of a request; raises ValueError, which both expect."""
    number = read_whole(text)
    if number is None:
        raise ValueError("no number")
    return number
