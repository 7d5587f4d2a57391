"""The back office's pages of exams and exemptions."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examapp import clock
from examapp.content.blueprints.queries import get_blueprint, list_blueprints
from examapp.db.session import read_session
from examapp.delivery.exam_publication import actions as exam_publication_actions
from examapp.delivery.exams import actions, queries, rules
from examapp.delivery.exams.forms import (
    COUNTING_RULE_NAMES,
    KEYS_POLICY_NAMES,
    RESULTS_POLICY_NAMES,
    AudienceForm,
    Choices,
    ExamForm,
    SessionForm,
    exam_form,
    makeup_form,
    next_year_form,
    offer_in_row,
)
from examapp.delivery.exams.models import EXAM_KIND_NAMES, SCORING_RULE_NAMES, Exam, ExamKind, ExamState
from examapp.delivery.question_replacements.queries import list_redraws
from examapp.errors import NotFoundError
from examapp.organisation.access.rules import AccessScope, Role
from examapp.organisation.accounts.guards import may, menu_entry, my_access, requires
from examapp.organisation.units.admin_views import scalable_qr
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext
from examapp.web.params import chosen_number
from examapp.web.submit import submit
from examapp.web.trusted_hosts import address_of

PERMISSIONS = {
    "exams:exam:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE, Role.LEADER},
    "exams:exam:write": {Role.PUBLICITY_OFFICE},
}


admin_blueprint = Blueprint("exams_admin", __name__, url_prefix="/admin/exams")


@admin_blueprint.get("/")
@menu_entry("考试管理", position=80, group="考试")
@requires("exams:exam:read")
def list_exams() -> str:
    """List the exams that concern my access scope."""
    exams = queries.list_exams(read_session(), my_access("exams:exam:read"), may_write=may("exams:exam:write"))
    return render_template("exams/list.html", exams=exams, kind_names=EXAM_KIND_NAMES, phase=rules.phase)


@admin_blueprint.get("/<int:exam_id>")
@requires("exams:exam:read")
def show_exam(exam_id: int) -> str:
    """Show an exam: its settings, how ready it is, and what may be done with it now."""
    session = read_session()
    exam = get_visible(session, exam_id)
    is_editor = may("exams:exam:write") and actions.may_hold(session, exam.audiences, my_access("exams:exam:write"))
    is_draft = exam.state == ExamState.DRAFT
    parts, named = queries.describe_audience(session, exam)
    ready = queries.readiness(session, exam)
    is_waiting = is_editor and exam.state == ExamState.PUBLISHED and not ready.is_ready
    return render_template(
        "exams/show.html",
        exam=exam,
        is_editor=is_editor,
        phase=rules.phase(exam, clock.now()),
        parts=parts,
        named=named,
        readiness=ready,
        missing=exam_publication_actions.list_bank_issues(session, exam) if is_waiting else [],
        blueprint=None if exam.blueprint_id is None else get_blueprint(session, exam.blueprint_id),
        # meant: a number out of an exam that is visible; the page names the main exam and links to it
        main_exam=None if exam.main_exam_id is None else session.get(Exam, exam.main_exam_id),
        makeup_reasons=queries.count_makeup_reasons(session, exam) if exam.kind == ExamKind.MAKEUP else {},
        extensions=queries.list_extensions(session, exam) if is_editor else [],
        redraws=list_redraws(session, exam_id) if is_editor else [],
        issues=exam_publication_actions.list_publish_issues(session, exam, now=clock.now())
        if is_editor and is_draft
        else [],
        warnings=exam_publication_actions.publish_warnings(session, exam) if is_editor and is_draft else [],
        kind_names=EXAM_KIND_NAMES,
        counting_names=COUNTING_RULE_NAMES,
        scoring_names=SCORING_RULE_NAMES,
        results_names=RESULTS_POLICY_NAMES,
        keys_names=KEYS_POLICY_NAMES,
    )


@admin_blueprint.get("/<int:exam_id>/poster")
@requires("exams:exam:read")
def show_poster(exam_id: int) -> str | Response:
    """Show a poster to print: title, time, QR code and address of the exam; none of an exam that is not published or is over."""
    exam = get_visible(read_session(), exam_id)
    if exam.state != ExamState.PUBLISHED or exam.blueprint_id is None:
        flash("考试发布以后才有入口二维码和海报。", "warning")
        return redirect(url_for(".show_exam", exam_id=exam_id))
    if rules.phase(exam, clock.now()) is rules.ExamPhase.CLOSED:
        flash("考试已经结束，入口二维码和海报不再提供。", "warning")
        return redirect(url_for(".show_exam", exam_id=exam_id))
    address = address_of("attempts.before_start", exam_id=exam.id)
    parts = rules.title_parts(exam.title)
    return render_template(
        "exams/poster.html", exam=exam, title_parts=parts, address=address, picture=scalable_qr(address)
    )


def get_visible(session: Session, exam_id: int) -> Exam:
    """Get an exam that concerns my access scope; drafts and cancelled ones are there only for those who write exams."""
    exam = queries.get_organiser_exam(session, exam_id, my_access("exams:exam:read"))
    if exam.state != ExamState.PUBLISHED and not may("exams:exam:write"):
        raise NotFoundError
    return exam


@admin_blueprint.get("/<int:exam_id>/readiness")
@requires("exams:exam:read")
def show_readiness(exam_id: int) -> dict[str, object]:
    """Give the progress of paper making for the page's bar."""
    session = read_session()
    ready = queries.readiness(session, get_visible(session, exam_id))
    state = "ready" if ready.is_ready else "running"
    return {"state": state, "done": ready.prepared, "total": ready.eligible, "message": ""}


