"""What an address or a form says about a list: its page, its year; and the pages that a list has."""

from __future__ import annotations

from math import ceil

from flask import request

from examapp import clock
from examapp.errors import BadRequestError
from examapp.web.numbers import read_page, read_whole, read_year


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
