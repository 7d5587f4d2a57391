"""What a unit does with its score sheet, and the office that sends it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import ConflictError, NotFoundError
from examapp.organisation.units.models import Unit
from examapp.oversight.assessments.models import AssessmentRevision, AssessmentScore, AssessmentSheet
from examapp.oversight.assessments.queries import (
    Reviewer,
    ScoreSheetLine,
    UnitScoreSheet,
    bands_of,
    get_assessment,
    get_sheet_row,
    list_reviewers,
    whole_sheet,
    whole_sheets,
)
from examapp.oversight.assessments.rules import SheetState, band_of, last_appeal_day
from examapp.oversight.duty_lists.actions import InvalidDutyError
from examapp.oversight.duty_lists.queries import DutyScope
from examapp.platform.audit.actions import ActionContext, record
from examapp.points import as_text

AUDIT_ACTS = {
    "duties.answer_appeal": "答复考核申诉",
    "duties.appeal": "提出考核申诉",
    "duties.correct_sealed_sheet": "更正已封存的考核",
    "duties.publish_feedback": "反馈考核结果",
    "duties.seal_sheet": "封存考核结果",
    "duties.return_assessment": "退回自评",
}
AUDIT_OBJECTS = {"duty_sheet": "单位考核表"}

_CHANGED = "评分表刚才已被他人修改。请刷新页面，看过新的内容后再办。"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnScore:
    """What a unit gives itself on a line, and why."""

    points: Decimal | None
    reason: str


def save_self_scores(
    context: ActionContext,
    *,
    sheet_id: int,
    version: int,
    scores: Mapping[int, OwnScore],
    is_submitted: bool,
    duty_scope: DutyScope,
) -> None:
    """Save a unit's self scores by item, and hand them in if asked for; lines that fill themselves are not asked for."""
    session, now = context.session, context.now
    sheet = _lock(session, sheet_id, duty_scope, now=now)
    row = sheet.row
    if row.state != SheetState.SELF:
        raise ConflictError("自评已经报送，不能再改。需要修改请联系普法办退回。")
    check_version(row, version)
    for item_id in sheet.judged_ids & set(scores):
        _put_score(session, row.id, item_id, scores[item_id])
    if is_submitted:
        _check_whole(session, row, now=now)
        row.state, row.submitted_at, row.submitted_by_id, row.remark = (
            SheetState.SUBMITTED,
            now,
            context.actor.person_id,
            "",
        )
    touch(row, now=now)
    note(context, "duties.submit_sheet" if is_submitted else "duties.save_sheet", row)


def _put_score(session: Session, sheet_id: int, item_id: int, score: OwnScore) -> None:
    row = insert(AssessmentScore).values(
        sheet_id=sheet_id, item_id=item_id, self_points=score.points, self_reason=score.reason
    )
    new = {"self_points": row.excluded.self_points, "self_reason": row.excluded.self_reason}
    session.execute(row.on_conflict_do_update(index_elements=["sheet_id", "item_id"], set_=new))


def _check_whole(session: Session, row: AssessmentSheet, *, now: datetime) -> None:
    session.flush()
    sheet = whole_sheet(session, row, now=now)
    missing = [str(line.number) for line in sheet.lines if line.own is None]
    silent = [str(line.number) for line in sheet.lines if line.is_judged and not line.self_reason]
    if missing:
        raise InvalidDutyError(f"第 {'、'.join(missing)} 项还没有自评得分，请填写后再报送。")
    if silent:
        raise InvalidDutyError(f"第 {'、'.join(silent)} 项还没有写自评理由，请填写后再报送。")


def send_back_sheet(context: ActionContext, *, sheet_id: int, version: int, remark: str, duty_scope: DutyScope) -> None:
    """Give a submitted sheet back to its unit with a reason; what reviewers gave stays for the next time."""
    row = lock_row(context.session, sheet_id, duty_scope)
    check_office(context.session, row, duty_scope)
    if row.state != SheetState.SUBMITTED:
        raise ConflictError("评分表不在待评审中，不能退回。请刷新页面查看。")
    check_version(row, version)
    row.state, row.remark = SheetState.SELF, remark
    touch(row, now=context.now)
    note(context, "duties.return_assessment", row)


