"""The office writes the conclusion of a plan period."""

from __future__ import annotations

from examapp.errors import ConflictError
from examapp.oversight.plan_evaluations.models import PlanEvaluation
from examapp.oversight.plan_evaluations.queries import get_period
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"duties.write_evaluation": "填写普法规划评估结论"}
AUDIT_OBJECTS = {"plan_evaluation": "普法规划评估"}


def write_evaluation(context: ActionContext, *, first_year: int, stage: str, version: int, text: str) -> None:
    """Keep the conclusion of a stage that is still as the form showed it; version 0 where there was none."""
    session, now = context.session, context.now
    get_period(session, first_year)
    row = session.get(PlanEvaluation, (first_year, stage), with_for_update=True, populate_existing=True)
    if (row.version if row else 0) != version:
        raise ConflictError("评估结论刚才已被他人修改。请复制您写的内容，刷新页面后再填。")
    if row is None:
        row = PlanEvaluation(first_year=first_year, stage=stage, version=0)
        session.add(row)
    row.text, row.version = text, version + 1
    row.written_by_id, row.written_at = context.actor.person_id, now
    details = {"year": first_year}
    record(context, "duties.write_evaluation", object_type="plan_evaluation", details=details)
