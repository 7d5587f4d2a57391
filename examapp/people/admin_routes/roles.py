"""Pages of the security administrator: who holds which role over what."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.permissions import Permission
from examapp.org.models import Tree
from examapp.people.access import actor, my_reach, requires
from examapp.people.admin_routes.frame import admin_blueprint, unit_choices, units_within
from examapp.people.forms import RoleForm
from examapp.people.operations import roles
from examapp.people.operations.roster import PersonRefusedError
from examapp.people.queries import get_person_within, get_unit_within, list_role_grants
from examapp.people.rules import ROLE_NAMES, Role

_GRANT = Permission.ROLES_GRANT


@admin_blueprint.route("/<int:person_id>/roles", methods=["GET", "POST"])
@requires(_GRANT)
def grant_role(person_id: int) -> AnyResponse:
    """Give a person a role."""
    session, reach = reading(), my_reach(_GRANT)
    person = get_person_within(session, person_id, reach)
    form = RoleForm()
    form.unit_id.choices = unit_choices(units_within(session, reach), "全县" if reach.is_everything else None)
    if form.validate_on_submit() and _grant(form, person_id):
        flash(f"已授予「{ROLE_NAMES[Role(form.role.data)]}」，立即生效。", "success")
        return redirect(url_for("people_admin.grant_role", person_id=person_id), 303)
    page = render_template(
        "people/roles.html",
        form=form,
        person=person,
        grants=list_role_grants(session, person_id, now=clock.now()),
        role_names=ROLE_NAMES,
    )
    return Response(page, 422 if form.errors else 200)


def _grant(form: RoleForm, person_id: int) -> bool:
    reach = my_reach(_GRANT)
    try:
        with transaction() as session:
            person = get_person_within(session, person_id, reach)
            unit = get_unit_within(session, form.unit_id.data, reach) if form.unit_id.data else None
            roles.grant_role(
                session, person, Role(form.role.data), unit, tree=Tree(form.tree.data), actor=actor(), now=clock.now()
            )
    except PersonRefusedError as refusal:
        form[refusal.field].errors = [refusal.text]
        return False
    return True


@admin_blueprint.post("/<int:person_id>/roles/<int:grant_id>/revoke")
@requires(_GRANT)
def revoke_role(person_id: int, grant_id: int) -> AnyResponse:
    """Take a role back."""
    try:
        with transaction() as session:
            person = get_person_within(session, person_id, my_reach(_GRANT))
            roles.revoke_role(session, grant_id, person, actor=actor(), now=clock.now())
        flash("已收回，立即生效。", "success")
    except PersonRefusedError as refusal:
        flash(refusal.text, "error")
    return redirect(url_for("people_admin.grant_role", person_id=person_id), 303)
