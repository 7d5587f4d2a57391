"""Pages of one score sheet: what the unit says, what the office decides, the sealed versions."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import my_grants, requires
from examapp.organisation.units.queries import unit_of
from examapp.oversight.assessment_results.actions import give_opinion
from examapp.oversight.assessment_results.queries import bureau_scope, find_bureau, list_opinions
from examapp.oversight.assessments import actions, queries, rules
from examapp.oversight.assessments.actions import OwnScore
from examapp.oversight.assessments.forms import AppealForm, OpinionForm, RevisionDecisionForm, SentScores, read_marks
from examapp.oversight.assessments.queries import UnitScoreSheet
from examapp.oversight.assessments.rules import SheetState
from examapp.oversight.duty_lists.admin_views import APPROVE, WRITE, admin_blueprint, current_duty_scope
from examapp.oversight.duty_lists.forms import SendBackForm, VersionForm
from examapp.platform.audit.actions import ActionContext
from examapp.web.submit import check_form, request_transaction, status_of, submit


def _sheet(sheet_id: int) -> UnitScoreSheet:
    session = read_session()
    return queries.whole_sheet(session, queries.get_sheet_row(session, sheet_id, current_duty_scope()), now=clock.now())


@admin_blueprint.get("/sheets/<int:sheet_id>")
@requires(WRITE)
def show_sheet(sheet_id: int) -> str:
    """Show a score sheet with what may be done with it."""
    sheet, session = _sheet(sheet_id), read_session()
    row, may_decide = sheet.row, current_duty_scope().approve is not None
    versioned = {"version": row.version}
    fed_back_on = clock.day_of(row.fed_back_at) if row.fed_back_at else None
    reviewers = queries.list_reviewers(session, row.assessment_id) if may_decide else []
    last = rules.last_appeal_day(fed_back_on, sheet.assessment.appeal_days) if fed_back_on else None
    may_appeal = last is not None and clock.today() <= last and row.appealed_at is None
    return render_template(
        "duties/sheet.html",
        sheet=sheet,
        row=row,
        may_decide=may_decide,
        is_shown=may_decide or row.state not in {SheetState.SELF, SheetState.SUBMITTED},
        reviewers=reviewers,
        missing_reviews=actions.describe_missing_reviews(sheet, reviewers)
        if may_decide and row.state == SheetState.SUBMITTED
        else "",
        revisions=queries.list_revisions(session, sheet_id),
        opinions=list_opinions(session, sheet_id),
        may_propose=find_bureau(sheet.unit, my_grants()) is not None
        and row.state in {SheetState.SELF, SheetState.SUBMITTED},
        opinion_form=OpinionForm(),
        send_back=SendBackForm(data=versioned),
        appeal_form=AppealForm(data=versioned),
        last_appeal_day=last,
        may_appeal=may_appeal,
        days_left=rules.days_to_appeal(last, clock.today()) if last and may_appeal else 0,
        state_names=rules.SHEET_STATE_NAMES,
        state_styles=rules.SHEET_STATE_STYLES,
        indicator_names=rules.INDICATOR_NAMES,
    )


@admin_blueprint.route("/sheets/<int:sheet_id>/self", methods=["GET", "POST"])
@requires(WRITE)
def score_oneself(sheet_id: int) -> Response | tuple[str, int]:
    """Fill in the self scores of a unit; saved as they are, or handed in once whole."""
    sheet, form, marks = _sheet(sheet_id), VersionForm(), SentScores()
    judged = [line for line in sheet.lines if line.is_judged]
    if form.validate_on_submit():
        is_submitted = request.form.get("act") == "submit"
        marks = read_marks(request.form, judged, is_whole=is_submitted)
        if not marks.problems:
            scores = {
                line.item.id: OwnScore(points=marks.points.get(line.item.id), reason=marks.text[line.item.id])
                for line in judged
            }
            with submit(form=form) as context:
                actions.save_self_scores(
                    context,
                    sheet_id=sheet_id,
                    version=form.version.data,
                    scores=scores,
                    is_submitted=is_submitted,
                    duty_scope=current_duty_scope(),
                )
            if not form.is_rejected:
                text = (
                    "自评已报送，请等评审和反馈。" if is_submitted else "自评已暂存，没有报送。写完后请点“报送自评”。"
                )
                return _back(sheet_id, text)
    page = render_template("duties/sheet_self.html", sheet=sheet, judged=judged, form=form, marks=marks)
    return page, status_of(form)


@admin_blueprint.post("/sheets/<int:sheet_id>/send-back")
@requires(APPROVE)
def send_back_sheet(sheet_id: int) -> Response:
    """Give a sheet back to its unit with a reason."""
    form = SendBackForm()
    check_form(form)
    with request_transaction() as context:
        actions.send_back_sheet(
            context,
            sheet_id=sheet_id,
            version=form.version.data,
            remark=form.remark.data,
            duty_scope=current_duty_scope(),
        )
    return _back(sheet_id, "评分表已退回单位修改。")


@admin_blueprint.post("/sheets/<int:sheet_id>/<any(feed_back, seal):act>")
@requires(APPROVE)
def conclude_sheet(sheet_id: int, act: str) -> Response:
    """Feed a sheet back to its unit, or seal it."""
    form = VersionForm()
    check_form(form)
    what = actions.feed_back_sheet if act == "feed_back" else actions.seal_sheet
    with request_transaction() as context:
        what(context, sheet_id=sheet_id, version=form.version.data, duty_scope=current_duty_scope())
    return _back(sheet_id, "考核结果已反馈给单位。" if act == "feed_back" else "评分表已封存，留存为第 1 版。")


@admin_blueprint.post("/sheets/<int:sheet_id>/appeal")
@requires(WRITE)
def appeal(sheet_id: int) -> Response:
    """Appeal against what was fed back."""
    form = AppealForm()
    check_form(form)
    with request_transaction() as context:
        actions.appeal(
            context,
            sheet_id=sheet_id,
            version=form.version.data,
            text=form.text.data,
            duty_scope=current_duty_scope(),
        )
    return _back(sheet_id, "申诉已提交，请等普法办复核。")


@admin_blueprint.route("/sheets/<int:sheet_id>/decide", methods=["GET", "POST"])
@requires(APPROVE)
def decide_points(sheet_id: int) -> Response | tuple[str, int]:
    """Answer an appeal, or correct a sealed sheet: points by line, with the reason."""
    sheet = _sheet(sheet_id)
    if sheet.row.state not in {SheetState.APPEALED, SheetState.SEALED}:
        raise NotFoundError
    is_appeal = sheet.row.state == SheetState.APPEALED
    form, marks = RevisionDecisionForm(), SentScores()
    if form.validate_on_submit():
        marks = read_marks(request.form, sheet.lines, is_whole=True)
        if not marks.problems:
            with submit(form=form) as context:
                _decide(context, sheet_id, form, marks, is_appeal=is_appeal)
            if not form.is_rejected:
                return _back(
                    sheet_id,
                    "申诉已复核，结果已告知单位。" if is_appeal else "已更正，另存为新的一版，原来的版本保留。",
                )
    page = render_template("duties/sheet_decide.html", sheet=sheet, form=form, marks=marks, is_appeal=is_appeal)
    return page, status_of(form)


def _decide(
    context: ActionContext, sheet_id: int, form: RevisionDecisionForm, marks: SentScores, *, is_appeal: bool
) -> None:
    if is_appeal:
        actions.answer_appeal(
            context,
            sheet_id=sheet_id,
            version=form.version.data,
            points=marks.points,
            answer=form.reason.data,
            duty_scope=current_duty_scope(),
        )
    else:
        actions.correct_sealed_sheet(
            context,
            sheet_id=sheet_id,
            version=form.version.data,
            points=marks.points,
            reason=form.reason.data,
            duty_scope=current_duty_scope(),
        )


@admin_blueprint.get("/sheets/<int:sheet_id>/versions/<int:number>")
@requires(WRITE)
def show_revision(sheet_id: int, number: int) -> str:
    """Show a sealed version of a sheet as it was."""
    sheet, session = _sheet(sheet_id), read_session()
    found = next((rev for rev in queries.list_revisions(session, sheet_id) if rev.number == number), None)
    if found is None:
        raise NotFoundError
    return render_template("duties/sheet_version.html", sheet=sheet, revision=found)


@admin_blueprint.post("/sheets/<int:sheet_id>/opinion")
@requires(WRITE)
def propose_points(sheet_id: int) -> Response:
    """Propose points and words for a unit of one's own system."""
    scope, session = bureau_scope(my_grants()), read_session()
    unit = unit_of(session, queries.get_sheet_row(session, sheet_id, scope))
    bureau_id = find_bureau(unit, my_grants())
    if bureau_id is None:
        raise NotFoundError
    form = OpinionForm()
    check_form(form)
    with submit("评议意见已保存，普法办可以看到。", back=url_for(".show_sheet", sheet_id=sheet_id)) as context:
        give_opinion(
            context,
            sheet_id=sheet_id,
            bureau_id=bureau_id,
            points=form.points.data,
            text=form.text.data,
            duty_scope=scope,
        )
    return redirect(url_for(".show_sheet", sheet_id=sheet_id))


def _back(sheet_id: int, text: str) -> Response:
    flash(text, "success")
    return redirect(url_for(".show_sheet", sheet_id=sheet_id))
