"""Results from another platform: uploaded, reviewed beside the people they may be, approved and undone as one act."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import BadRequestError, DomainError, NotFoundError
from examapp.core.html import normalise
from examapp.core.numbers import sent_number
from examapp.core.permissions import Permission
from examapp.exams.models import Exam, ExamState
from examapp.exams.queries import list_organiser_exams
from examapp.people.access import actor, me, my_reach, requires, sealer
from examapp.unitbook.admin_routes.frame import admin_blueprint, known, page_number
from examapp.unitbook.forms import ResultsForm, SettleForm
from examapp.unitbook.models import OUTCOME_NAMES, Outcome, ResultImport
from examapp.unitbook.operations import outside_results as operations
from examapp.unitbook.operations.outside_results import Upload
from examapp.unitbook.operations.result_file import RESULT_ALIASES
from examapp.unitbook.queries import outside_results as queries

_IMPORT = Permission.RESULTS_IMPORT


@admin_blueprint.route("/results", methods=["GET", "POST"])
@requires(_IMPORT)
def list_results() -> str | AnyResponse | tuple[str, int]:
    """Show the imports so far, and take a new file."""
    session, reach = reading(), my_reach(_IMPORT)
    exam_id = request.args.get("exam", type=sent_number)
    form = ResultsForm(data={"exam_id": exam_id})
    exams = [exam for exam in list_organiser_exams(session, reach) if exam.state == ExamState.PUBLISHED]
    form.exam_id.choices = [(0, "请选择"), *((exam.id, exam.title) for exam in exams)]
    if form.validate_on_submit() and (import_id := _upload(form)):
        return _back(import_id)
    page = render_template(
        "unitbook/results.html",
        form=form,
        imports=queries.list_imports(session, reach, me().person_id, exam_id=exam_id),
        aliases=RESULT_ALIASES,
    )
    return (page, 422) if form.is_submitted() else page


def _upload(form: ResultsForm) -> int | None:
    upload = Upload(
        name=normalise(PurePath(form.file.data.filename or "").name) or "成绩",
        content=form.file.data.read(),
        source=form.source.data,
        taken_on=form.taken_on.data,
        possible=form.possible.data,
    )
    try:
        with transaction() as session:
            return operations.upload_results(
                session,
                exam_id=form.exam_id.data,
                upload=upload,
                reach=my_reach(_IMPORT),
                sealer=sealer(),
                actor=actor(),
                now=clock.now(),
            ).id
    except NotFoundError:
        raise
    except DomainError as error:
        form.file.errors = [error.text]
        return None


def _get(import_id: int) -> ResultImport:
    return queries.get_import(reading(), known(import_id), my_reach(_IMPORT), me().person_id)


@admin_blueprint.get("/results/<int:import_id>")
@requires(_IMPORT)
def show_results(import_id: int) -> str:
    """Show where an import stands, and the rows that a person has to look at."""
    session, job, page = reading(), _get(import_id), page_number()
    word = request.args.get("outcome", "")
    outcome = Outcome(word) if word in set(Outcome) else None
    rows, count = queries.list_rows(session, job.id, outcome=outcome, page=page)
    return render_template(
        "unitbook/result_import.html",
        job=job,
        exam=session.get_one(Exam, job.exam_id),  # meant: a number out of a row that is within reach
        counts=queries.count_outcomes(session, job.id),
        outcome=outcome,
        outcome_names=OUTCOME_NAMES,
        rows=rows,
        count=count,
        page=page,
        page_count=-(-count // queries.PAGE),
        is_open=job.state == "ready" and job.approved_at is None,
    )


@admin_blueprint.get("/results/<int:import_id>/progress")
@requires(_IMPORT)
def show_results_progress(import_id: int) -> Response:
    """Tell how far the reading of a file has come."""
    job = _get(import_id)
    return jsonify(state=job.state, done=job.done, total=job.total, message=job.message)


@admin_blueprint.post("/results/<int:import_id>/rows/<int:row_id>")
@requires(_IMPORT)
def settle_result(import_id: int, row_id: int) -> AnyResponse:
    """Say who a row is, or that it is left out."""
    form = SettleForm()
    if not form.validate():
        raise BadRequestError
    return _act(
        import_id,
        lambda session: operations.settle_row(
            session,
            import_id=known(import_id),
            row_id=known(row_id),
            person_id=form.person_id.data,
            staff_number=form.staff_number.data or "",
            is_left_out="leave_out" in request.form,
            reach=my_reach(_IMPORT),
            actor=actor(),
        ),
        lambda row: "这一行不计入。" if row.outcome == Outcome.SKIPPED else "已核对，批准后计入。",
    )


@admin_blueprint.post("/results/<int:import_id>/approve")
@requires(_IMPORT)
def approve_results(import_id: int) -> AnyResponse:
    """Let every matched row count."""
    return _act(
        import_id,
        lambda session: operations.approve_import(
            session, import_id=known(import_id), reach=my_reach(_IMPORT), actor=actor(), now=clock.now()
        ),
        lambda count: f"已计入 {count} 人的成绩，各项统计立即按此计算。",
    )


@admin_blueprint.post("/results/<int:import_id>/undo")
@requires(_IMPORT)
def undo_results(import_id: int) -> AnyResponse:
    """Take back all that an import brought."""
    return _act(
        import_id,
        lambda session: operations.undo_import(
            session, import_id=known(import_id), reach=my_reach(_IMPORT), actor=actor(), now=clock.now()
        ),
        lambda count: f"已撤销这次导入的 {count} 人的成绩。",
    )


def _act(import_id: int, act: Callable[[Session], Any], words: Callable[[Any], str]) -> AnyResponse:
    try:
        with transaction() as session:
            said = words(act(session))
    except NotFoundError:
        raise
    except DomainError as error:
        flash(error.text, "danger")
    else:
        flash(said, "success")
    return _back(import_id, outcome=request.args.get("outcome"), page=request.args.get("page"))


def _back(import_id: int, **query: Any) -> AnyResponse:
    return redirect(url_for("unitbook_admin.show_results", import_id=import_id, **query), 303)