def appeal(context: ActionContext, *, sheet_id: int, version: int, text: str, duty_scope: DutyScope) -> None:
    """Appeal against what was fed back, once, within the days that the office set."""
    now = context.now
    sheet = _lock(context.session, sheet_id, duty_scope, now=now)
    row = sheet.row
    if row.appealed_at is not None:
        raise ConflictError("已经申诉过了，不用再提。请刷新页面查看。")
    if row.state != SheetState.FED_BACK or row.fed_back_at is None:
        raise ConflictError("考核结果不在反馈期，不能申诉。请刷新页面查看。")
    check_version(row, version)
    last = last_appeal_day(day_of(row.fed_back_at), sheet.assessment.appeal_days)
    if day_of(now) > last:
        raise InvalidDutyError(f"申诉截止到 {last.month}月{last.day}日，已经过期。确有问题请联系普法办。")
    row.state, row.appeal, row.appealed_at = SheetState.APPEALED, text, now
    touch(row, now=now)
    note(context, "duties.appeal", row)


def _lock(session: Session, sheet_id: int, duty_scope: DutyScope, *, now: datetime) -> UnitScoreSheet:
    return whole_sheet(session, lock_row(session, sheet_id, duty_scope), now=now)


def lock_row(session: Session, sheet_id: int, duty_scope: DutyScope) -> AssessmentSheet:
    """Lock a score sheet of a unit within the duty scope; raises NotFoundError outside the access scope."""
    return get_sheet_row(session, sheet_id, duty_scope, has_lock=True)


def check_office(session: Session, row: AssessmentSheet, duty_scope: DutyScope) -> None:
    """Reject, as not found, who may not decide on a unit."""
    unit, access = session.get_one(Unit, row.unit_id), duty_scope.approve
    if access is None or not access.covers(region_path=unit.region_path, sector_path=unit.sector_path):
        raise NotFoundError


def check_version(row: AssessmentSheet, version: int) -> None:
    """Reject a decision on a sheet that has changed since it was looked at."""
    if row.version != version:
        raise ConflictError(_CHANGED)


def touch(row: AssessmentSheet, *, now: datetime) -> None:
    """Count a change of a sheet."""
    row.version += 1
    row.updated_at = now


def note(context: ActionContext, act: str, row: AssessmentSheet) -> None:
    """Write the audit line of an act on a sheet."""
    details = {"unit_id": row.unit_id, "assessment_id": row.assessment_id}
    record(context, act, object_type="duty_sheet", object_id=row.id, details=details)


def feed_back_sheet(context: ActionContext, *, sheet_id: int, version: int, duty_scope: DutyScope) -> None:
    """Fix the points of a reviewed sheet and show them to the unit; a second press is rejected and changes nothing."""
    session = context.session
    row = lock_row(session, sheet_id, duty_scope)
    check_office(session, row, duty_scope)
    if row.state not in {SheetState.SELF, SheetState.SUBMITTED}:
        raise ConflictError("这份评分表已经反馈，不用再办。请刷新页面查看。")
    if row.state == SheetState.SELF:
        raise ConflictError("单位还没有报送自评，或已退回修改。请等单位报送。")
    check_version(row, version)
    sheet = whole_sheet(session, row, now=context.now)
    missing_reviews = describe_missing_reviews(sheet, list_reviewers(session, row.assessment_id))
    if missing_reviews:
        raise InvalidDutyError(missing_reviews)
    _fix(context, sheet)


def feed_back_all(context: ActionContext, *, assessment_id: int, duty_scope: DutyScope) -> int:
    """Feed back every sheet that all its reviewers have done; gives how many."""
    ready = _lock_all(context.session, assessment_id, SheetState.SUBMITTED, duty_scope, now=context.now)
    reviewers = list_reviewers(context.session, assessment_id)
    done = [sheet for sheet in ready if not describe_missing_reviews(sheet, reviewers)]
    for sheet in done:
        _fix(context, sheet)
    return len(done)


