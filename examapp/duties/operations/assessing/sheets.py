"""What a unit does with its score sheet, and the office that sends it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.clock import day_of
from examapp.core.errors import ConflictError, NotFoundError
from examapp.duties.models import AssessmentScore, AssessmentSheet
from examapp.duties.operations.changing import DutyRefusedError
from examapp.duties.queries import Hands
from examapp.duties.queries.assessment import Sheet, get_sheet_row, whole_sheet
from examapp.duties.rules.assessment import SheetState, last_appeal_day
from examapp.org.models import Unit

_CHANGED = "评分表刚才已被他人修改。请刷新页面，看过新的内容后再办。"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnScore:
    """What a unit gives itself on a line, and why."""

    points: Decimal | None
    reason: str


def save_self_scores(
    session: Session,
    *,
    sheet_id: int,
    version: int,
    scores: Mapping[int, OwnScore],
    is_submitted: bool,
    hands: Hands,
    actor: Actor,
    now: datetime,
) -> None:
    """Save a unit's self scores by item, and hand them in on wish; lines that fill themselves are not asked for."""
    sheet = _lock(session, sheet_id, hands, now=now)
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
            actor.person_id,
            "",
        )
    touch(row, now=now)
    note(session, "duties.submit_sheet" if is_submitted else "duties.save_sheet", row, actor=actor, now=now)


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
        raise DutyRefusedError(f"第 {'、'.join(missing)} 项还没有自评得分，请填写后再报送。")
    if silent:
        raise DutyRefusedError(f"第 {'、'.join(silent)} 项还没有写自评理由，请填写后再报送。")


def send_back_sheet(
    session: Session, *, sheet_id: int, version: int, remark: str, hands: Hands, actor: Actor, now: datetime
) -> None:
    """Give a submitted sheet back to its unit with a reason; what reviewers gave stays for the next time."""
    row = lock_row(session, sheet_id, hands)
    check_office(session, row, hands)
    if row.state != SheetState.SUBMITTED:
        raise ConflictError("评分表不在待评审中，不能退回。请刷新页面查看。")
    check_version(row, version)
    row.state, row.remark = SheetState.SELF, remark
    touch(row, now=now)
    note(session, "duties.send_back_sheet", row, actor=actor, now=now)


def appeal(
    session: Session, *, sheet_id: int, version: int, text: str, hands: Hands, actor: Actor, now: datetime
) -> None:
    """Appeal against what was fed back, once, within the days that the office set."""
    sheet = _lock(session, sheet_id, hands, now=now)
    row = sheet.row
    if row.appealed_at is not None:
        raise ConflictError("已经申诉过了，不用再提。请刷新页面查看。")
    if row.state != SheetState.FED_BACK or row.fed_back_at is None:
        raise ConflictError("考核结果不在反馈期，不能申诉。请刷新页面查看。")
    check_version(row, version)
    last = last_appeal_day(day_of(row.fed_back_at), sheet.assessment.appeal_days)
    if day_of(now) > last:
        raise DutyRefusedError(f"申诉截止到 {last.month} 月 {last.day} 日，已经过期。确有问题请联系普法办。")
    row.state, row.appeal, row.appealed_at = SheetState.APPEALED, text, now
    touch(row, now=now)
    note(session, "duties.appeal", row, actor=actor, now=now)


def _lock(session: Session, sheet_id: int, hands: Hands, *, now: datetime) -> Sheet:
    return whole_sheet(session, lock_row(session, sheet_id, hands), now=now)


def lock_row(session: Session, sheet_id: int, hands: Hands) -> AssessmentSheet:
    """Lock a sheet of a unit in somebody's hands; raises NotFoundError out of reach."""
    return get_sheet_row(session, sheet_id, hands, has_lock=True)


def check_office(session: Session, row: AssessmentSheet, hands: Hands) -> None:
    """Refuse, as not found, who may not decide on a unit."""
    unit, reach = session.get_one(Unit, row.unit_id), hands.approve
    if reach is None or not reach.covers(region_path=unit.region_path, sector_path=unit.sector_path):
        raise NotFoundError


def check_version(row: AssessmentSheet, version: int) -> None:
    """Refuse a decision on a sheet that has changed since it was looked at."""
    if row.version != version:
        raise ConflictError(_CHANGED)


def touch(row: AssessmentSheet, *, now: datetime) -> None:
    """Count a change of a sheet."""
    row.version += 1
    row.updated_at = now


def note(session: Session, act: str, row: AssessmentSheet, *, actor: Actor, now: datetime) -> None:
    """Write the audit line of an act on a sheet."""
    details = {"unit_id": row.unit_id, "assessment_id": row.assessment_id}
    record(session, act, actor=actor, now=now, object_type="duty_sheet", object_id=row.id, details=details)
