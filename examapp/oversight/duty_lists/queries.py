"""Reads about lists, items and records; what is outside the access scope is not found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Unit, UnitKind
from examapp.oversight.duty_lists.models import DutyItem, DutyList, DutyRecord, KeyDayRow, PlanPeriodRow
from examapp.oversight.duty_lists.rules import (
    SHIPPED_KEY_DAYS,
    SHIPPED_KEY_SPANS,
    SHIPPED_PERIODS,
    DutyListState,
    KeyDays,
    KeySpan,
    PlanPeriod,
    Progress,
    key_span_label,
    key_span_of,
    progress_of,
)

PAGE = 50
MAX_CALENDAR_ROWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyScope:
    """How far who acts may write lists, and approve them; None where not at all."""

    write: AccessScope
    approve: AccessScope | None = None

    @property
    def is_office(self) -> bool:
        """Whether the common items of the whole county are within this duty scope."""
        return self.approve is not None and self.approve.is_everything


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """An item as it stands on a day."""

    item: DutyItem
    number: int
    records: int
    first_done_on: date | None
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitYear:
    """A unit's line in the overview of a year."""

    unit: Unit
    duty_list: DutyList | None
    items: int
    done: int
    overdue: int
    status_note: str
    """What became of a unit that is closed; empty for an open one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFigures:
    """How many units have published a list, and how far its items have come."""

    published: int
    items: int
    done: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRow:
    """An item in the calendar, with the unit that it is on."""

    item: DutyItem
    unit: Unit
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One line of the ledger: an item, with one record or none."""

    number: int
    item: DutyItem
    record: DutyRecord | None


def get_list(session: Session, list_id: int, duty_scope: DutyScope, *, has_lock: bool = False) -> DutyList:
    """Get a list within the duty scope, locked if asked for; raises NotFoundError outside the access scope."""
    query = select(DutyList).outerjoin(Unit, DutyList.unit_id == Unit.id).where(DutyList.id == list_id, _in(duty_scope))
    if has_lock:
        query = query.with_for_update(of=DutyList).execution_options(populate_existing=True)
    duty_list = session.scalar(query)
    if duty_list is None:
        raise NotFoundError
    return duty_list


def _in(duty_scope: DutyScope) -> ColumnElement[bool]:
    """Give the condition that a list lies within the duty scope; in the statement itself, so that no answer takes longer than another."""
    is_common = DutyList.unit_id.is_(None)
    return or_(is_common & (true() if duty_scope.is_office else false()), ~is_common & within(duty_scope.write))


def get_item(session: Session, item_id: int, duty_scope: DutyScope) -> DutyItem:
    """Get an item within the duty scope; raises NotFoundError outside the access scope."""
    query = select(DutyItem).join(DutyItem.duty_list).outerjoin(Unit, DutyList.unit_id == Unit.id)
    item = session.scalar(query.where(DutyItem.id == item_id, _in(duty_scope)))
    if item is None:
        raise NotFoundError
    return item


def get_record(session: Session, record_id: int, duty_scope: DutyScope) -> DutyRecord:
    """Get a record within the duty scope; raises NotFoundError outside the access scope or withdrawn."""
    query = (
        select(DutyRecord).join(DutyRecord.item).join(DutyItem.duty_list).outerjoin(Unit, DutyList.unit_id == Unit.id)
    )
    record = session.scalar(query.where(DutyRecord.id == record_id, DutyRecord.withdrawn_at.is_(None), _in(duty_scope)))
    if record is None:
        raise NotFoundError
    return record


def unit_of(session: Session, duty_list: DutyList) -> Unit | None:
    """Give the unit of a list, None for the common one."""
    return None if duty_list.unit_id is None else session.get_one(Unit, duty_list.unit_id)


def find_list(session: Session, unit_id: int | None, year: int) -> DutyList | None:
    """Find the list of a unit and year; without a unit the common one."""
    of_unit = DutyList.unit_id.is_(None) if unit_id is None else DutyList.unit_id == unit_id
    return session.scalar(select(DutyList).where(of_unit, DutyList.year == year))


def has_records(session: Session, item_id: int) -> bool:
    """Tell whether something was ever recorded on an item."""
    return bool(session.scalar(select(exists().where(DutyRecord.item_id == item_id))))


def live_items(session: Session, list_id: int) -> list[DutyItem]:
    """List the items of a list in order, without those taken off."""
    query = select(DutyItem).where(DutyItem.list_id == list_id, DutyItem.withdrawn_at.is_(None))
    return list(session.scalars(query.order_by(DutyItem.kind, DutyItem.position, DutyItem.id)))


def _with_records(*conditions: ColumnElement[bool]) -> Select[DutyItem, int, date | None]:
    records = (
        select(DutyRecord.item_id, func.count().label("records"), func.min(DutyRecord.done_on).label("first"))
        .where(DutyRecord.withdrawn_at.is_(None))
        .group_by(DutyRecord.item_id)
        .subquery()
    )
    return (
        select(DutyItem, func.coalesce(records.c.records, 0), records.c.first)
        .outerjoin(records, records.c.item_id == DutyItem.id)
        .where(DutyItem.withdrawn_at.is_(None), *conditions)
    )


