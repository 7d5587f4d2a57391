"""Set the key dates of every year."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from examapp.errors import NotFoundError
from examapp.oversight.duty_lists.actions import InvalidDutyError
from examapp.oversight.duty_lists.models import KeyDayRow, PlanPeriodRow
from examapp.oversight.duty_lists.queries import DutyScope, list_periods
from examapp.oversight.duty_lists.rules import KeySpan, PlanPeriod
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"duties.set_key_day": "设置重要时间节点", "duties.set_period": "设置普法规划周期"}
AUDIT_OBJECTS = {"key_day": "重要时间节点", "plan_period": "规划周期"}

_LEAP_YEAR = 2024


def set_key_day(context: ActionContext, *, span: KeySpan, name: str, duty_scope: DutyScope) -> None:
    """Add a key date, or name the one of these days again; without a name it is taken off. Rejects a day that no year has, and an end before the beginning."""
    if not duty_scope.is_office:
        raise NotFoundError
    for month, day in span:
        try:
            date(_LEAP_YEAR, month, day)
        except ValueError:
            raise InvalidDutyError(
                f"没有{month}月{day}日这一天，请改正。" if day else "填了结束的月份，请再填结束的日期。"
            ) from None
    (month, day), (last_month, last_day) = span
    if span[1] < span[0]:
        raise InvalidDutyError("结束的日子不能早于开始的日子；跨年的请分成两个节点。")
    days = {"month": month, "day": day, "last_month": last_month, "last_day": last_day}
    row = insert(KeyDayRow).values(**days, name=name)
    row_id = context.session.scalar(
        row.on_conflict_do_update(index_elements=[*days], set_={"name": name}).returning(KeyDayRow.id)
    )
    record(context, "duties.set_key_day", object_type="key_day", object_id=row_id, details=days | {"name": name})


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
