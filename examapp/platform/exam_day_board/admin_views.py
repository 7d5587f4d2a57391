"""Pages of exam day: the office's board with its decisions, and the board of a unit."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField, RadioField, SelectChoice, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from examapp import clock
from examapp.db.session import read_session
from examapp.delivery.exam_publication import actions as exam_publication_actions
from examapp.delivery.exams.queries import get_organiser_exam
from examapp.delivery.exams.rules import phase
from examapp.delivery.results.queries import are_keys_out
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.organisation.units.models import Tree
from examapp.oversight.statistics_scope.queries import list_tops
from examapp.platform.exam_day import actions as exam_day_actions
from examapp.platform.exam_day import queries as exam_day_queries
from examapp.platform.exam_day_board import queries
from examapp.platform.rehearsals import actions as rehearsal_actions
from examapp.web.forms import FlaskForm, IntegerField
from examapp.web.query_encryption import encrypt_query_param, requested_search_text
from examapp.web.submit import request_transaction, submit

PERMISSIONS = {
    "attempts:attempt:manage": {Role.PUBLICITY_OFFICE},
    "attempts:progress:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
    "attempts:reopening:approve": {Role.PUBLICITY_OFFICE, Role.SECURITY_ADMIN},
}


class ReopenForm(FlaskForm):
    """Minutes and reason for opening a closed attempt again."""

    minutes = IntegerField(
        "打开后可以作答几分钟",
        [InputRequired("请填写分钟数。"), NumberRange(1, 240, "应为 1 至 240 分钟。")],
        default=10,
    )
    reason = StringField("原因", [DataRequired("请填写原因，如“误点交卷，监考人证实”。"), Length(max=200)])
    is_known = BooleanField("答案已公布，仍要申请")


class ExamNoticeForm(FlaskForm):
    """What those who sit are told; an empty one takes back what was said."""

    text = StringField(
        "通知内容",
        [Length(max=120, message="最多 120 字，请写短一些。")],
        description="显示在每个正在作答的人的页面上，一分钟之内送到。要撤下，请清空后再保存。",
    )


class JudgeForm(FlaskForm):
    """The decision about late answers, and its reason."""

    decision = RadioField(
        "处理意见",
        [InputRequired("请选择采纳或不采纳。")],
        choices=[
            SelectChoice("accept", "采纳：并入答卷，重新评分"),
            SelectChoice("reject", "不采纳：成绩不变"),
        ],
    )
    reason = StringField("理由", [DataRequired("请填写理由，如“本单位 10:02 至 10:14 停电”。"), Length(max=200)])
    is_known = BooleanField("送达时答案已公布，仍要采纳")


admin_blueprint = Blueprint("examday_admin", __name__, url_prefix="/admin/examday")
_REASONS = {"deadline_passed": "到时收卷后才送达", "taken_over": "换设备后由原设备送达"}


@admin_blueprint.get("/")
@menu_entry("考试日", position=90, group="考试")
@requires("attempts:attempt:manage")
def list_exams() -> str:
    """List the exams of these days, and the rehearsals."""
    session, now = read_session(), clock.now()
    return render_template(
        "admin/examday/list.html",
        exams=[(exam, phase(exam, now)) for exam in queries.list_exams_around(session, now=now)],
        rehearsals=queries.list_rehearsals(session),
    )


@admin_blueprint.get("/units")
@menu_entry("考试日", position=91, group="考试")
@requires("attempts:progress:read")
def list_unit_exams() -> str | Response:
    """List the exams of these days for the units at which the access scope begins; lead to the board where it is one of one."""
    session, access, now = read_session(), my_access("attempts:progress:read"), clock.now()
    exams, tops = queries.list_unit_exams_around(session, access, now=now), list_tops(session, access)
    if len(exams) == len(tops) == 1:
        return redirect(url_for(".show_unit_board", exam_id=exams[0].id, unit_id=tops[0].id, tree=_own_tree()), 303)
    return render_template(
        "admin/examday/unit_list.html", exams=[(exam, phase(exam, now)) for exam in exams], tops=tops, tree=_own_tree()
    )


def _own_tree() -> str | None:
    """Give the tree to name in an address: of who reaches units by the sector tree alone."""
    access = my_access("attempts:progress:read")
    return Tree.SECTOR if access.sector_paths and not access.region_paths else None


@admin_blueprint.get("/units/<int:unit_id>/exams/<int:exam_id>")
@requires("attempts:progress:read")
def show_unit_board(unit_id: int, exam_id: int) -> str:
    """Show who of a unit has not begun, sits, has handed in; `?part=board` gives the part that the page fetches again every half minute."""
    session, access, now = read_session(), my_access("attempts:progress:read"), clock.now()
    tree = Tree.SECTOR if request.args.get("tree") == Tree.SECTOR else Tree.REGION
    board = queries.unit_board(session, exam_id, unit_id, tree=tree, access=access, now=now)
    exam, part = board.report_context.exam, request.args.get("part") == "board"
    return render_template(
        "admin/examday/_unit_board.html" if part else "admin/examday/unit_board.html",
        board=board,
        exam=exam,
        phase=phase(exam, now),
        at=now,
        tree=tree if tree is Tree.SECTOR else None,
    )


@admin_blueprint.get("/<int:exam_id>")
@requires("attempts:attempt:manage")
def show_board(exam_id: int) -> str:
    """Show how an attempt stands; `?part=board` gives the part that the page fetches again every ten seconds."""
    session, access, now = read_session(), my_access("attempts:attempt:manage"), clock.now()
    exam = get_organiser_exam(session, exam_id, access)
    board = queries.board(session, exam, access, now=now)
    if request.args.get("part") == "board":
        return render_template("admin/examday/_board.html", board=board, reasons=_REASONS)
    named = (requested_search_text() or request.args.get("staff_number", "")).strip()[:40]
    found = exam_day_queries.list_attempts_of(session, exam_id, named, access) if named else []
    return render_template(
        "admin/examday/board.html",
        board=board,
        reasons=_REASONS,
        named=named,
        found=found,
        phase=phase(exam, now),
        notice=ExamNoticeForm(text=exam.exam_notice),
    )


@admin_blueprint.post("/<int:exam_id>/search")
@requires("attempts:attempt:manage")
def search_attempts(exam_id: int) -> Response:
    """Lead from the posted words to the address of the search, which holds them sealed."""
    get_organiser_exam(read_session(), exam_id, my_access("attempts:attempt:manage"))
    token = encrypt_query_param(request.form.get("q", "").strip()[:40])
    return redirect(url_for(".show_board", exam_id=exam_id, s=token or None), 303)


@admin_blueprint.post("/<int:exam_id>/notice")
@requires("attempts:attempt:manage")
def set_exam_notice(exam_id: int) -> Response:
    """Say something to all who sit an exam."""
    form, board = ExamNoticeForm(), redirect(url_for("examday_admin.show_board", exam_id=exam_id), 303)
    if not form.validate_on_submit():
        flash("通知没有发出：" + "".join(form.text.errors), "danger")
        return board
    text = (form.text.data or "").strip()
    with submit("通知已发出，一分钟之内显示在每个正在作答的人的页面上。" if text else "通知已撤下。") as context:
        access = my_access("attempts:attempt:manage")
        exam_publication_actions.set_exam_notice(context, exam_id=exam_id, text=text, access=access)
    return board


@admin_blueprint.route("/attempts/<int:attempt_id>/reopen", methods=["GET", "POST"])
@requires("attempts:attempt:manage")
def reopen(attempt_id: int) -> tuple[str, int] | Response:
    """Ask that a closed attempt be opened again; a second person allows it, and a second press of the button counts once."""
    access = my_access("attempts:attempt:manage")
    line, exam = exam_day_queries.get_attempt_line(read_session(), attempt_id, access)
    form = ReopenForm()
    if form.validate_on_submit():
        with submit(f"已申请重新打开 {line.name} 的作答。另一位同事在“审批”中同意后立即打开。", form=form) as context:
            exam_day_actions.request_reopening(
                context,
                attempt_id=attempt_id,
                seconds=form.minutes.data * 60,
                reason=form.reason.data,
                is_known=form.is_known.data,
                access=access,
            )
        if not form.is_rejected:
            return redirect(url_for("examday_admin.show_board", exam_id=exam.id), 303)
    are_out = are_keys_out(read_session(), exam, now=clock.now())
    page = render_template("admin/examday/reopen.html", line=line, exam=exam, form=form, are_keys_out=are_out)
    return page, 422 if form.is_rejected else 200


@admin_blueprint.route("/late/<int:save_id>", methods=["GET", "POST"])
@requires("attempts:attempt:manage")
def judge(save_id: int) -> tuple[str, int] | Response:
    """Show late answers beside what is stored, and accept or reject them; a second press changes nothing."""
    access = my_access("attempts:attempt:manage")
    late = exam_day_queries.get_late_save(read_session(), save_id, access)
    form = JudgeForm()
    if form.validate_on_submit():
        with submit(form=form) as context:
            is_new = exam_day_actions.judge_quarantined_save(
                context,
                save_id=save_id,
                is_accepted=form.decision.data == "accept",
                is_known=form.is_known.data,
                reason=form.reason.data,
                access=access,
            )
        if not form.is_rejected:
            text = "已采纳，正在重新评分。" if form.decision.data == "accept" else "已记录为不采纳，成绩不变。"
            flash(text if is_new else "这份超时上传的答案已经处理过，没有重复办理。", "success")
            return redirect(url_for("examday_admin.show_board", exam_id=late.exam_id), 303)
    stored = exam_day_queries.stored_responses(read_session(), late.attempt_id, [item for item, _, _ in late.changes])
    were_out = exam_day_actions.are_keys_out_at(read_session(), late.exam_id, late.received_at)
    page = render_template(
        "admin/examday/judge.html", late=late, stored=stored, form=form, reasons=_REASONS, were_keys_out=were_out
    )
    return page, 422 if form.is_rejected else 200


@admin_blueprint.post("/attempts/<int:attempt_id>/grade")
@requires("attempts:attempt:manage")
def grade_again(attempt_id: int) -> Response:
    """Grade an attempt again that was set aside after three failures."""
    access = my_access("attempts:attempt:manage")
    _, exam = exam_day_queries.get_attempt_line(read_session(), attempt_id, access)
    with request_transaction() as context:
        is_new = exam_day_actions.grade_set_aside_again(context, attempt_id=attempt_id, access=access)
    flash("已重新送去评分，一分钟内见结果。" if is_new else "这份试卷已不在待处理之列，请刷新查看。", "success")
    return redirect(url_for("examday_admin.show_board", exam_id=exam.id), 303)


@admin_blueprint.post("/rehearsals")
@requires("attempts:attempt:manage")
def request_rehearsal() -> Response:
    """Ask for a rehearsal of the whole roster; a worker holds it."""
    with submit("演练已开始，可以离开本页，约两分钟后回来看结果。") as context:
        rehearsal_actions.request_rehearsal(context)
    return redirect(url_for("examday_admin.list_exams"), 303)
