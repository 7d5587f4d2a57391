"""What a notice or an opinion must be before it is stored."""

from __future__ import annotations

LONGEST_FEEDBACK = 2000
LONGEST_TITLE = 100
LONGEST_NOTICE = 20_000
_LONGEST_PAGE = 200


def clean_page(path: str | None) -> str:
    """Give the path of the page that an opinion was written on; empty for anything but an own page's path."""
    if not path or not path.startswith("/") or path.startswith("//") or not path.isprintable():
        return ""
    return path[:_LONGEST_PAGE]


def unit_ids_of(*paths: str | None) -> tuple[int, ...]:
    """Give the ids on unit paths such as `/1/17/203/`, from the root down: whose notices somebody there sees."""
    ids = [int(part) for path in paths if path for part in path.split("/") if part.isdigit()]
    return tuple(dict.fromkeys(ids))