def _lock_all(
    session: Session, assessment_id: int, state: SheetState, duty_scope: DutyScope, *, now: datetime
) -> list[UnitScoreSheet]:
    """Lock every sheet in a state, in one order, and give them whole; for the office alone."""
    if not duty_scope.is_office:
        raise NotFoundError
    assessment = get_assessment(session, assessment_id, has_lock=True)
    query = select(AssessmentSheet).where(
        AssessmentSheet.assessment_id == assessment_id, AssessmentSheet.state == state
    )
    locked = query.order_by(AssessmentSheet.id).with_for_update().execution_options(populate_existing=True)
    return whole_sheets(session, assessment, session.scalars(locked).all(), now=now)


def describe_missing_reviews(sheet: UnitScoreSheet, reviewers: Sequence[Reviewer]) -> str:
    """Say what a sheet lacks before it may be fed back; empty where nothing."""
    if not sheet.judged_ids:
        return ""
    outside = [reviewer for reviewer in reviewers if not reviewer.region_path.startswith(sheet.unit.region_path)]
    missing = [reviewer for reviewer in outside if not sheet.is_reviewed_by(reviewer.person_id)]
    if gone := [reviewer.name for reviewer in missing if reviewer.has_left]:
        return f"评审人{'、'.join(gone)}已离开名册，还没有评审这个单位。请在“评分表和评审人”中移除，已打的分仍然有效。"
    if missing:
        return f"{'、'.join(reviewer.name for reviewer in missing)}还没有评审完，请等评审完再反馈。"
    if not sheet.has_reviews:
        return "还没有可以评审这个单位的评审人（本单位的人不评本单位）。请先添加评审人。"
    return ""


def _fix(context: ActionContext, sheet: UnitScoreSheet) -> None:
    row = sheet.row
    for line in sheet.lines:
        _put_points(context.session, row.id, line.item.id, points=line.reviewed, rate=line.rate)
    total = sheet.total
    assert total is not None
    row.state, row.fed_back_at, row.total = SheetState.FED_BACK, context.now, total
    row.band = band_of(total, possible=sheet.possible, bands=bands_of(sheet.assessment))
    touch(row, now=context.now)
    note(context, "duties.publish_feedback", row)


def _put_points(session: Session, sheet_id: int, item_id: int, *, points: Decimal | None, rate: Decimal | None) -> None:
    values = {"points": points, "rate": rate}
    row = insert(AssessmentScore).values(sheet_id=sheet_id, item_id=item_id, self_reason="", **values)
    session.execute(row.on_conflict_do_update(index_elements=["sheet_id", "item_id"], set_=values))


def answer_appeal(
    context: ActionContext,
    *,
    sheet_id: int,
    version: int,
    points: Mapping[int, Decimal],
    answer: str,
    duty_scope: DutyScope,
) -> None:
    """Answer an appeal with the points that stand from now on, changed or not; the unit reads the answer."""
    session, now = context.session, context.now
    row = lock_row(session, sheet_id, duty_scope)
    check_office(session, row, duty_scope)
    if row.state != SheetState.APPEALED:
        raise ConflictError("这份评分表没有待复核的申诉。请刷新页面查看。")
    check_version(row, version)
    _change_points(session, row, points, now=now)
    row.state, row.appeal_answer, row.appeal_answered_at = SheetState.FED_BACK, answer, now
    touch(row, now=now)
    note(context, "duties.answer_appeal", row)


def _change_points(session: Session, row: AssessmentSheet, points: Mapping[int, Decimal], *, now: datetime) -> bool:
    """Put points by item and reckon total and band again; tells whether anything changed."""
    sheet = whole_sheet(session, row, now=now)
    changed = [line for line in sheet.lines if line.item.id in points and points[line.item.id] != line.fixed]
    for line in changed:
        _put_points(session, row.id, line.item.id, points=_within(line, points[line.item.id]), rate=line.rate)
    total = whole_sheet(session, row, now=now).total
    assert total is not None
    row.total, row.band = total, band_of(total, possible=sheet.possible, bands=bands_of(sheet.assessment))
    return bool(changed)


