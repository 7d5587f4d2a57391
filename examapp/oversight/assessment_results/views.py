"""Pages of reviewers and of voters: whoever the office has named, and anyone who is signed in."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import DomainError, NotFoundError
from examapp.organisation.accounts.guards import my_user, signed_in
from examapp.oversight.assessment_results import queries
from examapp.oversight.assessment_results.actions import Given, cast_votes
from examapp.oversight.assessment_results.actions import review_sheet as give_points
from examapp.oversight.assessments import queries as assessment_queries
from examapp.oversight.assessments import rules as assessment_rules
from examapp.oversight.assessments.forms import SentScores, read_marks
from examapp.oversight.assessments.queries import UnitScoreSheet
from examapp.oversight.assessments.rules import Opinion, SheetState
from examapp.oversight.duty_lists.queries import LedgerRow, find_list, iter_ledger
from examapp.oversight.own_duties.views import blueprint
from examapp.web.params import read_whole
from examapp.web.submit import request_transaction


@blueprint.get("/duties/reviews")
@signed_in
def list_reviews() -> str:
    """List the score sheets that who is signed in is to review: none, for who was not named."""
    tasks = queries.list_review_tasks(read_session(), my_user().person_id)
    return render_template(
        "duties/reviews.html",
        waiting=[task for task in tasks if task.state == SheetState.SUBMITTED and not task.is_done],
        others=[task for task in tasks if task.state != SheetState.SUBMITTED or task.is_done],
        state_names=assessment_rules.SHEET_STATE_NAMES,
        state_styles=assessment_rules.SHEET_STATE_STYLES,
    )


@blueprint.route("/duties/reviews/<int:sheet_id>", methods=["GET", "POST"])
@signed_in
def review_sheet(sheet_id: int) -> Response | tuple[str, int]:
    """Give points on a unit's sheet."""
    session, person_id = read_session(), my_user().person_id
    sheet = assessment_queries.whole_sheet(
        session, queries.get_review_row(session, sheet_id, person_id), now=clock.now()
    )
    judged = [line for line in sheet.lines if line.is_judged]
    own = {line.item.id: review for line in judged for review in line.reviews if review.reviewer_id == person_id}
    marks, problem, status = SentScores(), "", 200
    if request.method == "POST":
        status, marks = 422, read_marks(request.form, judged, is_whole=True)
        if not marks.problems:
            problem = _give(sheet_id, marks)
            if not problem:
                flash(f"对{sheet.unit.name}的评审已提交。反馈之前可以重新打分。", "success")
                return redirect(url_for(".list_reviews"))
    return render_template(
        "duties/review.html",
        sheet=sheet,
        judged=judged,
        own=own,
        ledger=_ledger(sheet),
        marks=marks,
        problem=problem,
        is_open=sheet.row.state == SheetState.SUBMITTED,
        state_names=assessment_rules.SHEET_STATE_NAMES,
    ), status


def _ledger(sheet: UnitScoreSheet) -> list[LedgerRow]:
    """Give what the unit recorded in the year, so that nobody asks it to be sent again."""
    session = read_session()
    duty_list = find_list(session, sheet.unit.id, sheet.assessment.year)
    return list(iter_ledger(session, duty_list.id)) if duty_list is not None else []


def _give(sheet_id: int, marks: SentScores) -> str:
    given = {item_id: Given(points=points, remark=marks.text[item_id]) for item_id, points in marks.points.items()}
    try:
        with request_transaction() as context:
            give_points(context, sheet_id=sheet_id, given=given)
    except NotFoundError:
        raise
    except DomainError as error:
        return error.text
    return ""


@blueprint.route("/duties/vote", methods=["GET", "POST"])
@signed_in
def vote() -> Response | str:
    """Give units opinions while the vote is open; not found without one."""
    session = read_session()
    found = queries.find_open_vote(session, today=clock.today())
    if found is None:
        raise NotFoundError("现在没有开放的评议。请从首页重新进入。")
    if request.method == "POST":
        return _vote()
    units = queries.list_vote_units(session, found, my_user().person_id)
    return render_template(
        "duties/vote.html",
        assessment=found,
        waiting=[unit for unit, is_taken in units if not is_taken],
        taken=sum(is_taken for _, is_taken in units),
        opinion_names=assessment_rules.OPINION_NAMES,
    )


def _vote() -> Response:
    known = {str(opinion) for opinion in Opinion}
    opinions = {
        unit_id: Opinion(value)
        for name, value in request.form.items()
        if name.startswith("unit-") and value in known and (unit_id := read_whole(name.removeprefix("unit-")))
    }
    with request_transaction() as context:
        counted = cast_votes(context, opinions=opinions)
    if counted:
        flash(f"已提交对 {counted} 个单位的评议，感谢参与。", "success")
    else:
        flash("没有新的评议。请给单位选择一项后再提交。", "warning")
    return redirect(url_for(".vote"))
