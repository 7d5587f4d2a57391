"""Counting a roster's people per unit: one select, from the raw rows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, func, select

from examapp.reports.queries.ground import Ground, PeopleFilter
from examapp.reports.queries.people import select_people
from examapp.reports.rules import ZERO, Counts


@lru_cache(maxsize=64)
def select_counts(ground: Ground, wanted: PeopleFilter, *, is_of_chosen_units: bool = False) -> Select[Any]:
    """Select unit_id and the fields of `Counts` for each unit with people; units come from `CHOSEN_UNITS` where that is wished.

    Kept, for it is asked for again and again, and building it takes a fifth as long as running it; so `wanted` holds tuples alone.
    """
    people = select_people(ground, wanted, is_for_counting=True, is_of_chosen_units=is_of_chosen_units)
    columns = people.of.c
    sums = {
        "roster": func.count(),
        "graded": func.count().filter(and_(people.participated, columns.points.is_not(None))),
        "points_total": func.coalesce(func.sum(columns.points).filter(people.participated), ZERO),
    }
    fields = [sums[f] if f in sums else func.count().filter(people.group(f)) for f in Counts._fields]
    named = (field.label(name) for name, field in zip(Counts._fields, fields, strict=True))
    return select(columns.unit_id, *named).group_by(columns.unit_id)
