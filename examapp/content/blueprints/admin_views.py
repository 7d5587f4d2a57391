"""The back office's pages of blueprints: list, editor, dry run, preview."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from io import BytesIO

from flask import Blueprint as Views
from flask import redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from examapp.content.blueprints import actions, queries
from examapp.content.blueprints.forms import BlueprintForm, SectionForm, blueprint_form
from examapp.content.blueprints.models import Blueprint
from examapp.content.blueprints.render_docx import write_paper_files
from examapp.content.blueprints.rules import forecast
from examapp.db.session import read_session
from examapp.errors import BadRequestError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, requires, shows_keys
from examapp.platform.audit.actions import ActionContext
from examapp.web.params import chosen_number, sent_number
from examapp.web.submit import request_transaction, submit
from question_bank.kinds.registry import KIND_NAMES, KINDS
from question_bank.model import DIFFICULTY_NAMES

PERMISSIONS = {
    "papers:blueprint:read": {Role.PUBLICITY_OFFICE},
    "papers:blueprint:write": {Role.PUBLICITY_OFFICE},
}


admin_blueprint = Views("papers_admin", __name__, url_prefix="/admin/papers")
_MAX_SEED = 2**31


@admin_blueprint.get("/")
@menu_entry("组卷", position=100, group="题库")
@requires("papers:blueprint:read")
def list_blueprints() -> str:
    """List the blueprints."""
    return render_template(
        "papers/blueprints.html", blueprints=queries.list_blueprints(read_session()), kind_names=KIND_NAMES
    )


@admin_blueprint.route("/new", methods=["GET", "POST"])
@requires("papers:blueprint:write")
def create_blueprint() -> str | Response | tuple[str, int]:
    """Fill in a new blueprint."""
    return _edit(None)


@admin_blueprint.route("/<int:blueprint_id>/edit", methods=["GET", "POST"])
@requires("papers:blueprint:write")
def edit_blueprint(blueprint_id: int) -> str | Response | tuple[str, int]:
    """Change a blueprint that no paper has been drawn from."""
    return _edit(queries.get_blueprint(read_session(), blueprint_id))


def _edit(blueprint: Blueprint | None) -> str | Response | tuple[str, int]:
    blueprint_id = None if blueprint is None else blueprint.id
    form = blueprint_form(blueprint)
    if form.validate_on_submit():
        with submit("组卷规则已保存。请看下面的组卷检查结果。", form=form) as context:
            saved_id = _save(context, blueprint_id, form)
        if not form.is_rejected:
            return redirect(url_for(".show_blueprint", blueprint_id=saved_id))
    page = render_template(
        "papers/edit.html",
        form=form,
        empty_section=SectionForm(prefix="sections-NUMBER-", data={"points_each": 1}),
        names=queries.bank_names(read_session()),
        blueprint_id=blueprint_id,
        case_kinds=[str(code) for code, kind in KINDS.items() if not kind.is_part],
        scoring_kinds=[str(code) for code, kind in KINDS.items() if kind.section_scoring],
    )
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.is_submitted() else page


def _save(context: ActionContext, blueprint_id: int | None, form: BlueprintForm) -> int:
    settings = form.settings()
    if blueprint_id is None:
        return actions.create_blueprint(context, settings=settings).id
    return actions.update_blueprint(context, blueprint_id=blueprint_id, settings=settings).id


@admin_blueprint.get("/<int:blueprint_id>")
@requires("papers:blueprint:read")
def show_blueprint(blueprint_id: int) -> str:
    """Show a blueprint with its dry run: what the bank lacks, and how alike two papers will be."""
    session = read_session()
    blueprint = queries.get_blueprint(session, blueprint_id)
    return render_template(
        "papers/show.html",
        blueprint=blueprint,
        forecast=forecast(queries.sections_of(blueprint), queries.load_pool(session, blueprint)),
        is_drawn_from=queries.is_drawn_from(session, blueprint_id),
        kind_names=KIND_NAMES,
        difficulty_names=DIFFICULTY_NAMES,
    )


@admin_blueprint.get("/<int:blueprint_id>/preview")
@requires("papers:blueprint:read")
def preview_paper(blueprint_id: int) -> str | Response:
    """Show a paper drawn for the look of it, as a candidate would see it; it is not kept."""
    blueprint = queries.get_blueprint(read_session(), blueprint_id)
    seed = chosen_number("seed")
    if seed is None:
        return redirect(url_for(".preview_paper", blueprint_id=blueprint_id, seed=secrets.randbelow(_MAX_SEED)))
    paper = queries.sample_paper(read_session(), blueprint, seed=seed)
    return render_template("papers/preview.html", blueprint=blueprint, paper=paper, seed=seed, kind_names=KIND_NAMES)


@admin_blueprint.post("/<int:blueprint_id>/word")
@requires("papers:blueprint:read")
@shows_keys
def export_paper(blueprint_id: int) -> Response:
    """Give the paper of a seed with its answer sheet and answers as Word documents in a zip; who took it is written down."""
    seed = request.form.get("seed", type=sent_number)
    if seed is None or not 0 <= seed < _MAX_SEED:
        raise BadRequestError
    with request_transaction() as context:
        blueprint = queries.get_blueprint(context.session, blueprint_id)
        paper = queries.sample_paper(context.session, blueprint, seed=seed)
        answers = queries.sample_answers(context.session, blueprint, seed=seed)
        actions.note_paper_exported(context, blueprint, seed=seed)
        content, name = write_paper_files(paper, answers, title=blueprint.name), f"{blueprint.name}-{seed}.zip"
    return send_file(BytesIO(content), mimetype="application/zip", as_attachment=True, download_name=name)


@admin_blueprint.post("/<int:blueprint_id>/copy")
@requires("papers:blueprint:write")
def copy_blueprint(blueprint_id: int) -> Response:
    """Copy a blueprint and open the copy."""
    with request_transaction("已复制，请修改副本。") as context:
        copy = actions.copy_blueprint(context, blueprint_id=blueprint_id)
        copy_id = copy.id
    return redirect(url_for(".edit_blueprint", blueprint_id=copy_id))


@admin_blueprint.post("/<int:blueprint_id>/archive")
@requires("papers:blueprint:write")
def archive_blueprint(blueprint_id: int) -> Response:
    """Take a blueprint out of the list."""
    with request_transaction("组卷规则已归档，已选用它的考试不受影响。") as context:
        actions.archive_blueprint(context, blueprint_id=blueprint_id)
    return redirect(url_for(".list_blueprints"))
