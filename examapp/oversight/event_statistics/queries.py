"""Which units have held no event of a kind or about a law, and what a unit's ledger has beside its list."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from examapp.learning.study_events.models import EventState, StudyEvent
from examapp.learning.study_events.queries import EventFilter, is_below, list_figures
from examapp.learning.study_events.rules import EventFigures
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import AREA_KINDS, Unit, UnitKind
from examapp.oversight.duty_lists.models import DutyRecord

_ANSWERING = (UnitKind.DEPARTMENT, UnitKind.TOWNSHIP, UnitKind.INSTITUTION)


def list_answering_units(session: Session, access: AccessScope, within_unit: Unit | None = None) -> list[Unit]:
    """List the open units within the access scope that answer for themselves (departments, townships, institutions right below the county), by code."""
    above = aliased(Unit, name="above")
    query = (
        select(Unit)
        .outerjoin(above, above.id == Unit.parent_id)
        .where(
            within(access),
            Unit.closed_at.is_(None),
            Unit.kind.in_(_ANSWERING),
            or_(above.id.is_(None), above.kind.in_(AREA_KINDS)),
        )
        .order_by(Unit.code)
    )
    return list(session.scalars(query if within_unit is None else query.where(is_below(within_unit))))


def list_events_off_list(session: Session, unit_id: int, year: int) -> list[EventFigures]:
    """List a unit's settled events of a year that stand on no item of its list: the ledger has them beside it, recorded once."""
    is_listed = exists().where(DutyRecord.event_id == StudyEvent.id, DutyRecord.withdrawn_at.is_(None))
    return list_figures(
        session, AccessScope(is_everything=True), EventFilter(year=year), StudyEvent.unit_id == unit_id, ~is_listed
    )


def list_units_without(session: Session, access: AccessScope, wanted: EventFilter) -> list[Unit]:
    """List the answering units that have settled no such event, they or anyone below them."""
    held = set(session.scalars(
        select(Unit.region_path)
        .join(StudyEvent, StudyEvent.unit_id == Unit.id)
        .where(StudyEvent.state == EventState.HELD, *replace(wanted, unit=None, state="").conditions())
    ))  # fmt: skip
    units = list_answering_units(session, access, wanted.unit)
    return [unit for unit in units if not any(path.startswith(unit.region_path) for path in held)]
