"""Exemptions and deferrals: the unit asks, the office decides."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Response as AnyFile
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.db.session import read_session
from examapp.delivery.exams import queries as exam_queries
from examapp.delivery.exams.admin_views import admin_blueprint
from examapp.delivery.exams.forms import (
    EXEMPTION_KIND_NAMES,
    EXEMPTION_STATUS_NAMES,
    ExemptionDecisionForm,
    ReasonForm,
    UnitExemptionForm,
    offer,
)
from examapp.delivery.exams.models import ExemptionKind
from examapp.delivery.exemptions import actions
from examapp.delivery.exemptions.queries import (
    PAGE,
    ExemptionStatus,
    get_exemption_form,
    list_exemptions,
    list_reasons,
)
from examapp.documents.html import normalise
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import get_named_person
from examapp.organisation.access.rules import AccessScope, Role
from examapp.organisation.accounts.guards import may, my_access, requires
from examapp.platform.audit.actions import ActionContext
from examapp.uploads.views import serve_file
from examapp.web.params import chosen_number, chosen_page
from examapp.web.submit import submit

PERMISSIONS = {
    "exams:exemption:request": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
    "exams:exemption:approve": {Role.PUBLICITY_OFFICE},
}


@admin_blueprint.get("/exemptions")
@requires("exams:exemption:request")
def show_exemptions() -> str:
    """List the requests for people within my access scope, by exam and status."""
    access = my_access("exams:exemption:request")
    page = chosen_page()
    exam_id = chosen_number("exam")
    status = _status(request.args.get("status", ""))
    rows, count = list_exemptions(read_session(), access, exam_id=exam_id, status=status, page=min(page, 10_000))
    return render_template(
        "exams/exemptions.html",
        rows=rows,
        count=count,
        page=page,
        pages_count=-(-count // PAGE),
        exams=exam_queries.list_organiser_exams(read_session(), access),
        exam_id=exam_id,
        status=status,
        status_names=EXEMPTION_STATUS_NAMES,
        kind_names=EXEMPTION_KIND_NAMES,
        decider=may("exams:exemption:approve"),
    )


def _status(word: str) -> ExemptionStatus | None:
    return ExemptionStatus(word) if word in set(ExemptionStatus) else None


@admin_blueprint.route("/exemptions/new", methods=["GET", "POST"])
@requires("exams:exemption:request")
def request_exemption() -> str | Response | tuple[str, int]:
    """Ask for a person's exemption or deferral."""
    access = my_access("exams:exemption:request")
    form = UnitExemptionForm(
        data={
            "exam_id": chosen_number("exam"),
            "staff_number": request.args.get("staff_number", ""),
        }
    )
    exams = exam_queries.list_organiser_exams(read_session(), access)
    form.exam_id.choices = offer("请选择", [(exam.id, exam.title) for exam in exams])
    form.offer_reasons(list_reasons(read_session()))
    if form.validate_on_submit():
        with submit("申请已提交，等待普法办审批。", form=form) as context:
            _request(context, form, access)
        if not form.is_rejected:
            return redirect(url_for(".show_exemptions", exam=form.exam_id.data))
    page = render_template("exams/request_exemption.html", form=form)
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.is_submitted() else page


def _request(context: ActionContext, form: UnitExemptionForm, access: AccessScope) -> None:
    person = get_named_person(context.session, form.staff_number.data, access)
    actions.request_exemption(
        context,
        exam_id=form.exam_id.data,
        person_id=person.id,
        kind=ExemptionKind(form.kind.data),
        reason=form.full_reason,
        proof=form.proof,
        access=access,
    )


@admin_blueprint.get("/exemptions/<int:exemption_id>/form")
@requires("exams:exemption:request")
def print_exemption(exemption_id: int) -> str:
    """Show the application form of a request, to print, sign and seal."""
    form = get_exemption_form(read_session(), exemption_id, access=my_access("exams:exemption:request"))
    return render_template(
        "exams/exemption_form.html",
        form=form,
        kind_names=EXEMPTION_KIND_NAMES,
        status_names=EXEMPTION_STATUS_NAMES,
        back_to=url_for(".show_exemptions", exam=form.exam.id),
    )


