"""What reviewers and voters say of a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import ConflictError, NotFoundError
from examapp.oversight.assessment_results.queries import find_open_vote, get_review_row, list_vote_units
from examapp.oversight.assessments.actions import note, touch
from examapp.oversight.assessments.models import AssessmentOpinion, AssessmentReview, VoteTaken, VoteTally
from examapp.oversight.assessments.queries import get_sheet_row, whole_sheet
from examapp.oversight.assessments.rules import Opinion, SheetState
from examapp.oversight.duty_lists.actions import InvalidDutyError
from examapp.oversight.duty_lists.queries import DutyScope
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {
    "duties.give_opinion": "主管单位提出考核建议",
    "duties.review_sheet": "评审打分",
    "duties.vote": "公众评议",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a reviewer gives a line, and a remark."""

    points: Decimal
    remark: str


def review_sheet(context: ActionContext, *, sheet_id: int, given: Mapping[int, Given]) -> None:
    """Give points on every line that people judge; until the office feeds back they may be given again."""
    session, actor, now = context.session, context.actor, context.now
    if actor.person_id is None:
        raise NotFoundError
    row = get_review_row(session, sheet_id, actor.person_id, has_lock=True)
    if row.state != SheetState.SUBMITTED:
        raise ConflictError("这份评分表不在评审中，不能打分。请刷新页面查看。")
    judged = whole_sheet(session, row, now=now).judged_ids
    if judged - set(given):
        raise InvalidDutyError("有的项目还没有打分，请全部打完后提交。")
    for item_id in sorted(judged):
        values = {"points": given[item_id].points, "remark": given[item_id].remark, "reviewed_at": now}
        line = insert(AssessmentReview).values(sheet_id=row.id, item_id=item_id, reviewer_id=actor.person_id, **values)
        session.execute(line.on_conflict_do_update(index_elements=["sheet_id", "item_id", "reviewer_id"], set_=values))
    touch(row, now=now)
    note(context, "duties.review_sheet", row)


def give_opinion(
    context: ActionContext, *, sheet_id: int, bureau_id: int, points: Decimal | None, text: str, duty_scope: DutyScope
) -> None:
    """Propose points and words for a unit of one's system; until the office feeds back they may be given again."""
    row = get_sheet_row(context.session, sheet_id, duty_scope, has_lock=True)
    if row.state not in {SheetState.SELF, SheetState.SUBMITTED}:
        raise ConflictError("考核结果已反馈，不能再提建议。有意见请与普法办联系。")
    possible = whole_sheet(context.session, row, now=context.now).possible
    if points is not None and not 0 <= points <= possible:
        raise InvalidDutyError(f"建议得分应为 0 至 {possible} 分，请改正。")
    values = {"points": points, "text": text, "given_by_id": context.actor.person_id, "given_at": context.now}
    opinion = insert(AssessmentOpinion).values(sheet_id=row.id, bureau_id=bureau_id, **values)
    context.session.execute(opinion.on_conflict_do_update(index_elements=["sheet_id", "bureau_id"], set_=values))
    note(context, "duties.give_opinion", row)


def cast_votes(context: ActionContext, *, opinions: Mapping[int, Opinion]) -> int:
    """Give units opinions, once a person and unit; what was given before is passed over. Gives how many counted.

    That somebody has voted is kept apart from what was voted, and no audit line names both. Raises NotFoundError without an open vote.
    """
    session, actor = context.session, context.actor
    assessment = find_open_vote(session, today=day_of(context.now))
    if assessment is None or actor.person_id is None:
        raise NotFoundError
    offered = {unit.id for unit, _ in list_vote_units(session, assessment, actor.person_id)}
    counted = 0
    for unit_id in sorted(offered & set(opinions)):
        taken = insert(VoteTaken).values(assessment_id=assessment.id, unit_id=unit_id, person_id=actor.person_id)
        if session.scalar(taken.on_conflict_do_nothing().returning(VoteTaken.person_id)) is not None:
            _count(session, assessment.id, unit_id, opinions[unit_id])
            counted += 1
    details = {"units": counted}
    record(context, "duties.vote", object_type="duty_assessment", object_id=assessment.id, details=details)
    return counted


def _count(session: Session, assessment_id: int, unit_id: int, opinion: Opinion) -> None:
    tally = insert(VoteTally).values(assessment_id=assessment_id, unit_id=unit_id, opinion=opinion, votes=1)
    session.execute(
        tally.on_conflict_do_update(
            index_elements=["assessment_id", "unit_id", "opinion"], set_={"votes": VoteTally.votes + 1}
        )
    )
