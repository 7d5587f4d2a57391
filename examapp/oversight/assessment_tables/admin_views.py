"""The office's pages of the assessment: the year, its score table, settings, reviewers, and what is done with all sheets."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import SelectChoice

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import requires
from examapp.oversight.assessment_indicators.queries import list_years_exams
from examapp.oversight.assessment_tables import actions
from examapp.oversight.assessments import actions as assessment_actions
from examapp.oversight.assessments import queries as assessment_queries
from examapp.oversight.assessments import rules as assessment_rules
from examapp.oversight.assessments.forms import ReviewerForm, SettingsForm, TableItemForm
from examapp.oversight.assessments.models import Assessment, AssessmentItem
from examapp.oversight.duty_lists.admin_views import APPROVE, WRITE, admin_blueprint, current_duty_scope
from examapp.oversight.duty_lists.forms import VersionForm
from examapp.web.params import chosen_year, posted_year
from examapp.web.submit import check_form, request_transaction, status_of, submit


@admin_blueprint.get("/assessments")
@requires(WRITE)
def show_assessment() -> str:
    """Show the assessment of a year: the sheets within the access scope by unit code, and for the office what is done next."""
    session, duty_scope, year = read_session(), current_duty_scope(), chosen_year()
    found = assessment_queries.find_assessment(session, year)
    is_shown = found is not None and (duty_scope.is_office or found.state == assessment_rules.AssessmentState.OPEN)
    sheets = assessment_queries.list_sheets(session, found, duty_scope, now=clock.now()) if found and is_shown else []
    return render_template(
        "duties/assessment.html",
        year=year,
        assessment=found if is_shown else None,
        sheets=sheets,
        versions=assessment_queries.revision_numbers(session, found.id) if found else {},
        years=assessment_queries.list_assessed_years(session, is_open_only=not duty_scope.is_office),
        is_office=duty_scope.is_office,
        reviewers=assessment_queries.list_reviewers(session, found.id) if found and duty_scope.is_office else [],
        may_appeal=sum(_may_appeal(sheet) for sheet in sheets) if duty_scope.is_office else 0,
        counts={state: sum(sheet.row.state == state for sheet in sheets) for state in assessment_rules.SheetState},
        state_names=assessment_rules.SHEET_STATE_NAMES,
        state_styles=assessment_rules.SHEET_STATE_STYLES,
    )


def _may_appeal(sheet: assessment_queries.UnitScoreSheet) -> bool:
    row = sheet.row
    if row.state != assessment_rules.SheetState.FED_BACK or row.fed_back_at is None or row.appealed_at is not None:
        return False
    last = assessment_rules.last_appeal_day(clock.day_of(row.fed_back_at), sheet.assessment.appeal_days)
    return assessment_rules.days_to_appeal(last, clock.today()) > 0


@admin_blueprint.post("/assessments/create")
@requires(APPROVE)
def create_assessment() -> Response:
    """Make the assessment of a year from the shipped score table or last year's."""
    year = posted_year()
    with request_transaction() as context:
        made = actions.create_assessment(
            context, year=year, is_copied=request.form.get("copied") == "1", duty_scope=current_duty_scope()
        )
        assessment_id = made.id
    return _done(assessment_id, f"{year} 年的考核已建好。请核对评分表，再开始考核。")


@admin_blueprint.get("/assessments/<int:assessment_id>/table")
@requires(APPROVE)
def show_score_table(assessment_id: int) -> str:
    """Show the score table, the settings and the reviewers of an assessment."""
    found = _office_assessment(assessment_id)
    exams = {exam.id: exam.title for exam in list_years_exams(read_session(), found.year)}
    return render_template(
        "duties/score_table.html",
        assessment=found,
        is_draft=found.state == assessment_rules.AssessmentState.DRAFT,
        total=sum((item.points for item in found.items), assessment_rules.ZERO),
        exam=exams.get(found.exam_id or 0, ""),
        bands=assessment_queries.bands_of(found),
        reviewers=assessment_queries.list_reviewers(read_session(), assessment_id),
        reviewer_form=ReviewerForm(),
        indicator_names=assessment_rules.INDICATOR_NAMES,
        indicator_definitions=assessment_rules.INDICATOR_DEFINITIONS,
        state_names=assessment_rules.ASSESSMENT_STATE_NAMES,
    )


def _office_assessment(assessment_id: int) -> Assessment:
    if not current_duty_scope().is_office:
        raise NotFoundError
    return assessment_queries.get_assessment(read_session(), assessment_id)


@admin_blueprint.route("/assessments/<int:assessment_id>/settings", methods=["GET", "POST"])
@requires(APPROVE)
def change_assessment(assessment_id: int) -> Response | tuple[str, int]:
    """Set title, exam, dates and bands."""
    found = _office_assessment(assessment_id)
    form = _settings_form(found)
    if form.validate_on_submit():
        settings, form.problem = form.read()
        if settings is not None:
            with submit(form=form) as context:
                actions.change_settings(
                    context,
                    assessment_id=assessment_id,
                    version=form.version.data or 0,
                    settings=settings,
                    duty_scope=current_duty_scope(),
                )
        if not form.is_rejected:
            return _done(assessment_id, "考核设置已保存。")
    page = render_template("duties/assessment_settings.html", form=form, assessment=found)
    return page, status_of(form)


