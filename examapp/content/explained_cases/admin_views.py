"""Pages of the library of cases."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.content.explained_cases import actions, queries, rules
from examapp.content.explained_cases.forms import CaseForm, CaseReviewForm
from examapp.content.explained_cases.models import ExplainedCase
from examapp.content.explained_cases.rules import CaseState
from examapp.db.session import read_session
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.organisation.units.models import Unit, UnitKind
from examapp.organisation.units.queries import list_units, unit_of
from examapp.platform.audit.actions import ActionContext
from examapp.web.params import chosen_page, page_count
from examapp.web.submit import check_form, status_of, submit

PERMISSIONS = {
    "cases:case:write": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
    "cases:case:review": {Role.PUBLICITY_OFFICE},
}

admin_blueprint = Blueprint("cases_admin", __name__, url_prefix="/admin/cases")
_WRITE, _REVIEW = "cases:case:write", "cases:case:review"


@admin_blueprint.get("/")
@menu_entry("以案释法库", position=205, group="普法责任制")
@requires(_WRITE)
def list_cases() -> str:
    """List the library's cases, and those of units within the access scope in any state."""
    law, state = request.args.get("law", "").replace("\0", "").strip()[:100], request.args.get("state", "")
    state = state if state in rules.STATE_NAMES else ""
    rows, total = queries.list_cases(read_session(), my_access(_WRITE), page=chosen_page(), law=law, state=state)
    return render_template(
        "cases/list.html",
        rows=rows,
        law=law,
        state=state,
        page=chosen_page(),
        pages_count=page_count(total, queries.PAGE),
        state_names=rules.STATE_NAMES,
        state_styles=rules.STATE_STYLES,
    )


@admin_blueprint.route("/new", methods=["GET", "POST"])
@requires(_WRITE)
def add_case() -> Response | tuple[str, int]:
    """Write a case."""
    return _edit(None)


@admin_blueprint.route("/<int:case_id>/edit", methods=["GET", "POST"])
@requires(_WRITE)
def change_case(case_id: int) -> Response | tuple[str, int]:
    """Change a draft."""
    return _edit(queries.get_case(read_session(), case_id, my_access(_WRITE), is_own=True))


def _edit(case: ExplainedCase | None) -> Response | tuple[str, int]:
    form, case_id, session = CaseForm(obj=case), case.id if case else None, read_session()
    units = list_units(session, within(my_access(_WRITE)), Unit.kind != UnitKind.SECTOR)
    form.offer([(unit.id, unit.name) for unit in units if case is None or unit.id == case.unit_id])
    if form.validate_on_submit():
        with submit("案例已保存为草稿。写好后请点“报送”。", form=form) as context:
            saved_id = _save(context, case_id, form)
        if not form.is_rejected:
            return redirect(url_for(".show_case", case_id=saved_id))
    return render_template("cases/form.html", form=form, case_id=case_id), status_of(form)


def _save(context: ActionContext, case_id: int | None, form: CaseForm) -> int:
    content, access = form.content(), my_access(_WRITE)
    if case_id is None:
        return actions.add_case(context, unit_id=form.unit_id.data, content=content, access=access).id
    version = form.version.data or 0
    return actions.change_case(context, case_id=case_id, version=version, content=content, access=access).id


@admin_blueprint.get("/<int:case_id>")
@requires(_WRITE)
def show_case(case_id: int) -> str:
    """Show a case with what may be done with it."""
    session, access = read_session(), my_access(_WRITE)
    case = queries.get_case(session, case_id, access)
    unit = unit_of(session, case)
    return render_template(
        "cases/show.html",
        case=case,
        unit=unit,
        is_own=access.covers(region_path=unit.region_path, sector_path=unit.sector_path),
        texts=rules.TEXTS,
        names=queries.suspected_names(session, case) if case.state != CaseState.PUBLISHED else [],
        form=CaseReviewForm(),
        state_names=rules.STATE_NAMES,
        state_styles=rules.STATE_STYLES,
    )


@admin_blueprint.post("/<int:case_id>/submit")
@requires(_WRITE)
def submit_case(case_id: int) -> Response:
    """Hand a case in."""
    with submit("案例已报送，请等普法办审核。", back=url_for(".show_case", case_id=case_id)) as context:
        actions.submit_case(context, case_id=case_id, access=my_access(_WRITE))
    return redirect(url_for(".show_case", case_id=case_id))


@admin_blueprint.post("/<int:case_id>/review")
@requires(_REVIEW)
def review_case(case_id: int) -> Response:
    """Take a case into the library, or give it back."""
    form, access = CaseReviewForm(), my_access(_REVIEW)
    check_form(form)
    is_returned = request.form.get("act") == "return"
    text = "案例已退回单位修改。" if is_returned else "案例已入库，各单位可以看到和使用。"
    with submit(text, back=url_for(".show_case", case_id=case_id)) as context:
        if is_returned:
            actions.return_case(context, case_id=case_id, remark=form.remark.data, access=access)
        else:
            actions.publish_case(context, case_id=case_id, is_anonymised=form.is_anonymised.data, access=access)
    return redirect(url_for(".show_case", case_id=case_id))
