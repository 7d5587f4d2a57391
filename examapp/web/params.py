"""Numbers that an address, a form or a field's name holds: ids, pages, years; and how many pages a list has."""

from __future__ import annotations

from math import ceil

from flask import request

from examapp import clock
from examapp.errors import BadRequestError

MAX_ID = 2**63 - 1
"""The largest number that a row can have."""
_MAX_DIGITS = len(str(MAX_ID))


def read_whole(text: object, *, minimum: int = 0, limit: int = MAX_ID) -> int | None:
    """Read a whole number in plain digits within its bounds; None for anything else, however long it is."""
    wording = str(text) if isinstance(text, str | int) and not isinstance(text, bool) else ""
    if not (wording.isascii() and wording.isdigit() and len(wording) <= _MAX_DIGITS):
        return None
    number = int(wording)
    return number if minimum <= number <= limit else None


def read_page(text: object) -> int:
    """Read the page of a list, from 1; the first for nonsense."""
    return read_whole(text, minimum=1, limit=100_000) or 1


def read_year(text: object, *, minimum: int = 2000, limit: int = 2100) -> int | None:
    """Read a year of four digits; None for anything else."""
    return read_whole(text, minimum=minimum, limit=limit) if len(str(text)[:5]) == 4 else None


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


def page_count(total: int, size: int) -> int:
    """Give how many pages of this size a list has; one where it is empty."""
    return max(1, ceil(total / size))


def chosen_page(last: int | None = None) -> int:
    """Give the page that the address names, from 1 and at most the last; the first where it names none or nonsense."""
    number = read_page(request.args.get("page"))
    return number if last is None else min(number, max(1, last))


def chosen_number(name: str) -> int | None:
    """Give the whole number that the address names, None where it names none or nonsense."""
    return read_whole(request.args.get(name))


def chosen_year() -> int:
    """Give the year that the address names, the present one where it names none or nonsense."""
    return read_year(request.args.get("year")) or clock.today().year


def posted_year() -> int:
    """Give the year that a form names; raises BadRequestError."""
    year = read_year(request.form.get("year"))
    if year is None:
        raise BadRequestError
    return year
