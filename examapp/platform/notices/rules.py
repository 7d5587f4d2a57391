"""What a notice or an opinion must be before it is stored, and the hours at which nobody is written to."""

from __future__ import annotations

from datetime import time

MAX_FEEDBACK_LENGTH = 2000
MAX_TITLE_LENGTH = 100
MAX_NOTICE_LENGTH = 20_000
MAX_OUTGOING_LENGTH = 500
_MAX_PAGE_LENGTH = 200


def clean_page(path: str | None) -> str:
    """Give the path of the page that an opinion was written on; empty for anything but an own page's path."""
    if not path or not path.startswith("/") or path.startswith("//") or not path.isprintable():
        return ""
    return path[:_MAX_PAGE_LENGTH]


def email_binding(person_id: int) -> str:
    """Name the one row that a sealed e-mail address belongs to."""
    return f"person:{person_id}:email"


def unit_ids_of(*paths: str | None) -> tuple[int, ...]:
    """Give the ids on unit paths such as `/1/17/203/`, from the root down: whose notices somebody there sees."""
    ids = [int(part) for path in paths if path for part in path.split("/") if part.isdigit()]
    return tuple(dict.fromkeys(ids))


def is_quiet(local_time: time, quiet: tuple[time, time] | None) -> bool:
    """Tell whether a time of day lies in the quiet hours, from the first inclusive to the second exclusive, over midnight too."""
    if quiet is None:
        return False
    first, last = quiet
    if first <= last:
        return first <= local_time < last
    return local_time >= first or local_time < last
