"""Pages for the office: the forms of reports, version by version, and what is laid on every administrator's board by itself."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, Response, redirect, render_template, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import BadRequestError, NotFoundError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import requires
from examapp.oversight.report_exports.forms import ReportTemplateForm, ScheduleForm
from examapp.oversight.report_files.actions import FORMAT_LABELS, formats_of
from examapp.oversight.report_schedules import actions as report_schedule_actions
from examapp.oversight.report_templates import actions, render_docx, render_xlsx
from examapp.oversight.report_templates.actions import get_template, list_templates
from examapp.oversight.statistics_definitions import rules as statistics_definition_rules
from examapp.web.submit import request_transaction, submit

PERMISSIONS = {
    # The forms of reports, and what is made by itself.
    "reports:template:write": {Role.PUBLICITY_OFFICE},
}


designs_blueprint = Blueprint("reports_designs", __name__, url_prefix="/admin/reports/forms")
_PLACES = {
    "circular": (render_docx.PLACES, render_docx.UNIT_PLACES),
    "score_sheet": ((*render_docx.PLACES, render_xlsx.EVIDENCE_PLACE), render_xlsx.ROW_PLACES),
}


@designs_blueprint.get("")
@requires("reports:template:write", everywhere=True)
def show_forms() -> str:
    """List the forms with their versions and named places, and the schedule."""
    return _page(ReportTemplateForm())


def _other_formats(content: str) -> list[str]:
    """List the formats of a content that do not follow the office's form."""
    return [name for name in formats_of(content) if name not in statistics_definition_rules.TEMPLATE_FORMATS[content]]


def _page(form: ReportTemplateForm) -> str:
    session = read_session()
    return render_template(
        "reports/forms.html",
        form=form,
        versions=list_templates(session),
        contents={
            content: statistics_definition_rules.CONTENT_NAMES[content]
            for content in statistics_definition_rules.TEMPLATE_FORMATS
        },
        formats=statistics_definition_rules.TEMPLATE_FORMATS,
        other_formats={content: _other_formats(content) for content in statistics_definition_rules.TEMPLATE_FORMATS},
        format_names=FORMAT_LABELS,
        places=_PLACES,
        schedules=[(plan, ScheduleForm(plan)) for plan in report_schedule_actions.list_schedules(session)],
        moments=statistics_definition_rules.MOMENT_NAMES,
    )


@designs_blueprint.post("")
@requires("reports:template:write", everywhere=True)
def add_form() -> str | AnyResponse | tuple[str, int]:
    """Take in a new version; what is wrong with it stands beside the field."""
    form = ReportTemplateForm()
    if not form.validate():
        return _page(form), 400
    with submit(form=form, field="file") as context:
        actions.add_template(
            context,
            content=form.content.data,
            file=form.file.data.read(),
            file_name=form.file.data.filename or "",
            note=form.note.data or "",
        )
    if form.is_rejected:
        return _page(form), 400
    return redirect(url_for("reports_designs.show_forms"), 303)


@designs_blueprint.post("/<int:template_id>/use")
@requires("reports:template:write", everywhere=True)
def use_form(template_id: int) -> AnyResponse:
    """Put a version into use."""
    with request_transaction() as context:
        actions.use_template(context, template_id)
    return redirect(url_for("reports_designs.show_forms"), 303)


@designs_blueprint.post("/<content>/shipped")
@requires("reports:template:write", everywhere=True)
def use_shipped(content: str) -> AnyResponse:
    """Go back to the shipped form."""
    if content not in statistics_definition_rules.TEMPLATE_FORMATS:
        raise NotFoundError
    with request_transaction() as context:
        actions.use_shipped(context, content)
    return redirect(url_for("reports_designs.show_forms"), 303)


@designs_blueprint.get("/<content>/shipped/<purpose>")
@requires("reports:template:write", everywhere=True)
def show_shipped(content: str, purpose: str) -> Response:
    """Hand out the shipped form, as it is or filled with an example."""
    if content not in statistics_definition_rules.TEMPLATE_FORMATS:
        raise NotFoundError
    return _file(content, purpose, f"{statistics_definition_rules.CONTENT_NAMES[content]}-随产品提供", None)


@designs_blueprint.get("/<int:template_id>/<purpose>")
@requires("reports:template:write", everywhere=True)
def show_version(template_id: int, purpose: str) -> Response:
    """Hand out a version, as it is or filled with an example."""
    template = get_template(read_session(), template_id)
    name = f"{statistics_definition_rules.CONTENT_NAMES[template.content]}-第{template.number}版"
    return _file(template.content, purpose, name, template.id)


def _file(content: str, purpose: str, name: str, template_id: int | None) -> Response:
    template = None if template_id is None else get_template(read_session(), template_id)
    form_format = statistics_definition_rules.TEMPLATE_FORMATS[content][0]
    if purpose == "file":
        data = actions.form_file(template, content)
    elif purpose == "preview":
        data, name = actions.preview(template, content), f"{name}-预览"
    elif purpose == "pdf" and content == "circular":
        data = render_docx.as_pdf(actions.preview(template, content), made_at=clock.now(), watermark="预览")
        name, form_format = f"{name}-预览", "pdf"
    else:
        raise NotFoundError
    return send_file(BytesIO(data), download_name=f"{name}.{form_format}", as_attachment=True, max_age=0)


@designs_blueprint.post("/schedule/<moment>")
@requires("reports:template:write", everywhere=True)
def set_schedule(moment: str) -> AnyResponse:
    """Say what is made at a moment by itself, or that nothing is."""
    if moment not in set(statistics_definition_rules.Moment):
        raise NotFoundError
    form = ScheduleForm()
    if not form.validate():
        raise BadRequestError
    content = form.content.data
    formats = formats_of(content)
    format_ = form.format.data if form.format.data in formats else formats[0]
    with request_transaction() as context:
        report_schedule_actions.set_schedule(
            context,
            statistics_definition_rules.Moment(moment),
            content=content,
            format=format_,
            is_on=form.is_on.data,
        )
    return redirect(url_for("reports_designs.show_forms"), 303)
