"""Figures that are kept per unit, and read so that none is ever old: whatever a mark stands at is counted anew in the same statement.

The marks are the database's own (`FigureMark`); who makes kept figures anew takes them away in the same transaction. So in each
snapshot the kept figures of every unit without a mark are those that counting would give.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CompoundSelect,
    Integer,
    Numeric,
    Text,
    all_,
    any_,
    bindparam,
    cast,
    literal,
    null,
    select,
    union,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from examapp.exams.models import Exam, FrozenPerson
from examapp.people.models import Person
from examapp.reports.models import FigureMark, KeptFigures
from examapp.reports.queries.counting import select_counts
from examapp.reports.queries.ground import EVERYBODY, Ground
from examapp.reports.queries.people import CHOSEN_UNITS, array_of
from examapp.reports.rules import Counts

MOST_MARKED_UNITS = 2000
"""From here on everybody is counted: it is no slower."""
_LOOKS = 3
_ALL_UNITS = 0
"""Stands for a mark at the exam itself, and for figures that are not kept any more."""
_GROUND = bindparam("ground", type_=Text)
_AMONG = bindparam("among", type_=ARRAY(BigInteger))


@lru_cache(maxsize=256)
def digest(ground: Ground) -> str:
    """Give the name under which the figures of a ground are kept: another as soon as the program counts in another way."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types
    counting = select_counts(ground, EVERYBODY).compile(dialect=dialect)
    return hashlib.sha256(f"{ground}\n{counting}\n{counting.params}".encode()).hexdigest()[:32]


def find_kept_counts(session: Session, ground: Ground, unit_ids: Collection[int] | None) -> dict[int, Counts] | None:
    """Give the counts of all units (or these) that have people, from what is kept and what has to be counted anew.

    Two statements, more where somebody marks a unit just between them. None where nothing is kept, or too much is marked.
    """
    among = None if unit_ids is None else list(unit_ids)
    given: dict[str, Any] = {"ground": digest(ground), "among": among}
    marked = set(session.scalars(_marked(ground).limit(MOST_MARKED_UNITS + 1), given))
    for _ in range(_LOOKS):
        chosen = marked if among is None else marked.intersection(among)
        if _ALL_UNITS in marked or len(chosen) > MOST_MARKED_UNITS:
            return None
        given["chosen_units"] = list(chosen)
        rows = session.connection().execute(_reading(ground, among is not None), given).all()
        new = {unit_id for unit_id, roster, *_ in rows if roster is None}
        if not new:
            return {unit_id: Counts._make(values) for unit_id, *values in rows}
        marked |= new
    return None


@lru_cache(maxsize=64)
def _marked(ground: Ground) -> CompoundSelect[Any]:
    """Select the units whose kept figures are not sound, and `_ALL_UNITS` where none are."""
    marked = array_of(select(FigureMark.person_id).where(FigureMark.person_id.is_not(None)))
    of_person = select(Person.unit_id).where(Person.id == any_(marked))
    if ground.audience is None:
        of_person = select(FrozenPerson.unit_id).where(
            FrozenPerson.exam_id == ground.exam_id, FrozenPerson.person_id == any_(marked)
        )
    everything = select(literal(_ALL_UNITS, BigInteger))
    return union(
        select(FigureMark.unit_id.label("unit_id")).where(FigureMark.unit_id.is_not(None)),
        of_person,
        everything.where(select(FigureMark.id).where(FigureMark.exam_id == ground.exam_id).exists()),
        everything.where(
            ~select(Exam.id).where(Exam.id == ground.exam_id, any_(Exam.kept_grounds) == _GROUND).exists()
        ),
    )


@lru_cache(maxsize=64)
def _reading(ground: Ground, is_among: bool) -> CompoundSelect[Any]:
    """Select kept counts where no unit is chosen, fresh ones of the chosen, and without counts the units that are marked but not chosen."""
    kept = select(KeptFigures.unit_id, *(getattr(KeptFigures, name) for name in Counts._fields)).where(
        KeptFigures.ground == _GROUND, KeptFigures.unit_id != all_(CHOSEN_UNITS)
    )
    marked = _marked(ground).subquery("marked")
    nothing = [cast(null(), Numeric if name == "points_total" else Integer) for name in Counts._fields]
    missed = select(marked.c.unit_id, *nothing).where(marked.c.unit_id != all_(CHOSEN_UNITS))
    if is_among:
        kept = kept.where(KeptFigures.unit_id == any_(_AMONG))
        missed = missed.where((marked.c.unit_id == any_(_AMONG)) | (marked.c.unit_id == _ALL_UNITS))
    return union_all(kept, select_counts(ground, EVERYBODY, is_of_chosen_units=True), missed)