def item_rows(session: Session, list_id: int, *, today: date) -> list[ItemRow]:
    """List a list's items, common ones first, each with how far it has come; one statement."""
    query = _with_records(DutyItem.list_id == list_id).order_by(DutyItem.kind, DutyItem.position, DutyItem.id)
    return [
        ItemRow(
            item=item,
            number=number,
            records=records,
            first_done_on=first,
            progress=progress_of(item.due_on, first, today=today),
        )
        for number, (item, records, first) in enumerate(session.execute(query), 1)
    ]


def _units(year: int, access: AccessScope) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions on units of an overview: open ones, and closed ones that had a list in that year."""
    has_list = exists().where(DutyList.unit_id == Unit.id, DutyList.year == year).correlate(Unit)
    return within(access), Unit.kind != UnitKind.SECTOR, or_(Unit.closed_at.is_(None), has_list)


def count_units(session: Session, year: int, access: AccessScope) -> int:
    """Count the units that the overview of a year has lines for."""
    return session.scalar(select(func.count()).select_from(Unit).where(*_units(year, access))) or 0


def list_overview(session: Session, year: int, access: AccessScope, *, today: date, page: int = 1) -> list[UnitYear]:
    """List a page of units with their lists of a year and how far these have come; two statements."""
    successor = aliased(Unit, name="heir")
    rows = session.execute(
        select(Unit, DutyList, successor.name)
        .outerjoin(DutyList, (DutyList.unit_id == Unit.id) & (DutyList.year == year))
        .outerjoin(successor, successor.id == Unit.successor_id)
        .where(*_units(year, access))
        .order_by(Unit.code)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    ids = [duty_list.id for _, duty_list, _ in rows if duty_list is not None]
    counts = _counts(session, ids, today=today)
    return [_unit_year(unit, duty_list, successor_name, counts) for unit, duty_list, successor_name in rows]


def count_lists(session: Session, year: int, access: AccessScope, *, today: date) -> ListFigures:
    """Count the published lists of a year within the access scope, and how far their items have come; one statement."""
    done = exists().where(DutyRecord.item_id == DutyItem.id, DutyRecord.withdrawn_at.is_(None)).correlate(DutyItem)
    published, items, done_count, overdue = session.execute(
        select(
            func.count(DutyList.id.distinct()),
            func.count(DutyItem.id),
            func.count(DutyItem.id).filter(done),
            func.count(DutyItem.id).filter(~done, DutyItem.due_on < today),
        )
        .select_from(DutyList)
        .join(Unit, Unit.id == DutyList.unit_id)
        .outerjoin(DutyItem, (DutyItem.list_id == DutyList.id) & DutyItem.withdrawn_at.is_(None))
        .where(within(access), DutyList.year == year, DutyList.published_at.is_not(None))
    ).one()
    return ListFigures(published=published, items=items, done=done_count, overdue=overdue)


def _counts(session: Session, list_ids: Sequence[int], *, today: date) -> dict[int, Counter[Progress]]:
    counts: dict[int, Counter[Progress]] = {}
    for item, _, first in session.execute(_with_records(DutyItem.list_id.in_(list_ids))):
        counts.setdefault(item.list_id, Counter())[progress_of(item.due_on, first, today=today)] += 1
    return counts


def _unit_year(
    unit: Unit, duty_list: DutyList | None, successor_name: str | None, by_list: dict[int, Counter[Progress]]
) -> UnitYear:
    counts = Counter[Progress]() if duty_list is None else by_list.get(duty_list.id, Counter())
    return UnitYear(
        unit=unit,
        duty_list=duty_list,
        items=counts.total(),
        done=counts[Progress.DONE] + counts[Progress.DONE_LATE],
        overdue=counts[Progress.OVERDUE],
        status_note="" if unit.closed_at is None else f"已并入{successor_name}" if successor_name else "已撤销",
    )


def list_proposed(session: Session, access: AccessScope) -> list[tuple[DutyList, Unit]]:
    """List what waits for the office's approval within the access scope, oldest first."""
    query = (
        select(DutyList, Unit)
        .join(Unit, Unit.id == DutyList.unit_id)
        .where(within(access), DutyList.state == DutyListState.PROPOSED)
        .order_by(DutyList.proposed_at)
    )
    return [(duty_list, unit) for duty_list, unit in session.execute(query)]


def list_periods(session: Session) -> list[PlanPeriod]:
    """List the plan periods: the shipped ones, and over them what the office has set."""
    rows = session.execute(select(PlanPeriodRow.name, PlanPeriodRow.first_year, PlanPeriodRow.last_year))
    stored = [PlanPeriod(name=name, first_year=first, last_year=last) for name, first, last in rows]
    names = {period.name for period in stored}
    return sorted(
        [*stored, *(period for period in SHIPPED_PERIODS if period.name not in names)],
        key=lambda period: period.first_year,
    )


