"""Pages of assignments: the office assigns, accepts and sends back; a unit writes, uploads and submits."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.content.question_assignments import actions, queries
from examapp.content.question_assignments.actions import AssignmentTerms
from examapp.content.question_assignments.forms import AssignmentForm, AssignmentReplyForm
from examapp.content.question_assignments.models import ASSIGNMENT_STATE_NAMES
from examapp.content.question_editing.forms import QuestionForm, question_of
from examapp.content.questions.rules import UnfitQuestionError, prepare
from examapp.db.session import read_session
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import may, menu_entry, my_access, requires
from examapp.organisation.units.models import Unit, UnitKind
from examapp.organisation.units.queries import list_units, unit_of
from examapp.web.params import sent_number
from examapp.web.submit import request_transaction, status_of, submit
from question_bank.formats import registry
from question_bank.kinds.registry import KIND_NAMES, kind_of
from question_bank.model import Kind

PERMISSIONS = {
    "assignments:assignment:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
    "assignments:assignment:answer": {Role.UNIT_ADMIN},
    "assignments:assignment:write": {Role.PUBLICITY_OFFICE},
}
READ, ANSWER, WRITE = PERMISSIONS

admin_blueprint = Blueprint("question_assignments_admin", __name__, url_prefix="/admin/question-assignments")


@admin_blueprint.context_processor
def names() -> dict[str, object]:
    """Return the labels of states and kinds for templates."""
    return {"state_names": ASSIGNMENT_STATE_NAMES, "kind_names": KIND_NAMES}


@admin_blueprint.get("/")
@menu_entry("出题任务", position=115, group="题库")
@requires("assignments:assignment:read")
def list_assignments() -> str:
    """List the assignments of units within the access scope; `?state=` filters."""
    state = request.args.get("state", "")
    rows = queries.list_assignments(read_session(), my_access(READ), state=state)
    return render_template("question_assignments/list.html", rows=rows, state=state, today=clock.today())


@admin_blueprint.route("/new", methods=["GET", "POST"])
@requires("assignments:assignment:write")
def assign_questions() -> Response | tuple[str, int]:
    """Ask units for questions."""
    form, access = AssignmentForm(), my_access(WRITE)
    ticked = set(request.form.getlist("units", type=sent_number))
    if form.validate_on_submit():
        terms = AssignmentTerms(
            subject=form.subject.data or "", kind=form.kind.data, count=form.count.data, due_on=form.due_on.data, text=form.text.data or ""
        )  # fmt: skip
        with submit(form=form, field="subject") as context:
            count = actions.assign_questions(context, unit_ids=sorted(ticked), terms=terms, access=access)
        if not form.is_rejected:
            flash(f"已布置给 {count} 个单位，单位管理员在首页看到。", "success")
            return redirect(url_for(".list_assignments"), 303)
    units = list_units(read_session(), within(access), Unit.kind != UnitKind.SECTOR)
    return render_template("question_assignments/new.html", form=form, units=units, ticked=ticked), status_of(form)


@admin_blueprint.get("/<int:assignment_id>")
@requires("assignments:assignment:read")
def show_assignment(assignment_id: int) -> str:
    """Show an assignment with its files, and what may be done with it."""
    return _page(assignment_id, AssignmentReplyForm(formdata=None))


def _page(assignment_id: int, form: AssignmentReplyForm) -> str:
    session = read_session()
    row = queries.get_assignment(session, assignment_id, my_access(READ))
    return render_template(
        "question_assignments/show.html",
        row=row,
        unit=unit_of(session, row),
        written=queries.count_written(row),
        form=form,
        today=clock.today(),
        may_answer=row.may_be_answered and may(ANSWER),
        part_kinds=[kind for kind in KIND_NAMES if kind_of(kind).is_part and row.kind in {"", kind}] or list(KIND_NAMES)[:1],
    )  # fmt: skip


@admin_blueprint.post("/<int:assignment_id>/files")
@requires("assignments:assignment:answer")
def upload_file(assignment_id: int) -> Response:
    """Upload a file of questions for an assignment."""
    file, back = request.files.get("file"), url_for(".show_assignment", assignment_id=assignment_id)
    with submit("文件已上传，正在读取。", back=back) as context:
        actions.add_file(
            context, assignment_id=assignment_id, access=my_access(ANSWER), content=file.read() if file else b"",
            file_name=(file.filename or "") if file else "", format_name=registry.AUTO,
        )  # fmt: skip
    return redirect(back, 303)


@admin_blueprint.route("/<int:assignment_id>/write/<kind>", methods=["GET", "POST"])
@requires("assignments:assignment:answer")
def write_question(assignment_id: int, kind: str) -> Response | tuple[str, int]:
    """Write one question for an assignment in a form."""
    row = queries.get_assignment(read_session(), assignment_id, my_access(ANSWER))
    if kind not in set(Kind) or not kind_of(kind).is_part:
        raise NotFoundError
    form = QuestionForm(
        data={"kind": kind, "topic": "", "law": row.subject, "parts": [{"kind": kind, "options": [""] * 4}]}
    )
    if form.validate_on_submit():
        with submit("这道题已写入任务，可以接着写下一道。", form=form, shown=UnfitQuestionError) as context:
            question = question_of(form)
            prepare(question)
            content = registry.write_file([question], "examtext").content
            actions.add_file(
                context, assignment_id=assignment_id, access=my_access(ANSWER), content=content,
                file_name=f"{question.stem[:30]}.txt", format_name="examtext",
            )  # fmt: skip
        if not form.is_rejected:
            return redirect(url_for(".show_assignment", assignment_id=assignment_id), 303)
    page = render_template("question_assignments/write.html", row=row, form=form, kind=kind, rejection=form.problem)
    return page, status_of(form)


@admin_blueprint.post("/<int:assignment_id>/files/<int:import_id>/remove")
@requires("assignments:assignment:answer")
def remove_file(assignment_id: int, import_id: int) -> Response:
    """Take a file out of an assignment."""
    back = url_for(".show_assignment", assignment_id=assignment_id)
    with submit("已去掉。", back=back) as context:
        actions.remove_file(context, assignment_id=assignment_id, import_id=import_id, access=my_access(ANSWER))
    return redirect(back, 303)


@admin_blueprint.post("/<int:assignment_id>/submit")
@requires("assignments:assignment:answer")
def submit_assignment(assignment_id: int) -> Response:
    """Hand an assignment in to the office."""
    back = url_for(".show_assignment", assignment_id=assignment_id)
    with submit("已提交，等普法办采用。", back=back) as context:
        actions.submit_assignment(context, assignment_id=assignment_id, access=my_access(ANSWER))
    return redirect(back, 303)


@admin_blueprint.post("/<int:assignment_id>/accept")
@requires("assignments:assignment:write")
def accept_assignment(assignment_id: int) -> Response:
    """Accept what a unit has written into the bank, as drafts."""
    back = url_for(".show_assignment", assignment_id=assignment_id)
    with submit("已采用，题目正在存入题库，存为草稿，审核后启用。", back=back) as context:
        actions.accept_assignment(context, assignment_id=assignment_id, access=my_access(WRITE))
    return redirect(back, 303)


@admin_blueprint.post("/<int:assignment_id>/return")
@requires("assignments:assignment:write")
def return_assignment(assignment_id: int) -> Response | str:
    """Send an assignment back to the unit with words."""
    form = AssignmentReplyForm()
    if form.validate_on_submit():
        with submit("已退回，单位修改后再提交。", form=form, field="answer") as context:
            actions.return_assignment(
                context, assignment_id=assignment_id, answer=form.answer.data or "", access=my_access(WRITE)
            )
        if not form.is_rejected:
            return redirect(url_for(".show_assignment", assignment_id=assignment_id), 303)
    return _page(assignment_id, form)


@admin_blueprint.post("/<int:assignment_id>/withdraw")
@requires("assignments:assignment:write")
def withdraw_assignment(assignment_id: int) -> Response:
    """Withdraw an assignment that was not accepted."""
    with request_transaction("任务已作废。") as context:
        actions.withdraw_assignment(context, assignment_id=assignment_id, access=my_access(WRITE))
    return redirect(url_for(".list_assignments"), 303)
