"""Set the key dates of every year."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from examapp.errors import NotFoundError
from examapp.oversight.duty_lists.actions import InvalidDutyError
from examapp.oversight.duty_lists.models import KeyDayRow, PlanPeriodRow
from examapp.oversight.duty_lists.queries import DutyScope, list_periods
from examapp.oversight.duty_lists.rules import PlanPeriod
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"duties.set_key_day": "设置重要时间节点", "duties.set_period": "设置普法规划周期"}
AUDIT_OBJECTS = {"key_day": "重要时间节点", "plan_period": "规划周期"}

_LEAP_YEAR = 2024


def set_key_day(context: ActionContext, *, month: int, day: int, name: str, duty_scope: DutyScope) -> None:
    """Add a key date, or name the one of that day again; without a name it is taken off. Rejects a day that no year has."""
    if not duty_scope.is_office:
        raise NotFoundError
    try:
        date(_LEAP_YEAR, month, day)
    except ValueError:
        raise InvalidDutyError(f"没有 {month} 月 {day} 日这一天，请改正。") from None
    row = insert(KeyDayRow).values(month=month, day=day, name=name)
    row_id = context.session.scalar(
        row.on_conflict_do_update(index_elements=["month", "day"], set_={"name": name}).returning(KeyDayRow.id)
    )
    details = {"month": month, "day": day, "name": name}
    record(context, "duties.set_key_day", object_type="key_day", object_id=row_id, details=details)


def set_period(context: ActionContext, *, period: PlanPeriod, duty_scope: DutyScope) -> None:
    """Add a plan period, or set the years of the one with this name; rejects periods that overlap."""
    session = context.session
    if not duty_scope.is_office:
        raise NotFoundError
    if period.last_year < period.first_year:
        raise InvalidDutyError("结束年度不能早于开始年度，请改正。")
    for other in list_periods(session):
        if other.name != period.name and other.first_year <= period.last_year and period.first_year <= other.last_year:
            raise InvalidDutyError(f"与“{other.name}”（{other.first_year}–{other.last_year}）的年度重叠，请改正。")
    row = session.scalar(select(PlanPeriodRow).where(PlanPeriodRow.name == period.name).with_for_update())
    row = row or PlanPeriodRow(name=period.name)
    row.first_year, row.last_year = period.first_year, period.last_year
    session.add(row)
    session.flush()
    record(context, "duties.set_period", object_type="plan_period", object_id=row.id)
