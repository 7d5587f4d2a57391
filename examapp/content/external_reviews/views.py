"""Pages of an external reviewer: only the ticket's questions, without menu or sign-in.

The token stands in one address; it is then kept in the browser's signed session, so that no further address and no referrer holds it.
"""

from __future__ import annotations

import time
from threading import Lock

from cachetools import TTLCache
from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examapp import clock
from examapp.content.external_reviews import actions
from examapp.content.external_reviews.models import ReviewTicket, Verdict
from examapp.content.external_reviews.queries import InvalidTicketError, find_ticket
from examapp.content.question_review.queries import get_for_reviewer
from examapp.content.questions.admin_views import names
from examapp.content.questions.models import QuestionState
from examapp.content.questions.queries import stamp_of
from examapp.content.questions.rules import items_of
from examapp.db.session import read_session, transaction
from examapp.errors import DomainError
from examapp.organisation.accounts.guards import find_signed_in_person, public, shows_keys
from examapp.platform.audit.actions import ActionContext, Actor

blueprint = Blueprint("external_reviews", __name__, url_prefix="/external-review")
_KEPT = "review_token"
_MAX_A_MINUTE = 120
_counts: TTLCache[str, list[int]] = TTLCache(10_000, 60.0, timer=time.monotonic)
"""Requests of an address in this process since its first one within a minute; a list, so that counting does not make the entry younger."""
_lock = Lock()


class TooManyRequestsError(DomainError):
    """One address opens more than anybody reads."""

    code = "too_many_requests"
    status = 429
    message = "打开得太频繁了，请过一分钟再试。"


@blueprint.before_request
def limit_requests() -> None:
    """Count a request of an address; raises TooManyRequestsError, and InvalidTicketError while the setting is off."""
    if not current_app.config["SETTINGS"].external_review:
        raise InvalidTicketError
    with _lock:
        counted = _counts.setdefault(request.remote_addr or "", [0])
        counted[0] += 1
        is_too_many = counted[0] > _MAX_A_MINUTE
    if is_too_many:
        raise TooManyRequestsError


def _context_of(db_session: Session) -> ActionContext:
    """Give the context of an act by the ticket's holder: whoever is signed in in this browser stands in the log, too."""
    person = find_signed_in_person()
    actor = Actor(person_id=person.person_id if person else None, address=request.remote_addr)
    return ActionContext(db_session, actor, clock.now())


def _my_ticket() -> ReviewTicket:
    return find_ticket(read_session(), session.get(_KEPT, ""), now=clock.now())


@blueprint.get("/<token>")
@public
def open_ticket(token: str) -> Response:
    """Open a link: keep its token in the browser's session, and lead to the questions."""
    with transaction() as db_session:
        actions.open_ticket(_context_of(db_session), token=token)
    session[_KEPT] = token
    return redirect(url_for(".list_ticket_questions"))


@blueprint.get("/")
@public
@shows_keys
def list_ticket_questions() -> str:
    """List the questions of the ticket that this browser holds, with what was decided."""
    return render_template("external_reviews/questions.html", ticket=_my_ticket(), my_user=None)


@blueprint.route("/questions/<int:question_id>", methods=["GET", "POST"])
@public
@shows_keys
def review_question(question_id: int) -> Response | str:
    """Show one question of the ticket beside its articles, and take the verdict."""
    ticket = _my_ticket()
    entry = next((row for row in ticket.questions if row.question_id == question_id), None)
    if entry is None:
        raise InvalidTicketError
    shown = get_for_reviewer(read_session(), question_id)
    if request.method == "POST":
        return _take_verdict(ticket, question_id, finding_count=shown.finding_count)
    if shown.question.state != QuestionState.DRAFT and entry.verdict is None:
        raise InvalidTicketError("这道题已经由别人审过，不用再审。请返回看下一道。")
    return render_template(
        "external_reviews/question.html", ticket=ticket, entry=entry, shown=shown, items=items_of(shown.version.content),
        stamp=stamp_of(shown.question, shown.version), my_user=None, **names(),
    )  # fmt: skip


def _take_verdict(ticket: ReviewTicket, question_id: int, *, finding_count: int) -> Response:
    """Take the verdict of the form, and lead to the next question; back to this one where the form lacks something."""
    here = url_for(".review_question", question_id=question_id)
    verdict = Verdict.PASSED if request.form.get("verdict") == Verdict.PASSED else Verdict.DOUBTED
    is_unread = verdict is Verdict.PASSED and len(request.form.getlist("seen")) < finding_count
    if "declared" not in request.form or is_unread:
        flash("请先勾选声明；通过的题，机器提示的每一处也要看过并勾选。", "danger")
        return redirect(here, 303)
    waiting = [row.question_id for row in ticket.questions if row.verdict is None and row.question_id != question_id]
    try:
        with transaction() as db_session:
            actions.decide_by_ticket(
                _context_of(db_session), token=session[_KEPT], question_id=question_id, verdict=verdict,
                remark=request.form.get("remark", ""), stamp=request.form.get("stamp", ""),
            )  # fmt: skip
    except InvalidTicketError:
        raise
    except DomainError as error:
        flash(error.text, "danger")
        return redirect(here, 303)
    flash("意见已记下。", "success")
    following = url_for(".review_question", question_id=waiting[0]) if waiting else url_for(".list_ticket_questions")
    return redirect(following, 303)
