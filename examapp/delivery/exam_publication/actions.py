"""Publish an exam, withdraw or cancel it before it opens, prolong and close it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.content.blueprints.models import Blueprint
from examapp.content.blueprints.queries import get_blueprint, load_pool, sections_of
from examapp.content.blueprints.rules import BankTooSmallError, draw, total_points
from examapp.delivery.exams.actions import (
    InvalidExamError,
    KeysOut,
    get_draft,
    list_shared_pool_issues,
    lock_exam,
    look_at_keys,
)
from examapp.delivery.exams.models import Exam, ExamExtension, ExamKind, ExamState, PreparedPaper, ReleasePolicy
from examapp.delivery.exams.queries import ON_ROSTER, audience_clause, list_blueprint_ids
from examapp.delivery.exams.rules import Window, list_window_issues
from examapp.errors import ConflictError, NotFoundError
from examapp.jobs.publisher import enqueue_after_commit
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, record
from examapp.points import for_people

AUDIT_ACTS = {
    "exams.cancel_exam": "取消考试",
    "exams.change_release": "修改成绩公布方式",
    "exams.close_exam": "提前结束考试",
    "exams.extend": "延长作答时间、另行安排",
    "exams.set_exam_notice": "给在考人员发提示",
    "exams.prolong_window": "延长考试窗口",
    "exams.publish_exam": "发布考试",
    "exams.register_exam": "登记其他平台的考试",
    "exams.withdraw_exam": "撤回考试",
}
AUDIT_DETAILS = {
    "closes_at": "原截止时间", "extension_id": "延长记录", "keys": "答案公布", "more_attempts": "增加次数", "own_window": "另定的时间", "results": "成绩公布",
}  # fmt: skip
AUDIT_VALUES = {"at_close": "考试结束时", "at_once": "交卷后即时", "at_time": "指定时间", "never": "不公布"}

MAX_EXTENSION_S = 4 * 3600


def publish_exam(context: ActionContext, *, exam_id: int, access: AccessScope) -> Exam:
    """Publish a draft after the checks and have its papers made; raises InvalidExamError with everything that is missing."""
    session, now = context.session, context.now
    exam = get_draft(session, exam_id, access)
    issues = list_publish_issues(session, exam, now=now)
    if issues:
        raise InvalidExamError("还不能发布：" + " ".join(issues), issues=issues)
    exam.state, exam.published_at, exam.updated_at = ExamState.PUBLISHED, now, now
    record(context, "exams.publish_exam", object_type="exam", object_id=exam.id)
    enqueue_after_commit(session, "exams.prepare_papers", exam.id)
    return exam


def register_exam(context: ActionContext, *, exam_id: int, access: AccessScope) -> Exam:
    """Publish a draft that was held on another platform and is over: no paper is made, its results come from a file."""
    session, now = context.session, context.now
    exam = get_draft(session, exam_id, access)
    if exam.closes_at > now:
        raise InvalidExamError("在其他平台举行的考试，要等结束以后才能登记。请核对考试时间。")
    if exam.blueprint_id is not None:
        raise InvalidExamError("这场考试选了组卷规则。只登记其他平台成绩的考试，请先在设置中去掉组卷规则。")
    if exam.kind != ExamKind.MAKEUP and not _count_roster(session, exam):
        raise InvalidExamError("应考范围内没有人，请检查单位、系统、职级或名单。")
    exam.state, exam.published_at, exam.updated_at = ExamState.PUBLISHED, now, now
    record(context, "exams.register_exam", object_type="exam", object_id=exam.id)
    return exam


def list_publish_issues(session: Session, exam: Exam, *, now: datetime) -> list[str]:
    """Say in Chinese what keeps an exam from being published."""
    issues = list_window_issues(exam, [Window(row.opens_at, row.closes_at, row.name) for row in exam.sessions])
    if exam.closes_at <= now:
        issues.append("考试结束时间已过，请改时间。")
    if exam.blueprint_id is None:
        issues.append("还没有选组卷规则。")
    issues += list_bank_issues(session, exam)
    issues += list_shared_pool_issues(session, exam, now=now)
    if exam.kind != ExamKind.MAKEUP and not _count_roster(session, exam):
        issues.append("应考范围内没有人，请检查单位、系统、职级或名单。")
    return issues


def list_bank_issues(session: Session, exam: Exam) -> list[str]:
    """Say in Chinese for which of an exam's blueprints the bank does not suffice, so that papers cannot be made."""
    blueprints = [get_blueprint(session, blueprint_id) for blueprint_id in list_blueprint_ids(session, exam)]
    issues = [issue for blueprint in blueprints if (issue := _find_blueprint_issue(session, blueprint))]
    totals = [total_points(sections_of(blueprint)) for blueprint in blueprints]
    if None not in totals and len(set(totals)) > 1:
        listed = "、".join(f"“{one.name}”{for_people(total)} 分" for one, total in zip(blueprints, totals, strict=True))
        issues.append(f"各组卷规则的满分不同（{listed}）。同一场考试每个人的满分必须相同，请调整题数或分值。")
    return issues


