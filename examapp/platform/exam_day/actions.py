"""The office's decisions about closed attempts, audited: open one again, take late answers over, grade again what was set aside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from examapp.delivery.attempt_changes import actions as attempt_change_actions
from examapp.delivery.attempts import queries as attempt_queries
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.actions import KEYS_OUT_TEXT, InvalidExamError
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading.actions import regrade_set_aside
from examapp.delivery.grading.models import Grade
from examapp.delivery.results.queries import are_keys_out
from examapp.errors import ConflictError
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.dual_control import actions as dual_control_actions
from examapp.organisation.people.models import Approval, Person
from examapp.platform.audit.actions import ActionContext, Actor, record

AUDIT_ACTS = {
    "grading.accept_late_answers": "采纳超时上传的答案",
    "grading.grade_again": "重新评分",
    "grading.reject_late_answers": "不采纳超时上传的答案",
    "grading.reopen_attempt": "重新打开作答",
}
AUDIT_DETAILS = {"answered": "已答题数", "sha256": "原回执校验值"}

REOPENING = "grading.reopen_attempt"


def request_reopening(
    context: ActionContext, *, attempt_id: int, seconds: int, reason: str, is_known: bool, access: AccessScope
) -> int:
    """Ask that a closed attempt be opened again with its answers; gives the request's id. Another person allows it.

    `is_known`: ticked that the exam's keys are out, which the request then says; without it it is rejected.
    Raises NotFoundError, ConflictError, BadRequestError, AlreadyRequestedError, InvalidExamError.
    """
    session = context.session
    attempt = attempt_queries.lock_attempt_within(session, attempt_id, access)
    attempt_change_actions.check_reopening(session, attempt, seconds=seconds, reason=reason)
    exam = session.get_one(Exam, attempt.exam_id)
    is_after_keys = are_keys_out(session, exam, now=context.now)
    if is_after_keys and not is_known:
        raise InvalidExamError(KEYS_OUT_TEXT)
    return dual_control_actions.ask(
        context,
        REOPENING,
        request_key=str(attempt.id),
        person_id=attempt.person_id,
        unit_id=session.get_one(Person, attempt.person_id).unit_id,
        details={
            "attempt_id": attempt.id,
            "exam_id": attempt.exam_id,
            "exam_title": exam.title,
            "number": attempt.number,
            "seconds": seconds,
            "is_after_keys": is_after_keys,
        },
        reason=reason,
    )


def reopen_attempt(context: ActionContext, approval: Approval) -> None:
    """Open an attempt again as a second person has allowed, for the time asked for, from now; raises ConflictError where it no longer can be."""
    session, now = context.session, context.now
    request = approval.details
    attempt = attempt_queries.lock_attempt(session, request["attempt_id"])
    exam = session.get_one(Exam, attempt.exam_id)
    is_after_keys = are_keys_out(session, exam, now=now)
    if is_after_keys and not request.get("is_after_keys"):
        raise ConflictError("提出申请以后，这场考试的答案已经公布。请退回，由申请人勾选“答案已公布”后重新申请。")
    exam.were_keys_out = is_after_keys
    before = _receipt(attempt)
    attempt_change_actions.reopen_attempt(
        ActionContext(session, Actor(person_id=approval.requested_by_id, address=None), now),
        attempt,
        seconds=request["seconds"],
        reason=approval.reason,
        is_after_keys=is_after_keys,
        request_key=f"approval:{approval.id}",
    )
    _withdraw_grade(session, attempt)
    details = before | {"seconds": request["seconds"], "reason": approval.reason}
    if is_after_keys:
        details |= {"is_after_keys": True}
    _record(context, REOPENING, attempt, details)


def judge_quarantined_save(
    context: ActionContext, *, save_id: int, is_accepted: bool, is_known: bool, reason: str, access: AccessScope
) -> bool:
    """Accept late answers, which are then graded with the rest, or reject them; return whether this call decided.

    `is_known`: ticked that the keys were out when the answers arrived; without it they are not accepted. Raises InvalidExamError.
    """
    session = context.session
    attempt, kept = attempt_queries.lock_quarantined_save_within(session, save_id, access)
    is_after_keys = is_accepted and are_keys_out_at(session, attempt.exam_id, kept.received_at)
    if is_after_keys and kept.judged_at is None and not is_known:
        raise InvalidExamError(KEYS_OUT_TEXT)
    before = _receipt(attempt)
    saved = attempt_change_actions.judge_quarantined_save(
        context, attempt, kept, is_accepted=is_accepted, reason=reason
    )
    if saved is None:
        return False
    if is_accepted:
        _withdraw_grade(session, attempt)
    details = before | {"items": sorted(saved.acked), "refused": len(saved.rejected), "reason": reason.strip()}
    if is_after_keys:
        details |= {"is_after_keys": True}
    act = "grading.accept_late_answers" if is_accepted else "grading.reject_late_answers"
    _record(context, act, attempt, details)
    return True


def are_keys_out_at(session: Session, exam_id: int, at: datetime) -> bool:
    """Tell whether somebody could have seen the keys of an exam when answers arrived."""
    return are_keys_out(session, session.get_one(Exam, exam_id), now=at)


def grade_set_aside_again(context: ActionContext, *, attempt_id: int, access: AccessScope) -> bool:
    """Let an attempt be graded again whose grading failed three times; tell whether it waited for that."""
    attempt = attempt_queries.lock_attempt_within(context.session, attempt_id, access)
    if attempt.quarantined_at is None:
        return False
    regrade_set_aside(context.session, attempt.id)
    _record(context, "grading.grade_again", attempt, {})
    return True


def _receipt(attempt: Attempt) -> dict[str, Any]:
    return {"sha256": attempt.receipt_sha256, "answered": attempt.answered}


def _withdraw_grade(session: Session, attempt: Attempt) -> None:
    session.execute(
        update(Grade)
        .where(Grade.attempt_id == attempt.id, Grade.is_current)
        .values(is_current=False)
        .execution_options(synchronize_session=False)
    )


def _record(context: ActionContext, act: str, attempt: Attempt, details: dict[str, Any]) -> None:
    record(context, act, object_type="attempt", object_id=attempt.id, person_id=attempt.person_id, details=details)
