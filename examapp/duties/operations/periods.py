"""Set the plan periods."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import NotFoundError
from examapp.duties.models import PlanPeriodRow
from examapp.duties.operations.changing import DutyRefusedError
from examapp.duties.queries import Hands, list_periods
from examapp.duties.rules import PlanPeriod


def set_period(session: Session, *, period: PlanPeriod, hands: Hands, actor: Actor, now: datetime) -> None:
    """Add a plan period, or set the years of the one with this name; refuses periods that overlap."""
    if not hands.is_office:
        raise NotFoundError
    if period.last_year < period.first_year:
        raise DutyRefusedError("结束年度不能早于开始年度，请改正。")
    for other in list_periods(session):
        if other.name != period.name and other.first_year <= period.last_year and period.first_year <= other.last_year:
            raise DutyRefusedError(f"与「{other.name}」（{other.first_year}–{other.last_year}）的年度重叠，请改正。")
    row = session.scalar(select(PlanPeriodRow).where(PlanPeriodRow.name == period.name).with_for_update())
    row = row or PlanPeriodRow(name=period.name)
    row.first_year, row.last_year = period.first_year, period.last_year
    session.add(row)
    session.flush()
    record(session, "duties.set_period", actor=actor, now=now, object_type="plan_period", object_id=row.id)
