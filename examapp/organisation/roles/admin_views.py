"""Pages of the security administrator: who holds which role over what; a role is asked for here and approved by a second person."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import Response, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse
from wtforms.fields.choices import SelectChoice

from examapp import clock
from examapp.db.session import read_session
from examapp.organisation.access.queries import (
    get_unit_within,
    list_grants_to_stand_in_for,
    list_role_grants,
    within,
)
from examapp.organisation.access.rules import ROLE_NAMES, Role
from examapp.organisation.accounts.guards import has_active_attempt, my_access, requires
from examapp.organisation.dual_control.queries import list_waiting_about
from examapp.organisation.people.models import Person
from examapp.organisation.people.queries import get_person_within
from examapp.organisation.roles import actions
from examapp.organisation.roles.actions import RoleRequest
from examapp.organisation.roster.forms import DeputyForm, RoleForm, RolesImportForm
from examapp.organisation.units.admin_views import admin_blueprint, read_table, unit_choices, units_within
from examapp.organisation.units.models import Tree
from examapp.web.submit import submit

PERMISSIONS = {
    "people:role:grant": {Role.SECURITY_ADMIN},
    "people:role:approve": {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN},
}


_GRANT = "people:role:grant"
_APPROVAL = "另一名系统管理员或安全管理员审批后生效。"
_REQUESTED = f"申请已提交。{_APPROVAL}"


@admin_blueprint.route("/<int:person_id>/roles", methods=["GET", "POST"])
@requires(_GRANT)
def grant_role(person_id: int) -> AnyResponse:
    """Ask for a role for a person; another administrator puts it in force."""
    session, access = read_session(), my_access(_GRANT)
    person = get_person_within(session, person_id, access)
    form = RoleForm()
    units = unit_choices(units_within(session, access), "全县" if access.is_everything else None)
    form.unit_id.choices = [SelectChoice("", "请选择"), *units]
    if form.validate_on_submit() and _ask(form, person_id):
        flash(_REQUESTED, "success")
        return redirect(url_for("people_admin.grant_role", person_id=person_id), 303)
    page = render_template(
        "people/roles.html",
        form=form,
        person=person,
        grants=list_role_grants(session, person_id, now=clock.now()),
        waiting=list_waiting_about(session, person_id, actions.ACT, now=clock.now()),
        role_names=ROLE_NAMES,
    )
    return Response(page, 422 if form.errors else 200)


@admin_blueprint.route("/roles/import", methods=["GET", "POST"])
@requires(_GRANT)
def import_roles() -> AnyResponse:
    """Ask for the roles of a table, uploaded or pasted: every row that can be, and the others named with their reasons."""
    form, asked = RolesImportForm(), 0
    problems: list[str] = []
    if form.validate_on_submit() and (grids := read_table(form, actions.ROLE_HEADS)):
        with submit(form=form, field="text") as context:
            asked, problems = actions.request_roles(
                context, grids, scope=within(my_access(_GRANT)), reason=form.reason.data or ""
            )
        if not form.is_rejected and not problems:
            flash(f"已提交 {asked} 份申请。{_APPROVAL}", "success")
            return redirect(url_for("people_admin.list_people"), 303)
    page = render_template("people/import_roles.html", form=form, asked=asked, problems=problems, approval=_APPROVAL)
    return Response(page, 422 if form.errors else 200)


def _ask(form: RoleForm, person_id: int) -> bool:
    access = my_access(_GRANT)

    def role_request(session: Session, _person: Person) -> RoleRequest:
        unit = get_unit_within(session, form.unit_id.data, access) if form.unit_id.data else None
        return RoleRequest(
            role=Role(form.role.data),
            unit_id=unit.id if unit else None,
            tree=Tree(form.tree.data),
            ends_at=_end_of(form.ends_on.data),
        )

    return _request(form, person_id, role_request)


@admin_blueprint.route("/<int:person_id>/deputy", methods=["GET", "POST"])
@requires(_GRANT)
def appoint_deputy(person_id: int) -> AnyResponse:
    """Ask that a person may stand in for another's role until a day."""
    session = read_session()
    person = get_person_within(session, person_id, my_access(_GRANT))
    form = DeputyForm()
    form.deputy_of_id.choices = [
        SelectChoice(str(row.id), f"{row.name}　{ROLE_NAMES[Role(row.role)]}　{row.unit_name or '全县'}")
        for row in list_grants_to_stand_in_for(session, person_id, now=clock.now())
    ]
    if form.validate_on_submit() and _ask_for_deputy(form, person_id):
        flash(_REQUESTED, "success")
        return redirect(url_for("people_admin.grant_role", person_id=person_id), 303)
    return Response(render_template("people/deputy.html", form=form, person=person), 422 if form.errors else 200)


def _ask_for_deputy(form: DeputyForm, person_id: int) -> bool:
    def role_request(session: Session, _person: Person) -> RoleRequest:
        ends_at = _end_of(form.ends_on.data)
        return actions.deputy_request(session, form.deputy_of_id.data, ends_at=ends_at, now=clock.now())

    return _request(form, person_id, role_request)


def _request(form: RoleForm | DeputyForm, person_id: int, role_request: actions.MakeRoleRequest) -> bool:
    with submit(form=form, field="reason") as context:
        person = get_person_within(context.session, person_id, my_access(_GRANT))
        actions.request_role(context, person, role_request(context.session, person), reason=form.reason.data or "")
    return not form.is_rejected


def _end_of(day: date | None) -> datetime | None:
    """Give the instant at which a day ends in the county."""
    return clock.from_local(datetime.combine(day + timedelta(days=1), time())) if day else None


@admin_blueprint.post("/<int:person_id>/roles/<int:grant_id>/revoke")
@requires(_GRANT)
def revoke_role(person_id: int, grant_id: int) -> AnyResponse:
    """Take a role back."""
    with submit("已收回，立即生效。") as context:
        person = get_person_within(context.session, person_id, my_access(_GRANT))
        actions.revoke_role(context, grant_id, person, has_active_attempt=has_active_attempt)
    return redirect(url_for("people_admin.grant_role", person_id=person_id), 303)
