"""Pages of the unit book."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import DomainError
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import actor, cipher, may, my_access, requires
from examapp.organisation.roster_change_application.actions import InvalidRosterChangeError
from examapp.organisation.roster_change_requests import actions, queries
from examapp.organisation.roster_change_requests.actions import RosterChange
from examapp.organisation.roster_change_requests.forms import ChangeForm, NewListForm, ReplyForm, change_form
from examapp.organisation.roster_change_requests.models import (
    CHANGE_KIND_NAMES,
    LINE_STATE_NAMES,
    LIST_STATE_NAMES,
    ChangeKind,
    RosterChangeListState,
)
from examapp.organisation.units.models import Unit
from examapp.organisation.units.queries import list_units
from examapp.platform.audit.actions import ActionContext
from examapp.web.forms import FlaskForm
from examapp.web.params import chosen_page, sent_number
from examapp.web.submit import request_transaction, submit

PERMISSIONS = {
    "people:change:propose": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
    "people:change:approve": {Role.PUBLICITY_OFFICE},
}


admin_blueprint = Blueprint("unit_management_admin", __name__, url_prefix="/admin/unit-book")


class InvalidFormError(DomainError):
    """A form of few fields was filled in wrongly; the message names the first fault."""

    code = "form_refused"


def validate_form(form: FlaskForm) -> None:
    """Raise InvalidFormError with the first fault of a form that has no page of its own to show it on."""
    if not form.validate():
        issues = [error for errors in form.errors.values() for error in errors]
        raise InvalidFormError(str(issues[0]))


PROPOSE, APPROVE = "people:change:propose", "people:change:approve"


@admin_blueprint.get("/changes")
@requires(PROPOSE)
def list_changes() -> str:
    """List the lists of changes of the units within the access scope."""
    word, page, access = request.args.get("state", ""), chosen_page(), my_access(PROPOSE)
    state = RosterChangeListState(word) if word in set(RosterChangeListState) else None
    rows, count = queries.list_change_lists(read_session(), access, state=state, page=page)
    form = NewListForm(formdata=None)
    form.unit_id.choices = _choices(list_units(read_session(), within(access)))
    return render_template(
        "unit_management/changes.html",
        rows=rows,
        count=count,
        page=page,
        page_count=-(-count // queries.PAGE),
        state=state,
        state_names=LIST_STATE_NAMES,
        form=form,
    )


def _choices(units: list[Unit]) -> list[tuple[int, str]]:
    return [(unit.id, f"{unit.code}　{unit.name}") for unit in units]


@admin_blueprint.post("/changes")
@requires(PROPOSE)
def draft_changes() -> Response:
    """Begin a list for a unit."""
    unit_id = request.form.get("unit_id", 0, type=sent_number)
    with request_transaction() as context:
        row = actions.draft_list(context, unit_id=unit_id, access=my_access(PROPOSE))
        list_id = row.id
    return _back(list_id)


@admin_blueprint.get("/changes/<int:list_id>")
@requires(PROPOSE)
def show_changes(list_id: int) -> str:
    """Show a list with its lines and what became of each."""
    return _show(list_id, "unit_management/change_list.html")


@admin_blueprint.get("/changes/<int:list_id>/form")
@requires(PROPOSE)
def print_changes(list_id: int) -> str:
    """Show the list as a form to print, sign and seal (人员变动名单)."""
    return _show(list_id, "unit_management/change_form.html")


def _show(list_id: int, template: str) -> str:
    session = read_session()
    row = queries.get_change_list(session, list_id, my_access(PROPOSE))
    is_decider = may(APPROVE)
    return render_template(
        template,
        row=row,
        unit=session.get_one(Unit, row.unit_id),  # meant: a number out of a row that is within the access scope
        lines=queries.show_lines(session, row, with_namesakes=is_decider),
        kind_names=CHANGE_KIND_NAMES,
        state_names=LIST_STATE_NAMES,
        line_state_names=LINE_STATE_NAMES,
        decider=is_decider
        and row.state == RosterChangeListState.SUBMITTED
        and row.submitted_by_id != actor().person_id,
        is_own=row.submitted_by_id == actor().person_id,
    )


@admin_blueprint.route("/changes/<int:list_id>/lines/new", methods=["GET", "POST"])
@requires(PROPOSE)
def add_change(list_id: int) -> str | Response | tuple[str, int]:
    """Write a change down; its kind stands in the address."""
    session, word = read_session(), request.args.get("kind", "")
    row = queries.get_change_list(session, list_id, my_access(PROPOSE))
    kind = ChangeKind(word) if word in set(ChangeKind) else ChangeKind.TRANSFER_OUT
    unit = session.get_one(Unit, row.unit_id)  # meant: a number out of a row that is within the access scope
    form = change_form(kind)
    if "own_unit_id" in form:
        is_below = Unit.region_path.startswith(unit.region_path, autoescape=True)
        form.own_unit_id.choices = _choices(list_units(session, is_below))
    if form.validate_on_submit():
        with submit("已添加。全部添加完后，请点“提交审批”。", form=form) as context:
            _add(context.session, row.id, kind, form)
        if not form.is_rejected:
            return _back(list_id)
    page = render_template(
        "unit_management/change.html", form=form, kind=kind, kind_names=CHANGE_KIND_NAMES, row=row, unit=unit
    )
    return (page, 422) if form.is_submitted() else page


def _add(session: Session, list_id: int, kind: ChangeKind, form: ChangeForm) -> None:
    said = {
        name: form[name].data or "" for name in ("staff_number", "name", "position", "rank", "note") if name in form
    }
    actions.add_line(
        session,
        list_id=list_id,
        change=RosterChange(kind=kind, unit=_unit_of(session, form), effective_on=form.effective_on.data, **said),
        access=my_access(PROPOSE),
        now=clock.now(),
    )


def _unit_of(session: Session, form: ChangeForm) -> Unit | None:
    if "own_unit_id" in form:
        # meant: the form offers units of the list's own subtree alone.
        return session.get_one(Unit, form.own_unit_id.data)
    text = form.to_unit.data if "to_unit" in form else ""
    if not text:
        return None
    found = queries.find_open_unit(session, text)
    if not found:
        raise InvalidRosterChangeError(f"没有找到“{text}”。请填写单位的全称或编码；调出本县的，单位留空。")
    if len(found) > 1:
        codes = "、".join(unit.code for unit in found)
        raise InvalidRosterChangeError(f"有 {len(found)} 个单位都叫“{text}”，请改填单位编码（{codes}）。")
    return found[0]


@admin_blueprint.post("/changes/<int:list_id>/lines/<int:line_id>/remove")
@requires(PROPOSE)
def remove_change(list_id: int, line_id: int) -> Response:
    """Take a change out of a list that is not submitted."""
    return _act(
        list_id,
        lambda context: actions.remove_line(
            context.session, list_id=list_id, line_id=line_id, access=my_access(PROPOSE)
        ),
        "已删除。",
    )


@admin_blueprint.post("/changes/<int:list_id>/submit")
@requires(PROPOSE)
def submit_changes(list_id: int) -> Response:
    """Hand a list to the office."""
    return _act_on(list_id, actions.submit_list, "已提交，等待普法办审批。请打印名单，签字盖章后一并报送。", PROPOSE)


@admin_blueprint.post("/changes/<int:list_id>/take-back")
@requires(PROPOSE)
def take_back_changes(list_id: int) -> Response:
    """Take a submitted list back to mend it."""
    return _act_on(list_id, actions.take_back_list, "已收回，可以修改后重新提交。", PROPOSE)


@admin_blueprint.post("/changes/<int:list_id>/discard")
@requires(PROPOSE)
def discard_changes(list_id: int) -> Response:
    """Give a draft up."""
    return _act_on(list_id, actions.discard_list, "名单已作废。", PROPOSE)


@admin_blueprint.post("/changes/<int:list_id>/return")
@requires(APPROVE)
def return_changes(list_id: int) -> Response:
    """Send a list back to the unit with words."""
    answer = _answer()
    return _act(
        list_id,
        lambda context: actions.return_list(context, list_id=list_id, answer=answer, access=my_access(APPROVE)),
        "已退回单位修改。",
    )


@admin_blueprint.post("/changes/<int:list_id>/approve")
@requires(APPROVE)
def approve_changes(list_id: int) -> Response:
    """Agree to everything that waits in a list."""
    with submit(back=_back(list_id).location) as context:
        done, stuck = actions.approve_list(context, list_id=list_id, access=my_access(APPROVE), cipher=cipher())
    text = f"已同意 {done} 项。"
    flash(text + (f"有 {stuck} 项不能办理，原因写在该项旁边，其余不受影响。" if stuck else ""), "success")
    return _back(list_id)


@admin_blueprint.post("/changes/<int:list_id>/lines/<int:line_id>/approve")
@requires(APPROVE)
def approve_change(list_id: int, line_id: int) -> Response:
    """Agree to one change."""
    return _act(
        list_id,
        lambda context: actions.approve_line(
            context, list_id=list_id, line_id=line_id, access=my_access(APPROVE), cipher=cipher()
        ),
        "已同意这一项。",
    )


@admin_blueprint.post("/changes/<int:list_id>/lines/<int:line_id>/refuse")
@requires(APPROVE)
def reject_change(list_id: int, line_id: int) -> Response:
    """Reject one change, with words."""
    answer = _answer()
    return _act(
        list_id,
        lambda context: actions.reject_line(
            context, list_id=list_id, line_id=line_id, answer=answer, access=my_access(APPROVE)
        ),
        "已答复：未同意这一项。",
    )


def _answer() -> str:
    form = ReplyForm()
    return str(form.answer.data or "") if form.validate() else ""


def _act_on(list_id: int, act: Callable[..., object], text: str, permission: str) -> Response:
    return _act(
        list_id,
        lambda context: act(context, list_id=list_id, access=my_access(permission)),
        text,
    )


def _act(list_id: int, act: Callable[[ActionContext], object], text: str) -> Response:
    with submit(text) as context:
        act(context)
    return _back(list_id)


def _back(list_id: int) -> Response:
    return redirect(url_for("unit_management_admin.show_changes", list_id=list_id), 303)
