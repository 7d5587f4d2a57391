"""Requests that need two persons: what waits for me, what I asked for, and the buttons of the second person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examapp.admin.operations import approving
from examapp.admin.rules.approvals import NEEDS_LOOK, request_words
from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError, NotFoundError
from examapp.core.permissions import Permission
from examapp.grading.queries import regrades
from examapp.people.access import actor, is_sitting, keep_refusal, may, me, my_grants, requires, shows_keys
from examapp.people.operations import approvals
from examapp.people.queries import RequestLine, get_request, list_decided, list_own_requests, list_to_decide
from examapp.people.rules import TWO_PERSON_ACTS
from examapp.questions.queries import get_key, get_question, get_version
from examapp.questions.rules.content import items_of

admin_blueprint = Blueprint("approvals_admin", __name__, url_prefix="/admin/approvals")
_READ = Permission.APPROVALS_READ


@admin_blueprint.get("/")
@requires(_READ)
def list_requests() -> str:
    """Show what waits for a second person, what one asked for oneself, and the latest decisions."""
    session, now, grants = reading(), clock.now(), my_grants()
    return render_template(
        "admin/approvals/list.html",
        waiting=list_to_decide(session, grants, person_id=me().person_id, now=now),
        own=list_own_requests(session, me().person_id),
        decided=list_decided(session, grants, now=now),
        may_decide=_may_decide_anything(),
        needs_look=NEEDS_LOOK,
        **_words(),
    )


@admin_blueprint.get("/<int:approval_id>")
@requires(_READ)
@shows_keys
def show_request(approval_id: int) -> str:
    """Show one request; of a key, the question with the old and the new one, and what would be graded anew."""
    session = reading()
    row = get_request(session, approval_id, my_grants(), person_id=me().person_id)
    is_key = row.act == "questions.correct_key"
    return render_template(
        "admin/approvals/show.html",
        row=row,
        act=TWO_PERSON_ACTS[row.act],
        correction=_correction(session, row) if is_key else None,
        regrade_id=regrades.find_of_approval(session, row.id) if is_key and may(Permission.ATTEMPTS_MANAGE) else None,
        may_decide=may(TWO_PERSON_ACTS[row.act].approves),
        **_words(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Correction:
    items: list[dict[str, Any]]
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    exams: list[regrades.ExamShare]


def _correction(session: Session, row: RequestLine) -> _Correction:
    details = row.details
    version = get_version(session, get_question(session, details["question_id"]), details["version"])
    return _Correction(
        items=items_of(version.content),
        before=get_key(session, details["old_key_id"]).parts,
        after=details["parts"],
        exams=regrades.list_touched_exams(session, version.id),
    )


def _words() -> dict[str, Any]:
    return {
        "acts": TWO_PERSON_ACTS,
        "words": lambda row: request_words(row.act, row.details),
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
        lambda session: approving.approve(
            session, approval_id, grants=my_grants(), is_sitting=is_sitting, actor=actor(), now=clock.now()
        ),
        "已同意，立即生效。",
    )


@admin_blueprint.post("/<int:approval_id>/refuse")
@requires(_READ)
def refuse(approval_id: int) -> Response:
    """Refuse a request as its second person."""
    return _decide(
        approval_id,
        lambda session: approvals.refuse(session, approval_id, grants=my_grants(), actor=actor(), now=clock.now()),
        "已退回，没有办理。",
    )


@admin_blueprint.post("/<int:approval_id>/withdraw")
@requires(_READ)
def withdraw(approval_id: int) -> Response:
    """Take one's own request back."""
    return _decide(
        approval_id,
        lambda session: approvals.withdraw(session, approval_id, actor=actor(), now=clock.now()),
        "申请已撤回。",
    )


def _decide(approval_id: int, act: Callable[[Session], object], words: str) -> Response:
    try:
        with transaction() as session:
            act(session)
        flash(words, "success")
    except NotFoundError:
        raise
    except DomainError as refusal:
        keep_refusal(refusal)
        flash(refusal.text, "error")
        return redirect(url_for(".show_request", approval_id=approval_id), 303)
    return redirect(url_for(".list_requests"), 303)