def _settings_form(found: Assessment) -> SettingsForm:
    stored = {
        name: getattr(found, name)
        for name in ("version", "title", "exam_id", "self_due_on", "appeal_days", "vote_until")
    }
    form = SettingsForm(data=stored | {"bands": assessment_rules.bands_text(assessment_queries.bands_of(found))})
    exams = list_years_exams(read_session(), found.year)
    form.exam_id.choices = [
        SelectChoice(0, "不取用考试"),
        *(SelectChoice(exam.id, exam.title) for exam in exams),
    ]
    return form


@admin_blueprint.route("/assessments/<int:assessment_id>/items/new", methods=["GET", "POST"])
@requires(APPROVE)
def create_table_item(assessment_id: int) -> Response | tuple[str, int]:
    """Add an item to a score table."""
    found = _office_assessment(assessment_id)
    return _edit_item(found, TableItemForm(data={"version": found.version}), None)


@admin_blueprint.route("/assessments/<int:assessment_id>/items/<int:item_id>", methods=["GET", "POST"])
@requires(APPROVE)
def change_table_item(assessment_id: int, item_id: int) -> Response | tuple[str, int]:
    """Change an item of a score table."""
    found = _office_assessment(assessment_id)
    item = next((item for item in found.items if item.id == item_id), None)
    if item is None:
        raise NotFoundError
    names = ("section", "content", "points", "standard", "indicator", "full_from")
    form = TableItemForm(data={name: getattr(item, name) for name in names} | {"version": found.version})
    return _edit_item(found, form, item)


def _edit_item(found: Assessment, form: TableItemForm, item: AssessmentItem | None) -> Response | tuple[str, int]:
    assessment_id, item_id = found.id, item.id if item else None
    if form.validate_on_submit():
        with submit(form=form) as context:
            actions.put_table_item(
                context,
                assessment_id=assessment_id,
                version=form.version.data or 0,
                item_id=item_id,
                item=form.item(),
                duty_scope=current_duty_scope(),
            )
        if not form.is_rejected:
            return _done(assessment_id, "考核项目已保存。")
    page = render_template("duties/score_item.html", form=form, assessment=found, item=item)
    return page, status_of(form)


@admin_blueprint.post("/assessments/<int:assessment_id>/items/<int:item_id>/<any(remove, up):act>")
@requires(APPROVE)
def move_table_item(assessment_id: int, item_id: int, act: str) -> Response:
    """Take an item off a score table, or move it one place up."""
    form = VersionForm()
    check_form(form)
    what = actions.remove_table_item if act == "remove" else actions.move_table_item
    with request_transaction() as context:
        what(
            context,
            assessment_id=assessment_id,
            version=form.version.data,
            item_id=item_id,
            duty_scope=current_duty_scope(),
        )
    return _done(assessment_id, "考核项目已删除。" if act == "remove" else "考核项目已上移。")


@admin_blueprint.post("/assessments/<int:assessment_id>/open")
@requires(APPROVE)
def open_assessment(assessment_id: int) -> Response:
    """Hand the score table to the units."""
    form = VersionForm()
    check_form(form)
    with request_transaction() as context:
        made = actions.open_assessment(
            context, assessment_id=assessment_id, version=form.version.data, duty_scope=current_duty_scope()
        )
    return _to_year(
        assessment_id, f"考核已开始，{made} 个单位有了评分表，可以自评。" if made else "没有新的单位要补发。"
    )


@admin_blueprint.post("/assessments/<int:assessment_id>/reviewers")
@requires(APPROVE)
def add_reviewer(assessment_id: int) -> Response:
    """Name a reviewer."""
    form = ReviewerForm()
    check_form(form)
    back = url_for(".show_score_table", assessment_id=assessment_id)
    with submit(back=back) as context:
        person = actions.add_reviewer(
            context,
            assessment_id=assessment_id,
            named=form.staff_number.data,
            duty_scope=current_duty_scope(),
        )
        name = person.name
    return _done(assessment_id, f"已添加评审人{name}，登录后在首页待办中评审。")


@admin_blueprint.post("/assessments/<int:assessment_id>/reviewers/<int:person_id>/remove")
@requires(APPROVE)
def remove_reviewer(assessment_id: int, person_id: int) -> Response:
    """Take a reviewer off."""
    with request_transaction() as context:
        actions.remove_reviewer(
            context, assessment_id=assessment_id, person_id=person_id, duty_scope=current_duty_scope()
        )
    return _done(assessment_id, "评审人已移除。")


@admin_blueprint.post("/assessments/<int:assessment_id>/<any(feed_back_all, seal_all):act>")
@requires(APPROVE)
def conclude_all(assessment_id: int, act: str) -> Response:
    """Feed back, or seal, every sheet that is ready."""
    if not current_duty_scope().is_office:
        raise NotFoundError
    what = assessment_actions.feed_back_all if act == "feed_back_all" else assessment_actions.seal_all
    with request_transaction() as context:
        done = what(context, assessment_id=assessment_id, duty_scope=current_duty_scope())
    if not done:
        flash("没有可以办理的评分表：要先评审完才能反馈，先反馈才能封存。", "warning")
        return _to_year(assessment_id, "")
    return _to_year(assessment_id, f"已{'反馈' if act == 'feed_back_all' else '封存'} {done} 份评分表。")


def _done(assessment_id: int, text: str) -> Response:
    flash(text, "success")
    return redirect(url_for(".show_score_table", assessment_id=assessment_id))


def _to_year(assessment_id: int, text: str) -> Response:
    if text:
        flash(text, "success")
    year = assessment_queries.get_assessment(read_session(), assessment_id).year
    return redirect(url_for(".show_assessment", year=year))