def _within(line: ScoreSheetLine, points: Decimal) -> Decimal:
    if not 0 <= points <= line.item.points:
        raise InvalidDutyError(f"第 {line.number} 项最多 {line.item.points.normalize():f} 分，请改正。")
    return points


def seal_sheet(context: ActionContext, *, sheet_id: int, version: int, duty_scope: DutyScope) -> None:
    """Seal a sheet as its first version; not while an appeal waits. A second press is rejected and changes nothing."""
    session = context.session
    row = lock_row(session, sheet_id, duty_scope)
    check_office(session, row, duty_scope)
    if row.state == SheetState.SEALED:
        raise ConflictError("这份评分表已经封存，不用再办。请刷新页面查看。")
    if row.state == SheetState.APPEALED:
        raise ConflictError("单位的申诉还没有复核。请先复核，再封存。")
    if row.state != SheetState.FED_BACK:
        raise ConflictError("考核结果还没有反馈给单位。请先反馈，再封存。")
    check_version(row, version)
    _seal(context, whole_sheet(session, row, now=context.now))


def seal_all(context: ActionContext, *, assessment_id: int, duty_scope: DutyScope) -> int:
    """Seal every sheet that was fed back and waits for no answer; gives how many."""
    ready = _lock_all(context.session, assessment_id, SheetState.FED_BACK, duty_scope, now=context.now)
    for sheet in ready:
        _seal(context, sheet)
    return len(ready)


def _seal(context: ActionContext, sheet: UnitScoreSheet) -> None:
    row = sheet.row
    row.state, row.sealed_at = SheetState.SEALED, context.now
    _add_revision(context, sheet, reason="")
    touch(row, now=context.now)
    note(context, "duties.seal_sheet", row)


def correct_sealed_sheet(
    context: ActionContext,
    *,
    sheet_id: int,
    version: int,
    points: Mapping[int, Decimal],
    reason: str,
    duty_scope: DutyScope,
) -> int:
    """Correct the points of a sealed sheet with a reason: a new version beside the old ones, which stay. Gives its number."""
    session, now = context.session, context.now
    row = lock_row(session, sheet_id, duty_scope)
    check_office(session, row, duty_scope)
    if row.state != SheetState.SEALED:
        raise ConflictError("这份评分表还没有封存，不用更正。请刷新页面查看。")
    check_version(row, version)
    if not _change_points(session, row, points, now=now):
        raise InvalidDutyError("得分没有变化，不用更正。请改动需要更正的项目后再提交。")
    sheet = whole_sheet(session, row, now=now)
    number = _add_revision(context, sheet, reason=reason)
    touch(row, now=now)
    note(context, "duties.correct_sealed_sheet", row)
    return number


def _add_revision(context: ActionContext, sheet: UnitScoreSheet, *, reason: str) -> int:
    session = context.session
    row = sheet.row
    last = session.scalar(select(func.max(AssessmentRevision.number)).where(AssessmentRevision.sheet_id == row.id))
    number = (last or 0) + 1
    session.add(
        AssessmentRevision(
            sheet_id=row.id,
            number=number,
            reason=reason,
            lines=snapshot(sheet),
            total=row.total,
            band=row.band,
            made_at=context.now,
            made_by_id=context.actor.person_id,
        )
    )
    session.flush()
    return number


def snapshot(sheet: UnitScoreSheet) -> list[dict[str, str | None]]:
    """Give the lines of a sheet as a sealed version keeps them."""
    return [
        {
            "section": line.item.section,
            "content": line.item.content,
            "possible": as_text(line.item.points),
            "self": as_text(line.own),
            "rate": as_text(line.rate),
            "points": as_text(line.reviewed),
        }
        for line in sheet.lines
    ]
