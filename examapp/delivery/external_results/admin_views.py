"""The shape of what is filled in in the unit book."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_wtf.file import FileField, FileRequired
from werkzeug.wrappers import Response as AnyResponse
from wtforms import SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from examapp import clock
from examapp.db.session import read_session
from examapp.delivery.exams.models import Exam, ExamState
from examapp.delivery.exams.queries import list_organiser_exams
from examapp.delivery.external_results import actions, queries
from examapp.delivery.external_results.actions import ResultUpload
from examapp.delivery.external_results.models import OUTCOME_NAMES, ResultImport, ResultRowOutcome
from examapp.delivery.external_results.rules import RESULT_ALIASES
from examapp.documents.html import normalise
from examapp.errors import BadRequestError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import cipher, my_access, my_user, requires
from examapp.organisation.roster_change_requests.admin_views import admin_blueprint
from examapp.organisation.roster_change_requests.forms import _tidy
from examapp.platform.audit.actions import ActionContext
from examapp.web.forms import DateField, DecimalField, FlaskForm, IntegerField
from examapp.web.params import chosen_number, chosen_page, sent_number
from examapp.web.submit import submit

PERMISSIONS = {
    "grading:result:import": {Role.PUBLICITY_OFFICE},
}


class ResultsForm(FlaskForm):
    """A file of results from another platform, with what it does not say itself."""

    exam_id = SelectField(
        "计入哪场考试",
        coerce=sent_number,
        validators=[InputRequired("请选择考试。"), NumberRange(min=1, message="请选择考试。")],
    )
    file = FileField("成绩文件", validators=[FileRequired("请选择文件。")])
    source = StringField(
        "成绩来源",
        filters=[_tidy],
        validators=[DataRequired("请填写成绩来源，例如“省学法考试平台”。"), Length(max=40)],
    )
    taken_on = DateField("考试日期", validators=[InputRequired("请填写考试日期，例如 2026-11-24。")])
    possible = DecimalField(
        "满分",
        places=2,
        default=100,
        validators=[InputRequired("请填写满分。"), NumberRange(min=1, max=1000, message="满分在 1 到 1000 之间。")],
    )

    def validate_taken_on(self, field: DateField) -> None:
        """Reject a day that has not come."""
        if field.data and field.data > clock.today():
            raise ValidationError("考试日期不能晚于今天。")


class SettleForm(FlaskForm):
    """Who a row of the file is: one of those it may be, or by staff number; neither leaves it out."""

    person_id = IntegerField(validators=[Optional()])
    staff_number = StringField("工号", filters=[_tidy], validators=[Length(max=40)])


_IMPORT = "grading:result:import"


@admin_blueprint.route("/results", methods=["GET", "POST"])
@requires(_IMPORT)
def list_results() -> str | AnyResponse | tuple[str, int]:
    """Show the imports so far, and take a new file."""
    session, access = read_session(), my_access(_IMPORT)
    exam_id = chosen_number("exam")
    form = ResultsForm(data={"exam_id": exam_id})
    exams = [exam for exam in list_organiser_exams(session, access) if exam.state == ExamState.PUBLISHED]
    form.exam_id.choices = [(0, "请选择"), *((exam.id, exam.title) for exam in exams)]
    if form.validate_on_submit():
        with submit(form=form, field="file") as context:
            import_id = _upload(context, form)
        if not form.is_rejected:
            return _back(import_id)
    page = render_template(
        "unit_management/results.html",
        form=form,
        imports=queries.list_imports(session, access, my_user().person_id, exam_id=exam_id),
        aliases=RESULT_ALIASES,
    )
    return (page, 422) if form.is_submitted() else page


def _upload(context: ActionContext, form: ResultsForm) -> int:
    upload = ResultUpload(
        name=normalise(PurePath(form.file.data.filename or "").name) or "成绩",
        content=form.file.data.read(),
        source=form.source.data,
        taken_on=form.taken_on.data,
        possible=form.possible.data,
    )
    return actions.upload_results(
        context, exam_id=form.exam_id.data, upload=upload, access=my_access(_IMPORT), cipher=cipher()
    ).id


def _get(import_id: int) -> ResultImport:
    return queries.get_import(read_session(), import_id, my_access(_IMPORT), my_user().person_id)


@admin_blueprint.get("/results/<int:import_id>")
@requires(_IMPORT)
def show_results(import_id: int) -> str:
    """Show where an import stands, and the rows that a person has to look at."""
    session, job, page = read_session(), _get(import_id), chosen_page()
    word = request.args.get("outcome", "")
    outcome = ResultRowOutcome(word) if word in set(ResultRowOutcome) else None
    rows, count = queries.list_rows(session, job.id, outcome=outcome, page=page)
    return render_template(
        "unit_management/result_import.html",
        job=job,
        exam=session.get_one(Exam, job.exam_id),  # meant: a number out of a row that is within the access scope
        counts=queries.count_outcomes(session, job.id),
        outcome=outcome,
        outcome_names=OUTCOME_NAMES,
        rows=rows,
        count=count,
        page=page,
        page_count=-(-count // queries.PAGE),
        is_open=job.state == "ready" and job.approved_at is None,
    )


@admin_blueprint.post("/results/<int:import_id>/rows/<int:row_id>")
@requires(_IMPORT)
def settle_result(import_id: int, row_id: int) -> AnyResponse:
    """Say who a row is, or that it is left out."""
    form = SettleForm()
    if not form.validate():
        raise BadRequestError
    return _act(
        import_id,
        lambda context: actions.settle_row(
            context,
            import_id=import_id,
            row_id=row_id,
            person_id=form.person_id.data,
            staff_number=form.staff_number.data or "",
            is_left_out="leave_out" in request.form,
            access=my_access(_IMPORT),
        ),
        lambda row: "这一行不计入。" if row.outcome == ResultRowOutcome.SKIPPED else "已核对，批准后计入。",
    )


@admin_blueprint.post("/results/<int:import_id>/approve")
@requires(_IMPORT)
def approve_results(import_id: int) -> AnyResponse:
    """Let every matched row count."""
    return _act(
        import_id,
        lambda context: actions.approve_import(context, import_id=import_id, access=my_access(_IMPORT)),
        lambda count: f"已计入 {count} 人的成绩，各项统计立即按此计算。",
    )


@admin_blueprint.post("/results/<int:import_id>/undo")
@requires(_IMPORT)
def undo_results(import_id: int) -> AnyResponse:
    """Take back all that an import brought."""
    return _act(
        import_id,
        lambda context: actions.undo_import(context, import_id=import_id, access=my_access(_IMPORT)),
        lambda count: f"已撤销这次导入的 {count} 人的成绩。",
    )


def _act(import_id: int, act: Callable[[ActionContext], Any], text: Callable[[Any], str]) -> AnyResponse:
    back = _back(import_id, outcome=request.args.get("outcome"), page=request.args.get("page"))
    with submit(back=back.location) as context:
        said = text(act(context))
    flash(said, "success")
    return back


def _back(import_id: int, **query: Any) -> AnyResponse:
    return redirect(url_for("unit_management_admin.show_results", import_id=import_id, **query), 303)
