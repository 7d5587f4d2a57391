"""Regrades: which keys were corrected after papers had been graded by them, and what every result was before and after."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path

from flask import Blueprint, Response, render_template, send_file

from examapp.db.session import read_session
from examapp.delivery.grading.rules import BAND_NAMES, Band
from examapp.delivery.regrades import actions, queries
from examapp.organisation.accounts.guards import my_access, requires, shows_keys
from examapp.web.params import chosen_page, page_count
from examapp.web.submit import request_transaction

admin_blueprint = Blueprint("grading_admin", __name__, url_prefix="/admin/regrades")
_PAGE = 50


@admin_blueprint.get("/")
@requires("attempts:attempt:manage")
@shows_keys
def list_regrades() -> str:
    """List the regrades, the newest first."""
    return render_template("grading/regrades.html", rows=queries.list_regrades(read_session()))


@admin_blueprint.get("/<int:regrade_id>")
@requires("attempts:attempt:manage")
@shows_keys
def show_regrade(regrade_id: int) -> str:
    """Show what a regrade changed, by exam and by person, within the reach."""
    session, access = read_session(), my_access("attempts:attempt:manage")
    found = queries.get_regrade(session, regrade_id)
    exams = queries.list_exam_changes(session, regrade_id, access)
    count = sum(exam.raised + exam.lowered for exam in exams)
    pages = page_count(count, _PAGE)
    page = chosen_page(pages)
    return render_template(
        "grading/regrade.html",
        found=found,
        job=found.Regrade,
        exams=exams,
        count=count,
        changes=queries.list_result_changes(session, regrade_id, access, limit=_PAGE, skip=(page - 1) * _PAGE),
        band_names={str(band): BAND_NAMES[band] for band in Band},
        page=page,
        page_count=pages,
    )


@admin_blueprint.get("/<int:regrade_id>/file")
@requires("attempts:attempt:manage")
@shows_keys
def download_regrade(regrade_id: int) -> Response:
    """Hand out the table of changed results; leaves an audit line."""
    access = my_access("attempts:attempt:manage")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "regrade.xlsx"
        with request_transaction() as context:
            code = actions.write_regrade(context, regrade_id, path, access=access)
        content = path.read_bytes()
    return send_file(BytesIO(content), download_name=f"更正重评对照-{code}.xlsx", as_attachment=True, max_age=0)
