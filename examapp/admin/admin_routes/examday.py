"""The exam-day board, what the office decides there about single attempts, and rehearsals."""

from __future__ import annotations

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.admin.forms import JudgeForm, ReopenForm, SittingNoticeForm
from examapp.admin.operations import rehearsing
from examapp.admin.queries import examday as boards
from examapp.core import clock
from examapp.core.acting import telling
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError, NotFoundError
from examapp.core.permissions import Permission
from examapp.exams import operations as exams
from examapp.exams.queries import get_organiser_exam
from examapp.exams.rules import phase
from examapp.grading import operations
from examapp.grading.queries import are_keys_out, examday
from examapp.people.access import actor, my_reach, requires

admin_blueprint = Blueprint("examday_admin", __name__, url_prefix="/admin/examday")
_REASONS = {"deadline_passed": "到时收卷后才送达", "taken_over": "换设备后由原设备送达"}


@admin_blueprint.get("/")
@requires(Permission.ATTEMPTS_MANAGE)
def list_exams() -> str:
    """List the exams of these days, and the rehearsals."""
    session, now = reading(), clock.now()
    return render_template(
        "admin/examday/list.html",
        exams=[(exam, phase(exam, now)) for exam in boards.list_exams_around(session, now=now)],
        rehearsals=boards.list_rehearsals(session),
    )


@admin_blueprint.get("/<int:exam_id>")
@requires(Permission.ATTEMPTS_MANAGE)
def show_board(exam_id: int) -> str:
    """Show how a sitting stands; `?part=board` gives the part that the page fetches anew every ten seconds."""
    session, reach, now = reading(), my_reach(Permission.ATTEMPTS_MANAGE), clock.now()
    exam = get_organiser_exam(session, exam_id, reach)
    board = boards.board(session, exam, reach, now=now)
    if request.args.get("part") == "board":
        return render_template("admin/examday/_board.html", board=board, reasons=_REASONS)
    staff_number = request.args.get("staff_number", "").strip()
    found = examday.list_attempts_of(session, exam_id, staff_number, reach) if staff_number else []
    return render_template(
        "admin/examday/board.html",
        board=board,
        reasons=_REASONS,
        staff_number=staff_number,
        found=found,
        phase=phase(exam, now),
        notice=SittingNoticeForm(words=exam.sitting_notice),
    )


@admin_blueprint.post("/<int:exam_id>/notice")
@requires(Permission.ATTEMPTS_MANAGE)
def tell_who_sit(exam_id: int) -> Response:
    """Say something to all who sit an exam."""
    form, board = SittingNoticeForm(), redirect(url_for("examday_admin.show_board", exam_id=exam_id), 303)
    if not form.validate_on_submit():
        flash("通知没有发出：" + "".join(form.words.errors), "danger")
        return board
    words = (form.words.data or "").strip()
    with telling("通知已发出，一分钟之内显示在每个正在作答的人的页面上。" if words else "通知已撤下。") as session:
        reach = my_reach(Permission.ATTEMPTS_MANAGE)
        exams.tell_who_sit(session, exam_id=exam_id, words=words, reach=reach, actor=actor(), now=clock.now())
    return board


@admin_blueprint.route("/attempts/<int:attempt_id>/reopen", methods=["GET", "POST"])
@requires(Permission.ATTEMPTS_MANAGE)
def reopen(attempt_id: int) -> tuple[str, int] | Response:
    """Ask that a closed attempt be opened again; a second person allows it, and a second press of the button counts once."""
    reach, problem = my_reach(Permission.ATTEMPTS_MANAGE), ""
    line, exam = examday.get_attempt_line(reading(), attempt_id, reach)
    form = ReopenForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                operations.request_reopening(
                    session,
                    attempt_id=attempt_id,
                    seconds=form.minutes.data * 60,
                    reason=form.reason.data,
                    is_known=form.is_known.data,
                    reach=reach,
                    actor=actor(),
                    now=clock.now(),
                )
        except NotFoundError:
            raise
        except DomainError as error:
            problem = error.text
        else:
            flash(f"已申请重新打开 {line.name} 的作答。另一位同事在“审批”中同意后立即打开。", "success")
            return redirect(url_for("examday_admin.show_board", exam_id=exam.id), 303)
    are_out = are_keys_out(reading(), exam, now=clock.now())
    page = render_template(
        "admin/examday/reopen.html", line=line, exam=exam, form=form, problem=problem, are_keys_out=are_out
    )
    return page, 422 if form.errors or problem else 200


@admin_blueprint.route("/late/<int:save_id>", methods=["GET", "POST"])
@requires(Permission.ATTEMPTS_MANAGE)
def judge(save_id: int) -> tuple[str, int] | Response:
    """Show late answers beside what is stored, and accept or reject them; a second press changes nothing."""
    reach, problem = my_reach(Permission.ATTEMPTS_MANAGE), ""
    late = examday.get_late_save(reading(), save_id, reach)
    form = JudgeForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                is_new = operations.judge_set_aside(
                    session,
                    save_id=save_id,
                    is_accepted=form.decision.data == "accept",
                    reason=form.reason.data,
                    reach=reach,
                    actor=actor(),
                    now=clock.now(),
                )
        except NotFoundError:
            raise
        except DomainError as error:
            problem = error.text
        else:
            words = "已采纳，正在重新评分。" if form.decision.data == "accept" else "已记录为不采纳，成绩不变。"
            flash(words if is_new else "这份迟到的答案已经处理过，没有重复办理。", "success")
            return redirect(url_for("examday_admin.show_board", exam_id=late.exam_id), 303)
    stored = examday.stored_responses(reading(), late.attempt_id, [item for item, _, _ in late.changes])
    page = render_template(
        "admin/examday/judge.html", late=late, stored=stored, form=form, problem=problem, reasons=_REASONS
    )
    return page, 422 if form.errors or problem else 200


@admin_blueprint.post("/attempts/<int:attempt_id>/grade")
@requires(Permission.ATTEMPTS_MANAGE)
def grade_again(attempt_id: int) -> Response:
    """Grade an attempt again that was set aside after three failures."""
    reach = my_reach(Permission.ATTEMPTS_MANAGE)
    _, exam = examday.get_attempt_line(reading(), attempt_id, reach)
    with transaction() as session:
        is_new = operations.grade_set_aside_again(
            session, attempt_id=attempt_id, reach=reach, actor=actor(), now=clock.now()
        )
    flash("已重新送去评分，一分钟内见结果。" if is_new else "这份试卷已不在待处理之列，请刷新查看。", "success")
    return redirect(url_for("examday_admin.show_board", exam_id=exam.id), 303)


@admin_blueprint.post("/rehearsals")
@requires(Permission.ATTEMPTS_MANAGE)
def request_rehearsal() -> Response:
    """Ask for a rehearsal of the whole roster; a worker holds it."""
    try:
        with transaction() as session:
            rehearsing.request_rehearsal(session, actor=actor(), now=clock.now())
    except DomainError as error:
        flash(error.text, "danger")
    else:
        flash("演练已开始，可以离开本页，约两分钟后回来看结果。", "success")
    return redirect(url_for("examday_admin.list_exams"), 303)


@admin_blueprint.get("/rehearsals/<int:rehearsal_id>")
@requires(Permission.ATTEMPTS_MANAGE)
def show_rehearsal_progress(rehearsal_id: int) -> Response:
    """Give a rehearsal's state and progress as JSON, for the page that waits."""
    found = boards.get_rehearsal(reading(), rehearsal_id)
    return jsonify({"state": found.state, "done": found.done, "total": found.total, "message": found.message})