@admin_blueprint.route("/new", methods=["GET", "POST"])
@requires("exams:exam:write")
def create_exam() -> str | Response | tuple[str, int]:
    """Fill in a new exam; `?copy=` begins with an earlier exam a year later, `?makeup=` with the make-up of an ended one."""
    earlier = {name: exam_id for name in ("copy", "makeup") if (exam_id := chosen_number(name)) is not None}
    if not earlier:
        return _edit(None)
    session, (name, exam_id) = read_session(), next(iter(earlier.items()))
    queries.ensure_exam_in_scope(session, exam_id, my_access("exams:exam:write"))
    exam = queries.get_exam(session, exam_id)
    form = makeup_form(exam) if name == "makeup" else next_year_form(exam, queries.list_staff_numbers(session, exam))
    return _edit(None, form)


@admin_blueprint.route("/<int:exam_id>/edit", methods=["GET", "POST"])
@requires("exams:exam:write")
def edit_exam(exam_id: int) -> str | Response | tuple[str, int]:
    """Change a draft."""
    session, access = read_session(), my_access("exams:exam:write")
    queries.ensure_exam_in_scope(session, exam_id, access)
    exam = queries.get_exam(session, exam_id)
    if not actions.may_hold(session, exam.audiences, access):
        raise NotFoundError
    if exam.state != ExamState.DRAFT:
        flash("考试已经发布或取消，不能再改设置。开考前可先撤回，改好后再发布。", "warning")
        return redirect(url_for(".show_exam", exam_id=exam_id))
    return _edit(exam)


def _edit(exam: Exam | None, filled: ExamForm | None = None) -> str | Response | tuple[str, int]:
    session, access = read_session(), my_access("exams:exam:write")
    exam_id = None if exam is None else exam.id
    form = filled or exam_form(exam, [] if exam is None else queries.list_staff_numbers(session, exam))
    choices = _choices(session, access, exam)
    form.offer(choices)
    if form.validate_on_submit():
        with submit("考试设置已保存。核对无误后请发布，考生才能看到。", form=form) as context:
            saved_id = _save(context, exam_id, form, access)
        if not form.is_rejected:
            return redirect(url_for(".show_exam", exam_id=saved_id))
    empty_part = AudienceForm(prefix="audience-NUMBER-")
    offer_in_row(empty_part, choices)
    page = render_template(
        "exams/edit.html",
        form=form,
        exam_id=exam_id,
        empty_session=SessionForm(prefix="sessions-NUMBER-"),
        empty_part=empty_part,
    )
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.is_submitted() else page


def _save(context: ActionContext, exam_id: int | None, form: ExamForm, access: AccessScope) -> int:
    settings = form.settings()
    if exam_id is None:
        return actions.create_exam(context, settings=settings, access=access).id
    return actions.update_exam(context, exam_id=exam_id, settings=settings, access=access).id


def _choices(session: Session, access: AccessScope, exam: Exam | None) -> Choices:
    blueprints = [(row.id, row.name) for row in list_blueprints(session)]
    if exam is not None and exam.blueprint_id is not None and exam.blueprint_id not in dict(blueprints):
        blueprints.append((exam.blueprint_id, get_blueprint(session, exam.blueprint_id).name))
    return Choices(
        blueprints=blueprints,
        main_exams=[(row.id, row.title) for row in queries.list_main_exams(session)],
        units=[(unit.id, indented(unit)) for unit in queries.list_units_within(session, access)],
        sectors=[(unit.id, unit.name) for unit in queries.list_sector_units(session)],
    )


def indented(unit: Unit) -> str:
    """Write a unit's name set in by its depth in the region tree, for a select."""
    return "　" * (unit.region_path.count("/") - 2) + unit.name
