"""Which sums without names are not shown: over fewer than five people, or such that one over fewer comes out by subtraction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from examapp.org.models import Unit

FEWEST_PEOPLE = 5
"""Sums over fewer people would point at persons: they are not shown."""


def hidden_subjects(session: Session, unit: Unit, counted: Select[*tuple[Any, ...]]) -> set[tuple[str, str]]:
    """List the subjects `(kind, name)` of which a unit's sum is hidden though it covers five people or more.

    `counted` gives `kind, name, unit_id, people` of each unit's own people. Below a unit whose sum is hidden all are; so what can be
    worked out from shown sums are what they leave of their parents' alone, and of these none covers one to four people. One statement
    for each unit above, none for the top.
    """
    own, hidden = counted.subquery("counted"), set[tuple[str, str]]()
    ids = unit.region_path.strip("/").split("/")
    for depth in range(1, len(ids)):
        above = f"/{'/'.join(ids[:depth])}/"
        hidden.update((row[0], row[1]) for row in session.execute(_hidden_below(above, ids[depth], own)))
    return hidden


def _hidden_below(above: str, child_id: str, own: Any) -> Select[*tuple[Any, ...]]:
    """Select the subjects of which one child of a unit stays hidden so that the others do not give its siblings away.

    Parts of the unit's sum: each child's subtree, and the unit's own people. Own people and children with too few stand apart; where they
    are fewer than five together, the smallest of the other children is hidden with them.
    """
    child = func.split_part(func.substr(Unit.region_path, len(above) + 1), "/", 1)
    parts = (
        select(own.c.kind, own.c.name, child.label("child"), func.sum(own.c.people).label("people"))
        .join(Unit, Unit.id == own.c.unit_id)
        .where(func.starts_with(Unit.region_path, above))
        .group_by(own.c.kind, own.c.name, child)
        .subquery("parts")
    )
    stands_apart = or_(parts.c.child == "", parts.c.people < FEWEST_PEOPLE)
    of_subject = [parts.c.kind, parts.c.name]
    apart = func.sum(parts.c.people).filter(stands_apart).over(partition_by=of_subject)
    place = func.row_number().over(partition_by=of_subject, order_by=[stands_apart, parts.c.people, parts.c.child])
    ranked = select(parts, apart.label("apart"), place.label("place")).subquery("ranked")
    return select(ranked.c.kind, ranked.c.name).where(
        ranked.c.child == child_id, ranked.c.place == 1, ranked.c.apart.between(1, FEWEST_PEOPLE - 1)
    )