def iter_ledger(session: Session, list_id: int) -> Iterator[LedgerRow]:
    """Give the ledger of a list: every item with its records, also those taken off after something was recorded."""
    rows = session.execute(
        select(DutyItem, DutyRecord)
        .outerjoin(DutyRecord, (DutyRecord.item_id == DutyItem.id) & DutyRecord.withdrawn_at.is_(None))
        .where(DutyItem.list_id == list_id)
        .order_by(
            DutyItem.withdrawn_at.is_not(None),
            DutyItem.kind,
            DutyItem.position,
            DutyItem.id,
            DutyRecord.done_on,
            DutyRecord.id,
        )
    )
    number, last_id = 0, 0
    for item, found in rows:
        record = cast("DutyRecord | None", found)
        number += item.id != last_id
        last_id = item.id
        if record is not None or item.withdrawn_at is None:
            yield LedgerRow(number=number, item=item, record=record)


def list_records(session: Session, item_id: int) -> list[DutyRecord]:
    """List what was done on an item, in the order of days."""
    query = select(DutyRecord).where(DutyRecord.item_id == item_id, DutyRecord.withdrawn_at.is_(None))
    return list(session.scalars(query.order_by(DutyRecord.done_on, DutyRecord.id)))


def list_calendar(
    session: Session, year: int, access: AccessScope, *, today: date, unit_id: int | None = None
) -> list[CalendarRow]:
    """List the year's items of published lists within the access scope by due date, undated ones last; at most 2,000."""
    query = (
        _with_records(DutyList.year == year, DutyList.published_at.is_not(None), within(access))
        .join(DutyList, DutyList.id == DutyItem.list_id)
        .join(Unit, Unit.id == DutyList.unit_id)
        .add_columns(Unit)
        .order_by(DutyItem.due_on.asc().nulls_last(), Unit.code, DutyItem.position, DutyItem.id)
        .limit(MAX_CALENDAR_ROWS)
    )
    if unit_id is not None:
        query = query.where(Unit.id == unit_id)
    return [
        CalendarRow(item=item, unit=unit, progress=progress_of(item.due_on, first, today=today))
        for item, _, first, unit in session.execute(query)
    ]


def list_units_with_lists(session: Session, year: int, access: AccessScope) -> list[Unit]:
    """List the units within the access scope whose list of a year has been published."""
    query = select(Unit).join(DutyList, DutyList.unit_id == Unit.id)
    query = query.where(within(access), DutyList.year == year, DutyList.published_at.is_not(None))
    return list(session.scalars(query.order_by(Unit.code)))


def get_published(session: Session, unit_code: str, year: int | None) -> tuple[Unit, DutyList, list[int]]:
    """Get what the public may read: a unit, its published list (the newest where no year is named), and the years there are."""
    rows = session.execute(
        select(Unit, DutyList)
        .join(DutyList, DutyList.unit_id == Unit.id)
        .where(Unit.code == unit_code, DutyList.state == DutyListState.PUBLISHED)
        .order_by(DutyList.year.desc())
    ).all()
    for unit, duty_list in rows:
        if year is None or duty_list.year == year:
            return unit, duty_list, [other.year for _, other in rows]
    raise NotFoundError


def key_days(session: Session) -> dict[KeySpan, str]:
    """Give the key dates in the order of the year: the shipped ones, and over them what the office has set."""
    names = {(day, day): name for day, name in SHIPPED_KEY_DAYS.items()} | SHIPPED_KEY_SPANS
    for row in session.scalars(select(KeyDayRow)):
        names[(row.month, row.day), (row.last_month, row.last_day)] = row.name
    return {span: names[span] for span in sorted(names) if names[span]}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDate:
    """A key date with the items that are meant for it."""

    text: str
    rows: Sequence[CalendarRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarMonth:
    """A month of the calendar: its key dates, and what is due in it; the last one holds what is due on no day."""

    title: str
    key_dates: Sequence[KeyDate]
    due: Sequence[CalendarRow]


def months_of(rows: Sequence[CalendarRow], names: KeyDays) -> list[CalendarMonth]:
    """Arrange a year's items by month: each under the key date it is meant for, and where it is due; without empty months."""
    due: dict[int, list[CalendarRow]] = defaultdict(list)
    meant: dict[KeySpan, list[CalendarRow]] = {span: [] for span in names}
    for row in rows:
        due[row.item.due_on.month if row.item.due_on else 0].append(row)
        if row.item.key_on:
            meant.setdefault(key_span_of(row.item.key_on, names), []).append(row)
    months = []
    for month in (*range(1, 13), 0):
        dates = [
            KeyDate(text=f"{key_span_label(span)} {names.get(span, '')}".strip(), rows=meant[span])
            for span in sorted(meant)
            if span[0][0] == month
        ]
        if dates or due[month]:
            title = f"{month} 月" if month else "未定期限"
            months.append(CalendarMonth(title=title, key_dates=dates, due=due[month]))
    return months
