"""A candidate's own requests for an exemption or a deferral: asked for, followed, printed, taken back."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session
from examapp.delivery.exam_candidates import queries as candidate_queries
from examapp.delivery.exams.forms import EXEMPTION_KIND_NAMES, EXEMPTION_STATUS_NAMES, OwnExemptionForm, offer
from examapp.delivery.exams.models import ExemptionKind
from examapp.delivery.exams.rules import ExamPhase
from examapp.delivery.exemptions import actions
from examapp.delivery.exemptions.queries import get_exemption_form, list_own_exemptions, list_reasons
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import my_user, signed_in
from examapp.uploads.views import serve_file
from examapp.web.submit import submit

blueprint = Blueprint("exams", __name__, url_prefix="/exemptions")


@blueprint.get("")
@signed_in
def list_mine() -> str:
    """List one's own requests."""
    return render_template(
        "exams/my_exemptions.html",
        rows=list_own_exemptions(read_session(), my_user().person_id),
        kind_names=EXEMPTION_KIND_NAMES,
        status_names=EXEMPTION_STATUS_NAMES,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@signed_in
def request_mine() -> str | AnyResponse | tuple[str, int]:
    """Ask for one's own exemption or deferral."""
    form = OwnExemptionForm()
    own = candidate_queries.list_exams_of(read_session(), my_user().person_id, clock.now())
    open_ones = [one.exam for one in own if one.phase(clock.now()) is not ExamPhase.CLOSED]
    form.exam_id.choices = offer("请选择", [(exam.id, exam.title) for exam in open_ones])
    form.offer_reasons(list_reasons(read_session()))
    if form.validate_on_submit():
        with submit("申请已提交，等待普法办审批。结果会显示在本页。", form=form) as context:
            actions.request_own_exemption(
                context,
                exam_id=form.exam_id.data,
                kind=ExemptionKind(form.kind.data),
                reason=form.full_reason,
                proof=form.proof,
            )
        if not form.is_rejected:
            return redirect(url_for(".list_mine"), 303)
    page = render_template("exams/request_mine.html", form=form, has_exams=bool(open_ones))
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.is_submitted() else page


@blueprint.get("/<int:exemption_id>/form")
@signed_in
def print_mine(exemption_id: int) -> str:
    """Show the application form of one's own request, to print and sign."""
    form = get_exemption_form(read_session(), exemption_id, access=None, person_id=my_user().person_id)
    return render_template(
        "exams/exemption_form.html",
        form=form,
        kind_names=EXEMPTION_KIND_NAMES,
        status_names=EXEMPTION_STATUS_NAMES,
        back_to=url_for(".list_mine"),
    )


@blueprint.get("/<int:exemption_id>/file")
@signed_in
def fetch_my_proof(exemption_id: int) -> Response:
    """Give the paper that one has sent along."""
    file = get_exemption_form(read_session(), exemption_id, access=None, person_id=my_user().person_id).listed.file
    if file is None:
        raise NotFoundError
    return serve_file(file)


@blueprint.post("/<int:exemption_id>/withdraw")
@signed_in
def withdraw_mine(exemption_id: int) -> AnyResponse:
    """Take one's own request back."""
    with submit("申请已撤回。") as context:
        actions.withdraw_own_exemption(context, exemption_id=exemption_id)
    return redirect(url_for(".list_mine"), 303)