def _find_blueprint_issue(session: Session, blueprint: Blueprint) -> str | None:
    if total_points(sections_of(blueprint)) is None:
        return f"组卷规则“{blueprint.name}”没有定每道案例题的小题数，各人满分会不同。请在该规则中填写小题数。"
    try:
        draw(sections_of(blueprint), load_pool(session, blueprint), seed=0, is_shuffled=blueprint.is_shuffled)
    except BankTooSmallError:
        return f"题库不够组卷规则“{blueprint.name}”抽题，请在该规则的“组卷检查”中查看缺口。"
    return None


def _count_roster(session: Session, exam: Exam) -> int:
    count = select(func.count(Person.id)).join(Unit, Person.unit_id == Unit.id)
    return session.execute(count.where(ON_ROSTER, audience_clause(session, exam))).scalar_one()


def publish_warnings(session: Session, exam: Exam) -> list[str]:
    """Say in Chinese what the office should look at before publishing, though it may be meant so."""
    warnings = [
        f"与“{other.title}”的考试时间重叠。两场各自独立，同一人可以都参加；如非本意请错开。"
        for other in list_overlapping(session, exam)
    ]
    main = session.get(Exam, exam.main_exam_id) if exam.main_exam_id is not None else None
    if main is not None and exam.opens_at < main.closes_at:
        warnings.append("补考在主考试结束之前开考。补考人员要到主考试结束后才能确定，在那之前没有人能进入。")
    if exam.keys_policy == ReleasePolicy.AT_ONCE and exam.kind != ExamKind.MOCK:
        warnings.append("正式考试的答案不会在交卷后立即公布，要等所有人（含补考）都考完。只有模拟考试可以立即公布。")
    return warnings


def list_overlapping(session: Session, exam: Exam) -> list[Exam]:
    """List the other published exams, mock exams apart, whose windows overlap this one's."""
    return list(
        session.scalars(
            select(Exam)
            .where(
                Exam.id != exam.id,
                Exam.state == ExamState.PUBLISHED,
                Exam.kind != ExamKind.MOCK,
                Exam.opens_at < exam.closes_at,
                Exam.closes_at > exam.opens_at,
            )
            .order_by(Exam.opens_at)
        )
    )


def withdraw_exam(context: ActionContext, *, exam_id: int, access: AccessScope) -> Exam:
    """Make a published exam that has not opened a draft again; its papers are made again at the next publication."""
    exam = _get_unopened(context.session, exam_id, access, now=context.now)
    if exam.snapshot_created_at is not None:
        raise ConflictError("这场考试的名册已经冻结。请先在参考情况的“名册更正”中解除冻结，再撤回。")
    context.session.execute(delete(PreparedPaper).where(PreparedPaper.exam_id == exam.id))
    exam.state, exam.published_at, exam.updated_at = ExamState.DRAFT, None, context.now
    record(context, "exams.withdraw_exam", object_type="exam", object_id=exam.id)
    return exam


def cancel_exam(context: ActionContext, *, exam_id: int, access: AccessScope) -> Exam:
    """Cancel a draft, or a published exam that has not opened."""
    exam = lock_exam(context.session, exam_id, access)
    if exam.state != ExamState.DRAFT:
        exam = _get_unopened(context.session, exam_id, access, now=context.now)
    exam.state, exam.updated_at = ExamState.CANCELLED, context.now
    record(context, "exams.cancel_exam", object_type="exam", object_id=exam.id)
    return exam


def _get_unopened(session: Session, exam_id: int, access: AccessScope, *, now: datetime) -> Exam:
    exam = lock_exam(session, exam_id, access)
    if exam.state != ExamState.PUBLISHED:
        raise ConflictError
    if now >= exam.opens_at:
        raise ConflictError("考试已经开始，不能撤回或取消。可以提前结束考试。")
    return exam


