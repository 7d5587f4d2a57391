"""Certificates: templates, plans, issuing, a unit's certificates as one PDF."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.learning.certificate_templates import actions as certificate_template_actions
from examapp.learning.certificates import actions, queries
from examapp.learning.certificates.models import CertificateTemplate
from examapp.learning.certificates.rules import PLACES, Printed, day_label, fill
from examapp.learning.courses.models import CourseState
from examapp.learning.courses.queries import list_courses
from examapp.learning.study_events.admin_views import admin_blueprint, send_pdf, unit_choices
from examapp.learning.study_events.forms import CertificateTemplateForm, PlanForm
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, my_access, my_user, requires
from examapp.web.params import chosen_page, page_count, sent_number
from examapp.web.submit import request_transaction, status_of, submit
from examapp.web.trusted_hosts import site_url

PERMISSIONS = {
    "records:certificate:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
    "records:certificate:write": {Role.PUBLICITY_OFFICE},
}


_READ, _WRITE = "records:certificate:read", "records:certificate:write"
_PAGE = 50


@admin_blueprint.get("/certificates")
@menu_entry("证书", position=140, group="考试")
@requires(_READ)
def list_plans() -> str:
    """List what certificates are given for."""
    return render_template("records/plans.html", rows=queries.list_plans(read_session(), my_access(_READ)))


@admin_blueprint.route("/certificates/new", methods=["GET", "POST"])
@requires(_WRITE, everywhere=True)
def create_plan() -> Response | tuple[str, int]:
    """Plan certificates for an exam or for courses."""
    form = PlanForm()
    session = read_session()
    known = [row.course for row in list_courses(session, my_access(_WRITE))]
    form.offer(
        templates=[(template.id, template.name) for template in queries.list_templates(session)],
        exams=[(exam.id, exam.title) for exam in queries.list_exams_with_results(session)],
        courses=[(c.id, f"{c.title}（{c.year}）") for c in known if c.state != CourseState.DRAFT],
    )
    if form.validate_on_submit():
        with submit("发证项目已建立。点“发证”即为符合条件的人员生成证书。", form=form) as context:
            plan = certificate_template_actions.create_plan(context, settings=form.settings())
            plan_id = plan.id
        if not form.is_rejected:
            return redirect(url_for(".show_plan", plan_id=plan_id))
    return render_template("records/plan_form.html", form=form), status_of(form)


@admin_blueprint.get("/certificates/<int:plan_id>")
@requires(_READ)
def show_plan(plan_id: int) -> str:
    """Show a plan with its certificates of the units within the access scope, and the jobs that I asked for."""
    session, access = read_session(), my_access(_READ)
    plan = queries.get_plan(session, plan_id)
    rows, total = queries.list_certificates(session, plan_id, access, offset=(chosen_page() - 1) * _PAGE, limit=_PAGE)
    return render_template(
        "records/plan.html",
        plan=plan,
        rows=rows,
        total=total,
        page=chosen_page(),
        pages_count=page_count(total, _PAGE),
        courses=queries.course_titles(session, plan),
        jobs=queries.list_jobs(session, plan_id, my_user().person_id),
        units=unit_choices(_READ),
        may_be_all=access.is_everything,
    )


@admin_blueprint.post("/certificates/<int:plan_id>/issue")
@requires(_WRITE, everywhere=True)
def issue(plan_id: int) -> Response:
    """Ask the workers to issue and correct a plan's certificates."""
    with request_transaction("已交后台办理，可以离开本页，稍后回来看结果。") as context:
        actions.request_job(context, plan_id=plan_id, purpose="issue", access=my_access(_WRITE))
    return redirect(url_for(".show_plan", plan_id=plan_id))


@admin_blueprint.post("/certificates/<int:plan_id>/pdf")
@requires(_READ)
def print_unit(plan_id: int) -> Response:
    """Ask the workers for a unit's certificates as one PDF."""
    with request_transaction("正在生成 PDF，完成后在下面下载。") as context:
        actions.request_job(
            context,
            plan_id=plan_id,
            purpose="pdf",
            unit_id=request.form.get("unit_id", type=sent_number),
            site_url=site_url(),
            access=my_access(_READ),
        )
    return redirect(url_for(".show_plan", plan_id=plan_id))


@admin_blueprint.get("/certificates/jobs/<int:job_id>/file")
@requires(_READ)
def download_job(job_id: int) -> Response:
    """Give the PDF of a job of mine, while its unit is within my access scope."""
    with request_transaction() as context:
        job = queries.get_own_job(context.session, job_id, my_user().person_id)
        content, name = actions.download(context, job, access=my_access(_READ))
    return send_pdf(content, name)


@admin_blueprint.get("/certificates/templates")
@requires(_WRITE, everywhere=True)
def list_templates() -> str:
    """List the templates."""
    return render_template("records/templates.html", templates=queries.list_templates(read_session()))


@admin_blueprint.route("/certificates/templates/new", methods=["GET", "POST"])
@requires(_WRITE, everywhere=True)
def create_template() -> Response | tuple[str, int]:
    """Word a new template."""
    return _edit_template(None)


@admin_blueprint.route("/certificates/templates/<int:template_id>", methods=["GET", "POST"])
@requires(_WRITE, everywhere=True)
def edit_template(template_id: int) -> Response | tuple[str, int]:
    """Change a template."""
    return _edit_template(queries.get_template(read_session(), template_id))


def _edit_template(template: CertificateTemplate | None) -> Response | tuple[str, int]:
    signer = current_app.extensions["site_texts"].organisation
    form = CertificateTemplateForm(obj=template) if template else CertificateTemplateForm(signer=signer)
    template_id = template.id if template else None
    has_seal = template is not None and template.seal is not None
    if form.validate_on_submit():
        with submit("模板已保存。可以先看样张。", form=form) as context:
            saved = certificate_template_actions.save_template(
                context, template_id=template_id, wording=form.wording(), seal=form.seal_bytes()
            )
            saved_id = saved.id
        if not form.is_rejected:
            return redirect(url_for(".edit_template", template_id=saved_id))
    page = render_template(
        "records/template_form.html",
        form=form,
        template_id=template_id,
        has_seal=has_seal,
        places=PLACES,
    )
    return page, status_of(form)


@admin_blueprint.get("/certificates/templates/<int:template_id>/sample.pdf")
@requires(_WRITE, everywhere=True)
def sample(template_id: int) -> Response:
    """Give a sample of a template, with nobody's name."""
    from examapp.learning.certificates.render_pdf import Page, draw_certificates

    template, day = queries.get_template(read_session(), template_id), clock.today()
    values = {"姓名": "样张", "单位": "某某单位", "项目": "某某考试", "成绩": "合格（80分）", "日期": day_label(day)}
    printed = Printed(
        number="SAMPLE-000000",
        heading=template.heading,
        text=fill(template.body, values),
        name="样张",
        unit_name="某某单位",
        result=values["成绩"],
        signer=template.signer,
        issued_on=day,
    )
    page = Page(printed=printed, digest=printed.digest(""))
    content = draw_certificates(
        [page], site_url=site_url(), seal=template.seal, made_at=clock.now(), title=f"{template.name}样张"
    )
    return send_pdf(content, f"{template.name}样张.pdf")
