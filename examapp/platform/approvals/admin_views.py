"""What a request that needs two persons is about, in words, from what its requester put down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import DomainError, NotFoundError
from examapp.organisation.access.rules import ROLE_NAMES, Role
from examapp.organisation.accounts.guards import (
    has_active_attempt,
    may,
    menu_entry,
    my_grants,
    my_user,
    requires,
)
from examapp.organisation.dual_control import actions as dual_control_actions
from examapp.organisation.dual_control.queries import (
    get_request,
    list_decided,
    list_own_requests,
    list_to_decide,
)
from examapp.organisation.dual_control.rules import ACCOUNT_ACTS, TWO_PERSON_ACTS
from examapp.organisation.passwords.audit_trail import keep_rejection
from examapp.oversight.reminders.rules import OVERDUE
from examapp.oversight.statistics_definitions.rules import SCOPE_NAMES
from examapp.oversight.statistics_scope.rules import ReportFilter
from examapp.platform.approvals import actions
from examapp.platform.audit.actions import ActionContext
from examapp.web.params import sent_number
from examapp.web.submit import name_some, request_transaction

PERMISSIONS = {
    # The second person where the account of one of the three administrators is touched.
    "people:account:approve": {Role.SECURITY_ADMIN},
    # The page of requests that need two persons: one's own, and those that one may decide.
    "people:approval:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN},
}


def describe_request(act: str, details: dict[str, Any]) -> str:
    """Say what is asked for: `2026年度考试第 1 次作答，10 分钟`."""
    return _DESCRIBERS[act](details)


def _role(details: dict[str, Any]) -> str:
    text = ROLE_NAMES[Role(details["role"])]
    if details["deputy_of_id"]:
        text += "（代理）"
    if details["tree"] == "sector":
        text += "（按主管系统）"
    if details["unit_id"] is None:
        text += "，全县"
    return text + (f"，到 {details['ends_at'][:10]} 止" if details["ends_at"] else "，长期")


def _reopening(details: dict[str, Any]) -> str:
    text = f"{details['exam_title']}第 {details['number']} 次作答，从同意时起 {details['seconds'] // 60} 分钟"
    return text + ("（注意：这场考试的答案已公布）" if details.get("is_after_keys") else "")


def _numbers(details: dict[str, Any]) -> str:
    filter_label = ReportFilter.of_json(details.get("filters", {})).text
    what = "，".join(part for part in (SCOPE_NAMES[details["scope"]], details["format"], filter_label) if part)
    return f"{details['exam_title']}成绩明细（{what}），含完整身份证号、手机号"


def _calls(details: dict[str, Any]) -> str:
    return f"{details['exam_title']}催考电话名单（{OVERDUE[details['group']]}），含完整手机号"


def _account(_details: dict[str, Any]) -> str:
    return "同意后 24 小时内由申请人办理一次"


def _pack(details: dict[str, Any]) -> str:
    names = "，附每份答卷的姓名、工号、单位" if details["has_names"] else "，不含姓名"
    return f"{details['exam_title']}的证据包：全部答卷、答案和成绩{names}"


_DESCRIBERS = dict.fromkeys(ACCOUNT_ACTS, _account) | {
    "people.grant_role": _role,
    "grading.reopen_attempt": _reopening,
    "evidence.export_pack": _pack,
    "reports.export_numbers": _numbers,
    "reminders.export_call_list": _calls,
}

admin_blueprint = Blueprint("approvals_admin", __name__, url_prefix="/admin/approvals")
_READ = "people:approval:read"
_MAX_TICKED = 300


@admin_blueprint.get("/")
@menu_entry("审批", position=190, group="单位与人员", shown_with=[act.approves for act in TWO_PERSON_ACTS.values()])
@requires(_READ)
def list_requests() -> str:
    """Show what waits for a second person, what one asked for oneself, and the latest decisions."""
    session, now, grants = read_session(), clock.now(), my_grants()
    return render_template(
        "admin/approvals/list.html",
        waiting=list_to_decide(session, grants, person_id=my_user().person_id, now=now),
        own=list_own_requests(session, my_user().person_id),
        decided=list_decided(session, grants, now=now),
        may_decide=_may_decide_anything(),
        **_text(),
    )


@admin_blueprint.get("/<int:approval_id>")
@requires(_READ)
def show_request(approval_id: int) -> str:
    """Show one request."""
    row = get_request(read_session(), approval_id, my_grants(), person_id=my_user().person_id)
    return render_template(
        "admin/approvals/show.html",
        row=row,
        act=TWO_PERSON_ACTS[row.act],
        may_decide=may(TWO_PERSON_ACTS[row.act].approves),
        **_text(),
    )


def _text() -> dict[str, Any]:
    return {
        "acts": TWO_PERSON_ACTS,
        "text": lambda row: describe_request(row.act, row.details),
        "now": clock.now(),
    }


def _may_decide_anything() -> bool:
    return any(may(act.approves) for act in TWO_PERSON_ACTS.values())


@admin_blueprint.post("/<int:approval_id>/approve")
@requires(_READ)
def approve(approval_id: int) -> Response:
    """Allow a request as its second person; what it asks for is done at once."""
    return _decide(
        approval_id,
        lambda context: actions.approve(
            context, approval_id, grants=my_grants(), has_active_attempt=has_active_attempt
        ),
        "已同意，立即生效。",
    )


@admin_blueprint.post("/ticked")
@requires(_READ)
def approve_ticked() -> Response:
    """Allow the ticked requests, each in a transaction of its own; name those that could not be."""
    ids = sorted(set(request.form.getlist("ids", type=sent_number)))[:_MAX_TICKED]
    if not ids:
        flash("请先勾选要同意的申请。", "danger")
    rejected: dict[str, list[str]] = {}
    missing: NotFoundError | None = None
    done = 0
    for approval_id in ids:
        try:
            done += _approve_ticked(approval_id, rejected)
        except NotFoundError as error:
            missing = error
    if done:
        flash(f"已同意 {done} 份申请，立即生效。", "success")
    for reason, names in rejected.items():
        flash(f"{name_some(names)}没有办理：{reason}", "danger")
    if missing:
        raise missing
    return redirect(url_for(".list_requests"), 303)


def _approve_ticked(approval_id: int, rejected: dict[str, list[str]]) -> bool:
    row = get_request(read_session(), approval_id, my_grants(), person_id=my_user().person_id)
    name = f"{TWO_PERSON_ACTS[row.act].name}{f'（{row.name}）' if row.name else ''}"
    try:
        with request_transaction() as context:
            actions.approve(context, approval_id, grants=my_grants(), has_active_attempt=has_active_attempt)
    except NotFoundError:
        raise
    except DomainError as rejection:
        keep_rejection(rejection)
        rejected.setdefault(rejection.text, []).append(name)
        return False
    return True


@admin_blueprint.post("/<int:approval_id>/refuse")
@requires(_READ)
def reject(approval_id: int) -> Response:
    """Reject a request as its second person."""
    return _decide(
        approval_id,
        lambda context: dual_control_actions.reject(context, approval_id, grants=my_grants()),
        "已退回，没有办理。",
    )


@admin_blueprint.post("/<int:approval_id>/withdraw")
@requires(_READ)
def withdraw(approval_id: int) -> Response:
    """Take one's own request back."""
    return _decide(
        approval_id,
        lambda context: dual_control_actions.withdraw(context, approval_id),
        "申请已撤回。",
    )


def _decide(approval_id: int, act: Callable[[ActionContext], object], text: str) -> Response:
    try:
        with request_transaction(text) as context:
            act(context)
    except NotFoundError:
        raise
    except DomainError as rejection:
        keep_rejection(rejection)
        flash(rejection.text, "danger")
        return redirect(url_for(".show_request", approval_id=approval_id), 303)
    return redirect(url_for(".list_requests"), 303)
