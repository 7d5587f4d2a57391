"""A corrected key that a second person allows comes in force, and attempts that were graded by the old one are graded again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.content.question_review.actions import put_correction_in_force
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.grading import queries as grading_queries
from examapp.delivery.grading.actions import make_grade
from examapp.delivery.grading.models import Grade, Regrade
from examapp.delivery.grading.rules import BAND_NAMES, Band
from examapp.delivery.regrades import queries
from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_xlsx
from examapp.jobs.actions import enqueue, restart
from examapp.jobs.runner import JobRun
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Approval
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from examapp.points import as_text

AUDIT_ACTS = {
    "grading.export_regrade": "导出更正前后对照",
    "grading.regrade": "更正答案后重新评分",
}
AUDIT_OBJECTS = {"regrade": "更正重评"}

REGRADED_AT_ONCE = 100


def correct_key(context: ActionContext, approval: Approval) -> Regrade:
    """Put an approved correction in force, and enqueue the job that grades again what was graded before; raises ConflictError."""
    key = put_correction_in_force(context, approval)
    details = approval.details
    regrade = Regrade(
        approval_id=approval.id,
        question_id=details["question_id"],
        question_version_id=details["version_id"],
        old_key_id=details["old_key_id"],
        new_key_id=key.id,
        approved_by_id=context.actor.person_id,
        created_by_id=approval.requested_by_id,
        created_at=context.now,
        total=queries.count_outdated(context.session, version_id=details["version_id"], key_id=key.id),
    )
    return enqueue(context.session, regrade)


def reopen_regrades(session: Session, *, now: datetime) -> None:
    """Queue regrades again that ended recently and beside which papers were graded by the old key."""
    for regrade in queries.list_recently_ended(session, now=now):
        left = queries.count_outdated(session, version_id=regrade.question_version_id, key_id=regrade.new_key_id)
        if left:
            done = regrade.done
            restart(session, regrade, now=now)
            regrade.last_attempt_id, regrade.done, regrade.total = 0, done, done + left


def regrade_batch(session: Session, run: JobRun, *, now: datetime) -> bool:
    """Grade the next attempts again, of each question but the corrected one by the key it was graded by; False once the job is complete."""
    regrade = session.get_one(Regrade, run.id)
    claimed = queries.claim_outdated(session, regrade, limit=REGRADED_AT_ONCE)
    done = regrade.done + len(claimed)
    if claimed:
        _regrade(session, regrade, claimed, now=now)
        regrade.last_attempt_id = claimed[-1][0].id
        run.checkpoint(session, done, regrade.total)
    if len(claimed) == REGRADED_AT_ONCE:
        return True
    run.complete(session, total=done)
    details = {"question_id": regrade.question_id, "count": done}
    record(
        ActionContext(session, SYSTEM, now),
        "grading.regrade",
        object_type="regrade",
        object_id=regrade.id,
        details=details,
    )
    return False


def _regrade(session: Session, regrade: Regrade, claimed: list[tuple[Attempt, Grade]], *, now: datetime) -> None:
    sheets = {sheet.id: sheet for sheet in grading_queries.list_sheets(session, [attempt.id for attempt, _ in claimed])}
    grades = [grade for _, grade in claimed]
    used = {key_id for grade in grades for key_id in grade.key_ids.values()}
    keys = grading_queries.keys_by_id(session, used | {regrade.new_key_id})
    rulings = grading_queries.rulings_by_id(session, {i for grade in grades for i in grade.ruling_ids})
    marks = grading_queries.marks_by_attempt(session, {i for grade in grades for i in grade.mark_ids})
    rows = []
    for grade in grades:
        key_ids = {**grade.key_ids, str(regrade.question_version_id): regrade.new_key_id}
        of_version = {int(version_id): keys[key_id] for version_id, key_id in key_ids.items()}
        sheet = replace(
            sheets[grade.attempt_id],
            rules=grade.rules,
            ruling_ids=grade.ruling_ids,
            hand_marks=marks.get(grade.attempt_id),
        )
        rows.append(_row(regrade, grade, make_grade(sheet, of_version, rulings), now=now))
    session.execute(
        update(Grade)
        .where(Grade.id.in_([grade.id for grade in grades]))
        .values(is_current=False)
        .execution_options(synchronize_session=False)
    )
    session.execute(insert(Grade), rows)


def _row(regrade: Regrade, before: Grade, made: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    return {
        **made, "item_points": [str(points) for points in made["item_points"]], "attempt_id": before.attempt_id, "number": before.number + 1,
        "is_current": True, "reason": "key_corrected", "graded_by_id": regrade.approved_by_id, "graded_at": now, "regrade_id": regrade.id,
    }  # fmt: skip


_MAX_ROWS = 100_000
_COLUMNS = (
    SheetColumn(head="考试", width=30),
    SheetColumn(head="单位编码", width=12),
    SheetColumn(head="单位", width=28),
    SheetColumn(head="工号", width=14),
    SheetColumn(head="姓名", width=12),
    SheetColumn(head="第几次作答", width=12),
    SheetColumn(head="更正前（分）", width=14),
    SheetColumn(head="更正后（分）", width=14),
    SheetColumn(head="更正前等次", width=12),
    SheetColumn(head="更正后等次", width=12),
)


def write_regrade(context: ActionContext, regrade_id: int, path: Path, *, access: AccessScope) -> str:
    """Write every changed result within the reach, with an audit line; gives the question's code. Raises NotFoundError."""
    found = queries.get_regrade(context.session, regrade_id)
    rows = queries.list_result_changes(context.session, regrade_id, access, limit=_MAX_ROWS)
    sheet = SheetLayout(
        name="更正前后对照",
        columns=_COLUMNS,
        rows=(_cells(row) for row in rows),
        title=f"题目 {found.code} 更正答案，重新评分前后对照",
        remarks=[
            f"理由：{found.reason}。申请人：{found.requested_by}，审批人：{found.approved_by}。",
            f"截至 {local(context.now):%Y-%m-%d %H:%M}，只列分数有变化的作答。",
        ],
    )
    write_xlsx(path, [sheet])
    record(context, "grading.export_regrade", object_type="regrade", object_id=regrade_id, details={"count": len(rows)})
    return str(found.code)


def _cells(row: queries.ResultChange) -> tuple[str | int | None, ...]:
    return (
        row.title,
        row.unit_code,
        row.unit_name,
        row.staff_number,
        row.name,
        row.number,
        as_text(row.points_before),
        as_text(row.points_after),
        BAND_NAMES[Band(row.band_before)],
        BAND_NAMES[Band(row.band_after)],
    )
