"""The page on which a unit sets in what name it issues its papers."""

from __future__ import annotations

from flask import Response, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField
from wtforms.validators import Length, Optional

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.html import normalise
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.organisation.issuers import actions
from examapp.organisation.issuers.queries import find_issuer, issuer_line
from examapp.organisation.units.admin_views import units_blueprint
from examapp.organisation.units.models import AREA_KINDS
from examapp.organisation.units.queries import list_tops
from examapp.web.forms import FlaskForm
from examapp.web.submit import submit

PERMISSIONS = {"org:issuer:write": {Role.UNIT_ADMIN}}


def _tidy(value: str | None) -> str:
    return normalise(value or "").strip()


def made_by(permission: str, unit_id: int | None = None) -> str:
    """Say at the end of a table in whose name who is signed in makes it today, by the access scope of a permission."""
    own_issuer = find_issuer(read_session(), my_access(permission), unit_id)
    return issuer_line(own_issuer or current_app.extensions["site_texts"].organisation, clock.now())


class IssuerForm(FlaskForm):
    """In what name a unit issues its papers."""

    issuer_name = StringField(
        "落款", filters=[_tidy], validators=[Optional(), Length(max=40, message="落款最多 40 字。")]
    )


@units_blueprint.get("/issuer")
@menu_entry("本单位落款", position=224, group="单位与人员")
@requires("org:issuer:write")
def show_own_issuer() -> BaseResponse:
    """Lead to the name in which the first unit of one's access scope issues its papers."""
    access = my_access("org:issuer:write")
    tops = list_tops(read_session(), access.region_paths, access.sector_paths)
    if not tops:
        raise NotFoundError
    return redirect(url_for(".set_issuer", unit_id=tops[0].id), 303)


@units_blueprint.route("/units/<int:unit_id>/issuer", methods=["GET", "POST"])
@requires("org:issuer:write")
def set_issuer(unit_id: int) -> BaseResponse:
    """Show and change in what name a unit issues its papers."""
    session, access = read_session(), my_access("org:issuer:write")
    unit = get_unit_within(session, unit_id, access)
    form = IssuerForm(issuer_name=unit.issuer)
    if form.validate_on_submit():
        name = form.issuer_name.data or ""
        if name == current_app.extensions["site_texts"].organisation and unit.kind not in AREA_KINDS:
            form.reject("这是县里的落款，不能用作本单位的落款。", "issuer_name")
        else:
            with submit("已保存。以后生成的报表、名单和通报用这个落款。", form=form) as context:
                actions.set_issuer_name(context, get_unit_within(context.session, unit_id, access), name)
        if not form.errors:
            return redirect(url_for(".set_issuer", unit_id=unit_id), 303)
    others = [top for top in list_tops(session, access.region_paths, access.sector_paths) if top.id != unit_id]
    page = render_template("org/issuer.html", form=form, unit=unit, others=others)
    return Response(page, 422 if form.errors else 200)
