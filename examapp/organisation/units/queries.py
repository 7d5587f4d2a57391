"""Reads about units."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sqlalchemy import JSON, ColumnElement, and_, literal_column, or_, select
from sqlalchemy.orm import Session

from examapp.organisation.units.models import AREA_KINDS, Unit, UnitKind
from examapp.organisation.units.rules import CELL_RANGE


class UnitOwned(Protocol):
    """What belongs to a unit."""

    @property
    def unit_id(self) -> int:
        """The unit that it belongs to."""


def successor_of(session: Session, unit: Unit) -> Unit:
    """Follow a closed unit to the one that has its people now; an open one, or one that nobody took over, is its own."""
    while unit.closed_at is not None and unit.successor_id is not None:
        unit = session.get_one(Unit, unit.successor_id)
    return unit


def unit_of(session: Session, owned: UnitOwned) -> Unit:
    """Give the unit of a thing that was found within the caller's access scope."""
    return session.get_one(Unit, owned.unit_id)


def list_units(session: Session, *conditions: ColumnElement[bool], with_closed: bool = False) -> list[Unit]:
    """List units by code; `conditions` filter them by an access scope."""
    query = select(Unit).where(*conditions).order_by(Unit.code)
    return list(session.scalars(query if with_closed else query.where(Unit.closed_at.is_(None))))


def list_tops(session: Session, region_paths: Iterable[str], sector_paths: Iterable[str]) -> list[Unit]:
    """List the open units at which an access scope begins, by code."""
    return list_units(session, or_(Unit.region_path.in_(region_paths), Unit.sector_path.in_(sector_paths)))


IS_ROOT = and_(Unit.parent_id.is_(None), Unit.kind != UnitKind.SECTOR, Unit.closed_at.is_(None))
"""Open units without a parent, systems apart; more than one is a mistake."""


def sort_roots(units: Iterable[Unit]) -> list[Unit]:
    """Give the roots among the units: the county (prefecture, province) first, then those that no report of it covers."""
    roots = (unit for unit in units if unit.parent_id is None and unit.kind != UnitKind.SECTOR and not unit.closed_at)
    return sorted(roots, key=lambda unit: (unit.kind not in AREA_KINDS, unit.id))


CELLS: ColumnElement[object] = literal_column(
    f"""(
SELECT jsonb_agg(jsonb_build_array(c.number, (
    SELECT u.name FROM units AS u WHERE u.id >= c.number * {CELL_RANGE} AND u.id < (c.number + 1) * {CELL_RANGE} ORDER BY length(u.region_path), u.id LIMIT 1
  ), extract(epoch FROM b.beat_at), position('_up_' IN s.subname) > 0) ORDER BY c.number)
FROM pg_subscription AS s
CROSS JOIN LATERAL (SELECT substring(s.subname FROM '[0-9]+$')::bigint AS number) AS c
LEFT JOIN heartbeats AS b ON b.name = 'cell:' || c.number
WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.subname ~ '^examapp_(up|down)_[0-9]+$'
)""",  # noqa: S608 – a constant
    JSON,
).label("cells")
"""The cells that feed this database, or the one cell that it is, as `rules.cells_label` takes them; null where none does."""