def close_exam(context: ActionContext, *, exam_id: int, access: AccessScope) -> Exam:
    """Close an open exam now: nobody can start any more; attempts under way keep their own deadline."""
    now = context.now
    exam = lock_exam(context.session, exam_id, access)
    if exam.state != ExamState.PUBLISHED or not exam.opens_at < now < exam.closes_at:
        raise ConflictError("考试现在不在进行中，请刷新页面查看。")
    details = {"closes_at": exam.closes_at.isoformat()}
    exam.closes_at, exam.updated_at = now, now
    record(context, "exams.close_exam", object_type="exam", object_id=exam.id, details=details)
    return exam


def prolong_window(
    context: ActionContext, *, exam_id: int, closes_at: datetime, keys_out: KeysOut, is_known: bool, access: AccessScope
) -> Exam:
    """Move the end of a published exam's window to a later instant; attempts under way keep their own deadline.

    `is_known`: ticked that the keys are out, without which it is rejected then.
    """
    session, now = context.session, context.now
    exam = lock_exam(session, exam_id, access)
    if exam.state != ExamState.PUBLISHED:
        raise ConflictError
    if exam.blueprint_id is None:
        raise InvalidExamError("这场考试在其他平台举行，这里只登记成绩，不能推迟结束时间。")
    if closes_at <= max(exam.closes_at, now):
        raise InvalidExamError("新的结束时间必须晚于原来的结束时间和现在。")
    is_after_keys = look_at_keys(session, exam, keys_out, is_known=is_known, now=now)
    details: dict[str, Any] = {"from": exam.closes_at.isoformat(), "to": closes_at.isoformat()} | _noted(is_after_keys)
    exam.closes_at, exam.updated_at = closes_at, now
    record(context, "exams.prolong_window", object_type="exam", object_id=exam.id, details=details)
    enqueue_after_commit(session, "exams.prepare_papers", exam.id)
    return exam


def change_release(
    context: ActionContext,
    *,
    exam_id: int,
    results_policy: ReleasePolicy,
    results_at: datetime | None,
    keys_policy: ReleasePolicy,
    keys_at: datetime | None,
    keys_out: KeysOut,
    access: AccessScope,
) -> Exam:
    """Change when results and keys are shown, at any time in an exam's life; raises InvalidExamError where a mock would give a running exam away."""
    session, now = context.session, context.now
    exam = lock_exam(session, exam_id, access)
    look_at_keys(session, exam, keys_out, is_known=True, now=now)
    if (results_policy == ReleasePolicy.AT_TIME) != (results_at is not None):
        raise InvalidExamError("选择在指定时间公布成绩时，请填写公布时间；否则留空。")
    if (keys_policy == ReleasePolicy.AT_TIME) != (keys_at is not None):
        raise InvalidExamError("选择在指定时间公布答案时，请填写公布时间；否则留空。")
    details = {"results": [exam.results_policy, results_policy], "keys": [exam.keys_policy, keys_policy]}
    exam.results_policy, exam.results_at = results_policy, results_at
    exam.keys_policy, exam.keys_at, exam.updated_at = keys_policy, keys_at, now
    if exam.state == ExamState.PUBLISHED and (issues := list_shared_pool_issues(session, exam, now=now)):
        raise InvalidExamError(" ".join(issues), issues=issues)
    record(context, "exams.change_release", object_type="exam", object_id=exam.id, details=details)
    return exam


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionGrant:
    """Extra time for a unit's subtree or for one person; to one person also a window beside the exam's, before or after its close, and more attempts."""

    unit_id: int | None
    person_id: int | None
    seconds: int
    reason: str
    request_key: str
    """The same key counts once."""
    window: Window | None = None
    more_attempts: int = 0

    @property
    def details(self) -> dict[str, Any]:
        """What the log says of it."""
        details: dict[str, Any] = {"unit_id": self.unit_id, "seconds": self.seconds}
        if self.more_attempts:
            details["more_attempts"] = self.more_attempts
        if self.window is not None:
            details["own_window"] = [self.window.opens_at.isoformat(), self.window.closes_at.isoformat()]
        return details