@admin_blueprint.get("/exemptions/<int:exemption_id>/file")
@requires("exams:exemption:request")
def fetch_proof(exemption_id: int) -> AnyFile:
    """Give the paper that was sent along with a request."""
    file = get_exemption_form(read_session(), exemption_id, access=my_access("exams:exemption:request")).listed.file
    if file is None:
        raise NotFoundError
    return serve_file(file)


@admin_blueprint.post("/exemptions/<int:exemption_id>/approve")
@requires("exams:exemption:approve")
def approve_exemption(exemption_id: int) -> Response:
    """Approve a request."""
    return _decide(exemption_id, actions.approve_exemption, "已同意，此人不再计入应考人数，各项统计立即按此计算。")


@admin_blueprint.post("/exemptions/<int:exemption_id>/refuse")
@requires("exams:exemption:approve")
def reject_exemption(exemption_id: int) -> Response:
    """Reject a request."""
    return _decide(exemption_id, actions.reject_exemption, "已答复：未同意。")


def _decide(exemption_id: int, act: Callable[..., object], text: str) -> Response:
    form = ExemptionDecisionForm()
    answer = (form.answer.data or "").strip() if form.validate() else ""
    access = my_access("exams:exemption:approve")
    return _act(
        lambda context: act(context, exemption_id=exemption_id, answer=answer, access=access),
        text,
    )


@admin_blueprint.post("/exemptions/<int:exemption_id>/withdraw")
@requires("exams:exemption:request")
def withdraw_exemption(exemption_id: int) -> Response:
    """Take a request back."""
    access = my_access("exams:exemption:request")
    return _act(
        lambda context: actions.withdraw_exemption(
            context, exemption_id=exemption_id, is_decider=may("exams:exemption:approve"), access=access
        ),
        "申请已撤回。",
    )


def _act(act: Callable[..., object], text: str) -> Response:
    with submit(text) as context:
        act(context)
    kept = request.args.get
    return redirect(url_for(".show_exemptions", exam=kept("exam"), status=kept("status"), page=kept("page")))


@admin_blueprint.get("/exemptions/reasons")
@requires("exams:exemption:approve")
def show_reasons() -> str:
    """List the reasons that requests may name."""
    rows = list_reasons(read_session(), with_retired=True)
    return render_template("exams/reasons.html", rows=rows, form=ReasonForm(formdata=None))


@admin_blueprint.post("/exemptions/reasons")
@requires("exams:exemption:approve")
def add_reason() -> Response:
    """Offer one more reason."""
    return _act_on_reason(
        ReasonForm(),
        lambda context, form: actions.add_reason(
            context, wording=normalise(form.text.data), needs_details=form.needs_details.data
        ),
        "已增加，从现在起可以选用。",
    )


@admin_blueprint.post("/exemptions/reasons/<int:reason_id>")
@requires("exams:exemption:approve")
def change_reason(reason_id: int) -> Response:
    """Word a reason again."""
    return _act_on_reason(
        ReasonForm(),
        lambda context, form: actions.change_reason(
            context,
            reason_id=reason_id,
            wording=normalise(form.text.data),
            needs_details=form.needs_details.data,
        ),
        "已修改。以前的申请保留当时的原因。",
    )


@admin_blueprint.post("/exemptions/reasons/<int:reason_id>/offer")
@requires("exams:exemption:approve")
def offer_reason(reason_id: int) -> Response:
    """Offer a reason again."""
    return _offer(reason_id, is_offered=True, text="已恢复使用。")


@admin_blueprint.post("/exemptions/reasons/<int:reason_id>/retire")
@requires("exams:exemption:approve")
def retire_reason(reason_id: int) -> Response:
    """Offer a reason no longer."""
    return _offer(reason_id, is_offered=False, text="已停用，今后的申请不再提供这一项。")


def _offer(reason_id: int, *, is_offered: bool, text: str) -> Response:
    return _act_on_reason(
        None,
        lambda context, _form: actions.offer_reason(context, reason_id=reason_id, is_offered=is_offered),
        text,
    )


def _act_on_reason(form: ReasonForm | None, act: Callable[..., object], text: str) -> Response:
    if form is not None and not form.validate():
        flash("没有保存：" + " ".join(str(error) for errors in form.errors.values() for error in errors), "danger")
        return redirect(url_for(".show_reasons"), 303)
    with submit(text) as context:
        act(context, form)
    return redirect(url_for(".show_reasons"), 303)