def extend(
    context: ActionContext,
    grant: ExtensionGrant,
    *,
    exam_id: int,
    keys_out: KeysOut,
    is_known: bool,
    access: AccessScope,
) -> bool:
    """Grant what is asked for in an exam; tell whether it is new.

    `attempt_changes` moves the deadlines of attempts under way by the row that this leaves. `is_known`: ticked that the keys are out, without
    which it is rejected then.
    """
    session, now = context.session, context.now
    exam = lock_exam(session, exam_id, access)
    _validate_extension(session, exam, grant, access=access)
    if grant.window is not None or grant.more_attempts > 0:
        _validate_arrangement(exam, grant, now=now)
    elif not grant.seconds:
        raise InvalidExamError("请填写延长的分钟数、另定的时间或增加的次数，至少填一项。")
    is_after_keys = look_at_keys(session, exam, keys_out, is_known=is_known, now=now)
    extension_id = _store_extension(context, exam, grant, is_after_keys=is_after_keys)
    if extension_id is None:
        return False
    details = {"extension_id": extension_id} | grant.details | _noted(is_after_keys)
    record(context, "exams.extend", object_type="exam", object_id=exam.id, person_id=grant.person_id, details=details)
    enqueue_after_commit(session, "grading.apply_extensions")
    return True


MAX_MORE_ATTEMPTS = 3


def _validate_arrangement(exam: Exam, grant: ExtensionGrant, *, now: datetime) -> None:
    window, more = grant.window, grant.more_attempts
    if grant.person_id is None:
        raise InvalidExamError("另定时间、增加次数只能给一个人，请填写工号。")
    if not 0 <= more <= MAX_MORE_ATTEMPTS or (more and exam.attempts_allowed is None):
        raise InvalidExamError(f"最多增加 {MAX_MORE_ATTEMPTS} 次；不限作答次数的考试不需要增加。")
    if window is None:
        return
    if window.closes_at <= max(now, window.opens_at):
        raise InvalidExamError("另定的结束时间要晚于开始时间，也要晚于现在。")
    if not exam.is_full_duration and window.closes_at - window.opens_at < timedelta(seconds=exam.duration_s):
        raise InvalidExamError(f"另定的时间不够答题：这场考试答题 {exam.duration_s // 60} 分钟，请至少留出这么长。")


def _store_extension(context: ActionContext, exam: Exam, grant: ExtensionGrant, *, is_after_keys: bool) -> int | None:
    """Insert an extension; None where its request was stored before."""
    fresh = insert(ExamExtension).values(
        exam_id=exam.id,
        unit_id=grant.unit_id,
        person_id=grant.person_id,
        seconds=grant.seconds,
        reason=grant.reason,
        request_key=grant.request_key,
        opens_at=grant.window and grant.window.opens_at,
        closes_at=grant.window and grant.window.closes_at,
        more_attempts=grant.more_attempts,
        is_after_keys=is_after_keys,
        granted_by_id=context.actor.person_id,
        granted_at=context.now,
        applied_at=None if grant.seconds else context.now,
    )
    return context.session.scalar(
        fresh.on_conflict_do_nothing(index_elements=["exam_id", "request_key"]).returning(ExamExtension.id)
    )


def _noted(is_after_keys: bool) -> dict[str, bool]:
    """Give what the log says besides: nothing, or that the keys were out."""
    return {"is_after_keys": True} if is_after_keys else {}


def set_exam_notice(context: ActionContext, *, exam_id: int, text: str, access: AccessScope) -> None:
    """Say something to all who sit an exam, with their page's next exchange; no words take back what was said."""
    exam = lock_exam(context.session, exam_id, access)
    if exam.state != ExamState.PUBLISHED:
        raise InvalidExamError("这场考试没有发布，没有人在作答。")
    exam.exam_notice = text.strip()
    details = {"length": len(exam.exam_notice)}
    record(context, "exams.set_exam_notice", object_type="exam", object_id=exam.id, details=details)


def _validate_extension(session: Session, exam: Exam, grant: ExtensionGrant, *, access: AccessScope) -> None:
    if exam.state != ExamState.PUBLISHED:
        raise ConflictError("考试还没有发布，不需要延长。")
    if (grant.unit_id is None) == (grant.person_id is None):
        raise InvalidExamError("请选择一个单位，或填写一个人的工号，只能二选一。")
    if not 0 <= grant.seconds <= MAX_EXTENSION_S or not grant.reason.strip():
        raise InvalidExamError("请填写 240 分钟以内的延长时间和原因。")
    home = select(Person.unit_id).where(Person.id == grant.person_id).scalar_subquery()
    unit = session.scalar(select(Unit).where(Unit.id == (grant.unit_id if grant.unit_id is not None else home)))
    if unit is None or not access.covers(region_path=unit.region_path, sector_path=unit.sector_path):
        raise NotFoundError
